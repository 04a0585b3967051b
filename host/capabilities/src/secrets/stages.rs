//! Says at which stage versions are whose store lies outside.

use super::outside::Found;
use jiff::Timestamp;
use sopwith_core::secret::{SecretVersion, Stage, VersionOrigin};

/// How the ids of versions begin that only their store has.
pub(super) const OUTSIDE: &str = "outside-";
/// As much of a fingerprint as tells the versions of one secret apart.
const ID_DIGITS: usize = 12;

/// The id of a version that only its store has.
pub(super) fn outside_id(fingerprint: &str) -> String {
    format!("{OUTSIDE}{}", &fingerprint[..ID_DIGITS])
}

/// The versions of a secret, the newest first: those that are kept, and the one that its store has,
/// which is the current one whoever put it there.
pub(super) fn with_present(
    kept: Vec<SecretVersion>,
    present: &Found,
    fingerprint: String,
    now: Timestamp,
) -> Vec<SecretVersion> {
    let is_present = |version: &SecretVersion| version.fingerprint == fingerprint;
    if kept
        .iter()
        .any(|version| is_present(version) && version.stage == Stage::Current)
    {
        return kept;
    }
    let mut versions: Vec<_> = kept
        .into_iter()
        .map(|version| SecretVersion {
            stage: version.stage.after(Stage::Current),
            ..version
        })
        .collect();
    if let Some(same) = versions.iter_mut().find(|version| is_present(version)) {
        same.stage = Stage::Current;
        return versions;
    }
    let outside = SecretVersion {
        id: outside_id(&fingerprint),
        stage: Stage::Current,
        created_at: present.since.unwrap_or(now),
        fingerprint,
        origin: VersionOrigin::Outside,
    };
    versions.insert(0, outside);
    versions
}

#[cfg(test)]
mod tests {
    use super::*;
    use sopwith_core::secret::SecretValue;

    /// Versions as `FINGERPRINT STAGE`.
    fn check(kept: &[(&str, Stage)], present: &str, expected: &[&str]) {
        let fingerprint = |text: &str| text.repeat(16);
        let kept = kept.iter().map(|(text, stage)| SecretVersion {
            id: (*text).to_owned(),
            stage: *stage,
            created_at: Timestamp::UNIX_EPOCH,
            fingerprint: fingerprint(text),
            origin: VersionOrigin::Procedure,
        });
        let found = Found {
            value: SecretValue::new(b"hush".to_vec()).unwrap(),
            since: None,
        };
        let now = Timestamp::UNIX_EPOCH;
        let versions = with_present(kept.collect(), &found, fingerprint(present), now);
        let shown: Vec<_> = versions
            .iter()
            .map(|version| format!("{} {}", version.id, version.stage))
            .collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn what_the_store_has_is_current_whoever_put_it_there() {
        check(&[], "a", &["outside-aaaaaaaaaaaa current"]);
        check(
            &[
                ("b", Stage::Pending),
                ("c", Stage::Current),
                ("d", Stage::Previous),
            ],
            "a",
            &[
                "outside-aaaaaaaaaaaa current",
                "b pending",
                "c previous",
                "d retired",
            ],
        );
        check(
            &[
                ("b", Stage::Pending),
                ("c", Stage::Current),
                ("d", Stage::Previous),
            ],
            "b",
            &["b current", "c previous", "d retired"],
        );
        check(
            &[
                ("b", Stage::Pending),
                ("c", Stage::Current),
                ("d", Stage::Previous),
            ],
            "c",
            &["b pending", "c current", "d previous"],
        );
        check(
            &[("c", Stage::Current), ("d", Stage::Previous)],
            "d",
            &["c previous", "d current"],
        );
    }
}
