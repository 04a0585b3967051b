//! Capabilities that deny everything: what a plugin has while it describes itself.

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::Value;
use sopwith_core::approval::{Asked, RequestKind};
use sopwith_core::failure::{Blame, Failure, FailureKind};
use sopwith_core::limits::Usage;
use sopwith_core::port::capabilities::{
    Answer, Approvals, Body, Capabilities, CommandOutput, Commands, Cover, DatabaseInfo, Egress,
    EgressTimeouts, Files, Finding, Flow, HttpRequest, HttpResponse, Inventory, Journal, Meta, OpenFinding,
    Pairs, Pipe, Preopen, Probe, Procedures, Process, Receipt, RunInfo, SecretReveal, Secrets, Session,
    SessionMode, Sink, Source, Sql, State, StateEntry, Step, VerifyDepth, Waited,
};
use sopwith_core::run::{Run, Wait};
use sopwith_core::secret::{SecretValue, SecretVersion};
use std::fs::File;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// A plugin needs none to describe itself.
const CALLS_MAX: u64 = 100;

/// Denies everything.
#[derive(Default)]
pub(crate) struct NoCapabilities {
    calls: AtomicU64,
}

fn denied<T>() -> Answer<T> {
    let message = "a plugin that describes itself may do nothing else";
    Err(Failure::new(FailureKind::Denied, Blame::Plugin, message))
}

#[async_trait]
impl Capabilities for NoCapabilities {
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
        Vec::new()
    }

    fn cover(&self) -> Option<Box<dyn Cover>> {
        None
    }

    fn close_file(&self, _: File) {}

    async fn settle(&self) {}

    fn suspension(&self) -> Option<Wait> {
        None
    }

    fn count_call(&self) -> Answer<()> {
        if self.calls.fetch_add(1, Relaxed) < CALLS_MAX {
            return Ok(());
        }
        let message = format!("a plugin that describes itself may make {CALLS_MAX} calls");
        Err(Failure::limit("calls", message))
    }

    fn used(&self) -> Usage {
        Usage {
            calls: self.calls.load(Relaxed),
            ..Usage::default()
        }
    }
}

/// There is no run: its names are empty, and it has no time.
#[async_trait]
impl RunInfo for NoCapabilities {
    fn id(&self) -> String {
        String::new()
    }

    fn procedure(&self) -> String {
        String::new()
    }

    fn attempt(&self) -> u32 {
        0
    }

    fn trigger(&self) -> String {
        String::new()
    }

    fn scheduled_at(&self) -> Option<Timestamp> {
        None
    }

    fn previous_success(&self) -> Option<Timestamp> {
        None
    }

    fn dry_run(&self) -> bool {
        true
    }

    fn cancelled(&self) -> bool {
        false
    }

    fn time_left(&self) -> Duration {
        Duration::ZERO
    }

    async fn sleep(&self, _: Duration) -> Answer<()> {
        denied()
    }

    async fn suspend_until(&self, _: &str, _: Timestamp) -> Answer<Waited<()>> {
        denied()
    }
}

/// There is no record either: what is said or printed goes nowhere.
#[async_trait]
impl Journal for NoCapabilities {
    async fn begin(&self, _: &str) -> Answer<Box<dyn Step>> {
        denied()
    }

    async fn log(&self, _: &str, _: &str, _: Pairs) {}

    async fn printed(&self, _: &str, _: &str) {}

    async fn add_findings(&self, _: Vec<Finding>) -> Answer<()> {
        denied()
    }

    async fn checked(&self, _: &str, _: u64) -> Answer<()> {
        denied()
    }

    async fn open_findings(&self, _: &str) -> Answer<Vec<OpenFinding>> {
        denied()
    }

    async fn metric(&self, _: &str, _: f64, _: &str) {}

    async fn attach(&self, _: &str, _: &str, _: Vec<u8>) -> Answer<()> {
        denied()
    }

    fn redact(&self, _: &str) {}

    fn masked(&self, text: &str) -> String {
        text.to_owned()
    }
}

#[async_trait]
impl Approvals for NoCapabilities {
    async fn ask(&self, _: RequestKind, _: &str, _: &str, _: Value) -> Answer<Waited<Asked>> {
        denied()
    }
}

#[async_trait]
impl Procedures for NoCapabilities {
    async fn call(&self, _: &str, _: Option<&str>, _: Value, _: Pairs) -> Answer<Waited<Run>> {
        denied()
    }

    async fn last_passed(&self, _: &str, _: Option<&str>) -> Answer<Option<Run>> {
        denied()
    }
}

#[async_trait]
impl State for NoCapabilities {
    async fn get(&self, _: &str) -> Answer<Option<StateEntry>> {
        denied()
    }

    async fn set(&self, _: &str, _: Vec<u8>, _: Option<u64>) -> Answer<u64> {
        denied()
    }

    async fn delete(&self, _: &str) -> Answer<()> {
        denied()
    }

    async fn keys(&self, _: &str) -> Answer<Vec<String>> {
        denied()
    }
}

#[async_trait]
impl Secrets for NoCapabilities {
    async fn versions(&self, _: &str) -> Answer<Vec<SecretVersion>> {
        denied()
    }
}

#[async_trait]
impl SecretReveal for NoCapabilities {
    async fn reveal(&self, _: &str, _: &str) -> Answer<SecretValue> {
        denied()
    }

    async fn put(&self, _: &str, _: Vec<u8>) -> Answer<String> {
        denied()
    }
}

#[async_trait]
impl Sql for NoCapabilities {
    async fn describe(&self, _: &str) -> Answer<DatabaseInfo> {
        denied()
    }

    async fn open(&self, _: &str, _: SessionMode, _: Pairs) -> Answer<Box<dyn Session>> {
        denied()
    }

    async fn schema(&self, _: &str) -> Answer<String> {
        denied()
    }

    async fn verify(&self, _: &str, _: VerifyDepth) -> Answer<Vec<String>> {
        denied()
    }

    async fn scratch(&self, _: &str) -> Answer<String> {
        denied()
    }

    async fn discard(&self, _: &str) -> Answer<()> {
        denied()
    }
}

#[async_trait]
impl Flow for NoCapabilities {
    async fn check(&self, _: &Source) -> Answer<()> {
        denied()
    }

    async fn move_bytes(&self, _: Pipe, _: Sink) -> Answer<Receipt> {
        denied()
    }
}

#[async_trait]
impl Files for NoCapabilities {
    async fn walk(
        &self,
        _: &str,
        _: &str,
        _: Vec<String>,
        _: Vec<String>,
        _: Pairs,
    ) -> Answer<Box<dyn Inventory>> {
        denied()
    }

    async fn stat(&self, _: &str, _: &str) -> Answer<Meta> {
        denied()
    }

    async fn digest(&self, _: &str, _: &str) -> Answer<String> {
        denied()
    }

    async fn read(&self, _: &str, _: &str, _: u64, _: u64) -> Answer<Vec<u8>> {
        denied()
    }

    async fn replace(&self, _: &str, _: &str, _: Vec<u8>, _: Option<String>, _: Option<u32>) -> Answer<()> {
        denied()
    }

    async fn rename(&self, _: &str, _: &str, _: &str) -> Answer<()> {
        denied()
    }

    async fn truncate(&self, _: &str, _: &str, _: u64) -> Answer<()> {
        denied()
    }

    async fn remove(&self, _: &str, _: &str) -> Answer<()> {
        denied()
    }

    async fn make_directory(&self, _: &str, _: &str, _: Option<u32>) -> Answer<()> {
        denied()
    }

    async fn set_mode(&self, _: &str, _: &str, _: u32) -> Answer<()> {
        denied()
    }
}

#[async_trait]
impl Probe for NoCapabilities {
    async fn http(&self, _: HttpRequest) -> Answer<HttpResponse> {
        denied()
    }
}

#[async_trait]
impl Egress for NoCapabilities {
    async fn send(&self, _: http::Request<Body>, _: EgressTimeouts) -> Answer<http::Response<Body>> {
        denied()
    }
}

#[async_trait]
impl Commands for NoCapabilities {
    async fn run(&self, _: &str, _: Pairs, _: Vec<u8>) -> Answer<CommandOutput> {
        denied()
    }

    async fn start(&self, _: &str, _: Pairs) -> Answer<Box<dyn Process>> {
        denied()
    }
}
