//! `sopwith:plugin/run`

use super::{Reply, instant, reply, reply_or_end, time};
use crate::bindings::sopwith::plugin::run::Host;
use crate::guest::Guest;
use std::time::Duration;

impl Host for Guest {
    async fn id(&mut self) -> wasmtime::Result<String> {
        Ok(self.call()?.run().id())
    }

    async fn procedure(&mut self) -> wasmtime::Result<String> {
        Ok(self.call()?.run().procedure())
    }

    async fn attempt(&mut self) -> wasmtime::Result<u32> {
        Ok(self.call()?.run().attempt())
    }

    async fn trigger(&mut self) -> wasmtime::Result<String> {
        Ok(self.call()?.run().trigger())
    }

    async fn scheduled_at(&mut self) -> wasmtime::Result<Option<String>> {
        Ok(self.call()?.run().scheduled_at().map(time))
    }

    async fn previous_success(&mut self) -> wasmtime::Result<Option<String>> {
        Ok(self.call()?.run().previous_success().map(time))
    }

    async fn dry_run(&mut self) -> wasmtime::Result<bool> {
        Ok(self.call()?.run().dry_run())
    }

    async fn cancelled(&mut self) -> wasmtime::Result<bool> {
        Ok(self.call()?.run().cancelled())
    }

    async fn time_left_ms(&mut self) -> wasmtime::Result<u64> {
        let left = self.call()?.run().time_left();
        Ok(u64::try_from(left.as_millis()).unwrap_or(u64::MAX))
    }

    async fn sleep(&mut self, ms: u64) -> Reply<()> {
        reply(
            &self.answered,
            self.call()?.run().sleep(Duration::from_millis(ms)).await,
        )
    }

    async fn suspend_until(&mut self, name: String, until: String) -> Reply<()> {
        let capabilities = self.call()?;
        let waited = match instant(&until) {
            Ok(until) => capabilities.run().suspend_until(&name, until).await,
            Err(failure) => Err(failure),
        };
        reply_or_end(&self.answered, waited)
    }
}
