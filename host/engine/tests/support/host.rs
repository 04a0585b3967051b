//! Hosts in virtual time: each has a runtime of its own, with which it dies.

use super::capabilities::{NoSecrets, ScriptedProvider};
use super::clock::VirtualClock;
use super::entropy::Seeded;
use super::faults::Faults;
use super::notary::ScriptedNotary;
use super::plugin::{ScriptedPlugin, Shelf};
use super::stage::Stage;
use super::store::FaultyStore;
use sopwith_core::actor::Actor;
use sopwith_core::approval::Answer;
use sopwith_core::digest::Digest;
use sopwith_core::generation::{AuditSettings, Generation, HostSettings, PluginSource, ReadyProcedure};
use sopwith_core::grant::{Access, Denial, Wanted};
use sopwith_core::name::ActionName;
use sopwith_core::port::operations::{ReloadStatus, Submission};
use sopwith_core::port::{Clock, Plugin, RunFilter, Store, TickOutcome};
use sopwith_core::procedure::Procedure;
use sopwith_core::resource::Resources;
use sopwith_core::retention::Retention;
use sopwith_core::role::Roles;
use sopwith_core::run::{Run, RunId};
use sopwith_engine::{CancelRefused, Desk, Engine, NotAnswered, Parts, Recovered, Refused};
use sopwith_store::SqliteStore;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// More turns than any chain of wake-ups takes that does not wait for the store.
const TURNS: usize = 64;

/// What outlives hosts: the disk, the time, the operator's files and the world outside.
pub(crate) struct World {
    folder: tempfile::TempDir,
    pub(crate) clock: Arc<VirtualClock>,
    pub(crate) stage: Arc<Stage>,
    pub(crate) shelf: Arc<Shelf>,
    plugin: Arc<dyn Plugin>,
    entropy: Arc<Seeded>,
    procedures: Vec<Procedure>,
    places: u32,
    unavailable: BTreeMap<ActionName, Vec<Denial>>,
    /// How the audit log is kept.
    pub(crate) audit: AuditSettings,
    pub(crate) notary: Arc<ScriptedNotary>,
}

/// A host that is up.
pub(crate) struct Host {
    pub(crate) engine: Engine,
    pub(crate) recovered: Recovered,
    store: Arc<FaultyStore>,
    clock: Arc<VirtualClock>,
    /// None once nothing reloads any more.
    generation: Option<watch::Sender<Arc<Generation>>>,
    stop: CancellationToken,
    runtime: Runtime,
}

impl World {
    pub(crate) fn new(procedures: impl IntoIterator<Item = Procedure>) -> Self {
        Self::seeded(7, procedures)
    }

    pub(crate) fn seeded(seed: u64, procedures: impl IntoIterator<Item = Procedure>) -> Self {
        Self::on(folder(), seed, procedures)
    }

    /// With the record in this folder.
    pub(crate) fn on(
        folder: tempfile::TempDir,
        seed: u64,
        procedures: impl IntoIterator<Item = Procedure>,
    ) -> Self {
        let clock = Arc::new(VirtualClock::default());
        let stage = Arc::new(Stage::default());
        let plugin = Arc::new(ScriptedPlugin::new(Arc::clone(&stage), clock.clone()));
        let shelf = Arc::new(Shelf::default());
        shelf.put(plugin.clone());
        Self {
            folder,
            clock,
            stage,
            shelf,
            plugin,
            entropy: Arc::new(Seeded::new(seed)),
            procedures: procedures.into_iter().collect(),
            places: 4,
            unavailable: BTreeMap::new(),
            audit: AuditSettings::default(),
            notary: Arc::default(),
        }
    }

    /// A host that has recovered and claims ticks.
    pub(crate) fn start(&self) -> Host {
        let host = self.boot(|_| {});
        let (engine, stop) = (host.engine.clone(), host.stop.clone());
        host.spawn(async move { engine.schedule(stop).await });
        host.settle();
        host
    }

    /// A host that has recovered, with something done before that.
    pub(crate) fn boot(&self, before: impl FnOnce(&mut Host)) -> Host {
        let store = Arc::new(FaultyStore {
            real: SqliteStore::open(&self.folder.path().join("history.db")).unwrap(),
            faults: Faults::default(),
        });
        let generation = watch::Sender::new(self.generation());
        let engine = Engine::new(Parts {
            store: store.clone(),
            audit: store.clone(),
            notary: self.notary.clone(),
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
            capabilities: Arc::new(ScriptedProvider {
                stage: Arc::clone(&self.stage),
                store: Arc::clone(&store),
                clock: self.clock.clone(),
            }),
            secrets: Arc::new(NoSecrets),
            shelf: self.shelf.clone(),
            generation: generation.subscribe(),
            check_inputs: |_, inputs| Ok(inputs),
        });
        let mut host = Host {
            engine,
            recovered: Recovered::default(),
            store,
            clock: Arc::clone(&self.clock),
            generation: Some(generation),
            stop: CancellationToken::new(),
            // No driver for time: whatever waits for the real one panics.
            runtime: Builder::new_current_thread().build().unwrap(),
        };
        before(&mut host);
        host.recovered = host.runtime.block_on(host.engine.recover()).unwrap();
        host.settle();
        host
    }

    /// Puts other procedures and another number of places into the files, and makes a running
    /// host take them up.
    pub(crate) fn edit(
        &mut self,
        procedures: impl IntoIterator<Item = Procedure>,
        places: u32,
        host: Option<&Host>,
    ) {
        self.procedures = procedures.into_iter().collect();
        self.places = places;
        if let Some(host) = host {
            host.take_up(self.generation());
        }
    }

    /// Takes a grant away that an action needs, and makes a running host take that up.
    pub(crate) fn withhold(&mut self, action: &str, host: &Host) {
        let denial = Denial {
            wanted: Wanted::database("app", Access::Replace),
            why: "nobody grants it".to_owned(),
            hint: "grant it".to_owned(),
        };
        self.unavailable.insert(action.parse().unwrap(), vec![denial]);
        host.take_up(self.generation());
    }

    fn generation(&self) -> Arc<Generation> {
        let procedures = self.procedures.iter().map(|procedure| {
            let ready = ReadyProcedure {
                procedure: procedure.clone(),
                plugin: Arc::clone(&self.plugin),
                source: PluginSource::STANDARD,
                unavailable: self.unavailable.clone(),
                held: None,
            };
            (procedure.name.clone(), Arc::new(ready))
        });
        let files = serde_json::to_vec(&(&self.procedures, self.places, self.unavailable.len())).unwrap();
        Arc::new(Generation {
            digest: Digest::of(files),
            host: HostSettings {
                data_directory: self.folder.path().to_owned(),
                scratch_directory: self.folder.path().to_owned(),
                key_file: self.folder.path().join("key"),
                runs_at_once_max: self.places,
                ca_files: Vec::new(),
                resolver: Vec::new(),
                audit: self.audit.clone(),
                roles: Roles::default(),
                retention: Retention::default(),
            },
            resources: Arc::new(Resources::default()),
            procedures: procedures.collect(),
            plugins: BTreeMap::new(),
        })
    }
}

impl Host {
    pub(crate) fn faults(&self) -> &Faults {
        &self.store.faults
    }

    pub(crate) fn spawn<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        self.runtime.spawn(future)
    }

    fn take_up(&self, generation: Arc<Generation>) {
        self.generation.as_ref().unwrap().send_replace(generation);
        self.settle();
    }

    /// Ends whatever would put another generation in force.
    pub(crate) fn end_reloads(&mut self) {
        self.generation = None;
        self.settle();
    }

    /// How many tasks there are.
    pub(crate) fn tasks(&self) -> usize {
        self.runtime.metrics().num_alive_tasks()
    }

    /// Waits until nothing happens any more unless time passes.
    pub(crate) fn settle(&self) {
        self.runtime.block_on(async {
            let mut quiet = 0;
            while quiet < TURNS {
                tokio::task::yield_now().await;
                quiet = if self.store.faults.drain().await {
                    0
                } else {
                    quiet + 1
                };
            }
        });
    }

    /// Lets time pass, from one wake-up to the next.
    pub(crate) fn advance(&self, duration: Duration) {
        let end = self.clock.monotonic() + duration;
        while let Some(next) = self.clock.next().filter(|next| *next <= end) {
            self.clock.go_to(next);
            self.settle();
        }
        self.clock.go_to(end);
    }

    pub(crate) fn advance_secs(&self, seconds: u64) {
        self.advance(Duration::from_secs(seconds));
    }

    /// The outcome of a task, which must have come to its end.
    pub(crate) fn ended<T>(&self, task: JoinHandle<T>) -> T {
        self.settle();
        assert!(task.is_finished(), "the task still waits");
        self.runtime.block_on(task).unwrap()
    }

    pub(crate) fn submit(&self, procedure: &str) -> Run {
        let run = self.try_to_submit(procedure).unwrap();
        self.settle();
        run
    }

    pub(crate) fn try_to_submit(&self, procedure: &str) -> Result<Run, Refused> {
        let submission = submission(procedure);
        self.runtime.block_on(self.engine.submit(submission, somebody()))
    }

    /// What a person's answer to what a run asks comes to.
    pub(crate) fn answer(&self, id: RunId, answer: Answer, seen: Option<Digest>) -> Result<Run, NotAnswered> {
        let answered = self.runtime.block_on(self.engine.answer(id, None, answer, seen));
        self.settle();
        answered
    }

    pub(crate) fn submit_with(&self, submission: Submission) -> Result<Run, Refused> {
        let run = self.runtime.block_on(self.engine.submit(submission, somebody()));
        self.settle();
        run
    }

    pub(crate) fn cancel(&self, id: RunId) -> Result<Run, CancelRefused> {
        let cancelled = self.runtime.block_on(self.engine.cancel(id, somebody()));
        self.settle();
        cancelled
    }

    /// What the record says of a run, past all faults.
    pub(crate) fn run(&self, id: RunId) -> Run {
        self.ask(self.store.real.run(id)).unwrap()
    }

    /// All runs, oldest first.
    pub(crate) fn runs(&self) -> Vec<Run> {
        let mut runs = self.ask(self.store.real.runs(&RunFilter::default()));
        runs.reverse();
        runs
    }

    /// What the ticks of the schedule `tick` came to.
    pub(crate) fn ticks(&self, procedure: &str) -> Vec<TickOutcome> {
        let (procedure, schedule) = (procedure.parse().unwrap(), "tick".parse().unwrap());
        let (from, to) = (jiff::Timestamp::MIN, jiff::Timestamp::MAX);
        self.ask(self.store.real.ticks(&procedure, &schedule, from, to))
    }

    /// The real store, past all faults.
    pub(crate) fn record(&self) -> &SqliteStore {
        &self.store.real
    }

    /// Asks something that needs no time.
    pub(crate) fn ask<T, E: std::fmt::Debug>(&self, question: impl Future<Output = Result<T, E>>) -> T {
        self.runtime.block_on(question).unwrap()
    }

    pub(crate) fn desk(&self) -> Desk {
        let at = self.clock.now();
        let status = move || ReloadStatus {
            at,
            accepted: true,
            kept: false,
            diagnostics: Vec::new(),
            rolled_back: BTreeMap::new(),
        };
        Desk::new(self.engine.clone(), somebody(), Arc::new(status))
    }

    /// Takes old history away from time to time, until the loop that claims ticks ends.
    pub(crate) fn prune_history(&self) {
        let (engine, store, stop) = (self.engine.clone(), Arc::clone(&self.store), self.stop.clone());
        self.spawn(async move { engine.prune_history(&*store, stop).await });
        self.settle();
    }

    /// Ends the loop that claims ticks.
    pub(crate) fn stop_scheduling(&self) {
        self.stop.cancel();
        self.settle();
    }

    /// Stops it as a service manager does.
    pub(crate) fn shut_down(self, grace: Duration) {
        self.stop_scheduling();
        let engine = self.engine.clone();
        let ended = self.spawn(async move { engine.shut_down(grace).await });
        self.settle();
        while !ended.is_finished() {
            let next = self.clock.next().expect("the shutdown waits for nothing");
            self.clock.go_to(next);
            self.settle();
        }
    }

    /// Kills it where it stands.
    pub(crate) fn kill(self) {
        drop(self);
    }
}

/// In memory where that is to be had: a host that dies here takes no disk with it.
fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .unwrap()
}

/// A run of the default action that somebody asks for.
pub(crate) fn submission(procedure: &str) -> Submission {
    Submission {
        procedure: procedure.parse().unwrap(),
        action: None::<ActionName>,
        inputs: serde_json::Value::Null,
        dry_run: false,
        key: None,
        retry_of: None,
        even_paused: false,
    }
}

fn somebody() -> Actor {
    Actor::User {
        name: "ann".to_owned(),
        uid: 1_000,
    }
}
