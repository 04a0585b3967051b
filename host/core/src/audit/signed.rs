//! Statements that the host signs with Ed25519.

use super::canonical;
use crate::digest::Digest;
use ed25519_dalek::VerifyingKey;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// How the text of a public key begins.
const PREFIX: &str = "ed25519:";

/// The public part of a key that signs, written `ed25519:` and 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicKey([u8; 32]);

/// A text that is no public key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no public key: expected `ed25519:` and 64 hexadecimal digits, as `sopwith audit key` prints it"
)]
pub struct InvalidKey(String);

/// A signature of Ed25519, written as 128 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Signature([u8; 64]);

/// What signs in the host's name.
pub trait Signer: Send + Sync {
    /// The public part of the key.
    fn public_key(&self) -> PublicKey;
    /// The signature of these bytes.
    fn sign(&self, message: &[u8]) -> Signature;
}

/// Something that is signed.
pub trait Statement: Serialize + DeserializeOwned {
    /// Parts its signatures from those of all else that the key signs.
    const DOMAIN: &'static str;
    /// The key that signs it.
    fn key(&self) -> PublicKey;
}

/// A statement with its signature, which is over a domain prefix and the statement's canonical JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signed<S> {
    /// What is said.
    pub statement: S,
    /// Who said it: the key that the statement names.
    pub signature: Signature,
}

impl<S: Statement> Signed<S> {
    /// Signs a statement that names this signer's key.
    pub fn new(statement: S, signer: &dyn Signer) -> Self {
        debug_assert!(statement.key() == signer.public_key());
        let signature = signer.sign(&message(&statement));
        Self { statement, signature }
    }

    /// Whether the key that it names has signed it.
    pub fn holds(&self) -> bool {
        self.statement
            .key()
            .has_signed(&message(&self.statement), &self.signature)
    }
}

fn message<S: Statement>(statement: &S) -> Vec<u8> {
    let mut message = S::DOMAIN.as_bytes().to_vec();
    message.extend(canonical(statement));
    message
}

impl PublicKey {
    /// Whether a signature of these bytes is by this key.
    pub fn has_signed(&self, message: &[u8], signature: &Signature) -> bool {
        let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
        VerifyingKey::from_bytes(&self.0).is_ok_and(|key| key.verify_strict(message, &signature).is_ok())
    }
}

impl From<[u8; 32]> for PublicKey {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", Digest::from(self.0).hexadecimal())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for PublicKey {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        let invalid = || InvalidKey(text.to_owned());
        let digits = text.strip_prefix(PREFIX).ok_or_else(invalid)?;
        let bytes = hexadecimal(digits).ok_or_else(invalid)?;
        VerifyingKey::from_bytes(&bytes).map_err(|_| invalid())?;
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for PublicKey {
    type Error = InvalidKey;

    fn try_from(text: String) -> Result<Self, InvalidKey> {
        text.parse()
    }
}

impl From<PublicKey> for String {
    fn from(key: PublicKey) -> String {
        key.to_string()
    }
}

impl From<[u8; 64]> for Signature {
    fn from(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from(*self))
    }
}

impl TryFrom<String> for Signature {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        hexadecimal(&text)
            .map(Self)
            .ok_or("a signature has 128 hexadecimal digits")
    }
}

impl From<Signature> for String {
    fn from(signature: Signature) -> String {
        let (first, second) = signature.0.split_at(32);
        [first, second]
            .map(|half| Digest::from(<[u8; 32]>::try_from(half).expect("half of 64")).hexadecimal())
            .concat()
    }
}

/// Reads exactly so many bytes in lower-case digits: each value has one text alone.
fn hexadecimal<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != 2 * N {
        return None;
    }
    let digit = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{OTHER, OWN, TestSigner};
    use super::*;

    #[derive(Debug, Clone, Serialize, Deserialize)]
    struct Said {
        key: PublicKey,
        text: String,
    }

    impl Statement for Said {
        const DOMAIN: &'static str = "test 1\n";

        fn key(&self) -> PublicKey {
            self.key
        }
    }

    fn said(signer: &TestSigner) -> Signed<Said> {
        let (key, text) = (signer.public_key(), "yes".to_owned());
        Signed::new(Said { key, text }, signer)
    }

    #[test]
    fn a_statement_holds_as_it_was_signed_alone() {
        let signed = said(&OWN);
        assert!(signed.holds());
        let mut changed = signed.clone();
        changed.statement.text = "no".to_owned();
        assert!(!changed.holds());
        let mut foreign = signed.clone();
        foreign.statement.key = OTHER.public_key();
        assert!(!foreign.holds());
        let mut flipped = signed;
        flipped.signature.0[63] ^= 1;
        assert!(!flipped.holds());
    }

    #[test]
    fn the_domain_is_signed_too() {
        let signed = said(&OWN);
        let without = OWN.sign(&canonical(&signed.statement));
        assert!(
            !Signed {
                signature: without,
                ..signed
            }
            .holds()
        );
    }

    #[test]
    fn keys_and_signatures_read_back_and_have_one_text_alone() {
        let key = OWN.public_key();
        assert_eq!(key.to_string().parse(), Ok(key));
        let signature = OWN.sign(b"x");
        assert_eq!(Signature::try_from(String::from(signature)), Ok(signature));
        assert!(Signature::try_from(String::from(signature).to_uppercase()).is_err());
        for bad in [
            "",
            "ed25519:",
            "ed25519:00",
            &key.to_string()[8..],
            &key.to_string().to_uppercase(),
        ] {
            assert!(bad.parse::<PublicKey>().is_err(), "{bad}");
        }
    }
}
