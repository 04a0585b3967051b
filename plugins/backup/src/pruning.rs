//! Lets old backups go.

use crate::plan::{self, Plan};
use crate::settings::Settings;
use crate::shelf::Shelf;
use sopwith::{Result, journal, run};

/// What became of the backups.
#[sopwith::output]
#[derive(Debug, Clone, Default)]
pub(crate) struct Pruned {
    /// How many count and stay.
    pub(crate) kept: u64,
    /// The names of those that went, the oldest first.
    pub(crate) removed: Vec<String>,
    /// Why nothing was let go.
    pub(crate) held: Option<String>,
}

/// What the settings decide about these backups.
pub(crate) fn plan<'a>(settings: &Settings, shelf: &'a Shelf) -> Plan<'a> {
    let rules = (&settings.keep, &settings.time_zone);
    plan::decide(shelf.backups(), rules, &run::procedure(), run::now())
}

/// Lets old backups go, as a step. An attempt after one that was cut off goes on with those that
/// are left, since what no rule keeps among all is kept by none among fewer.
pub(crate) fn prune(settings: &Settings, shelf: &Shelf) -> Result<Pruned> {
    journal::step("prune", |step| {
        let plan = plan(settings, shelf);
        let going: Vec<_> = plan.removed().collect();
        let mut removed = Vec::new();
        for backup in &going {
            step.progress(removed.len() as u64, going.len() as u64, "backups");
            if backup.remove(&settings.to)? {
                removed.push(backup.name.clone());
            }
        }
        Ok(Pruned {
            kept: plan.kept(),
            removed,
            held: plan.held.clone(),
        })
    })
}

impl Pruned {
    /// `kept 14, removed 1`
    pub(crate) fn sentence(&self) -> String {
        let (kept, removed) = (self.kept, self.removed.len());
        if run::dry_run() {
            format!("would keep {kept}, remove {removed}")
        } else {
            format!("kept {kept}, removed {removed}")
        }
    }
}
