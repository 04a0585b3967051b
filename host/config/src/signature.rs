//! Verifies that a plugin's bytes were signed by somebody whom the operator trusts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minisign_verify::{Error, PublicKey, Signature};
use serde::Serialize;
use sopwith_core::generation::{PluginOrigin, PluginSignature, PluginSource};
use std::fmt;
use std::str::FromStr;

/// What follows the name of a file in that of its signature.
pub(crate) const EXTENSION: &str = "minisig";

/// Two bytes that name the algorithm stand before the eight of a key's id.
const ID: std::ops::Range<usize> = 2..10;

/// A public key of minisign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    written: String,
    public: PublicKey,
    id: KeyId,
}

/// The number by which minisign names a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyId([u8; 8]);

impl KeyId {
    /// Reads it from the second line of a key's or a signature's file.
    fn of(base64: &str) -> Option<Self> {
        let bytes = STANDARD.decode(base64.trim()).ok()?;
        bytes.get(ID)?.try_into().ok().map(Self)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016X}", u64::from_le_bytes(self.0))
    }
}

impl FromStr for Key {
    type Err = ();

    fn from_str(written: &str) -> Result<Self, ()> {
        Ok(Self {
            public: PublicKey::from_base64(written).map_err(drop)?,
            id: KeyId::of(written).ok_or(())?,
            written: written.to_owned(),
        })
    }
}

/// Which signatures plugins need.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SignaturePolicy {
    /// Whether a file without one is refused.
    pub(crate) required: bool,
    /// Whose signatures are good.
    pub(crate) keys: Vec<Key>,
}

/// What lies beside the file of a plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) enum SignatureFile {
    Missing,
    /// What keeps it from being read.
    Unreadable(String),
    Text(String),
}

/// Why bytes are not taken for those of somebody whom the operator trusts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unverified {
    Missing,
    Unreadable(String),
    /// It is required, and there is nothing that it could be verified with.
    NoKeys,
    NoSignature,
    /// Over the bytes themselves, as minisign made them once: such a signature may be one of
    /// something else as well.
    Legacy(KeyId),
    UnknownKey(KeyId),
    OtherBytes(KeyId),
}

impl SignaturePolicy {
    /// The signature of these bytes; none where none is needed.
    pub(crate) fn verify(
        &self,
        bytes: &[u8],
        file: &SignatureFile,
    ) -> Result<Option<PluginSignature>, Unverified> {
        match file {
            SignatureFile::Unreadable(why) => Err(Unverified::Unreadable(why.clone())),
            SignatureFile::Missing if self.required => Err(Unverified::Missing),
            SignatureFile::Text(_) if self.required && self.keys.is_empty() => Err(Unverified::NoKeys),
            SignatureFile::Text(text) if !self.keys.is_empty() => self.verify_text(bytes, text).map(Some),
            SignatureFile::Missing | SignatureFile::Text(_) => Ok(None),
        }
    }

    fn verify_text(&self, bytes: &[u8], text: &str) -> Result<PluginSignature, Unverified> {
        let signature = Signature::decode(text).map_err(|_| Unverified::NoSignature)?;
        let id = text.lines().nth(1).and_then(KeyId::of);
        let id = id.ok_or(Unverified::NoSignature)?;
        let mut why = Unverified::UnknownKey(id);
        for key in self.keys.iter().filter(|key| key.id == id) {
            match key.public.verify(bytes, &signature, false) {
                Ok(()) => {
                    return Ok(PluginSignature {
                        key: key.written.clone(),
                        key_id: id.to_string(),
                        trusted_comment: signature.trusted_comment().to_owned(),
                        text: text.to_owned(),
                    });
                }
                Err(Error::UnexpectedAlgorithm) => why = Unverified::Legacy(id),
                Err(_) => why = Unverified::OtherBytes(id),
            }
        }
        Err(why)
    }

    /// The source of bytes that were kept, once they have passed under this policy.
    pub(crate) fn verify_again(&self, bytes: &[u8], source: &PluginSource) -> Option<PluginSource> {
        if source.origin == PluginOrigin::Standard {
            return Some(PluginSource::STANDARD);
        }
        let text = source.signature.as_ref().map(|signature| signature.text.clone());
        let file = text.map_or(SignatureFile::Missing, SignatureFile::Text);
        Some(PluginSource {
            origin: source.origin.clone(),
            signature: self.verify(bytes, &file).ok()?,
        })
    }

    /// Whether bytes that were verified before, under whatever policy, would pass under this one.
    pub(crate) fn still_admits(&self, source: &PluginSource) -> bool {
        match (&source.origin, &source.signature) {
            (PluginOrigin::Standard, _) => true,
            (_, None) => !self.required,
            (_, Some(_)) if self.keys.is_empty() => !self.required,
            (_, Some(signature)) => self.keys.iter().any(|key| key.written == signature.key),
        }
    }
}

impl Unverified {
    /// What is wrong with the file at this path, as the end of a sentence.
    pub(crate) fn told_of(&self, file: &str) -> String {
        let signature = format!("`{file}.{EXTENSION}`");
        match self {
            Self::Missing => format!("`{file}` is not signed, and `require_signatures` is set"),
            Self::Unreadable(why) => format!("{signature} cannot be read: {why}"),
            Self::NoKeys => "`require_signatures` is set, and `keys` names no key".to_owned(),
            Self::NoSignature => format!("{signature} is no signature of minisign"),
            Self::Legacy(id) => {
                format!("{signature}, by the key {id}, is of the old kind, without prehashing")
            }
            Self::UnknownKey(id) => format!("{signature} is by the key {id}, which `keys` does not name"),
            Self::OtherBytes(id) => format!("{signature}, by the key {id}, is not of these bytes"),
        }
    }

    /// What would mend it; `file` as a shell reads it.
    pub(crate) fn hint(&self, file: &str) -> String {
        match self {
            Self::NoKeys => {
                "add the signer's public key to `sopwith.toml`:  [plugins] with  keys = [\"RW…\"]".to_owned()
            }
            Self::Legacy(_) => {
                format!("whoever has the secret key signs it anew, prehashed:  minisign -SHm {file}")
            }
            Self::UnknownKey(_) => format!(
                "where that key is trusted, add it to `[plugins] keys`; or sign the file with one that is there:  minisign -Sm {file}"
            ),
            Self::OtherBytes(_) => format!(
                "copy the plugin and its signature again; or, where these bytes are meant, sign them:  minisign -Sm {file}"
            ),
            Self::Missing | Self::Unreadable(_) | Self::NoSignature => {
                format!(
                    "whoever has the secret key of one of `[plugins] keys` signs it:  minisign -Sm {file}"
                )
            }
        }
    }
}
