//! Moves bytes inside the host: from a source through stages to a sink, each on its own thread.

mod pipeline;
mod room;
mod sink;
mod source;
mod stage;
mod users;

use crate::blocking::until_done;
use crate::databases::Databases;
use crate::files::check_mode;
use crate::gate::{Gate, Proceed};
use crate::journal::OpenSteps;
use crate::place::{Directories, RelativePath, object};
use crate::stop::Watch;
use async_trait::async_trait;
use pipeline::{Moved, Progress};
use sink::{Consume, Goal};
use sopwith_core::digest::Digest;
use sopwith_core::failure::{Blame, Failure, FailureKind};
use sopwith_core::grant::Access;
use sopwith_core::journal::Note;
use sopwith_core::port::capabilities::{Answer, Flow, Pipe, Receipt, Sink, Source, Stage};
use source::{Produce, Produced};
use std::sync::Arc;
use std::time::Duration;

/// Progress is kept this often; people do not read faster.
const PROGRESS_EVERY: Duration = Duration::from_millis(250);
/// Stages of one pipe; each is a thread.
const STAGES_MAX: usize = 8;

/// `sopwith:plugin/flow`
pub(crate) struct HostFlow {
    gate: Arc<Gate>,
    directories: Arc<Directories>,
    databases: Arc<Databases>,
    steps: Arc<OpenSteps>,
}

impl HostFlow {
    pub(crate) fn new(
        gate: Arc<Gate>,
        directories: Arc<Directories>,
        databases: Arc<Databases>,
        steps: Arc<OpenSteps>,
    ) -> Self {
        Self {
            gate,
            directories,
            databases,
            steps,
        }
    }

    /// Where the bytes go, and the name of what is changed there; none for what is no change.
    fn goal(&self, sink: Sink) -> Answer<(Goal, Option<String>)> {
        match sink {
            Sink::Nothing => Ok((Goal::Nothing, None)),
            Sink::File {
                directory,
                path,
                if_exists,
                mode,
            } => {
                check_mode(mode)?;
                let place = self.directories.open(&directory, Access::Write)?;
                let path = RelativePath::parse_inner(&path)?;
                let object = object(&directory, &path);
                let run = self.gate.attempt().run.id();
                let goal = Goal::File(sink::FileGoal {
                    place,
                    path,
                    if_exists,
                    mode,
                    run,
                });
                Ok((goal, Some(object)))
            }
            Sink::Database(name) => {
                let file = self.databases.find(&name, Access::Replace)?;
                let object = (!file.is_scratch()).then(|| file.resource());
                let run = self.gate.attempt().run.id();
                Ok((Goal::Database(sink::DatabaseGoal { file, run }), object))
            }
        }
    }

    /// Moves the bytes while somebody shows how far they are.
    async fn carry(&self, source: Box<dyn Produce>, pipe: Load, goal: Goal, dry: bool) -> Answer<Receipt> {
        let progress = Arc::new(Progress::new(source.size()));
        let shared = Arc::clone(&progress);
        let started = self.gate.clock().monotonic();
        let mut moving = std::pin::pin!(until_done(&self.gate, move |watch| {
            let mut sink = goal.open(source.size().filter(|_| pipe.stages.is_empty()), dry)?;
            let (moved, produced) = pipe.through(source, &mut *sink, &watch, &shared)?;
            let warnings = sink.finish()?;
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
            other => source::open(other.clone(), &self.directories, &self.databases).map(drop),
        }
    }

    async fn move_bytes(&self, pipe: Pipe, sink: Sink) -> Answer<Receipt> {
        let load = Load::parse(pipe.stages, pipe.expect.as_deref())?;
        let source = source::open(pipe.source, &self.directories, &self.databases)?;
        let call = match sink {
            Sink::File { .. } => "flow.to-file",
            Sink::Database(_) => "flow.to-database",
            Sink::Nothing => "flow.to-nothing",
        };
        let (goal, object) = self.goal(sink)?;
        let Some(object) = object else {
            return self.carry(source, load, goal, false).await;
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
}

/// What becomes of the bytes between source and sink.
struct Load {
    stages: Vec<Stage>,
    expected: Option<Digest>,
}

impl Load {
    fn parse(stages: Vec<Stage>, expect: Option<&str>) -> Answer<Self> {
        if stages.len() > STAGES_MAX {
            return Err(Failure::invalid(format!("a pipe may have {STAGES_MAX} stages")));
        }
        for stage in &stages {
            stage::check(stage)?;
        }
        let expected = expect.map(str::parse::<Digest>).transpose();
        let expected = expected.map_err(|error| Failure::invalid(error.to_string()))?;
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
                Err(Failure::new(FailureKind::Conflict, Blame::Host, message))
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
