//! Makes a backup, verifies it, and lets old ones go.

use crate::manifest::{Kind, Manifest, Verification};
use crate::pruning::{self, Pruned};
use crate::settings::Settings;
use crate::shelf::{Backup, Shelf};
use crate::{claim, examination, expectation, findings, naming, snapshot, words};
use sopwith::journal::skip_step;
use sopwith::{Context, Report, Result, Verdict, journal, run, step};

/// How to look at the database this time.
#[sopwith::inputs]
pub(crate) struct Inputs {
    /// Takes the database for as expected, however it is; later backups are measured by this one.
    #[serde(default)]
    accept: bool,
}

/// What was made.
#[sopwith::output]
pub(crate) struct Made {
    /// The name of the file.
    name: String,
    /// What is known of it.
    manifest: Manifest,
    /// What became of older backups; none where nothing was to be let go.
    pruned: Option<Pruned>,
}

/// Makes a backup while the database is in use, verifies it, and lets old ones go.
#[sopwith::action(changes, idempotent)]
#[needs(
    databases(read),
    from = "$.database",
    reason = "reads a consistent snapshot of it"
)]
#[needs(
    directories(write),
    from = "$.to",
    reason = "writes backups and removes old ones of its own"
)]
pub(crate) fn backup(settings: &Settings, inputs: &Inputs) -> Result<Report<Made>> {
    let shelf = Shelf::scan(settings)?;
    let name = step("choose", |_| naming::choose(settings, &settings.name, &shelf))?;
    let mut backup = step("snapshot", |_| {
        let judge = |manifest: &Manifest| judge(settings, inputs, &shelf, &name, manifest);
        snapshot::take(settings, &shelf, &name, Kind::Backup, judge)
    })?;
    claim::release(&name)?;
    verify(settings, &mut backup)?;
    let shelf = with_new(settings, shelf, &backup)?;
    findings::of_source(settings, &backup)?;
    findings::of_verifications(&shelf)?;
    let pruned = prune(settings, &shelf, &backup)?;
    measure(&backup);
    let name = backup.name.clone();
    let report = report(settings, backup, pruned);
    Ok(findings::with_others(report, shelf.backups(), &[&name]))
}

/// The measure is the newest earlier backup that is proved and was as expected.
fn judge(
    settings: &Settings,
    inputs: &Inputs,
    shelf: &Shelf,
    name: &str,
    manifest: &Manifest,
) -> Vec<String> {
    if inputs.accept {
        return Vec::new();
    }
    let mut before = shelf.backups().iter().filter(|earlier| {
        let earlier_manifest = &earlier.manifest;
        earlier.name != name
            && earlier_manifest.kind == Kind::Backup
            && earlier_manifest.surprises.is_empty()
            && earlier_manifest.is_verified()
    });
    let before = before.find(|earlier| earlier.manifest.started_at <= manifest.started_at);
    let before = before.map(|earlier| &earlier.manifest);
    expectation::surprises(&settings.expect, manifest, before)
}

fn verify(settings: &Settings, backup: &mut Backup) -> Result<()> {
    if !settings.verify {
        return skip_step("verify", "the settings say `verify = false`");
    }
    if run::dry_run() {
        // What follows is planned for the backup that a real run would have verified.
        backup.manifest.verification = Some(Verification {
            at: run::now(),
            run: run::id(),
            depth: settings.check,
            problems: Vec::new(),
        });
        return skip_step("verify", "a dry run writes no backup that could be verified");
    }
    *backup = step("verify", |_| {
        let proved = examination::prove(settings, backup)?;
        proved.with_context(|| format!("backup `{}` was removed by another run meanwhile", backup.name))
    })?;
    Ok(())
}

/// The shelf with the new backup; a dry run cannot read what it did not write.
fn with_new(settings: &Settings, before: Shelf, backup: &Backup) -> Result<Shelf> {
    let mut shelf = if run::dry_run() {
        before
    } else {
        Shelf::scan(settings)?
    };
    shelf.replace(backup.clone());
    Ok(shelf)
}

fn prune(settings: &Settings, shelf: &Shelf, backup: &Backup) -> Result<Option<Pruned>> {
    let reason = if !settings.prune {
        "the settings say `prune = false`"
    } else if findings::has_failed(&backup.manifest) {
        "the new backup failed its verification"
    } else {
        return pruning::prune(settings, shelf).map(Some);
    };
    skip_step("prune", reason)?;
    Ok(None)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a figure for a chart needs no last digit"
)]
fn measure(backup: &Backup) {
    let manifest = &backup.manifest;
    journal::metric("source_size", manifest.source.bytes as f64, "By");
    journal::metric("file_size", manifest.file.bytes as f64, "By");
    journal::metric("rows", manifest.rows_total() as f64, "1");
    journal::metric("snapshot_duration", manifest.elapsed().as_secs_f64(), "s");
}

fn report(settings: &Settings, backup: Backup, pruned: Option<Pruned>) -> Report<Made> {
    let Backup { name, manifest, .. } = backup;
    let verb = if run::dry_run() {
        "would back up"
    } else {
        "backed up"
    };
    let (content, elapsed) = (words_of(&manifest), words::elapsed(manifest.elapsed()));
    let mut summary = format!(
        "{verb} `{}` ({content}) as {name} in {elapsed}",
        settings.database
    );
    let mut verdict = Verdict::Ok;
    if !manifest.surprises.is_empty() {
        verdict = Verdict::Warning;
        summary = format!(
            "{summary}; not as expected: {}",
            words::first(&manifest.surprises)
        );
    }
    match &manifest.verification {
        Some(verification) if verification.passed() && run::dry_run() => summary += "; would verify it",
        Some(verification) if verification.passed() => summary += "; verified",
        Some(verification) => {
            verdict = Verdict::Critical;
            summary = format!(
                "{summary}; it failed its verification: {}",
                words::first(&verification.problems)
            );
        }
        None => summary += "; not verified",
    }
    if let Some(pruned) = &pruned {
        summary = format!("{summary}; {}", pruned.sentence());
    }
    Report::new(verdict, summary).with_output(Made {
        name,
        manifest,
        pruned,
    })
}

/// `12.4 MiB, 3 tables, 10,532 rows`
fn words_of(manifest: &Manifest) -> String {
    let size = words::size(manifest.source.bytes);
    let tables = words::count(manifest.rows.len() as u64, "table");
    let rows = words::count(manifest.rows_total(), "row");
    format!("{size}, {tables}, {rows}")
}
