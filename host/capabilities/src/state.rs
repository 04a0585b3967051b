//! Durable state of a procedure; in a dry run a layer over it that is thrown away.

use crate::gate::{Gate, Proceed};
use crate::masking;
use async_trait::async_trait;
use sopwith_core::failure::Failure;
use sopwith_core::name::ProcedureName;
use sopwith_core::port::capabilities::{Answer, State, StateEntry};
use sopwith_core::port::{Store, StoreError};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::sync::Mutex;

/// A longer key is a mistake.
const KEY_BYTES_MAX: usize = 512;

/// `sopwith:plugin/state`
pub(crate) struct ProcedureState {
    gate: Arc<Gate>,
    /// What a dry run wrote; none for what it deleted.
    pretended: Mutex<BTreeMap<String, Option<StateEntry>>>,
}

impl ProcedureState {
    pub(crate) fn new(gate: Arc<Gate>) -> Self {
        Self {
            gate,
            pretended: Mutex::default(),
        }
    }

    fn store(&self) -> &dyn Store {
        &**self.gate.record().store()
    }

    fn procedure(&self) -> &ProcedureName {
        &self.gate.attempt().run.queued.procedure
    }

    async fn entry(&self, key: &str) -> Answer<Option<StateEntry>> {
        if let Some(pretended) = self.pretended.lock().await.get(key) {
            return Ok(pretended.clone());
        }
        Ok(self.store().state(self.procedure(), key).await?)
    }

    fn object(&self, key: &str) -> String {
        format!("state of {}: `{key}`", self.procedure())
    }

    async fn pretend(&self, key: &str, value: Vec<u8>, expected: Option<u64>) -> Answer<u64> {
        let found = self.entry(key).await?.map_or(0, |entry| entry.version);
        if expected.is_some_and(|expected| expected != found) {
            return Err(StoreError::Conflict { found }.into());
        }
        let max = self.gate.attempt().limits.state_bytes;
        let wanted = self.bytes_without(key).await? + (key.len() + value.len()) as u64;
        if wanted > max {
            return Err(StoreError::TooLarge { max, wanted }.into());
        }
        self.gate.meter().state_bytes.most(wanted);
        let version = found + 1;
        let entry = StateEntry { value, version };
        self.pretended.lock().await.insert(key.to_owned(), Some(entry));
        Ok(version)
    }

    /// Only what is in the store has to be hidden.
    async fn pretend_to_delete(&self, key: &str) -> Answer<()> {
        let is_stored = self.store().state(self.procedure(), key).await?.is_some();
        let mut pretended = self.pretended.lock().await;
        if is_stored {
            pretended.insert(key.to_owned(), None);
        } else {
            pretended.remove(key);
        }
        Ok(())
    }

    async fn bytes_without(&self, key: &str) -> Answer<u64> {
        let mut bytes = 0;
        for other in self.keys("").await? {
            if other != key {
                let value = self.entry(&other).await?.map_or(0, |entry| entry.value.len());
                bytes += (other.len() + value) as u64;
            }
        }
        Ok(bytes)
    }
}

#[async_trait]
impl State for ProcedureState {
    async fn get(&self, key: &str) -> Answer<Option<StateEntry>> {
        check_key(key)?;
        let entry = self.entry(key).await?;
        let Some(StateEntry { value, version }) = entry else {
            return Ok(None);
        };
        // A plugin could have come by a value before anybody knew that it is a secret.
        let value = masking::bytes(&self.gate, value).await?;
        Ok(Some(StateEntry { value, version }))
    }

    async fn set(&self, key: &str, value: Vec<u8>, expected: Option<u64>) -> Answer<u64> {
        check_key(key)?;
        let object = self.object(key);
        if self.gate.change("state.set", &object).await? == Proceed::DryRun {
            return self.pretend(key, value, expected).await;
        }
        let bytes_max = self.gate.attempt().limits.state_bytes;
        let set = self
            .store()
            .set_state(self.procedure(), key, value, expected, bytes_max)
            .await;
        if set.is_ok()
            && let Ok(bytes) = self.store().state_bytes(self.procedure()).await
        {
            self.gate.meter().state_bytes.most(bytes);
        }
        self.gate
            .changed("state.set", &object, set.map_err(Failure::from))
    }

    async fn delete(&self, key: &str) -> Answer<()> {
        check_key(key)?;
        let object = self.object(key);
        if self.gate.change("state.delete", &object).await? == Proceed::DryRun {
            return self.pretend_to_delete(key).await;
        }
        let deleted = self.store().delete_state(self.procedure(), key).await;
        self.gate
            .changed("state.delete", &object, deleted.map_err(Failure::from))
    }

    async fn keys(&self, prefix: &str) -> Answer<Vec<String>> {
        if prefix.len() > KEY_BYTES_MAX {
            return Ok(Vec::new());
        }
        let stored = self.store().state_keys(self.procedure(), prefix).await?;
        let mut keys: BTreeSet<_> = stored.into_iter().collect();
        for (key, entry) in self.pretended.lock().await.iter() {
            if entry.is_none() {
                keys.remove(key);
            } else if key.starts_with(prefix) {
                keys.insert(key.clone());
            }
        }
        Ok(keys.into_iter().collect())
    }
}

/// Nothing is done, and nothing put on record, with a key that none can be.
fn check_key(key: &str) -> Answer<()> {
    if key.is_empty() || key.len() > KEY_BYTES_MAX {
        return Err(Failure::invalid(format!(
            "a key of the state has 1 to {KEY_BYTES_MAX} bytes"
        )));
    }
    Ok(())
}
