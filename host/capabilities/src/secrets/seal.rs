//! Seals values with the host's key, each for one version of one secret.

use super::key::HostKey;
use sopwith_core::failure::{Blame, Failure, FailureKind};
use sopwith_core::name::ResourceName;
use sopwith_core::port::SealedVersion;
use sopwith_core::port::capabilities::Answer;
use sopwith_core::secret::SecretValue;
use zeroize::Zeroizing;

/// What is sealed begins with this, then with whose value it is.
const FORMAT: &str = "sopwith secret 1";

/// Seals the value of a version.
pub(super) fn seal(key: &HostKey, secret: &ResourceName, id: &str, value: &SecretValue) -> Answer<Vec<u8>> {
    let mut plain = Zeroizing::new(label(secret, id));
    // As long as it will be, so that no part of it is left behind by a move.
    let mut whole = Zeroizing::new(Vec::with_capacity(plain.len() + value.expose().len()));
    whole.append(&mut plain);
    whole.extend_from_slice(value.expose());
    age::encrypt(&key.identity.to_public(), &whole)
        .map_err(|error| Failure::host(format!("the secret `{secret}` cannot be sealed: {error}")))
}

/// Opens a sealed value, which has to be that of this version and no other.
pub(super) fn open(key: &HostKey, secret: &ResourceName, kept: &SealedVersion) -> Answer<SecretValue> {
    let id = &kept.version.id;
    let failed = |why: &str| {
        let message = format!("the version `{id}` of the secret `{secret}` cannot be opened: {why}");
        Failure::new(FailureKind::Failed, Blame::Operator, message)
    };
    let here = key.sealing_public();
    if kept.key != here {
        let why = format!(
            "it was sealed with the key {}, and the host's key is {here}",
            kept.key
        );
        let hint = format!("bring back the key, or set the value anew:  sopwith secrets set {secret}");
        return Err(failed(&why).hint(hint));
    }
    let damaged = || {
        let hint = "`sopwith audit verify` looks for other damage; set the value anew or restore the record";
        failed("somebody changed or exchanged it in the record").hint(hint)
    };
    let plain = age::decrypt(&key.identity, &kept.sealed).map_err(|_| damaged())?;
    let plain = Zeroizing::new(plain);
    let value = plain
        .strip_prefix(label(secret, id).as_slice())
        .ok_or_else(damaged)?;
    SecretValue::new(value.to_vec()).map_err(|_| damaged())
}

/// Whose value it is: without it a value could be put in the place of another one.
fn label(secret: &ResourceName, id: &str) -> Vec<u8> {
    format!("{FORMAT}\n{secret}\n{id}\n").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::tests::Counting;
    use jiff::Timestamp;
    use sopwith_core::secret::{SecretVersion, Stage, VersionOrigin};

    fn sealed(key: &HostKey, secret: &str, id: &str, value: &[u8]) -> SealedVersion {
        let value = SecretValue::new(value.to_vec()).unwrap();
        SealedVersion {
            version: SecretVersion {
                id: id.to_owned(),
                stage: Stage::Current,
                created_at: Timestamp::UNIX_EPOCH,
                fingerprint: String::new(),
                origin: VersionOrigin::Operator,
            },
            key: key.sealing_public(),
            sealed: seal(key, &secret.parse().unwrap(), id, &value).unwrap(),
        }
    }

    fn opened(key: &HostKey, secret: &str, kept: &SealedVersion) -> Result<Vec<u8>, String> {
        let value = open(key, &secret.parse().unwrap(), kept);
        value
            .map(|value| value.expose().to_vec())
            .map_err(|failure| failure.message)
    }

    #[test]
    fn a_sealed_value_is_opened_by_the_key_alone() {
        let key = HostKey::generate(&Counting::default());
        let kept = sealed(&key, "A", "one", b"hush\n\0");
        assert_eq!(opened(&key, "A", &kept).unwrap(), b"hush\n\0");
        assert!(!kept.sealed.windows(4).any(|part| part == b"hush"));
        let other = HostKey::generate(&Counting::default());
        let said = opened(&other, "A", &kept).unwrap_err();
        assert!(
            said.contains(&key.sealing_public()) && said.contains(&other.sealing_public()),
            "{said}"
        );
    }

    #[test]
    fn a_value_in_the_place_of_another_is_refused() {
        let key = HostKey::generate(&Counting::default());
        let kept = sealed(&key, "A", "one", b"hush");
        let mut elsewhere = sealed(&key, "A", "two", b"hush");
        assert!(opened(&key, "B", &kept).is_err());
        elsewhere.sealed.clone_from(&kept.sealed);
        let said = opened(&key, "A", &elsewhere).unwrap_err();
        assert!(said.contains("exchanged"), "{said}");
    }

    #[test]
    fn a_value_that_was_changed_is_refused() {
        let key = HostKey::generate(&Counting::default());
        let kept = sealed(&key, "A", "one", b"hush");
        for place in [0, 30, kept.sealed.len() / 2, kept.sealed.len() - 1] {
            let mut changed = kept.clone();
            changed.sealed[place] ^= 1;
            assert!(opened(&key, "A", &changed).is_err(), "{place}");
        }
    }
}
