//! Lets old backups go without making a new one.

use crate::pruning::{self, Pruned};
use crate::settings::Settings;
use crate::shelf::Shelf;
use sopwith::{Report, Result};

/// Lets the backups go that no rule keeps.
#[sopwith::action(changes, idempotent)]
#[needs(directories(write), from = "$.to", reason = "removes old backups of its own")]
pub(crate) fn prune(settings: &Settings) -> Result<Report<Pruned>> {
    let shelf = Shelf::scan(settings)?;
    let pruned = pruning::prune(settings, &shelf)?;
    let report = if let Some(why) = &pruned.held {
        Report::warning(format!("nothing was let go because {why}"))
    } else if pruned.removed.is_empty() {
        Report::nothing_to_do(pruned.sentence())
    } else {
        Report::ok(pruned.sentence())
    };
    Ok(report.with_output(pruned))
}
