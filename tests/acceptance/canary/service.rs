//! The service in the place of the canaries.

use rustix::process::{Pid, Signal, kill_process};
use std::process::Child;

/// A service that writes its log into a file.
pub(super) struct Service(pub(super) Child);

impl Service {
    pub(super) fn pid(&self) -> u32 {
        self.0.id()
    }

    /// Tells it to stop, and waits for that.
    pub(super) fn stop(mut self) {
        kill_process(Pid::from_child(&self.0), Signal::TERM).expect("a process of ours");
        let ended = self.0.wait().expect("a process of ours");
        assert!(ended.success(), "{ended}");
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
