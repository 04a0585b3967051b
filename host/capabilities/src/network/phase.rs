//! Times the phases of a request, and ends it when it is too slow.

use sopwith_core::failure::{Blame, Failure, FailureKind};
use sopwith_core::port::Clock;
use sopwith_core::port::capabilities::Answer;
use std::time::Duration;

/// No plugin gets more than this for one phase, whatever it asks for.
const PHASE_MAX: Duration = Duration::from_mins(10);

/// A part of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// The name becomes addresses.
    Dns,
    /// The connection is made.
    Connect,
    /// TLS is agreed on.
    Tls,
    /// The request is sent, and the head of the answer comes.
    FirstByte,
    /// The body of the answer comes.
    Body,
}

impl Phase {
    /// The word for `phase` in a failure.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::FirstByte => "first-byte",
            Self::Body => "body",
        }
    }

    fn missing(self) -> &'static str {
        match self {
            Self::Dns => "the name was not looked up",
            Self::Connect => "no connection was made",
            Self::Tls => "TLS was not agreed on",
            Self::FirstByte => "no answer came",
            Self::Body => "the answer did not come to its end",
        }
    }
}

/// A failure of the other side.
pub(super) fn outside(kind: FailureKind, phase: Phase, message: impl Into<String>) -> Failure {
    let failure = Failure::new(kind, Blame::Outside, message).with("phase", phase.as_str());
    match kind {
        FailureKind::Unavailable | FailureKind::Timeout => failure.retryable(),
        _ => failure,
    }
}

/// Until when something has to be done.
pub(super) struct Deadline<'a> {
    clock: &'a dyn Clock,
    allowed: Duration,
    at: Duration,
}

impl<'a> Deadline<'a> {
    /// So long from now.
    pub(super) fn after(clock: &'a dyn Clock, allowed: Duration) -> Self {
        let allowed = allowed.min(PHASE_MAX);
        Self {
            clock,
            allowed,
            at: clock.monotonic() + allowed,
        }
    }

    /// The clock that it goes by.
    pub(super) fn clock(&self) -> &'a dyn Clock {
        self.clock
    }

    /// Carries out one phase, and says how long it took; `peer` is who is waited for.
    pub(super) async fn phase<T>(
        &self,
        phase: Phase,
        peer: &str,
        work: impl Future<Output = Answer<T>>,
    ) -> Answer<(T, Duration)> {
        let start = self.clock.monotonic();
        let left = self.at.saturating_sub(start);
        tokio::select! {
            biased;
            done = work => Ok((done?, self.clock.monotonic().saturating_sub(start))),
            () = self.clock.sleep(left) => Err(self.late(phase, peer)),
        }
    }

    fn late(&self, phase: Phase, peer: &str) -> Failure {
        let message = format!("{} within {:?}: `{peer}`", phase.missing(), self.allowed);
        outside(FailureKind::Timeout, phase, message)
    }
}
