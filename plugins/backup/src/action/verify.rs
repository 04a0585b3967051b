//! Verifies backups that were made before.

use crate::settings::Settings;
use crate::shelf::{Backup, Shelf};
use crate::{choice, examination, findings, words};
use sopwith::journal::Step;
use sopwith::{Report, Result, run, step};

/// The word for every backup.
const ALL: &str = "all";

/// Which backups to verify.
#[sopwith::inputs]
pub(crate) struct Inputs {
    /// The name of one, `latest` or `all`.
    #[serde(default = "latest")]
    backup: String,
}

fn latest() -> String {
    choice::LATEST.to_owned()
}

/// What came of it.
#[sopwith::output]
pub(crate) struct Verified {
    /// Each backup that was looked at.
    backups: Vec<Examined>,
}

/// One backup that was looked at.
#[sopwith::output]
struct Examined {
    /// The name of the file.
    name: String,
    /// What is wrong with it.
    problems: Vec<String>,
}

/// Unpacks backups into a scratch database and checks them against their manifests.
#[sopwith::action(changes, idempotent)]
#[needs(
    databases(read),
    from = "$.database",
    reason = "makes scratch databases on the same engine"
)]
#[needs(
    directories(write),
    from = "$.to",
    reason = "reads backups and notes in their manifests that they are good"
)]
pub(crate) fn verify(settings: &Settings, inputs: &Inputs) -> Result<Report<Verified>> {
    let mut shelf = Shelf::scan(settings)?;
    let names = step("choose", |_| choose(&shelf, &inputs.backup))?;
    if names.is_empty() {
        let report = Report::critical(format!("there is no backup of `{}`", settings.database));
        return Ok(report.with_output(Verified { backups: Vec::new() }));
    }
    let backups = step("verify", |step| examine(settings, &mut shelf, &names, step))?;
    findings::of_verifications(&shelf)?;
    let looked_at: Vec<_> = names.iter().map(String::as_str).collect();
    Ok(findings::with_others(
        report(backups),
        shelf.backups(),
        &looked_at,
    ))
}

fn choose(shelf: &Shelf, backup: &str) -> Result<Vec<String>> {
    let backups = shelf.backups().iter();
    let names = |backup: &Backup| backup.name.clone();
    if backup == ALL {
        let there = backups.filter(|backup| backup.manifest.removed_by.is_none());
        return Ok(there.map(names).collect());
    }
    let chosen = choice::to_verify(shelf.backups(), backup, run::now())?;
    Ok(chosen.map(names).into_iter().collect())
}

/// What another run removes meanwhile is passed over.
fn examine(settings: &Settings, shelf: &mut Shelf, names: &[String], step: &Step) -> Result<Vec<Examined>> {
    let mut examined = Vec::new();
    for (done, name) in names.iter().enumerate() {
        step.progress(done as u64, names.len() as u64, "backups");
        let Some(backup) = shelf.backup(name).cloned() else {
            continue;
        };
        if let Some(proved) = step.step(name, |_| examination::prove(settings, &backup))? {
            let verification = proved.manifest.verification.as_ref();
            examined.push(Examined {
                name: name.clone(),
                problems: verification.map_or_else(Vec::new, |verification| verification.problems.clone()),
            });
            shelf.replace(proved);
        }
    }
    Ok(examined)
}

fn report(backups: Vec<Examined>) -> Report<Verified> {
    let bad = backups.iter().filter(|backup| !backup.problems.is_empty());
    let bad: Vec<_> = bad
        .map(|backup| format!("`{}`: {}", backup.name, words::first(&backup.problems)))
        .collect();
    let total = words::count(backups.len() as u64, "backup");
    let report = match (backups.as_slice(), bad.is_empty()) {
        ([one], true) => Report::ok(format!("`{}` is good", one.name)),
        (_, true) => Report::ok(format!("{total} are good")),
        (_, false) => {
            let failed = words::number(bad.len() as u64);
            Report::critical(format!("{failed} of {total} failed: {}", words::first(&bad)))
        }
    };
    report.with_output(Verified { backups })
}
