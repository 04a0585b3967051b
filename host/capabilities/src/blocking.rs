//! Work that blocks, on threads that end when nobody waits for them.

use crate::gate::Gate;
use crate::masking;
use crate::stop::Watch;
use sopwith_core::failure::Failure;
use sopwith_core::port::capabilities::Answer;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Carries out work on a thread of its own, until the attempt ends or the future is dropped; the
/// work has to ask the watch now and then.
pub(crate) async fn on_thread<T: Send + 'static>(
    gate: &Gate,
    work: impl FnOnce(Arc<Watch>) -> Answer<T> + Send + 'static,
) -> Answer<T> {
    gate.bounded(threaded(gate, work)).await
}

/// The same, but its answer is waited for even when the attempt ends: for work that changes
/// something, or has to clear up after itself. Where the future is dropped, the attempt still
/// settles only after it.
pub(crate) async fn until_done<T: Send + 'static>(
    gate: &Gate,
    work: impl FnOnce(Arc<Watch>) -> Answer<T> + Send + 'static,
) -> Answer<T> {
    let under_way = gate.under_way();
    threaded(gate, move |watch| {
        let done = work(watch);
        drop(under_way);
        done
    })
    .await
}

async fn threaded<T: Send + 'static>(
    gate: &Gate,
    work: impl FnOnce(Arc<Watch>) -> Answer<T> + Send + 'static,
) -> Answer<T> {
    let abandoned = CancellationToken::new();
    let watch = Arc::new(Watch::new(gate.stop(), abandoned.clone()));
    let _abandon = abandoned.drop_guard();
    tokio::task::spawn_blocking(move || work(watch))
        .await
        .map_err(|error| Failure::host(format!("a thread of the host ended early: {error}")))?
        .map_err(|failure| masking::failure(&gate.mask(), failure))
}
