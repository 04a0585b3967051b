//! Why a call or an action did not do what it was asked.

mod context;
mod kind;

pub use context::Context;
pub use kind::{Blame, ErrorKind};

use crate::bindings::sopwith::plugin::types as host;
use std::any::Any;
use std::fmt::{self, Display};
use std::io;

/// The result of whatever can go wrong in a plugin.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call or an action did not do what it was asked.
///
/// Every error of the standard library and of other crates becomes one by `?`. For that to
/// be possible it is no `std::error::Error` itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// What sort of failure it is.
    pub kind: ErrorKind,
    /// One lower-case sentence that names the thing and the cause.
    pub message: String,
    /// What would make the call succeed.
    pub hint: Option<String>,
    /// Whether the same call, unchanged, may succeed later.
    pub retryable: bool,
    /// Further names with values, such as `blame` and `resource`.
    pub extra: Vec<(String, String)>,
}

impl Error {
    /// An error of this kind that is not worth trying again.
    pub fn new(kind: ErrorKind, message: impl Display) -> Self {
        Self {
            kind,
            message: message.to_string(),
            hint: None,
            retryable: false,
            extra: Vec::new(),
        }
    }

    /// What was given makes no sense.
    pub fn invalid(message: impl Display) -> Self {
        Self::new(ErrorKind::Invalid, message)
    }

    /// It was tried and did not succeed.
    pub fn failed(message: impl Display) -> Self {
        Self::new(ErrorKind::Failed, message)
    }

    /// There is no such thing.
    pub fn not_found(message: impl Display) -> Self {
        Self::new(ErrorKind::NotFound, message)
    }

    /// Says what would make it succeed.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Display) -> Self {
        self.hint = Some(hint.to_string());
        self
    }

    /// Says that the same, unchanged, may succeed later.
    #[must_use]
    pub fn retryable(mut self) -> Self {
        self.retryable = true;
        self
    }

    /// Says who is to blame.
    #[must_use]
    pub fn with_blame(mut self, blame: Blame) -> Self {
        self.extra.retain(|(name, _)| name != "blame");
        self.with_extra("blame", blame.as_str())
    }

    /// Who is to blame, where that is known.
    pub fn blame(&self) -> Option<Blame> {
        crate::pair(&self.extra, "blame").and_then(Blame::from_word)
    }

    /// Adds a name with a value for machines.
    #[must_use]
    pub fn with_extra(mut self, name: &str, value: impl Display) -> Self {
        self.extra.push((name.to_owned(), value.to_string()));
        self
    }

    /// Puts what was being done in front of the message.
    #[must_use]
    pub fn context(mut self, doing: impl Display) -> Self {
        self.message = format!("{doing}: {}", self.message);
        self
    }
}

impl Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl<E: std::error::Error + 'static> From<E> for Error {
    fn from(error: E) -> Self {
        match (&error as &dyn Any).downcast_ref::<host::Error>() {
            Some(host) => from_host(host.clone()),
            None => Self::new(kind_of(&error), chain(&error)),
        }
    }
}

fn from_host(error: host::Error) -> Error {
    Error {
        kind: ErrorKind::from(error.kind),
        message: error.message,
        hint: error.hint,
        retryable: error.retryable,
        extra: error.extra,
    }
}

/// The error as the contract has it.
pub(crate) fn into_host(error: Error) -> host::Error {
    host::Error {
        kind: error.kind.as_str().to_owned(),
        message: error.message,
        hint: error.hint,
        retryable: error.retryable,
        extra: error.extra,
    }
}

fn kind_of(error: &dyn Any) -> ErrorKind {
    if error.is::<serde_json::Error>() {
        return ErrorKind::Invalid;
    }
    match error.downcast_ref::<io::Error>().map(io::Error::kind) {
        Some(io::ErrorKind::NotFound) => ErrorKind::NotFound,
        Some(io::ErrorKind::PermissionDenied) => ErrorKind::Denied,
        _ => ErrorKind::Failed,
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        message = format!("{message}: {cause}");
        source = cause.source();
    }
    message
}

#[cfg(test)]
mod tests {
    use super::kind::KINDS;
    use super::*;

    fn refused() -> host::Error {
        host::Error {
            kind: "denied".to_owned(),
            message: "database `app` is not granted".to_owned(),
            hint: Some("databases = [{ name = \"app\" }]".to_owned()),
            retryable: false,
            extra: vec![("resource".to_owned(), "app".to_owned())],
        }
    }

    #[test]
    fn error_of_the_host_comes_through_whole() {
        let error = Error::from(refused());
        assert_eq!(error.kind, ErrorKind::Denied);
        let returned = into_host(error);
        assert_eq!(returned.kind, "denied");
        assert_eq!(returned.hint, refused().hint);
        assert_eq!(returned.extra, refused().extra);
    }

    #[test]
    fn blame_is_read_back() {
        assert_eq!(Error::from(refused()).blame(), None);
        for blame in [Blame::Plugin, Blame::Host, Blame::Operator, Blame::Outside] {
            let error = Error::failed("it broke").with_blame(blame);
            assert_eq!(error.blame(), Some(blame));
            let error = error.with_blame(Blame::Host);
            assert_eq!((error.blame(), error.extra.len()), (Some(Blame::Host), 1));
        }
    }

    #[test]
    fn unknown_kind_keeps_its_name() {
        let error = host::Error {
            kind: "quota".to_owned(),
            ..refused()
        };
        assert_eq!(into_host(error.into()).kind, "quota");
    }

    #[test]
    fn every_known_kind_is_read_back() {
        for kind in KINDS {
            assert_eq!(ErrorKind::from(kind.as_str().to_owned()), kind);
        }
    }

    #[test]
    fn errors_of_others_become_ours_with_what_was_being_done() {
        let parsed: Result<u16> = serde_json::from_str("true").context("the answer");
        let error = parsed.expect_err("`true` is no number");
        assert_eq!(error.kind, ErrorKind::Invalid);
        assert!(error.message.starts_with("the answer: invalid type"), "{error}");

        let missing = Error::from(io::Error::from(io::ErrorKind::NotFound));
        assert_eq!(missing.kind, ErrorKind::NotFound);
        assert_eq!(
            Error::from("x".parse::<u8>().expect_err("no number")).kind,
            ErrorKind::Failed
        );
    }
}
