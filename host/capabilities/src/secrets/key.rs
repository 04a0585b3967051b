//! The host's key: what seals secrets, and what signs in the host's name.

use age::secrecy::ExposeSecret as _;
use age::x25519::Identity;
use ed25519_dalek::{Signer as _, SigningKey};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use sopwith_core::audit::PublicKey;
use sopwith_core::digest::Digest;
use sopwith_core::port::Entropy;
use std::fmt;
use zeroize::Zeroizing;

/// How the line begins that seals; `age` reads it, too.
const SEALS: &str = "AGE-SECRET-KEY-1";
/// How the line begins that signs.
const SIGNS: &str = "ED25519-SECRET-KEY-";
/// Parts the key of fingerprints from all other uses of the identity.
const FINGERPRINTS: &[u8] = b"sopwith fingerprints of secrets 1";
/// As many bytes of a fingerprint as make two equal ones of different values out of reach.
const FINGERPRINT_BYTES: usize = 16;

/// The key of a host.
pub struct HostKey {
    pub(super) identity: Identity,
    signing: SigningKey,
}

/// Why a text is no key of a host; nothing of the text is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum InvalidKey {
    /// There is not exactly one line of this kind.
    #[error("it has to have one line that begins with `{0}`")]
    Lines(&'static str),
    /// The line is damaged.
    #[error("its line that begins with `{0}` is damaged")]
    Damaged(&'static str),
}

impl HostKey {
    /// A new key.
    pub(super) fn generate(entropy: &dyn Entropy) -> Self {
        let mut seed = Zeroizing::new([0; 32]);
        let (first, second) = seed.split_at_mut(16);
        first.copy_from_slice(&entropy.random().to_be_bytes());
        second.copy_from_slice(&entropy.random().to_be_bytes());
        Self {
            identity: Identity::generate(),
            signing: SigningKey::from_bytes(&seed),
        }
    }

    /// Reads what [`to_text`](Self::to_text) wrote.
    pub(super) fn parse(text: &str) -> Result<Self, InvalidKey> {
        let identity = line(text, SEALS)?.parse();
        let digits = line(text, SIGNS)?.trim_start_matches(SIGNS);
        let seed = digits.parse::<Digest>().map_err(|_| InvalidKey::Damaged(SIGNS))?;
        Ok(Self {
            identity: identity.map_err(|_: &str| InvalidKey::Damaged(SEALS))?,
            signing: SigningKey::from_bytes(seed.as_bytes()),
        })
    }

    /// The key as a text, for its file.
    pub(super) fn to_text(&self) -> Zeroizing<String> {
        let seed = Zeroizing::new(self.signing.to_bytes());
        let digits = Zeroizing::new(Digest::from(*seed).hexadecimal());
        Zeroizing::new(format!(
            "# The key of this host: it opens the sealed secrets, and it signs. Who loses it loses them; keep a copy
# where no copy of the data directory is.
# {sealing}
{identity}
# {verifying}
{SIGNS}{digits}
",
            sealing = self.sealing_public(),
            identity = self.identity.to_string().expose_secret(),
            verifying = self.signing_public(),
            digits = digits.to_uppercase(),
        ))
    }

    /// The public part of what seals: `age1…`.
    pub fn sealing_public(&self) -> String {
        self.identity.to_public().to_string()
    }

    /// The public part of what signs: `ed25519:` and 64 hexadecimal digits.
    pub fn signing_public(&self) -> String {
        PublicKey::from(self.verifying_bytes()).to_string()
    }

    pub(super) fn verifying_bytes(&self) -> [u8; 32] {
        self.signing.verifying_key().to_bytes()
    }

    /// The signature of these bytes.
    pub(super) fn signature(&self, message: &[u8]) -> [u8; 64] {
        self.signing.sign(message).to_bytes()
    }

    /// A digest of a value that only who has the key can make: equal for equal values of a secret. It
    /// differs between secrets, or else who may put values into one could try out those of another.
    pub(super) fn fingerprint(&self, secret: &str, value: &[u8]) -> String {
        let identity = self.identity.to_string();
        let key = Zeroizing::new(authenticated(
            identity.expose_secret().as_bytes(),
            &[FINGERPRINTS],
        ));
        let digest = Digest::from(authenticated(&*key, &[secret.as_bytes(), b"\n", value]));
        digest.hexadecimal()[..2 * FINGERPRINT_BYTES].to_owned()
    }
}

fn authenticated(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut code = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length is one");
    for part in parts {
        code.update(part);
    }
    code.finalize().into_bytes().into()
}

fn line<'t>(text: &'t str, start: &'static str) -> Result<&'t str, InvalidKey> {
    let mut lines = text.lines().map(str::trim).filter(|line| line.starts_with(start));
    match (lines.next(), lines.next()) {
        (Some(line), None) => Ok(line),
        _ => Err(InvalidKey::Lines(start)),
    }
}

impl fmt::Debug for HostKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HostKey({})", self.sealing_public())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::tests::Counting;

    #[test]
    fn a_key_reads_back_as_it_was_written() {
        let key = HostKey::generate(&Counting::default());
        let text = key.to_text();
        let again = HostKey::parse(&text).unwrap();
        assert_eq!(*again.to_text(), *text);
        assert!(text.contains(&format!("# {}\n", key.sealing_public())), "{key:?}");
        assert_eq!(key.signing_public().len(), "ed25519:".len() + 64);
    }

    #[test]
    fn a_damaged_key_is_told_without_its_text() {
        let text = HostKey::generate(&Counting::default()).to_text();
        let without = |start| {
            let lines = text.lines().filter(|line| !line.starts_with(start));
            lines.collect::<Vec<_>>().join("\n")
        };
        let check = |text: &str, expected| assert_eq!(HostKey::parse(text).unwrap_err(), expected);
        check("", InvalidKey::Lines(SEALS));
        check(&without(SEALS), InvalidKey::Lines(SEALS));
        check(&without(SIGNS), InvalidKey::Lines(SIGNS));
        check(&text.repeat(2), InvalidKey::Lines(SEALS));
        check(&text.replace("KEY-1", "KEY-1X"), InvalidKey::Damaged(SEALS));
        check(
            &text.replace(SIGNS, "ED25519-SECRET-KEY-F"),
            InvalidKey::Damaged(SIGNS),
        );
    }

    #[test]
    fn fingerprints_are_equal_for_equal_values_of_a_secret_and_a_key_alone() {
        let (key, other) = (
            HostKey::generate(&Counting::default()),
            HostKey::generate(&Counting::default()),
        );
        let print = key.fingerprint("A", b"hush");
        assert_eq!(print, key.fingerprint("A", b"hush"));
        assert_eq!(print.len(), 32);
        for another in [
            key.fingerprint("A", b"hush!"),
            key.fingerprint("B", b"hush"),
            other.fingerprint("A", b"hush"),
        ] {
            assert_ne!(print, another);
        }
    }
}
