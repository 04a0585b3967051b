//! Chooses the backup that is meant.

use crate::manifest::Kind;
use crate::shelf::Backup;
use jiff::Timestamp;
use sopwith::{Error, Result};

/// The word for the newest backup.
pub(crate) const LATEST: &str = "latest";

/// So many names in a hint are read.
const HINT_NAMES_MAX: usize = 5;

/// The backup of this name, the newest verified one (`latest`), or the newest verified one that
/// is not later than a time. `backups` has the newest first.
pub(crate) fn to_restore<'a>(backups: &'a [Backup], from: &str, now: Timestamp) -> Result<&'a Backup> {
    if let Some(named) = backups.iter().find(|backup| backup.name == from) {
        return Ok(named);
    }
    let until = match (from, from.parse::<Timestamp>()) {
        (LATEST, _) => now,
        (_, Ok(time)) => time.min(now),
        (_, Err(_)) => return Err(unknown(backups, from)),
    };
    let mut good = backups.iter().filter(|backup| {
        let manifest = &backup.manifest;
        manifest.kind == Kind::Backup
            && manifest.removed_by.is_none()
            && backup.intact
            && manifest.is_verified()
    });
    let chosen = good.find(|backup| backup.manifest.started_at <= until);
    chosen.ok_or_else(|| {
        let message = format!("there is no verified backup for `{from}`");
        Error::not_found(message).with_hint(names(backups))
    })
}

/// The backup of this name, or the newest one (`latest`), verified or not.
pub(crate) fn to_verify<'a>(backups: &'a [Backup], name: &str, now: Timestamp) -> Result<Option<&'a Backup>> {
    let named = backups.iter().find(|backup| backup.name == name);
    match named {
        None if name == LATEST => Ok(newest(backups, now)),
        None => Err(unknown(backups, name)),
        named => Ok(named),
    }
}

/// The newest backup that is neither a safety copy nor dated in the future.
pub(crate) fn newest<'a>(
    newest_first: impl IntoIterator<Item = &'a Backup>,
    now: Timestamp,
) -> Option<&'a Backup> {
    newest_first.into_iter().find(|backup| {
        let manifest = &backup.manifest;
        manifest.kind == Kind::Backup && manifest.removed_by.is_none() && manifest.started_at <= now
    })
}

fn unknown(backups: &[Backup], name: &str) -> Error {
    let message = format!("there is no backup `{name}`, and it is neither `{LATEST}` nor a time (RFC 3339)");
    Error::not_found(message).with_hint(names(backups))
}

fn names(backups: &[Backup]) -> String {
    let newest = backups.iter().take(HINT_NAMES_MAX);
    let names: Vec<_> = newest.map(|backup| format!("`{}`", backup.name)).collect();
    if names.is_empty() {
        return "run the action `backup` first".to_owned();
    }
    format!("the newest are {}; `list` shows all", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{backup, unverified};

    fn check(from: &str, expected: Result<&str, &str>) {
        let mut safety = backup("safety.db", "2026-11-19T06:00:00Z");
        safety.manifest.kind = Kind::Safety;
        let backups = [
            backup("future.db", "2027-01-01T00:00:00Z"),
            unverified("unverified.db", "2026-11-20T00:00:00Z"),
            safety,
            backup("b.db", "2026-11-19T00:00:00Z"),
            backup("a.db", "2026-11-18T00:00:00Z"),
        ];
        let now = "2026-11-21T00:00:00Z".parse().expect("a time");
        let chosen = to_restore(&backups, from, now);
        let chosen = chosen.as_ref().map(|chosen| chosen.name.as_str());
        assert_eq!(chosen.map_err(|error| error.message.as_str()), expected, "{from}");
    }

    #[test]
    fn latest_is_verified_and_not_in_the_future() {
        check("latest", Ok("b.db"));
    }

    #[test]
    fn any_backup_is_chosen_by_its_name() {
        check("unverified.db", Ok("unverified.db"));
        check("safety.db", Ok("safety.db"));
        let unknown = "there is no backup `c.db`, and it is neither `latest` nor a time (RFC 3339)";
        check("c.db", Err(unknown));
    }

    #[test]
    fn time_chooses_what_was_there_then() {
        check("2026-11-19T00:00:00Z", Ok("b.db"));
        check("2026-11-19T00:30:00+01:00", Ok("a.db"));
        check("2028-01-01T00:00:00Z", Ok("b.db"));
        let early = "2026-11-01T00:00:00Z";
        check(early, Err(&format!("there is no verified backup for `{early}`")));
    }
}
