//! Remembers what the host owned up to, so that a plugin cannot put the blame for its own failure on
//! the host.

use crate::bindings::sopwith::plugin::types;
use sopwith_core::failure::{Blame, Failure};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// The failures with which the host has answered one guest, as far as it matters later.
#[derive(Default)]
pub(crate) struct Answered {
    host_failed: AtomicBool,
}

impl Answered {
    /// Hands a failure to the guest.
    pub(crate) fn with(&self, failure: Failure) -> types::Error {
        if failure.blame == Blame::Host {
            self.host_failed.store(true, Relaxed);
        }
        failure.into()
    }

    /// The failure with which an action ended. Whether the settings or somebody else's service is
    /// to blame is the plugin's to judge; that the host is, the host has to have said.
    pub(crate) fn judge(&self, failure: Failure) -> Failure {
        if failure.blame != Blame::Host || self.host_failed.load(Relaxed) {
            return failure;
        }
        Failure {
            blame: Blame::Plugin,
            ..failure
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sopwith_core::failure::FailureKind;

    fn check(answers: &[Blame], claimed: Blame, expected: Blame) {
        let failure = |blame| Failure::new(FailureKind::Failed, blame, "no luck");
        let answered = Answered::default();
        for blame in answers {
            answered.with(failure(*blame));
        }
        let judged = answered.judge(failure(claimed));
        assert_eq!(judged, failure(expected), "{claimed:?} after {answers:?}");
    }

    #[test]
    fn plugin_cannot_blame_the_host_for_what_the_host_did_not_say() {
        check(&[], Blame::Host, Blame::Plugin);
        check(&[Blame::Operator, Blame::Outside], Blame::Host, Blame::Plugin);
        check(&[Blame::Host, Blame::Outside], Blame::Host, Blame::Host);
        for claimed in [Blame::Plugin, Blame::Operator, Blame::Outside] {
            check(&[], claimed, claimed);
        }
    }
}
