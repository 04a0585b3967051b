//! How the command ends: its exit codes.

use sopwith_core::failure::{Failure, FailureKind};
use sopwith_core::run::{Run, RunState};
use std::fmt;

/// The exit codes, which scripts rely on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// 0: passed, or simply done.
    Passed,
    /// 1: the run ended and did not pass; the check found something.
    NotPassed,
    /// 2: the command line makes no sense.
    Usage,
    /// 3: the configuration is invalid.
    InvalidConfiguration,
    /// 4: the actor may not, or the procedure is not granted it.
    Refused,
    /// 5: the host cannot be reached.
    Unreachable,
    /// 6: the run waits for a person or for an instant.
    Waits,
    /// 7: it was not run: missed, rejected or paused, or nobody answered in time.
    NotRun,
}

impl Exit {
    /// The number.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Passed => 0,
            Self::NotPassed => 1,
            Self::Usage => 2,
            Self::InvalidConfiguration => 3,
            Self::Refused => 4,
            Self::Unreachable => 5,
            Self::Waits => 6,
            Self::NotRun => 7,
        }
    }

    /// What a run means that has ended, or waits.
    pub(crate) fn of(run: &Run) -> Self {
        match run.state {
            _ if run.passed() => Self::Passed,
            state if state.is_waiting() => Self::Waits,
            RunState::Missed | RunState::Rejected | RunState::Expired => Self::NotRun,
            _ => Self::NotPassed,
        }
    }

    /// What a failure of the host means.
    pub(crate) fn of_failure(failure: &Failure) -> Self {
        match failure.kind {
            FailureKind::Denied => Self::Refused,
            FailureKind::NotFound | FailureKind::Invalid => Self::Usage,
            FailureKind::Unavailable => Self::Unreachable,
            _ => Self::NotPassed,
        }
    }
}

/// An error that ends the command, with its exit code.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) exit: Exit,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

impl Ended {
    /// Ends with this code and sentence.
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
            hint: None,
        }
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Ended {}

impl From<Failure> for Ended {
    fn from(failure: Failure) -> Self {
        Self {
            exit: Exit::of_failure(&failure),
            message: failure.message,
            hint: failure.hint,
        }
    }
}
