//! Restores a backup, over the database or beside it.

mod beside;
mod over;
mod target;

use crate::settings::Settings;
use crate::shelf::{Backup, Shelf};
use crate::{choice, examination, findings, words};
use sopwith::{Context, Report, Result, run, step};
use std::collections::BTreeMap;
use target::Target;

/// What to restore, and where to.
#[sopwith::inputs]
pub(crate) struct Inputs {
    /// The name of a backup, `latest`, or a time (RFC 3339) for what was newest then.
    #[serde(default = "latest")]
    from: String,
    /// The name of a new file in the directory of the setting `restore.directory`; without it
    /// the backup takes the place of the database.
    to: Option<String>,
    /// How many rows tables must have afterwards, beside what the manifest says.
    #[serde(default)]
    rows: BTreeMap<String, u64>,
    /// Whether the old database is saved first, to be put back where the new one is not right.
    #[serde(default = "yes")]
    safety: bool,
}

fn latest() -> String {
    choice::LATEST.to_owned()
}

fn yes() -> bool {
    true
}

/// What was restored.
#[sopwith::output]
pub(crate) struct Restored {
    /// The name of the backup.
    from: String,
    /// The database, or the file.
    to: String,
    /// The name of the safety copy of the old database.
    safety_copy: Option<String>,
    /// Whether the safety copy was put back.
    put_back: bool,
    /// What was wrong with the backup, or with the database once it was restored.
    problems: Vec<String>,
}

/// Puts a backup in the place of the database, or beside it as a new file.
#[sopwith::action(changes)]
#[needs(
    databases(read),
    from = "$.database",
    reason = "makes scratch databases, a safety copy, and counts rows"
)]
#[needs(
    databases(replace),
    from = "$.database",
    reason = "puts a backup in its place, unless the input `to` names a new file",
    optional
)]
#[needs(
    directories(write),
    from = "$.to",
    reason = "reads backups, and writes safety copies"
)]
#[needs(
    directories(write),
    from = "$.restore.directory",
    reason = "writes databases that are restored as new files",
    optional
)]
pub(crate) fn restore(settings: &Settings, inputs: &Inputs) -> Result<Report<Restored>> {
    let target = Target::read(settings, inputs)?;
    let shelf = Shelf::scan(settings)?;
    let chosen = step("choose", |_| {
        target.check()?;
        choice::to_restore(shelf.backups(), &inputs.from, run::now()).cloned()
    })?;
    let backup = step("verify", |_| prove(settings, &chosen))?;
    let problems = problems(&backup);
    if !problems.is_empty() {
        return refuse(settings, shelf, backup, problems);
    }
    match target {
        Target::File(directory, path) => beside::restore(settings, &backup, directory, path),
        Target::Database => over::restore(settings, inputs, &shelf, &backup),
    }
}

fn prove(settings: &Settings, backup: &Backup) -> Result<Backup> {
    let proved = examination::prove(settings, backup)?;
    proved.with_context(|| format!("backup `{}` was removed by another run meanwhile", backup.name))
}

fn problems(backup: &Backup) -> Vec<String> {
    let verification = backup.manifest.verification.as_ref();
    verification.map_or_else(Vec::new, |verification| verification.problems.clone())
}

fn refuse(
    settings: &Settings,
    mut shelf: Shelf,
    backup: Backup,
    problems: Vec<String>,
) -> Result<Report<Restored>> {
    let name = backup.name.clone();
    let summary = format!(
        "nothing was restored: `{name}` failed its verification: {}",
        words::first(&problems)
    );
    shelf.replace(backup);
    findings::of_verifications(&shelf)?;
    Ok(Report::critical(summary).with_output(Restored {
        from: name,
        to: settings.database.name().to_owned(),
        safety_copy: None,
        put_back: false,
        problems,
    }))
}

/// `restored` with what and how much
fn sentence(backup: &Backup, to: &str) -> String {
    let verb = if run::dry_run() {
        "would restore"
    } else {
        "restored"
    };
    let manifest = &backup.manifest;
    let (size, rows) = (
        words::size(manifest.source.bytes),
        words::count(manifest.rows_total(), "row"),
    );
    let taken_at = manifest.started_at.strftime("%Y-%m-%d %H:%M:%S UTC");
    format!("{verb} `{}` of {taken_at} ({size}, {rows}) to {to}", backup.name)
}
