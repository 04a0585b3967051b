//! Advances the engine's epoch while guests run, from a thread of its own: a task of the runtime
//! could be starved by the very guest that it is to interrupt.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;
use wasmtime::Engine;

/// How often a guest is interrupted. As long as all cores compute for guests, everybody else waits so
/// long for each of the steps that a run has.
const TICK: Duration = Duration::from_millis(2);

/// Advances the epoch; its thread sleeps while no guest runs.
pub(crate) struct Ticker {
    state: Arc<State>,
    thread: thread::Thread,
}

#[derive(Default)]
struct State {
    guests: AtomicUsize,
    ended: AtomicBool,
}

/// A guest runs as long as this lives.
pub(crate) struct Ticking {
    state: Arc<State>,
}

impl Ticker {
    pub(crate) fn start(engine: Engine) -> std::io::Result<Self> {
        let state = Arc::new(State::default());
        let ticked = Arc::clone(&state);
        let handle = thread::Builder::new()
            .name("sandbox-epochs".to_owned())
            .spawn(move || ticked.tick(&engine))?;
        Ok(Self {
            state,
            thread: handle.thread().clone(),
        })
    }

    pub(crate) fn tick(&self) -> Ticking {
        if self.state.guests.fetch_add(1, Ordering::SeqCst) == 0 {
            self.thread.unpark();
        }
        Ticking {
            state: Arc::clone(&self.state),
        }
    }
}

impl State {
    fn tick(&self, engine: &Engine) {
        while !self.ended.load(Ordering::SeqCst) {
            if self.guests.load(Ordering::SeqCst) == 0 {
                thread::park();
            } else {
                thread::sleep(TICK);
                engine.increment_epoch();
            }
        }
    }
}

impl Drop for Ticking {
    fn drop(&mut self) {
        self.state.guests.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.state.ended.store(true, Ordering::SeqCst);
        self.thread.unpark();
    }
}
