//! A notary whose key everybody knows, and whose anchors do what the test says.

use async_trait::async_trait;
use sopwith_core::audit::{PublicKey, Signature, Signer};
use sopwith_core::failure::Failure;
use sopwith_core::generation::Anchor;
use sopwith_core::port::Notary;
use sopwith_core::port::capabilities::Answer;
use sopwith_core::resource::Resources;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

/// Outlives hosts, like the world outside.
#[derive(Default)]
pub(crate) struct ScriptedNotary {
    /// Whether anchors fail.
    pub(crate) is_deaf: AtomicBool,
    /// Whether there is no key.
    pub(crate) is_keyless: AtomicBool,
    pub(crate) tries: AtomicU32,
    heard: Mutex<Vec<u8>>,
}

struct Seal;

impl Signer for Seal {
    fn public_key(&self) -> PublicKey {
        key().verifying_key().to_bytes().into()
    }

    fn sign(&self, message: &[u8]) -> Signature {
        ed25519_dalek::Signer::sign(&key(), message).to_bytes().into()
    }
}

fn key() -> ed25519_dalek::SigningKey {
    ed25519_dalek::SigningKey::from_bytes(&[7; 32])
}

impl ScriptedNotary {
    /// The lines that the anchor has.
    pub(crate) fn heard(&self) -> Vec<u8> {
        self.heard.lock().unwrap().clone()
    }
}

#[async_trait]
impl Notary for ScriptedNotary {
    async fn signer(&self, _: bool) -> Answer<Arc<dyn Signer>> {
        if self.is_keyless.load(SeqCst) {
            return Err(Failure::host("there is no key"));
        }
        Ok(Arc::new(Seal))
    }

    fn public_key(&self) -> Answer<Option<PublicKey>> {
        Ok(Some(Seal.public_key()))
    }

    async fn send(&self, _: &Anchor, _: &Resources, lines: Vec<u8>) -> Answer<()> {
        self.tries.fetch_add(1, SeqCst);
        if self.is_deaf.load(SeqCst) {
            return Err(Failure::host("nobody hears"));
        }
        self.heard.lock().unwrap().extend(lines);
        Ok(())
    }
}
