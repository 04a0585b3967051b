//! Lists backups with the reasons for which they stay.

use crate::manifest::{Kind, Verification};
use crate::plan::Fate;
use crate::settings::Settings;
use crate::shelf::{Backup, Shelf};
use crate::{claim, pruning, words};
use jiff::Timestamp;
use sopwith::{Report, Result};

/// What there is.
#[sopwith::output]
pub(crate) struct Listed {
    /// The backups, the newest first.
    backups: Vec<Row>,
    /// Files that a run left unfinished or is at work on.
    unfinished: Vec<String>,
}

/// One backup.
#[sopwith::output]
struct Row {
    /// The name of the file.
    name: String,
    /// `backup` or `safety`.
    kind: Kind,
    /// When it was made.
    taken_at: Timestamp,
    /// The size of the file.
    bytes: u64,
    /// The size of the database.
    database_bytes: u64,
    /// How many tables it has.
    tables: u64,
    /// How many rows they have.
    rows: u64,
    /// `yes`, `no` or `failed`.
    verified: String,
    /// What `prune` does with it: `keep`, `remove` or `leave`.
    prune: String,
    /// Why, with commas between the reasons.
    reasons: String,
}

/// Lists the backups and why each of them stays.
#[sopwith::action(idempotent)]
#[needs(
    directories(read),
    from = "$.to",
    reason = "reads the manifests of the backups"
)]
pub(crate) fn list(settings: &Settings) -> Result<Report<Listed>> {
    let shelf = Shelf::scan(settings)?;
    let fates = pruning::plan(settings, &shelf).fates.into_iter();
    let listed = Listed {
        backups: fates.map(|(backup, fate)| row(backup, fate)).collect(),
        unfinished: claim::unfinished(&shelf)?,
    };
    let total = words::count(listed.backups.len() as u64, "backup");
    let verified = listed.backups.iter().filter(|row| row.verified == "yes").count();
    let bytes = listed.backups.iter().map(|row| row.bytes).sum();
    let summary = format!("{total}, {verified} verified, {} in all", words::size(bytes));
    Ok(Report::ok(summary).with_output(listed))
}

fn row(backup: &Backup, fate: Fate) -> Row {
    let manifest = &backup.manifest;
    let verified = match manifest.verification.as_ref().map(Verification::passed) {
        Some(true) => "yes",
        Some(false) => "failed",
        None => "no",
    };
    let (prune, reasons) = match fate {
        Fate::Kept(reasons) => ("keep", reasons.join(", ")),
        Fate::Removed => ("remove", "no rule keeps it".to_owned()),
        Fate::Left(why) => ("leave", why),
    };
    Row {
        name: backup.name.clone(),
        kind: manifest.kind,
        taken_at: manifest.started_at,
        bytes: manifest.file.bytes,
        database_bytes: manifest.source.bytes,
        tables: manifest.rows.len() as u64,
        rows: manifest.rows_total(),
        verified: verified.to_owned(),
        prune: prune.to_owned(),
        reasons,
    }
}
