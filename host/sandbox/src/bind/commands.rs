//! `sopwith:plugin/commands`

use super::handles::OpenProcess;
use super::{Reply, milliseconds, reply};
use crate::bindings::sopwith::plugin::commands::{Host, HostProcess, Output};
use crate::bindings::sopwith::plugin::types;
use crate::guest::Guest;
use sopwith_core::port::capabilities as port;
use std::time::Duration;
use wasmtime::component::Resource;

impl Host for Guest {
    async fn run(&mut self, command: String, arguments: types::Pairs, stdin: Vec<u8>) -> Reply<Output> {
        let output = self.call()?.commands().run(&command, arguments, stdin).await;
        reply(&self.answered, output.map(Output::from))
    }

    async fn start(&mut self, command: String, arguments: types::Pairs) -> Reply<Resource<OpenProcess>> {
        let started = self.call()?.commands().start(&command, arguments).await;
        self.hand_over(started.map(OpenProcess))
    }
}

impl HostProcess for Guest {
    async fn read(&mut self, process: Resource<OpenProcess>, bytes_max: u64) -> Reply<Vec<u8>> {
        self.call()?;
        reply(
            &self.answered,
            self.table.get_mut(&process)?.0.read(bytes_max).await,
        )
    }

    async fn exit_code(&mut self, process: Resource<OpenProcess>) -> wasmtime::Result<Option<i32>> {
        self.call()?;
        Ok(self.table.get(&process)?.0.exit_code())
    }

    async fn stop(&mut self, process: Resource<OpenProcess>, grace_ms: u32) -> Reply<Output> {
        self.call()?;
        let grace = Duration::from_millis(grace_ms.into());
        let output = self.table.get_mut(&process)?.0.stop(grace).await;
        reply(&self.answered, output.map(Output::from))
    }

    async fn drop(&mut self, process: Resource<OpenProcess>) -> wasmtime::Result<()> {
        self.table.delete(process)?;
        Ok(())
    }
}

impl From<port::CommandOutput> for Output {
    fn from(output: port::CommandOutput) -> Self {
        Self {
            exit_code: output.exit_code,
            signal: output.signal,
            stdout: output.stdout,
            stderr: output.stderr,
            truncated: output.truncated,
            elapsed_ms: milliseconds(output.elapsed),
            extra: output.extra,
        }
    }
}
