//! Compiles in turn, and gives up on what takes too long: a small file can keep a compiler busy for
//! hours.

use crate::compile::{Compiled, compile};
use crate::machine::Machine;
use sopwith_core::digest::Digest;
use sopwith_core::port::PluginProblem;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::task::spawn_blocking;

/// An interpreter with its libraries takes some seconds.
const COMPILE_TIME_MAX: Duration = Duration::from_mins(1);

/// What is still being compiled though nobody waits for it any more: nobody can end a thread.
#[derive(Clone, Default)]
pub(crate) struct Overdue(Arc<Mutex<HashSet<Digest>>>);

impl Overdue {
    /// Compiles, or takes from the cache what this host compiled before.
    pub(crate) async fn compile(
        &self,
        machine: Arc<Machine>,
        bytes: Arc<[u8]>,
        digest: Digest,
    ) -> Result<Compiled, PluginProblem> {
        if self.digests().contains(&digest) {
            return Err(too_slow());
        }
        let turn = match &machine.cache {
            Some(cache) => Some(cache.turn().await.map_err(unusable)?),
            None => None,
        };
        let clock = Arc::clone(&machine.clock);
        let mut compiling = spawn_blocking(move || compile(&machine, &bytes));
        tokio::select! {
            biased;
            compiled = &mut compiling => {
                if let Some(turn) = turn {
                    turn.register().await;
                }
                compiled.map_err(unusable)?
            }
            () = clock.sleep(COMPILE_TIME_MAX) => {
                // Others are not to wait for it, and the same bytes are not compiled once more meanwhile.
                self.digests().insert(digest);
                let overdue = self.clone();
                tokio::spawn(async move {
                    let _ = compiling.await;
                    overdue.digests().remove(&digest);
                });
                Err(too_slow())
            }
        }
    }

    fn digests(&self) -> MutexGuard<'_, HashSet<Digest>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Something of the machine's own went wrong.
pub(crate) fn unusable(error: impl std::error::Error) -> PluginProblem {
    PluginProblem {
        message: format!("the plugin could not be loaded: {error}"),
        hint: None,
    }
}

fn too_slow() -> PluginProblem {
    PluginProblem {
        message: format!("the plugin takes longer than {COMPILE_TIME_MAX:?} to compile"),
        hint: Some("its author has to make it smaller; on a busy machine another try may do".to_owned()),
    }
}
