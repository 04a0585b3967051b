//! What an operator must know of the backups.

use crate::manifest::Manifest;
use crate::settings::Settings;
use crate::shelf::{Backup, Shelf};
use crate::words;
use sopwith::{Finding, Report, Result, Severity, Verdict, journal};

const VERIFY: &str = "backup/verify";
const SOURCE: &str = "backup/source";
const RESTORE: &str = "backup/restore";

/// Tells of every backup whose last verification failed, also those that this run did not look
/// at, since what is not told again counts as mended.
pub(crate) fn of_verifications(shelf: &Shelf) -> Result<()> {
    let verified = shelf.backups().iter().filter_map(|backup| {
        let verification = backup.manifest.verification.as_ref()?;
        Some((backup, verification))
    });
    let verified: Vec<_> = verified.collect();
    let failed = verified.iter().filter(|(_, verification)| !verification.passed());
    let findings = failed.map(|(backup, verification)| {
        let (name, problems) = (&backup.name, verification.problems.join("\n"));
        let title = format!("backup `{name}` cannot be relied upon");
        Finding::new(Severity::Critical, VERIFY, name, title)
            .with_detail(problems)
            .with_fix("make another backup, see what changed this one, and remove it with its manifest")
    });
    journal::add_findings(&findings.collect::<Vec<_>>())?;
    journal::checked(VERIFY, verified.len() as u64)
}

/// Adds to what a run says of these backups that others failed their last verification, which is
/// a warning at least.
pub(crate) fn with_others<O>(mut report: Report<O>, backups: &[Backup], told: &[&str]) -> Report<O> {
    let failed = backups
        .iter()
        .filter(|backup| has_failed(&backup.manifest) && !told.contains(&backup.name.as_str()));
    let others: Vec<_> = failed.map(|backup| format!("`{}`", backup.name)).collect();
    if !others.is_empty() {
        report.verdict = report.verdict.max(Verdict::Warning);
        let others = words::first(&others);
        report.summary = format!("{}; {others} failed before", report.summary);
    }
    report
}

/// Whether the last verification found something wrong.
pub(crate) fn has_failed(manifest: &Manifest) -> bool {
    let verification = manifest.verification.as_ref();
    verification.is_some_and(|verification| !verification.passed())
}

/// Tells of a database that is not as expected.
pub(crate) fn of_source(settings: &Settings, backup: &Backup) -> Result<()> {
    let (database, surprises) = (&settings.database, &backup.manifest.surprises);
    if !surprises.is_empty() {
        let title = format!("database `{database}` is not as expected");
        let finding = Finding::new(Severity::High, SOURCE, database, title)
            .with_detail(surprises.join("\n"))
            .with_fix("if it is right so, run `backup` with the input `accept = true`");
        journal::add_findings(&[finding])?;
    }
    journal::checked(SOURCE, 1)
}

/// Tells of a database that was restored and is not what was backed up.
pub(crate) fn of_restore(settings: &Settings, problems: &[String], fix: &str) -> Result<()> {
    let database = &settings.database;
    if !problems.is_empty() {
        let title = format!("database `{database}` was not what it must be after its restore");
        let finding = Finding::new(Severity::Critical, RESTORE, database, title);
        journal::add_findings(&[finding.with_detail(problems.join("\n")).with_fix(fix)])?;
    }
    journal::checked(RESTORE, 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{backup, unverified};

    fn check(verdict: Verdict, backups: &[Backup], expected: (Verdict, &str)) {
        let report = with_others(Report::new(verdict, "`new.db` is made"), backups, &["new.db"]);
        assert_eq!((report.verdict, report.summary.as_str()), expected);
    }

    fn failed(name: &str) -> Backup {
        let mut failed = backup(name, "2026-11-20T04:15:00Z");
        let verification = failed.manifest.verification.as_mut();
        verification.expect("it is verified").problems = vec!["the file is empty".to_owned()];
        failed
    }

    #[test]
    fn older_backup_that_failed_is_a_warning_at_least() {
        let well = [
            backup("new.db", "2026-11-21T04:15:00Z"),
            unverified("old.db", "2026-11-20T04:15:00Z"),
        ];
        check(Verdict::Ok, &well, (Verdict::Ok, "`new.db` is made"));
        check(
            Verdict::Ok,
            &[failed("new.db")],
            (Verdict::Ok, "`new.db` is made"),
        );
        let [new, _] = well;
        let one = "`new.db` is made; `old.db` failed before";
        check(
            Verdict::Ok,
            &[new.clone(), failed("old.db")],
            (Verdict::Warning, one),
        );
        let two = "`new.db` is made; `b.db`, and 1 more failed before";
        check(
            Verdict::Critical,
            &[new, failed("b.db"), failed("a.db")],
            (Verdict::Critical, two),
        );
    }
}
