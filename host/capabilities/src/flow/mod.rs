//! Moves bytes inside the host: from a source through stages to a sink, each on its own thread.

mod pipeline;
mod room;
mod sink;
mod source;
mod stage;
mod users;

use crate::blocking::until_done;
use crate::commands::{HostCommands, Permitted};
use crate::databases::Databases;
use crate::files::check_mode;
use crate::gate::{Gate, Proceed};
use crate::journal::OpenSteps;
use crate::place::{Directories, RelativePath, object};
use crate::sql::Aside;
use crate::stop::Watch;
use async_trait::async_trait;
use pipeline::{Moved, Progress};
use sink::{Consume, Goal};
use sopwith_core::digest::Digest;
use sopwith_core::failure::{Blame, Failure, FailureKind};
use sopwith_core::grant::Access;
use sopwith_core::journal::Note;
use sopwith_core::port::capabilities::{Answer, Flow, Pipe, Receipt, Sink, Source, Stage};
use source::{CommandSource, FROM_COMMAND, Opened, Produce, Produced};
use std::sync::Arc;
use std::time::Duration;

/// Progress is kept this often; people do not read faster.
const PROGRESS_EVERY: Duration = Duration::from_millis(250);
/// The function of the contract for a command as a sink.
const TO_COMMAND: &str = "flow.to-command";

/// `sopwith:plugin/flow`
pub(crate) struct HostFlow {
    gate: Arc<Gate>,
    directories: Arc<Directories>,
    databases: Arc<Databases>,
    commands: Arc<HostCommands>,
    steps: Arc<OpenSteps>,
}

impl HostFlow {
    pub(crate) fn new(
        gate: Arc<Gate>,
        directories: Arc<Directories>,
        databases: Arc<Databases>,
        commands: Arc<HostCommands>,
        steps: Arc<OpenSteps>,
    ) -> Self {
        Self {
            gate,
            directories,
            databases,
            commands,
            steps,
        }
    }

    fn open(&self, source: Source) -> Answer<Opened> {
        source::open(source, &self.directories, &self.databases, &self.commands)
    }

    /// Where the bytes go, if that is granted.
    fn target(&self, sink: Sink) -> Answer<Target> {
        let run = self.gate.attempt().run.id();
        match sink {
            Sink::Nothing => Ok(Target::Ready(Goal::Nothing, "flow.to-nothing", None)),
            Sink::File {
                directory,
                path,
                if_exists,
                mode,
            } => {
                const CALL: &str = "flow.to-file";
                check_mode(mode)?;
                let place = self.directories.open(&directory, Access::Write, CALL)?;
                let path = RelativePath::parse_inner(&path)?;
                let object = object(&directory, &path);
                let goal = Goal::File(sink::FileGoal {
                    place,
                    path,
                    if_exists,
                    mode,
                    run,
                });
                Ok(Target::Ready(goal, CALL, Some(object)))
            }
            Sink::Database(name) => {
                const CALL: &str = "flow.to-database";
                let file = self.databases.find(&name, Access::Replace, CALL)?;
                let object = (!file.is_scratch()).then(|| file.resource());
                let goal = Goal::Database(sink::DatabaseGoal {
                    file,
                    run,
                    aside: Aside::new(&self.databases),
                });
                Ok(Target::Ready(goal, CALL, object))
            }
            Sink::Command { command, arguments } => {
                let permitted = self.commands.permit(&command, &arguments, TO_COMMAND)?;
                Ok(Target::Command(permitted))
            }
        }
    }

    /// Moves the bytes, once the intent of a change is on record.
    async fn pour(&self, source: Box<dyn Produce>, load: Load, target: Target) -> Answer<Receipt> {
        let (goal, call, object) = match target {
            Target::Ready(goal, call, Some(object)) => (goal, call, object),
            Target::Ready(goal, _, None) => return self.carry(source, load, goal, false).await,
            Target::Command(permitted) => {
                let carry = async {
                    let goal = Goal::Command(sink::CommandGoal(self.commands.ready(&permitted).await?));
                    self.carry(source, load, goal, false).await
                };
                return self.commands.recorded(&permitted, TO_COMMAND, carry).await;
            }
        };
        match self.gate.change(call, &object).await? {
            Proceed::Really => {
                let moved = self.carry(source, load, goal, false).await;
                self.gate.changed(call, &object, moved)
            }
            Proceed::DryRun => {
                let receipt = self.carry(source, load, goal, true).await?;
                self.directories.pretended.add(&object);
                Ok(receipt)
            }
        }
    }

    /// Moves the bytes while somebody shows how far they are.
    async fn carry(&self, source: Box<dyn Produce>, pipe: Load, goal: Goal, dry: bool) -> Answer<Receipt> {
        let progress = Arc::new(Progress::new(source.size()));
        let shared = Arc::clone(&progress);
        let started = self.gate.clock().monotonic();
        let mut moving = std::pin::pin!(until_done(&self.gate, move |watch| {
            let mut sink = goal.open(source.size().filter(|_| pipe.stages.is_empty()), dry, &watch)?;
            let (moved, produced) = pipe.through(source, &mut *sink, &watch, &shared)?;
            let warnings = sink.finish(&watch)?;
            Ok((moved, produced, warnings))
        }));
        let (moved, produced, warnings) = loop {
            tokio::select! {
                biased;
                done = &mut moving => break done?,
                () = self.gate.clock().sleep(PROGRESS_EVERY) => self.show(&progress),
            }
        };
        let elapsed = self.gate.clock().monotonic().saturating_sub(started);
        Ok(receipt(&moved, produced, warnings, elapsed))
    }

    fn show(&self, progress: &Progress) {
        if let Some(name) = self.steps.innermost() {
            self.gate.record().soon(Note::StepProgress {
                name,
                done: progress.done(),
                total: progress.total(),
                unit: "bytes".to_owned(),
            });
        }
    }
}

#[async_trait]
impl Flow for HostFlow {
    async fn check(&self, source: &Source) -> Answer<()> {
        match source {
            Source::Bytes(_) => Ok(()),
            other => self.open(other.clone()).map(drop),
        }
    }

    async fn move_bytes(&self, pipe: Pipe, sink: Sink) -> Answer<Receipt> {
        let load = Load::new(pipe.stages, pipe.expect)?;
        // Whatever is not granted is told before anything is begun.
        let (opened, target) = (self.open(pipe.source)?, self.target(sink)?);
        let permitted = match opened {
            Opened::Ready(source) => return self.pour(source, load, target).await,
            Opened::Command(permitted) => permitted,
        };
        let pour = async {
            let source = CommandSource(self.commands.ready(&permitted).await?);
            self.pour(Box::new(source), load, target).await
        };
        self.commands.recorded(&permitted, FROM_COMMAND, pour).await
    }
}

/// Where bytes may go.
enum Target {
    /// The function of the contract, and the name of what it changes; none for what is no change.
    Ready(Goal, &'static str, Option<String>),
    /// What has to be begun first, on record.
    Command(Permitted),
}

/// What becomes of the bytes between source and sink.
struct Load {
    stages: Vec<Stage>,
    expected: Option<Digest>,
}

impl Load {
    fn new(stages: Vec<Stage>, expected: Option<Digest>) -> Answer<Self> {
        stage::check(&stages)?;
        Ok(Self { stages, expected })
    }

    fn through(
        &self,
        source: Box<dyn Produce>,
        sink: &mut dyn Consume,
        watch: &Arc<Watch>,
        progress: &Progress,
    ) -> Answer<(Moved, Produced)> {
        let (moved, produced) = pipeline::run(source, &self.stages, sink, watch, progress)?;
        match self.expected {
            Some(expected) if expected != moved.sink_digest => {
                let message = format!(
                    "the bytes have the digest `{}` and not `{expected}`",
                    moved.sink_digest
                );
                // The plugin has the digest from where it has the bytes, or it made it up.
                Err(Failure::new(FailureKind::Conflict, Blame::Outside, message))
            }
            _ => Ok((moved, produced)),
        }
    }
}

fn receipt(moved: &Moved, produced: Produced, of_sink: Vec<String>, elapsed: Duration) -> Receipt {
    let mut warnings = produced.warnings;
    warnings.extend(of_sink);
    Receipt {
        bytes_read: moved.bytes_read,
        bytes_written: moved.bytes_written,
        source_digest: moved.source_digest.to_string(),
        sink_digest: moved.sink_digest.to_string(),
        elapsed,
        warnings,
        extra: produced.extra,
    }
}
