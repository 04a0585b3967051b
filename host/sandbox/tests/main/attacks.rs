//! The attacks of the fixture `hostile`: each ends, on both allocators, and is told for what it is.

use crate::capabilities::Notes;
use crate::guests::fixture;
use crate::stage::{BOTH, bounds, call, limits, load};
use serde_json::json;
use sopwith_core::failure::{Blame, FailureKind};
use sopwith_core::limits::Limits;
use sopwith_core::port::{Ended, Plugin};
use std::sync::Arc;
use std::time::Duration;

/// The fixture, loaded once for each allocator.
struct Attacker(Vec<Arc<dyn Plugin>>);

impl Attacker {
    async fn new() -> Self {
        let mut plugins = Vec::new();
        for allocation in BOTH {
            plugins.push(load(allocation, fixture("hostile")).await);
        }
        Self(plugins)
    }

    async fn attack(&self, action: &str, limits: &Limits) -> Vec<Ended> {
        let mut ends = Vec::new();
        for plugin in &self.0 {
            let notes = Notes {
                calls_max: Some(20_000),
                ..Notes::default()
            };
            let bounds = bounds(limits.clone());
            ends.push(plugin.run(call(action, json!({})), Arc::new(notes), bounds).await);
        }
        ends
    }

    /// The guest is ended by this limit; for what is no limit, the message begins so.
    async fn check_with(&self, action: &str, limits: &Limits, kind: FailureKind, expected: &str) {
        for ended in self.attack(action, limits).await {
            let failure = ended.result.expect_err(action);
            let limit = failure.extra.iter().find(|(name, _)| name == "limit");
            let said = limit.map_or(&failure.message, |(_, limit)| limit);
            assert!(said.starts_with(expected), "{action}: {failure:?}");
            assert_eq!(
                (failure.kind, failure.blame),
                (kind, Blame::Plugin),
                "{action}: {failure:?}"
            );
        }
    }

    async fn check(&self, action: &str, kind: FailureKind, expected: &str) {
        self.check_with(action, &limits(), kind, expected).await;
    }

    /// The guest comes to its end by itself, having got no more than it may have.
    async fn check_harmless(&self, action: &str) {
        for ended in self.attack(action, &limits()).await {
            let report = ended.result.expect(action);
            assert_eq!(report.verdict.as_str(), "ok", "{action}: {}", report.output);
        }
    }
}

#[tokio::test]
async fn time_that_is_taken_ends() {
    let attacker = Attacker::new().await;
    let limits = Limits {
        timeout: Duration::from_millis(200),
        ..limits()
    };
    for action in ["spin", "sleep-in-the-host", "sleep-in-wasi", "poll-for-ever"] {
        attacker
            .check_with(action, &limits, FailureKind::Timeout, "timeout")
            .await;
    }
}

#[tokio::test]
async fn memory_that_is_taken_ends() {
    let attacker = Attacker::new().await;
    attacker.check("allocate", FailureKind::Limit, "memory").await;
    attacker
        .check("large-headers", FailureKind::Limit, "header_bytes")
        .await;
    attacker
        .check("random-bytes", FailureKind::Limit, "random_bytes")
        .await;
    attacker.check("handles", FailureKind::Limit, "handles").await;
    attacker
        .check("json-of-a-report", FailureKind::Limit, "memory")
        .await;
    attacker.check("summary", FailureKind::Limit, "output").await;
    for action in ["pipes", "many-headers", "bodies", "long-log", "secrets"] {
        attacker.check_harmless(action).await;
    }
}

#[tokio::test]
async fn floods_end() {
    let attacker = Attacker::new().await;
    for action in ["logs", "figures", "calls", "clock", "polls"] {
        attacker.check(action, FailureKind::Limit, "calls").await;
    }
    attacker
        .check(
            "unpermitted-prints",
            FailureKind::Failed,
            "the plugin broke a rule of the sandbox",
        )
        .await;
}

#[tokio::test]
async fn ways_to_end_that_look_like_something_else_are_told() {
    let attacker = Attacker::new().await;
    attacker
        .check(
            "exit",
            FailureKind::Failed,
            "the plugin ended itself with exit code 0",
        )
        .await;
    attacker
        .check(
            "recurse",
            FailureKind::Failed,
            "the plugin reached outside of its memory",
        )
        .await;
    attacker
        .check("panic", FailureKind::Failed, "the plugin panicked: xxx")
        .await;
    for ended in attacker.attack("panic", &limits()).await {
        let failure = ended.result.expect_err("a panic");
        assert!(
            failure.message.len() <= 4 << 10,
            "{} bytes",
            failure.message.len()
        );
        assert!(
            failure.message.contains("(at `"),
            "{}",
            &failure.message[failure.message.len() - 100..]
        );
    }
}
