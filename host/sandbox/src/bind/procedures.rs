//! `sopwith:plugin/procedures`

use super::{Reply, reply, reply_or_end, time};
use crate::bindings::sopwith::plugin::procedures::{Host, Outcome};
use crate::bindings::sopwith::plugin::types;
use crate::guest::Guest;
use crate::json;
use sopwith_core::port::capabilities::Waited;
use sopwith_core::run::Run;

impl Host for Guest {
    async fn call(
        &mut self,
        procedure: String,
        action: Option<String>,
        inputs: types::Json,
        lend: types::Pairs,
    ) -> Reply<Outcome> {
        let capabilities = Guest::call(self)?;
        let held = self.memory.hold_until_dropped(json::memory(&inputs));
        let read = held.and_then(|held| Ok((json::read("the inputs", &inputs)?, held)));
        let called = match read {
            Ok((inputs, _held)) => {
                let procedures = capabilities.procedures();
                procedures.call(&procedure, action.as_deref(), inputs, lend).await
            }
            Err(failure) => Err(failure),
        };
        let outcome = called.map(|waited| match waited {
            Waited::Over(run) => Waited::Over(outcome(&run)),
            Waited::Suspended => Waited::Suspended,
        });
        reply_or_end(&self.answered, outcome)
    }

    async fn last_passed(&mut self, procedure: String, action: Option<String>) -> Reply<Option<Outcome>> {
        let capabilities = Guest::call(self)?;
        let found = capabilities
            .procedures()
            .last_passed(&procedure, action.as_deref())
            .await;
        reply(&self.answered, found.map(|run| run.as_ref().map(outcome)))
    }
}

fn outcome(run: &Run) -> Outcome {
    let (report, failure) = (run.report.as_ref(), run.failure.as_ref());
    let failed = failure.map(|failure| failure.message.clone());
    Outcome {
        run: run.id().to_string(),
        state: run.state.to_string(),
        verdict: run
            .verdict()
            .map_or_else(String::new, |verdict| verdict.to_string()),
        summary: report.map_or(failed.unwrap_or_default(), |report| report.summary.clone()),
        output: report.map_or_else(|| "null".to_owned(), |report| report.output.to_string()),
        started_at: run.started_at.map(time),
        ended_at: run.ended_at.map(time),
        extra: failure
            .map(|failure| ("blame".to_owned(), failure.blame.as_str().to_owned()))
            .into_iter()
            .collect(),
    }
}
