//! What sort of failure it is, and who is to blame.

/// What sort of failure an error is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// It is not granted.
    Denied,
    /// There is no such thing.
    NotFound,
    /// It is not in the state that the call expected.
    Conflict,
    /// What was given makes no sense.
    Invalid,
    /// It is more than is allowed.
    Limit,
    /// It took longer than is allowed.
    Timeout,
    /// It cannot be reached at present.
    Unavailable,
    /// The host or the engine behind it cannot do this.
    Unsupported,
    /// Somebody asked the run to end.
    Cancelled,
    /// A dry run, and the answer cannot be made up.
    Planned,
    /// It was tried and did not succeed.
    Failed,
    /// A kind that this SDK does not know by name.
    Other(String),
}

pub(super) const KINDS: [ErrorKind; 11] = [
    ErrorKind::Denied,
    ErrorKind::NotFound,
    ErrorKind::Conflict,
    ErrorKind::Invalid,
    ErrorKind::Limit,
    ErrorKind::Timeout,
    ErrorKind::Unavailable,
    ErrorKind::Unsupported,
    ErrorKind::Cancelled,
    ErrorKind::Planned,
    ErrorKind::Failed,
];

impl ErrorKind {
    /// The kind as the contract writes it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Denied => "denied",
            Self::NotFound => "not-found",
            Self::Conflict => "conflict",
            Self::Invalid => "invalid",
            Self::Limit => "limit",
            Self::Timeout => "timeout",
            Self::Unavailable => "unavailable",
            Self::Unsupported => "unsupported",
            Self::Cancelled => "cancelled",
            Self::Planned => "planned",
            Self::Failed => "failed",
            Self::Other(kind) => kind,
        }
    }
}

impl From<String> for ErrorKind {
    fn from(kind: String) -> Self {
        let known = KINDS.into_iter().find(|known| known.as_str() == kind);
        known.unwrap_or(Self::Other(kind))
    }
}

/// Who is to blame for a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// The plugin itself.
    Plugin,
    /// The host that it runs on.
    Host,
    /// The person who configured it.
    Operator,
    /// The system that it looks at.
    Outside,
}

const BLAMES: [Blame; 4] = [Blame::Plugin, Blame::Host, Blame::Operator, Blame::Outside];

impl Blame {
    pub(super) fn from_word(word: &str) -> Option<Self> {
        BLAMES.into_iter().find(|known| known.as_str() == word)
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Plugin => "plugin",
            Self::Host => "host",
            Self::Operator => "operator",
            Self::Outside => "outside",
        }
    }
}
