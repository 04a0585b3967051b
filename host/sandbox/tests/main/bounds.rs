//! Bounds: what a guest may use, and what becomes of one that wants more.

use crate::capabilities::Notes;
use crate::guests::{Written, fixture};
use crate::hostile;
use crate::stage::{BOTH, POOLING, bounds, call, limits, load, run};
use serde_json::{Value, json};
use sopwith_core::failure::{Blame, Failure, FailureKind};
use sopwith_core::limits::Limits;
use sopwith_core::port::Ended;
use std::sync::Arc;
use std::time::Duration;

const MIB: u64 = 1 << 20;

fn failure(ended: Ended) -> Failure {
    ended.result.expect_err("a failure")
}

fn limit_of(failure: &Failure) -> &str {
    let limit = failure.extra.iter().find(|(name, _)| name == "limit");
    limit.map_or("", |(_, value)| value)
}

fn check_limit(ended: Ended, limit: &str) {
    let failure = failure(ended);
    assert_eq!(limit_of(&failure), limit, "{failure:?}");
    assert_eq!((failure.kind, failure.blame), (FailureKind::Limit, Blame::Plugin));
}

/// A guest that was written here reaches this limit, on both allocators.
async fn check(written: Written, limits: Limits, limit: &str) {
    let bytes = written.bytes();
    for allocation in BOTH {
        let plugin = load(allocation, Arc::clone(&bytes)).await;
        check_limit(run(&*plugin, "go", json!({}), limits.clone()).await, limit);
    }
}

/// A guest of the fixtures reaches this limit.
async fn check_fixture(action: &str, inputs: Value, limits: Limits, limit: &str) {
    let plugin = load(POOLING, fixture("exerciser")).await;
    check_limit(run(&*plugin, action, inputs, limits).await, limit);
}

#[tokio::test]
async fn memory_is_one_total_over_all_memories() {
    let limits = Limits {
        memory_bytes: 8 * MIB,
        ..limits()
    };
    check(hostile::memory_bomb(), limits.clone(), "memory").await;
    let inputs = json!({ "mebibytes": 16 });
    check_fixture("allocate", inputs, limits, "memory").await;
}

#[tokio::test]
async fn what_the_host_holds_in_pipes_counts_as_memory_until_they_are_dropped() {
    let limits = Limits {
        memory_bytes: 8 * MIB,
        ..limits()
    };
    for (guest, fits) in [(hostile::pipe_bomb(), false), (hostile::pipes_in_turn(), true)] {
        let plugin = load(POOLING, guest.bytes()).await;
        let ended = run(&*plugin, "go", json!({}), limits.clone()).await;
        assert_eq!(ended.result.is_ok(), fits, "{ended:?}");
    }
}

#[tokio::test]
async fn texts_that_nobody_needs_are_not_kept_behind_handles() {
    for guest in [hostile::long_request(), hostile::long_digest()] {
        let plugin = load(POOLING, guest.bytes()).await;
        let ended = run(&*plugin, "go", json!({}), limits()).await;
        assert!(ended.result.is_ok(), "{ended:?}");
    }
}

#[tokio::test]
async fn memory_that_is_used_is_told() {
    let plugin = load(POOLING, fixture("exerciser")).await;
    let ended = run(&*plugin, "allocate", json!({ "mebibytes": 16 }), limits()).await;
    assert!(ended.result.is_ok());
    assert!(
        (16 * MIB..24 * MIB).contains(&ended.usage.memory_bytes),
        "{:?}",
        ended.usage
    );
}

#[tokio::test]
async fn tables_count_as_memory() {
    let limits = Limits {
        memory_bytes: MIB,
        ..limits()
    };
    check(hostile::table_bomb(), limits, "memory").await;
}

#[tokio::test]
async fn table_is_as_small_on_demand_as_in_the_pool() {
    let bytes = hostile::table_too_large().bytes();
    for allocation in BOTH {
        let plugin = load(allocation, Arc::clone(&bytes)).await;
        let ended = run(&*plugin, "go", json!({}), limits()).await;
        assert!(ended.result.is_ok(), "{allocation:?}: {ended:?}");
    }
}

#[tokio::test]
async fn handles_calls_and_what_they_carry_are_bounded() {
    let few = Limits {
        handles: 10,
        ..limits()
    };
    check(hostile::handle_bomb(), few, "handles").await;
    check(hostile::huge_text(), limits(), "call_bytes").await;
    check(hostile::random_bomb(), limits(), "random_bytes").await;
    let plugin = load(POOLING, fixture("exerciser")).await;
    let few_calls = Arc::new(Notes {
        calls_max: Some(10),
        ..Notes::default()
    });
    let flood = call("log-flood", json!({ "lines": 1000, "bytes": 10 }));
    check_limit(plugin.run(flood, few_calls, bounds(limits())).await, "calls");
}

#[tokio::test]
async fn thing_that_is_used_after_its_drop_is_the_plugins_fault() {
    for guest in [hostile::dropped_twice(), hostile::used_after_drop()] {
        let bytes = guest.bytes();
        for allocation in BOTH {
            let plugin = load(allocation, Arc::clone(&bytes)).await;
            let failure = failure(run(&*plugin, "go", json!({}), limits()).await);
            assert_eq!(
                (failure.kind, failure.blame),
                (FailureKind::Failed, Blame::Plugin),
                "{failure:?}"
            );
            assert!(failure.message.contains("unknown handle"), "{failure}");
        }
    }
}

#[tokio::test]
async fn report_is_bounded() {
    let limits = Limits {
        output_bytes: 4,
        ..limits()
    };
    let plugin = load(POOLING, fixture("noop")).await;
    check_limit(run(&*plugin, "nothing", json!({}), limits).await, "output");
}

#[tokio::test]
async fn deep_recursion_ends_in_a_trap() {
    check(hostile::recursion(), limits(), "stack").await;
    let plugin = load(POOLING, fixture("exerciser")).await;
    let failure = failure(run(&*plugin, "recurse", json!({}), limits()).await);
    assert_eq!(failure.blame, Blame::Plugin, "{failure:?}");
}

#[tokio::test]
async fn processor_time_is_bounded() {
    let limits = Limits {
        cpu: Duration::from_millis(50),
        ..limits()
    };
    check_fixture("spin", json!({}), limits, "cpu").await;
}

#[tokio::test]
async fn endless_loop_ends_at_its_deadline_while_others_run() {
    let spinner = load(POOLING, fixture("exerciser")).await;
    let other = load(POOLING, fixture("noop")).await;
    let limits = Limits {
        timeout: Duration::from_millis(300),
        ..limits()
    };
    let timeout = limits.timeout;
    // One thread for both: they run in turns, or one starves.
    let mut spin = Box::pin(run(&*spinner, "spin", json!({}), limits));
    let mut runs = 0;
    let ended = loop {
        tokio::select! {
            ended = &mut spin => break ended,
            other = run(&*other, "nothing", json!({}), Limits::default()) => {
                assert!(other.result.is_ok(), "{other:?}");
                runs += 1;
            }
        }
    };
    assert!(runs > 5, "only {runs} other runs");
    assert!(
        ended.usage.wall < timeout + Duration::from_millis(100),
        "{:?}",
        ended.usage
    );
    let failure = failure(ended);
    assert_eq!(
        (failure.kind, limit_of(&failure)),
        (FailureKind::Timeout, "timeout")
    );
}

#[tokio::test]
async fn call_of_the_host_that_hangs_ends_at_the_deadline() {
    let plugin = load(POOLING, fixture("exerciser")).await;
    let limits = Limits {
        timeout: Duration::from_millis(50),
        ..limits()
    };
    let ended = run(&*plugin, "sleep", json!({ "milliseconds": 60_000 }), limits).await;
    assert!(ended.usage.wall < Duration::from_millis(150), "{:?}", ended.usage);
    assert_eq!(limit_of(&failure(ended)), "timeout");
}

#[tokio::test]
async fn guest_is_cancelled_in_a_call_of_the_host_and_out_of_it() {
    let plugin = load(POOLING, fixture("exerciser")).await;
    for (action, inputs) in [("sleep", json!({ "milliseconds": 60_000 })), ("spin", json!({}))] {
        let notes = Arc::new(Notes::default());
        let bounds = bounds(limits());
        let cancel = bounds.cancel.clone();
        let cancelled = async {
            if action == "sleep" {
                notes.asleep.notified().await;
            }
            cancel.cancel();
        };
        let run = plugin.run(call(action, inputs), notes.clone(), bounds);
        let (ended, ()) = tokio::join!(run, cancelled);
        assert!(ended.usage.wall < Duration::from_millis(500), "{:?}", ended.usage);
        assert_eq!(failure(ended).kind, FailureKind::Cancelled);
    }
}
