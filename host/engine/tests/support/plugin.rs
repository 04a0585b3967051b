//! A plugin that does what the stage tells it.

use super::capabilities::SECRET;
use super::stage::{Act, Stage};
use async_trait::async_trait;
use jiff::SignedDuration;
use serde_json::{Value, json};
use sopwith_core::approval::{Outcome, RequestKind};
use sopwith_core::digest::Digest;
use sopwith_core::failure::{Blame, Failure, FailureKind};
use sopwith_core::limits::Usage;
use sopwith_core::manifest::{Action, Manifest};
use sopwith_core::port::capabilities::{Capabilities, Waited};
use sopwith_core::port::{Bounds, Call, Clock, Ended, Plugin, PluginProblem, PluginShelf};
use sopwith_core::run::{Report, Verdict};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A plugin that does what the stage tells it.
pub(crate) struct ScriptedPlugin {
    manifest: Manifest,
    stage: Arc<Stage>,
    clock: Arc<dyn Clock>,
}

impl ScriptedPlugin {
    /// `check` changes nothing, `backup` may simply be started again, `restore` may not.
    pub(crate) fn new(stage: Arc<Stage>, clock: Arc<dyn Clock>) -> Self {
        let action = |name: &str, changes, idempotent| Action {
            name: name.parse().unwrap(),
            summary: String::new(),
            inputs: json!({}),
            output: json!({}),
            changes,
            idempotent,
            capabilities: Vec::new(),
        };
        let manifest = Manifest {
            name: "scripted".parse().unwrap(),
            version: "1".to_owned(),
            summary: String::new(),
            settings: json!({}),
            actions: vec![
                action("check", false, false),
                action("backup", true, true),
                action("restore", true, false),
            ],
        };
        Self {
            manifest,
            stage,
            clock,
        }
    }

    async fn perform(
        &self,
        act: Act,
        capabilities: &dyn Capabilities,
        bounds: &Bounds,
    ) -> Result<Report, Failure> {
        match act {
            Act::Succeed => Ok(report()),
            Act::Nest(levels) => Ok(Report {
                output: (0..levels).fold(Value::Null, |inner, _| Value::Array(vec![inner])),
                ..report()
            }),
            Act::Work(duration) => self.work(duration, bounds).await,
            Act::WorkThen(duration, then) => {
                self.work(duration, bounds).await?;
                Box::pin(self.perform(*then, capabilities, bounds)).await
            }
            Act::Block => self.work(Duration::MAX, bounds).await,
            Act::Hang => std::future::pending().await,
            Act::Fail { retryable } => Err(Failure {
                retryable,
                ..outside()
            }),
            Act::FailWhenToldToEnd => {
                let worked = self.work(Duration::MAX, bounds).await;
                worked.map_err(|_| outside().retryable())
            }
            Act::SayCancelled => Err(Failure::cancelled()),
            Act::Panic => panic!("the plugin was told to panic"),
            Act::SuspendFor(time, then) => {
                let until = self.clock.now() + SignedDuration::try_from(time).unwrap();
                let waited = capabilities.run().suspend_until("later", until).await?;
                over(waited)?;
                Box::pin(self.perform(*then, capabilities, bounds)).await
            }
            Act::Ask(gate, then) => {
                let asked = capabilities
                    .approvals()
                    .ask(RequestKind::Approval, gate, "May it?", Value::Null);
                match over(asked.await?)?.decided.unwrap().1 {
                    Outcome::Approved => Box::pin(self.perform(*then, capabilities, bounds)).await,
                    outcome => Err(Failure::invalid(format!("{outcome:?}"))),
                }
            }
            Act::Call(procedure, then) => {
                let called = capabilities
                    .procedures()
                    .call(procedure, None, json!({}), Vec::new());
                let run = over(called.await?)?;
                if run.passed() {
                    Box::pin(self.perform(*then, capabilities, bounds)).await
                } else {
                    Err(Failure::invalid(format!("{procedure} is {}", run.state)).retryable())
                }
            }
            Act::Steps(steps, then) => {
                for name in steps {
                    let mut step = capabilities.journal().begin(name).await?;
                    if step.recorded().is_none() {
                        step.finish(Value::Null).await?;
                    }
                }
                Box::pin(self.perform(*then, capabilities, bounds)).await
            }
        }
    }

    async fn work(&self, duration: Duration, bounds: &Bounds) -> Result<Report, Failure> {
        let timeout = bounds.limits.timeout;
        tokio::select! {
            biased;
            () = bounds.cancel.cancelled() => Err(Failure::cancelled()),
            () = self.clock.sleep(duration.min(timeout)) => {
                if duration < timeout {
                    return Ok(report());
                }
                let failure = Failure::new(FailureKind::Timeout, Blame::Plugin, "the time is up");
                Err(failure.with("limit", "timeout"))
            }
        }
    }
}

#[async_trait]
impl Plugin for ScriptedPlugin {
    fn digest(&self) -> Digest {
        Digest::of("scripted")
    }

    fn size(&self) -> u64 {
        8
    }

    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn imports(&self) -> &[String] {
        &[]
    }

    async fn run(&self, call: Call, capabilities: Arc<dyn Capabilities>, bounds: Bounds) -> Ended {
        let act = self.stage.act(&call.action);
        let began = self.clock.monotonic();
        let result = self.perform(act, &*capabilities, &bounds).await;
        let usage = Usage {
            wall: self.clock.monotonic().saturating_sub(began),
            ..Usage::default()
        };
        Ended { result, usage }
    }
}

fn report() -> Report {
    Report {
        verdict: Verdict::Ok,
        summary: format!("the password is {SECRET}"),
        output: json!({ "password": SECRET }),
        extra: vec![("password".to_owned(), SECRET.to_owned())],
    }
}

fn outside() -> Failure {
    let message = format!("the service does not take {SECRET}");
    Failure::new(FailureKind::Unavailable, Blame::Outside, message)
}

/// Plugins by digest.
#[derive(Default)]
pub(crate) struct Shelf {
    plugins: Mutex<BTreeMap<Digest, Arc<dyn Plugin>>>,
}

impl Shelf {
    pub(crate) fn put(&self, plugin: Arc<dyn Plugin>) {
        self.plugins.lock().unwrap().insert(plugin.digest(), plugin);
    }

    pub(crate) fn clear(&self) {
        self.plugins.lock().unwrap().clear();
    }
}

#[async_trait]
impl PluginShelf for Shelf {
    async fn plugin(&self, digest: Digest) -> Result<Arc<dyn Plugin>, PluginProblem> {
        let plugin = self.plugins.lock().unwrap().get(&digest).cloned();
        plugin.ok_or_else(|| PluginProblem {
            message: "its bytes are gone".to_owned(),
            hint: None,
        })
    }
}

/// What a call came to; one that suspended the run ends the plugin, as the sandbox does.
fn over<T>(waited: Waited<T>) -> Result<T, Failure> {
    match waited {
        Waited::Over(value) => Ok(value),
        Waited::Suspended => Err(Failure::cancelled()),
    }
}
