//! Restores over the old database.

use super::{Inputs, Restored, sentence};
use crate::manifest::Kind;
use crate::settings::{Settings, Template};
use crate::shelf::{Backup, Shelf};
use crate::{claim, findings, naming, rows, snapshot, words};
use sopwith::journal::{Step, skip_step};
use sopwith::{Context, Error, ErrorKind, Report, Result, run, step};
use std::time::Duration;

/// Five seconds in all; who holds the database for longer does it on purpose.
const PUT_BACK_TRIES_MAX: u32 = 20;
const PUT_BACK_PAUSE: Duration = Duration::from_millis(250);

pub(super) fn restore(
    settings: &Settings,
    inputs: &Inputs,
    shelf: &Shelf,
    backup: &Backup,
) -> Result<Report<Restored>> {
    let safety = step("restore", |step| replace(settings, inputs, shelf, backup, step))?;
    let mut restored = Restored {
        from: backup.name.clone(),
        to: settings.database.name().to_owned(),
        safety_copy: safety.as_ref().map(|safety| safety.name.clone()),
        put_back: false,
        problems: Vec::new(),
    };
    if run::dry_run() {
        skip_step("check", "a dry run restores nothing that could be checked")?;
    } else {
        restored.problems = step("check", |_| check(settings, inputs, backup))?;
    }
    if restored.problems.is_empty() {
        findings::of_restore(settings, &[], "")?;
        return Ok(good(backup, restored));
    }
    if let Some(safety) = &safety {
        step("put-back", |_| put_back(settings, safety))?;
        restored.put_back = true;
    }
    bad(settings, backup, restored)
}

/// Puts the backup in the place of the database, and returns the safety copy of the old one.
///
/// Both are one step: an attempt that was refused leaves no safety copy behind, so the next one
/// makes its own.
fn replace(
    settings: &Settings,
    inputs: &Inputs,
    shelf: &Shelf,
    backup: &Backup,
    step: &Step,
) -> Result<Option<Backup>> {
    let safety = if inputs.safety {
        save(settings, shelf, step)?
    } else {
        None
    };
    if let Err(error) = put(settings, backup) {
        // One of an earlier attempt stays: that may have come to replace the database.
        let own = safety.filter(|safety| shelf.backup(&safety.name).is_none());
        if let Some(own) = own.filter(|_| is_refusal(&error) && !run::dry_run()) {
            discard(settings, &own);
        }
        return Err(error);
    }
    Ok(safety)
}

/// Whether the host replaced nothing for certain; what fails at a disk may have come further.
fn is_refusal(error: &Error) -> bool {
    matches!(
        error.kind,
        ErrorKind::Conflict | ErrorKind::Denied | ErrorKind::Limit
    )
}

/// Removes a safety copy of what is still there; the refusal matters more than a copy too many.
fn discard(settings: &Settings, safety: &Backup) {
    if let Err(error) = safety.remove(&settings.to) {
        sopwith::warn!("the safety copy `{}` is left behind: {error}", safety.name);
    }
}

/// Saves the old database; none where there is none.
fn save(settings: &Settings, shelf: &Shelf, step: &Step) -> Result<Option<Backup>> {
    let template = Template::of_safety_copies();
    let name = step.step("name", |_| naming::choose(settings, &template, shelf))?;
    match snapshot::take(settings, shelf, &name, Kind::Safety, |_| Vec::new()) {
        Ok(saved) => {
            claim::release(&name)?;
            Ok(Some(saved))
        }
        Err(error) if error.kind == ErrorKind::NotFound => {
            sopwith::warn!("there is no old database to save: {error}");
            Ok(None)
        }
        Err(error) => Err(may_be_spoilt(error)),
    }
}

fn may_be_spoilt(error: Error) -> Error {
    let error = error.context("the safety copy of the old database");
    match error.kind {
        ErrorKind::Failed | ErrorKind::Invalid => {
            error.with_hint("where the old database is spoilt, restore with the input `safety = false`")
        }
        _ => error,
    }
}

/// The bytes are those of the snapshot, or the database stays as it is.
fn put(settings: &Settings, backup: &Backup) -> Result<()> {
    let digest = &backup.manifest.source.digest;
    let flow = backup.open(&settings.to)?.expect_digest(digest)?;
    for warning in flow.to_database(&settings.database)?.warnings {
        sopwith::warn!("{warning}");
    }
    Ok(())
}

/// What read the database for the check may take a moment to let go of it.
fn put_back(settings: &Settings, safety: &Backup) -> Result<()> {
    let mut tries = 1;
    loop {
        match put(settings, safety) {
            Err(error) if error.retryable && tries < PUT_BACK_TRIES_MAX => {
                run::sleep(PUT_BACK_PAUSE)?;
                tries += 1;
            }
            put => return put.with_context(|| format!("the safety copy `{}` is not back", safety.name)),
        }
    }
}

fn check(settings: &Settings, inputs: &Inputs, backup: &Backup) -> Result<Vec<String>> {
    let mut problems = rows::differences(&settings.database, &backup.manifest.rows)?;
    problems.extend(rows::differences(&settings.database, &inputs.rows)?);
    Ok(problems)
}

fn good(backup: &Backup, restored: Restored) -> Report<Restored> {
    let summary = sentence(backup, &format!("`{}`", restored.to));
    let summary = match &restored.safety_copy {
        Some(safety) => format!("{summary}; the old database is `{safety}`"),
        None => summary,
    };
    Report::ok(summary).with_output(restored)
}

fn bad(settings: &Settings, backup: &Backup, restored: Restored) -> Result<Report<Restored>> {
    let (summary, fix) = match &restored.safety_copy {
        Some(safety) => (
            format!(
                "`{}` was restored, was not right, and `{safety}` is back",
                backup.name
            ),
            "restore another backup",
        ),
        None => (
            format!(
                "`{}` was restored and is not right, and there is nothing to put back",
                backup.name
            ),
            "restore another backup; the old database was not saved",
        ),
    };
    findings::of_restore(settings, &restored.problems, fix)?;
    let summary = format!("{summary}: {}", words::first(&restored.problems));
    Ok(Report::critical(summary).with_output(restored))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: ErrorKind, expected: bool) {
        let error = Error::new(kind, "the database `app` cannot be replaced");
        assert_eq!(is_refusal(&error), expected, "{:?}", error.kind);
    }

    #[test]
    fn safety_copy_is_of_no_use_only_where_nothing_was_replaced() {
        for kind in [ErrorKind::Conflict, ErrorKind::Denied, ErrorKind::Limit] {
            check(kind, true);
        }
        for kind in [ErrorKind::Failed, ErrorKind::Timeout, ErrorKind::Cancelled] {
            check(kind, false);
        }
    }
}
