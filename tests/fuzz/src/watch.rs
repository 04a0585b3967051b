//! Keeps the case at hand, for when it ends the process or never ends.

use rustix::time::{ClockId, clock_gettime};
use std::cell::Cell;
use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

/// How often is looked whether a case has come to its end.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Keeps the case at hand while it is there.
pub(crate) struct Watch {
    file: File,
    path: PathBuf,
    began: Arc<Mutex<Option<Instant>>>,
    worked: Cell<Duration>,
}

impl Watch {
    /// Ends the process when a case takes longer than this.
    pub(crate) fn start(name: &str, given_up_after: Duration) -> Self {
        let path = std::env::temp_dir().join(format!("sopwith-fuzz-{name}-{}", std::process::id()));
        let file = File::create(&path).expect("a file for the case at hand");
        let began = Arc::new(Mutex::new(None));
        let (watched, shown) = (Arc::downgrade(&began), path.clone());
        std::thread::spawn(move || look(&watched, &shown, given_up_after));
        Self {
            file,
            path,
            began,
            worked: Cell::new(Duration::ZERO),
        }
    }

    /// A case begins.
    pub(crate) fn begin(&self, case: &[u8]) {
        // No page of it is lost when the process ends, so nothing has to be made durable.
        let kept = self
            .file
            .set_len(0)
            .and_then(|()| self.file.write_all_at(case, 0));
        kept.expect("the case at hand can be written");
        self.worked.set(worked());
        *self.began.lock().unwrap_or_else(PoisonError::into_inner) = Some(now());
    }

    /// It has ended; comes back with how long it took. Time in which the machine did something else does not count.
    pub(crate) fn end(&self) -> Duration {
        let began = self.began.lock().unwrap_or_else(PoisonError::into_inner).take();
        let took = began.map_or(Duration::ZERO, |began| began.elapsed());
        took.min(worked().saturating_sub(self.worked.get()))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // What is left over is only untidy.
        let _ = std::fs::remove_file(&self.path);
    }
}

fn look(watched: &Weak<Mutex<Option<Instant>>>, path: &std::path::Path, given_up_after: Duration) {
    while let Some(began) = watched.upgrade() {
        let began = *began.lock().unwrap_or_else(PoisonError::into_inner);
        if began.is_some_and(|began| began.elapsed() > given_up_after) {
            let message = format!(
                "a case has not ended after {given_up_after:?}: it is in `{}`; \
                 keep it in the corpus under a name that begins with `found-`\n",
                path.display()
            );
            // A thread that hangs cannot be ended, and what a test prints is not shown when it is aborted.
            let _ = std::io::stderr().write_all(message.as_bytes());
            std::process::abort();
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

/// The processor's time that this process has taken.
fn worked() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long a case takes is a matter of real time"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}
