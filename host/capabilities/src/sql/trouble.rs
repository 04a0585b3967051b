//! Says what an error of SQLite means, and who has to act.

use super::connection::Guarded;
use super::policy::Refusal;
use rusqlite::{Error, ErrorCode, ffi};
use sopwith_core::failure::{Blame, Failure, FailureKind};

/// Turns an error of a statement of the plugin into one of the contract.
pub(super) fn statement_failure(error: &Error, guarded: &Guarded, database: &str) -> Failure {
    if let Some(refusal) = guarded.take_refusal()
        && error.sqlite_error_code() == Some(ErrorCode::AuthorizationForStatementDenied)
    {
        return refusal_failure(&refusal, database);
    }
    if error.sqlite_error_code() == Some(ErrorCode::DiskFull) && guarded.is_own() && guarded.disk_has_room() {
        return too_much_scratch();
    }
    guarded.surroundings.failure(error, database)
}

/// The files of the run have reached their limit.
pub(super) fn too_much_scratch() -> Failure {
    let message = "scratch databases and temporary files of statements take more than the run may have";
    Failure::limit("scratch", message).hint("raise `scratch` under [limits] if the work needs it")
}

/// The engine has reached its limit.
pub(super) fn too_much_memory(bytes: u64) -> Failure {
    let message = format!("the statements of the session need more than {bytes} bytes of memory");
    Failure::limit("memory", message).hint("raise `memory` under [limits] if the work needs it")
}

/// Turns an error of the host's own work on a database into one of the contract.
pub(super) fn database_failure(error: &Error, database: &str) -> Failure {
    let text = sentence(error);
    let failed = |blame, message| Failure::new(FailureKind::Failed, blame, message);
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => not_a_database(database),
        Some(ErrorCode::DatabaseCorrupt) => failed(
            Blame::Operator,
            format!("the database `{database}` is damaged: {text}"),
        )
        .hint("restore it from a backup"),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Failure::new(
            FailureKind::Unavailable,
            Blame::Outside,
            format!("the database `{database}` is locked by another connection"),
        )
        .retryable(),
        Some(ErrorCode::DiskFull) => failed(
            Blame::Host,
            format!("the disk of the database `{database}`, or that of temporary files, has no room"),
        )
        .hint("make room on it")
        .retryable(),
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::ReadOnly) => failed(
            Blame::Host,
            format!("the database `{database}` cannot be opened: {text}"),
        )
        .hint(opening_hint(error)),
        Some(ErrorCode::SystemIoFailure) => failed(
            Blame::Host,
            format!("the file of the database `{database}` cannot be read or written: {text}"),
        ),
        Some(ErrorCode::OutOfMemory) => failed(Blame::Host, "there is no memory left".to_owned()),
        Some(ErrorCode::ConstraintViolation) => Failure::new(FailureKind::Conflict, Blame::Plugin, text),
        Some(ErrorCode::TooBig) => Failure::limit(
            "query_bytes",
            format!("a value or the statement is too large: {text}"),
        ),
        Some(ErrorCode::OperationInterrupted) => Failure::cancelled(),
        _ => Failure::invalid(text),
    }
}

pub(crate) fn not_a_database(database: &str) -> Failure {
    Failure::new(
        FailureKind::Invalid,
        Blame::Operator,
        format!("the file of `{database}` is not an SQLite database"),
    )
    .hint(format!(
        "look at `url` under [databases.{database}] in sopwith.toml"
    ))
}

fn refusal_failure(refusal: &Refusal, database: &str) -> Failure {
    match refusal {
        Refusal::Statement(what) => Failure::new(
            FailureKind::Denied,
            Blame::Plugin,
            format!("{what} is not permitted in a session of `{database}`"),
        ),
        Refusal::Change => Failure::new(
            FailureKind::Denied,
            Blame::Plugin,
            format!("`{database}` was opened for reading, and the statement changes it"),
        ),
        Refusal::Table(table) => Failure::new(
            FailureKind::Denied,
            Blame::Operator,
            format!("the grant of databases.{database} does not name the table `{table}`"),
        )
        .hint(format!(
            "change where it is granted:  databases = {{ {database} = {{ access = \"write\", write_tables = [\"{table}\"] }} }}"
        ))
        .with("resource", format!("databases.{database}")),
    }
}

fn opening_hint(error: &Error) -> &'static str {
    match error.sqlite_error().map(|error| error.extended_code) {
        Some(
            ffi::SQLITE_READONLY_DIRECTORY | ffi::SQLITE_READONLY_CANTINIT | ffi::SQLITE_READONLY_CANTLOCK,
        ) => {
            "a database in WAL mode needs `-wal` and `-shm` beside it: let the user of the host write in its directory"
        }
        _ => {
            "let the user of the host read the file; in WAL mode it also has to write in its directory, for `-wal` and `-shm`"
        }
    }
}

fn sentence(error: &Error) -> String {
    let text = match error {
        Error::SqliteFailure(_, Some(message)) => message.clone(),
        Error::SqlInputError { msg, offset, .. } if *offset > 0 => format!("{msg} (at byte {offset})"),
        Error::SqlInputError { msg, .. } => msg.clone(),
        Error::MultipleStatement => "a call carries out one statement, and here are several".to_owned(),
        other => other.to_string(),
    };
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(characters).collect()
}
