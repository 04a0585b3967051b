//! `sopwith:plugin/state`

use super::{Reply, reply};
use crate::bindings::sopwith::plugin::state::{Entry, Host};
use crate::guest::Guest;
use sopwith_core::port::capabilities::StateEntry;

impl Host for Guest {
    async fn get(&mut self, key: String) -> Reply<Option<Entry>> {
        let found = self.call()?.state().get(&key).await;
        reply(&self.answered, found.map(|entry| entry.map(Entry::from)))
    }

    async fn set(&mut self, key: String, value: Vec<u8>, expected: Option<u64>) -> Reply<u64> {
        reply(
            &self.answered,
            self.call()?.state().set(&key, value, expected).await,
        )
    }

    async fn delete(&mut self, key: String) -> Reply<()> {
        reply(&self.answered, self.call()?.state().delete(&key).await)
    }

    async fn keys(&mut self, prefix: String) -> Reply<Vec<String>> {
        reply(&self.answered, self.call()?.state().keys(&prefix).await)
    }
}

impl From<StateEntry> for Entry {
    fn from(entry: StateEntry) -> Self {
        Self {
            value: entry.value,
            version: entry.version,
        }
    }
}
