//! The host's key as what signs the audit log.

use super::key::HostKey;
use super::key_place::KeyPlace;
use super::vault::Vault;
use sopwith_core::audit::{PublicKey, Signature, Signer};
use sopwith_core::failure::{Blame, Failure, FailureKind};
use sopwith_core::port::Clock;
use sopwith_core::port::capabilities::Answer;
use std::sync::Arc;

impl Signer for HostKey {
    fn public_key(&self) -> PublicKey {
        self.verifying_bytes().into()
    }

    fn sign(&self, message: &[u8]) -> Signature {
        self.signature(message).into()
    }
}

impl Vault {
    /// Where the host's key is.
    pub(crate) fn key_place(&self) -> &KeyPlace {
        &self.settings.key
    }

    /// The host's key. One is made where there is none and nothing shows that there ever was one: neither
    /// something that it signed nor a secret that it sealed.
    pub(crate) async fn key_or_make(&self, signed_nothing: bool) -> Answer<HostKey> {
        let place = self.key_place();
        if let Some(key) = place.read()? {
            return Ok(key);
        }
        let path = place.path().display();
        if !signed_nothing || !self.settings.sealed.versions_in_use().await?.is_empty() {
            let message =
                format!("the key of the host, `{path}`, is not there any more, and nothing can be signed");
            return Err(Failure::new(FailureKind::NotFound, Blame::Operator, message)
                .hint("bring it back; where it is lost, `sopwith secrets init-key` makes another one"));
        }
        let made = place.make(&*self.settings.entropy);
        let key = made.map_err(|failure| {
            failure.hint("`sopwith secrets init-key` makes it, as a user who may write there; or name another file:  [host]  key_file = \"…\"")
        })?;
        tracing::info!(file = %path, signs_as = %key.public_key(), "made the key of this host; keep a copy where no copy of the data directory is");
        Ok(key)
    }

    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// What a command said, with every secret masked.
    pub(crate) fn mask(&self, said: &[u8]) -> String {
        String::from_utf8_lossy(&self.redactor.mask_bytes(said)).into_owned()
    }
}
