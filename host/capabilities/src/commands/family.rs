//! The commands of one attempt that have not ended, their supervising processes included.

use sopwith_core::failure::Failure;
use sopwith_core::port::Clock;
use sopwith_core::port::capabilities::Answer;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::task::TaskTracker;

/// Commands at once; each takes two processes and some open files of the host.
const AT_ONCE_MAX: usize = 64;
/// How long their end is waited for. They are killed long before; what cannot be killed hangs in
/// the operating system.
const END_MAX: Duration = Duration::from_secs(15);

/// Commands that belong together.
#[derive(Clone)]
pub(crate) struct Family {
    members: TaskTracker,
    places: Arc<Semaphore>,
}

impl Default for Family {
    fn default() -> Self {
        Self {
            members: TaskTracker::new(),
            places: Arc::new(Semaphore::new(AT_ONCE_MAX)),
        }
    }
}

impl Family {
    /// A place for one more.
    pub(super) fn place(&self) -> Answer<OwnedSemaphorePermit> {
        Arc::clone(&self.places).try_acquire_owned().map_err(|_| {
            let message = format!("an attempt may have {AT_ONCE_MAX} commands under way at once");
            Failure::limit("commands", message)
        })
    }

    /// Follows one to its end, in its place.
    pub(super) fn follow(
        &self,
        place: OwnedSemaphorePermit,
        driving: impl Future<Output = ()> + Send + 'static,
    ) {
        self.members.spawn(async move {
            driving.await;
            drop(place);
        });
    }

    /// Waits until all of them have ended.
    pub(crate) async fn ended(&self, clock: &dyn Clock) {
        self.members.close();
        if self.members.is_empty() {
            return;
        }
        tokio::select! {
            () = self.members.wait() => {}
            () = clock.sleep(END_MAX) => {
                let commands = self.members.len();
                tracing::error!(commands, "commands of an attempt have not ended");
            }
        }
    }
}
