//! Capabilities that note what a guest says, and can do nothing else.

use async_trait::async_trait;
use jiff::Timestamp;
use sopwith_core::failure::{Blame, Failure, FailureKind};
use sopwith_core::limits::Usage;
use sopwith_core::port::capabilities::{
    Answer, Approvals, Body, Capabilities, CommandOutput, Commands, Cover, DatabaseInfo, Egress,
    EgressTimeouts, Files, Finding, Flow, HttpRequest, HttpResponse, Inventory, Journal, Meta, OpenFinding,
    Pairs, Pipe, Preopen, Probe, Procedures, Process, Receipt, RunInfo, SecretReveal, Secrets, Session,
    SessionMode, Sink, Source, Sql, State, StateEntry, Step, VerifyDepth, Waited,
};
use sopwith_core::run::Wait;
use sopwith_core::secret::{SecretValue, SecretVersion};
use std::fs::File;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;

#[derive(Default)]
pub(crate) struct Notes {
    /// What was printed, with its stream.
    pub(crate) printed: Mutex<Vec<(String, String)>>,
    /// Told when the guest sleeps.
    pub(crate) asleep: Notify,
    /// The directories that the guest sees.
    pub(crate) preopens: Vec<Preopen>,
    /// How many calls the guest may make; any number if it is absent.
    pub(crate) calls_max: Option<u64>,
    /// The calls it made.
    pub(crate) calls: AtomicU64,
    /// The files that it had open.
    pub(crate) closed: AtomicU64,
}

pub(crate) fn absent<T>() -> Answer<T> {
    Err(Failure::new(FailureKind::Unavailable, Blame::Host, "the store is away").with("resource", "store"))
}

#[async_trait]
impl Capabilities for Notes {
    fn run(&self) -> &dyn RunInfo {
        self
    }

    fn journal(&self) -> &dyn Journal {
        self
    }

    fn approvals(&self) -> &dyn Approvals {
        self
    }

    fn state(&self) -> &dyn State {
        self
    }

    fn sql(&self) -> &dyn Sql {
        self
    }

    fn flow(&self) -> &dyn Flow {
        self
    }

    fn files(&self) -> &dyn Files {
        self
    }

    fn probe(&self) -> &dyn Probe {
        self
    }

    fn commands(&self) -> &dyn Commands {
        self
    }

    fn secrets(&self) -> &dyn Secrets {
        self
    }

    fn secret_reveal(&self) -> &dyn SecretReveal {
        self
    }

    fn procedures(&self) -> &dyn Procedures {
        self
    }

    fn egress(&self) -> &dyn Egress {
        self
    }

    fn preopens(&self) -> Vec<Preopen> {
        self.preopens.clone()
    }

    fn cover(&self) -> Option<Box<dyn Cover>> {
        None
    }

    fn close_file(&self, _: File) {
        self.closed.fetch_add(1, Relaxed);
    }

    async fn settle(&self) {}

    fn suspension(&self) -> Option<Wait> {
        None
    }

    fn count_call(&self) -> Answer<()> {
        let calls = self.calls.fetch_add(1, Relaxed);
        match self.calls_max {
            Some(max) if calls >= max => Err(Failure::limit(
                "calls",
                format!("an attempt may make {max} calls"),
            )),
            _ => Ok(()),
        }
    }

    fn used(&self) -> Usage {
        Usage {
            calls: self.calls.load(Relaxed),
            ..Usage::default()
        }
    }
}

#[async_trait]
impl RunInfo for Notes {
    fn id(&self) -> String {
        "run".to_owned()
    }

    fn procedure(&self) -> String {
        "procedure".to_owned()
    }

    fn attempt(&self) -> u32 {
        1
    }

    fn trigger(&self) -> String {
        "manual".to_owned()
    }

    fn scheduled_at(&self) -> Option<Timestamp> {
        None
    }

    fn previous_success(&self) -> Option<Timestamp> {
        None
    }

    fn dry_run(&self) -> bool {
        false
    }

    fn cancelled(&self) -> bool {
        false
    }

    fn time_left(&self) -> Duration {
        Duration::from_secs(1)
    }

    /// Never ends by itself, as a call of the host that hangs.
    async fn sleep(&self, _: Duration) -> Answer<()> {
        self.asleep.notify_one();
        std::future::pending().await
    }

    async fn suspend_until(&self, _: &str, _: Timestamp) -> Answer<Waited<()>> {
        Ok(Waited::Suspended)
    }
}

struct NotedStep;

#[async_trait]
impl Step for NotedStep {
    fn recorded(&self) -> Option<Arc<str>> {
        None
    }

    async fn progress(&mut self, _: u64, _: Option<u64>, _: &str) {}

    async fn finish(&mut self, _: serde_json::Value) -> Answer<()> {
        Ok(())
    }

    async fn skip(&mut self, _: &str) -> Answer<()> {
        Ok(())
    }

    async fn fail(&mut self, _: Failure) {}

    async fn close(self: Box<Self>) {}
}

#[async_trait]
impl Journal for Notes {
    async fn begin(&self, _: &str) -> Answer<Box<dyn Step>> {
        Ok(Box::new(NotedStep))
    }

    async fn log(&self, _: &str, _: &str, _: Pairs) {}

    async fn printed(&self, stream: &str, text: &str) {
        let line = (stream.to_owned(), text.to_owned());
        self.printed.lock().expect("a lock").push(line);
    }

    async fn add_findings(&self, _: Vec<Finding>) -> Answer<()> {
        absent()
    }

    async fn checked(&self, _: &str, _: u64) -> Answer<()> {
        absent()
    }

    async fn open_findings(&self, _: &str) -> Answer<Vec<OpenFinding>> {
        absent()
    }

    async fn metric(&self, _: &str, _: f64, _: &str) {}

    async fn attach(&self, _: &str, _: &str, _: Vec<u8>) -> Answer<()> {
        absent()
    }

    fn redact(&self, _: &str) {}

    fn masked(&self, text: &str) -> String {
        text.to_owned()
    }
}

#[async_trait]
impl State for Notes {
    async fn get(&self, _: &str) -> Answer<Option<StateEntry>> {
        absent()
    }

    async fn set(&self, _: &str, _: Vec<u8>, _: Option<u64>) -> Answer<u64> {
        absent()
    }

    async fn delete(&self, _: &str) -> Answer<()> {
        absent()
    }

    async fn keys(&self, _: &str) -> Answer<Vec<String>> {
        absent()
    }
}

#[async_trait]
impl Secrets for Notes {
    async fn versions(&self, _: &str) -> Answer<Vec<SecretVersion>> {
        absent()
    }
}

#[async_trait]
impl SecretReveal for Notes {
    async fn reveal(&self, _: &str, _: &str) -> Answer<SecretValue> {
        absent()
    }

    async fn put(&self, _: &str, _: Vec<u8>) -> Answer<String> {
        absent()
    }
}

#[async_trait]
impl Sql for Notes {
    async fn describe(&self, _: &str) -> Answer<DatabaseInfo> {
        absent()
    }

    async fn open(&self, _: &str, _: SessionMode, _: Pairs) -> Answer<Box<dyn Session>> {
        absent()
    }

    async fn schema(&self, _: &str) -> Answer<String> {
        absent()
    }

    async fn verify(&self, _: &str, _: VerifyDepth) -> Answer<Vec<String>> {
        absent()
    }

    async fn scratch(&self, _: &str) -> Answer<String> {
        absent()
    }

    async fn discard(&self, _: &str) -> Answer<()> {
        absent()
    }
}

#[async_trait]
impl Flow for Notes {
    async fn check(&self, _: &Source) -> Answer<()> {
        Ok(())
    }

    async fn move_bytes(&self, _: Pipe, _: Sink) -> Answer<Receipt> {
        absent()
    }
}

#[async_trait]
impl Files for Notes {
    async fn walk(
        &self,
        _: &str,
        _: &str,
        _: Vec<String>,
        _: Vec<String>,
        _: Pairs,
    ) -> Answer<Box<dyn Inventory>> {
        absent()
    }

    async fn stat(&self, _: &str, _: &str) -> Answer<Meta> {
        absent()
    }

    async fn digest(&self, _: &str, _: &str) -> Answer<String> {
        absent()
    }

    async fn read(&self, _: &str, _: &str, _: u64, _: u64) -> Answer<Vec<u8>> {
        absent()
    }

    async fn replace(&self, _: &str, _: &str, _: Vec<u8>, _: Option<String>, _: Option<u32>) -> Answer<()> {
        absent()
    }

    async fn rename(&self, _: &str, _: &str, _: &str) -> Answer<()> {
        absent()
    }

    async fn truncate(&self, _: &str, _: &str, _: u64) -> Answer<()> {
        absent()
    }

    async fn remove(&self, _: &str, _: &str) -> Answer<()> {
        absent()
    }

    async fn make_directory(&self, _: &str, _: &str, _: Option<u32>) -> Answer<()> {
        absent()
    }

    async fn set_mode(&self, _: &str, _: &str, _: u32) -> Answer<()> {
        absent()
    }
}

#[async_trait]
impl Probe for Notes {
    async fn http(&self, _: HttpRequest) -> Answer<HttpResponse> {
        absent()
    }
}

#[async_trait]
impl Egress for Notes {
    async fn send(&self, _: http::Request<Body>, _: EgressTimeouts) -> Answer<http::Response<Body>> {
        absent()
    }
}

#[async_trait]
impl Commands for Notes {
    async fn run(&self, _: &str, _: Pairs, _: Vec<u8>) -> Answer<CommandOutput> {
        absent()
    }

    async fn start(&self, _: &str, _: Pairs) -> Answer<Box<dyn Process>> {
        absent()
    }
}
