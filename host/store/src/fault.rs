//! What can go wrong inside the store, before it is told to a caller.

use sopwith_core::port::StoreError;
use sopwith_core::run::IllegalTransition;

/// Why something inside the store did not work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// An answer that callers know.
    #[error(transparent)]
    Answer(#[from] StoreError),
    /// The database.
    #[error(transparent)]
    Database(#[from] rusqlite::Error),
    /// A value that cannot be written or read.
    #[error("a value of type `{type_name}` is unreadable: {why}")]
    Value { type_name: &'static str, why: String },
}

/// The result of work inside the store.
pub(crate) type Outcome<T> = Result<T, Fault>;

impl From<IllegalTransition> for Fault {
    fn from(error: IllegalTransition) -> Self {
        Self::Answer(error.into())
    }
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Answer(error) => error,
            other => Self::Broken(other.to_string()),
        }
    }
}
