//! Sandboxes to play in, and runs of one plugin.

use crate::capabilities::Notes;
use crate::clock::{TestClock, TestEntropy};
use serde_json::{Value, json};
use sopwith_core::limits::Limits;
use sopwith_core::port::{Bounds, Call, Ended, Plugin, PluginLoader as _};
use sopwith_sandbox::{Allocation, CacheSettings, Sandbox, Settings};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

pub(crate) const POOLING: Allocation = Allocation::Pooling { runs_at_once_max: 4 };
pub(crate) const BOTH: [Allocation; 2] = [Allocation::OnDemand, POOLING];

pub(crate) fn settings(allocation: Allocation, cache: Option<CacheSettings>) -> Settings {
    Settings {
        cache,
        allocation,
        clock: Arc::new(TestClock::with_speed(1)),
        entropy: Arc::new(TestEntropy),
    }
}

pub(crate) fn sandbox(allocation: Allocation) -> Sandbox {
    Sandbox::new(settings(allocation, None)).expect("a sandbox")
}

pub(crate) async fn load(allocation: Allocation, bytes: Arc<[u8]>) -> Arc<dyn Plugin> {
    sandbox(allocation).load(bytes).await.expect("a plugin")
}

pub(crate) fn call(action: &str, inputs: Value) -> Call {
    Call {
        action: action.parse().expect("a name"),
        settings: json!({}),
        inputs,
    }
}

pub(crate) fn bounds(limits: Limits) -> Bounds {
    let cancel = CancellationToken::new();
    Bounds { limits, cancel }
}

/// Limits under which a guest that misbehaves ends soon.
pub(crate) fn limits() -> Limits {
    Limits {
        timeout: Duration::from_secs(20),
        cpu: Duration::from_secs(10),
        ..Limits::default()
    }
}

pub(crate) async fn run(plugin: &dyn Plugin, action: &str, inputs: Value, limits: Limits) -> Ended {
    plugin
        .run(call(action, inputs), Arc::new(Notes::default()), bounds(limits))
        .await
}
