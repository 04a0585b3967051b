//! A plugin that is loaded: carries out actions, each in a store of its own.

use crate::bindings::PluginPre;
use crate::guest::Guest;
use crate::machine::Machine;
use crate::report;
use crate::visit::{Visit, asked_to_end};
use async_trait::async_trait;
use sopwith_core::digest::Digest;
use sopwith_core::limits::Usage;
use sopwith_core::manifest::Manifest;
use sopwith_core::port::capabilities::Capabilities;
use sopwith_core::port::{Bounds, Call, Ended, Plugin};
use std::sync::Arc;

/// A plugin that is loaded.
pub(crate) struct Loaded {
    pub(crate) machine: Arc<Machine>,
    pub(crate) ready: PluginPre<Guest>,
    pub(crate) manifest: Manifest,
    pub(crate) imports: Vec<String>,
    pub(crate) digest: Digest,
    pub(crate) size: u64,
}

#[async_trait]
impl Plugin for Loaded {
    fn digest(&self) -> Digest {
        self.digest
    }

    fn size(&self) -> u64 {
        self.size
    }

    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn imports(&self) -> &[String] {
        &self.imports
    }

    async fn run(&self, call: Call, capabilities: Arc<dyn Capabilities>, bounds: Bounds) -> Ended {
        let limits = bounds.limits.clone();
        let mut visit = match Visit::begin(&self.machine, Arc::clone(&capabilities), bounds) {
            Ok(visit) => visit,
            Err(failure) => {
                return Ended {
                    result: Err(failure),
                    usage: Usage::default(),
                };
            }
        };
        let (settings, inputs) = (call.settings.to_string(), call.inputs.to_string());
        let (watch, answered) = (Arc::clone(&visit.watch), Arc::clone(&visit.answered));
        let called = watch.guard(async {
            let plugin = self.ready.instantiate_async(&mut visit.store).await?;
            let procedure = plugin.sopwith_plugin_procedure();
            procedure
                .call_run(&mut visit.store, call.action.as_str(), &settings, &inputs)
                .await
        });
        let called = called.await;
        let mask = |text: &str| capabilities.journal().masked(text);
        let (returned, mut usage) = visit.end(called).await;
        let result = returned.and_then(|answer| match answer {
            Ok(report) => {
                usage.output_bytes = usage.output_bytes.max(report::bytes(&report));
                report::read(report, &limits, &mask)
            }
            Err(error) => {
                let failure = report::read_error(error, &mask);
                Err(asked_to_end(answered.judge(failure), &watch))
            }
        });
        Ended { result, usage }
    }
}
