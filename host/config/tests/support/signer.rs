//! Somebody who signs plugins.

use minisign::KeyPair;
use std::io::Cursor;

/// Somebody with a key of minisign.
pub(crate) struct Signer {
    keys: KeyPair,
}

impl Signer {
    pub(crate) fn new() -> Self {
        Self {
            keys: KeyPair::generate_unencrypted_keypair().unwrap(),
        }
    }

    /// The second line of the file `minisign.pub`.
    pub(crate) fn key(&self) -> String {
        self.keys.pk.to_base64()
    }

    /// The signature's file over these bytes.
    pub(crate) fn sign(&self, bytes: &str, trusted_comment: &str) -> String {
        let signed = minisign::sign(
            Some(&self.keys.pk),
            &self.keys.sk,
            Cursor::new(bytes),
            Some(trusted_comment),
            None,
        );
        signed.unwrap().into_string()
    }

    /// `[plugins]` that trusts these alone.
    pub(crate) fn trusted(signers: &[&Self]) -> String {
        let keys: Vec<_> = signers.iter().map(|signer| signer.key()).collect();
        format!("[plugins]\nrequire_signatures = true\nkeys = {keys:?}\n")
    }
}
