//! Decides for each backup whether it stays.

use crate::choice;
use crate::manifest::Kind;
use crate::retention;
use crate::settings::{Keep, Zone};
use crate::shelf::Backup;
use crate::words;
use jiff::Timestamp;

/// What becomes of each backup, the newest first.
pub(crate) struct Plan<'a> {
    pub(crate) fates: Vec<(&'a Backup, Fate)>,
    /// Why nothing is let go.
    pub(crate) held: Option<String>,
}

/// What becomes of a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It counts, and stays for these reasons.
    Kept(Vec<String>),
    /// It goes.
    Removed,
    /// It does not count, and nobody touches it.
    Left(String),
}

/// Decides by these rules at this instant. `backups` has the newest first; those of other
/// procedures are left alone.
pub(crate) fn decide<'a>(
    backups: &'a [Backup],
    (keep, zone): (&Keep, &Zone),
    procedure: &str,
    now: Timestamp,
) -> Plan<'a> {
    let own = backups
        .iter()
        .filter(|backup| backup.manifest.procedure == procedure);
    let held = choice::newest(own, now).and_then(surprise);
    let mut fates: Vec<_> = backups
        .iter()
        .map(|backup| (backup, fate_apart(backup, procedure, now)))
        .collect();
    for kind in [Kind::Backup, Kind::Safety] {
        let counted: Vec<_> = fates
            .iter_mut()
            .filter(|(backup, fate)| fate.is_none() && backup.manifest.kind == kind)
            .collect();
        let times: Vec<_> = counted
            .iter()
            .map(|(backup, _)| backup.manifest.started_at)
            .collect();
        let reasons = match kind {
            Kind::Backup => retention::reasons(&times, keep, zone),
            Kind::Safety => retention::reasons_of_safety_copies(times.len(), keep),
        };
        for ((_, fate), reasons) in counted.into_iter().zip(reasons) {
            *fate = Some(fate_by(reasons, held.is_some()));
        }
    }
    let fates = fates.into_iter();
    let fates = fates.filter_map(|(backup, fate)| Some((backup, fate?))).collect();
    Plan { fates, held }
}

fn surprise(newest: &Backup) -> Option<String> {
    let surprises = &newest.manifest.surprises;
    let what = words::first(surprises);
    (!surprises.is_empty()).then(|| format!("`{}` is not as expected: {what}", newest.name))
}

/// The fate of a backup that does not count.
fn fate_apart(backup: &Backup, procedure: &str, now: Timestamp) -> Option<Fate> {
    let manifest = &backup.manifest;
    let left = |why: &str| Some(Fate::Left(why.to_owned()));
    if manifest.procedure != procedure {
        return left(&format!("of procedure `{}`", manifest.procedure));
    }
    if manifest.removed_by.is_some() {
        // Its removal was cut off; the file may be gone already.
        return Some(Fate::Removed);
    }
    if manifest.started_at > now {
        return left("dated in the future");
    }
    if !backup.intact {
        return left("the file is missing or has changed");
    }
    match (&manifest.verification, manifest.kind) {
        (None, Kind::Backup) => left("not verified"),
        (Some(verification), Kind::Backup) if !verification.passed() => left("failed its verification"),
        // Safety copies are there to be put back at once; nobody waits for their proof.
        (_, Kind::Safety) | (Some(_), Kind::Backup) => None,
    }
}

fn fate_by(reasons: Vec<String>, held: bool) -> Fate {
    match (reasons.is_empty(), held) {
        (false, _) => Fate::Kept(reasons),
        (true, false) => Fate::Removed,
        (true, true) => Fate::Kept(vec!["nothing is let go now".to_owned()]),
    }
}

impl Plan<'_> {
    /// How many backups count and stay, without the safety copies.
    pub(crate) fn kept(&self) -> u64 {
        let kept = self
            .fates
            .iter()
            .filter(|(backup, fate)| backup.manifest.kind == Kind::Backup && matches!(fate, Fate::Kept(_)));
        kept.count() as u64
    }

    /// What goes, the oldest first.
    pub(crate) fn removed(&self) -> impl Iterator<Item = &Backup> {
        let fates = self.fates.iter().rev();
        fates.filter_map(|(backup, fate)| (*fate == Fate::Removed).then_some(*backup))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{PROCEDURE, backup, unverified};
    use std::slice;

    const NOW: &str = "2026-11-21T00:00:00Z";

    fn kept(reason: &str) -> Fate {
        Fate::Kept(vec![reason.to_owned()])
    }

    fn left(why: &str) -> Fate {
        Fate::Left(why.to_owned())
    }

    /// Backups before `backup("good.db")`, with a policy that keeps one.
    fn check(others: &[Backup], expected: &[Fate], fate_of_good: &Fate) {
        let mut backups = others.to_vec();
        backups.push(backup("good.db", "2026-11-01T00:00:00Z"));
        let keep = Keep {
            last: 1,
            ..Keep::default()
        };
        let zone = Zone::default();
        let now = NOW.parse().expect("a time");
        let plan = decide(&backups, (&keep, &zone), PROCEDURE, now);
        let fates: Vec<_> = plan.fates.iter().map(|(_, fate)| fate.clone()).collect();
        let (good, others) = fates.split_last().expect("there is one");
        assert_eq!((others, good), (expected, fate_of_good));
    }

    fn changed(change: impl FnOnce(&mut Backup)) -> Backup {
        let mut backup = backup("changed.db", "2026-11-20T00:00:00Z");
        change(&mut backup);
        backup
    }

    #[test]
    fn good_backup_takes_the_place_of_an_older_one() {
        let newer = changed(|_| {});
        check(&[newer], &[kept("last snapshot")], &Fate::Removed);
    }

    #[test]
    fn what_is_not_proved_never_counts() {
        let one = kept("last snapshot");
        let missing = unverified("new.db", "2026-11-20T00:00:00Z");
        check(&[missing], &[left("not verified")], &one);
        let failed = changed(|backup| {
            let verification = backup.manifest.verification.as_mut();
            verification.expect("it is verified").problems = vec!["broken".to_owned()];
        });
        check(&[failed], &[left("failed its verification")], &one);
        let future = backup("future.db", "2026-11-21T00:00:01Z");
        check(&[future], &[left("dated in the future")], &one);
        let gone = changed(|backup| backup.intact = false);
        check(&[gone], &[left("the file is missing or has changed")], &one);
        let foreign = changed(|backup| "weekly".clone_into(&mut backup.manifest.procedure));
        check(&[foreign], &[left("of procedure `weekly`")], &one);
        let safety = changed(|backup| backup.manifest.kind = Kind::Safety);
        check(&[safety], &[kept("policy is empty")], &one);
    }

    #[test]
    fn removal_that_was_cut_off_is_finished() {
        let cut_off = changed(|backup| {
            backup.intact = false;
            backup.manifest.removed_by = Some("run".to_owned());
        });
        check(&[cut_off], &[Fate::Removed], &kept("last snapshot"));
    }

    #[test]
    fn nothing_goes_while_the_newest_is_not_as_expected() {
        let strange = changed(|backup| backup.manifest.surprises = vec!["it shrank".to_owned()]);
        let held = kept("nothing is let go now");
        check(slice::from_ref(&strange), &[kept("last snapshot")], &held);
        let mut unproved = strange;
        unproved.manifest.verification = None;
        check(&[unproved], &[left("not verified")], &kept("last snapshot"));
    }
}
