//! `sopwith:plugin/journal`

use super::handles::OpenStep;
use super::{Reply, reply, time};
use crate::bindings::sopwith::plugin::journal::{Finding, Host, HostStep, OpenFinding};
use crate::bindings::sopwith::plugin::types;
use crate::guest::Guest;
use crate::json;
use sopwith_core::port::capabilities as port;
use wasmtime::component::Resource;

impl Host for Guest {
    async fn begin(&mut self, name: String) -> Reply<Resource<OpenStep>> {
        let begun = self.call()?.journal().begin(&name).await;
        self.hand_over(begun.map(OpenStep))
    }

    async fn log(&mut self, level: String, message: String, fields: types::Pairs) -> wasmtime::Result<()> {
        self.call()?.journal().log(&level, &message, fields).await;
        Ok(())
    }

    async fn add_findings(&mut self, findings: Vec<Finding>) -> Reply<()> {
        let findings = findings.into_iter().map(port::Finding::from).collect();
        reply(
            &self.answered,
            self.call()?.journal().add_findings(findings).await,
        )
    }

    async fn checked(&mut self, check: String, subjects: u64) -> Reply<()> {
        reply(
            &self.answered,
            self.call()?.journal().checked(&check, subjects).await,
        )
    }

    async fn open_findings(&mut self, check: String) -> Reply<Vec<OpenFinding>> {
        let open = self.call()?.journal().open_findings(&check).await;
        reply(
            &self.answered,
            open.map(|open| open.into_iter().map(OpenFinding::from).collect()),
        )
    }

    async fn metric(&mut self, name: String, value: f64, unit: String) -> wasmtime::Result<()> {
        self.call()?.journal().metric(&name, value, &unit).await;
        Ok(())
    }

    async fn attach(&mut self, name: String, media_type: String, content: Vec<u8>) -> Reply<()> {
        reply(
            &self.answered,
            self.call()?.journal().attach(&name, &media_type, content).await,
        )
    }

    async fn redact(&mut self, value: String) -> wasmtime::Result<()> {
        self.call()?.journal().redact(&value);
        Ok(())
    }
}

impl HostStep for Guest {
    async fn recorded(&mut self, step: Resource<OpenStep>) -> wasmtime::Result<Option<types::Json>> {
        self.call()?;
        let recorded = self.table.get(&step)?.0.recorded();
        Ok(recorded.map(|output| String::from(&*output)))
    }

    async fn progress(
        &mut self,
        step: Resource<OpenStep>,
        done: u64,
        total: Option<u64>,
        unit: String,
    ) -> wasmtime::Result<()> {
        self.call()?;
        self.table.get_mut(&step)?.0.progress(done, total, &unit).await;
        Ok(())
    }

    async fn finish(&mut self, step: Resource<OpenStep>, output: types::Json) -> Reply<()> {
        self.call()?;
        let held = self.memory.hold_until_dropped(json::memory(&output));
        let read = held.and_then(|held| Ok((json::read("the output of a step", &output)?, held)));
        let step = &mut self.table.get_mut(&step)?.0;
        match read {
            Ok((output, _held)) => reply(&self.answered, step.finish(output).await),
            Err(failure) => reply(&self.answered, Err(failure)),
        }
    }

    async fn skip(&mut self, step: Resource<OpenStep>, reason: String) -> Reply<()> {
        self.call()?;
        reply(&self.answered, self.table.get_mut(&step)?.0.skip(&reason).await)
    }

    async fn fail(&mut self, step: Resource<OpenStep>, reason: types::Error) -> wasmtime::Result<()> {
        self.call()?;
        self.table.get_mut(&step)?.0.fail(reason.into()).await;
        Ok(())
    }

    async fn drop(&mut self, step: Resource<OpenStep>) -> wasmtime::Result<()> {
        self.table.delete(step)?.0.close().await;
        Ok(())
    }
}

impl From<Finding> for port::Finding {
    fn from(finding: Finding) -> Self {
        Self {
            check: finding.check,
            severity: finding.severity,
            subject: finding.subject,
            title: finding.title,
            detail: finding.detail,
            fix: finding.fix,
            extra: finding.extra,
        }
    }
}

impl From<port::OpenFinding> for OpenFinding {
    fn from(open: port::OpenFinding) -> Self {
        Self {
            check: open.finding.check,
            subject: open.finding.subject,
            severity: open.finding.severity,
            first_seen_at: time(open.first_seen_at),
            times_seen: open.times_seen,
            waived: false,
            extra: open.finding.extra,
        }
    }
}
