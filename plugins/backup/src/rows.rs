//! Compares the rows of a database with what they must be.

use crate::words;
use sopwith::parameters;
use sopwith::sql::{Database, Session};
use sopwith::{Blame, Context, Error, ErrorKind, Result};
use std::collections::BTreeMap;

/// In what the tables differ from these numbers of rows, all counted in one snapshot.
pub(crate) fn differences(database: &Database, expected: &BTreeMap<String, u64>) -> Result<Vec<String>> {
    let snapshot = match database.read() {
        Ok(snapshot) => snapshot,
        Err(error) => return Ok(vec![unreadable(error)?]),
    };
    let mut differences = Vec::new();
    for (table, expected) in expected {
        match count(&snapshot, table) {
            Ok(rows) if rows == *expected => {}
            Ok(rows) => {
                let rows = words::count(rows, "row");
                let expected = words::number(*expected);
                differences.push(format!("table `{table}` has {rows} instead of {expected}"));
            }
            Err(error) => {
                let why = unreadable(error)?;
                differences.push(format!("table `{table}` cannot be counted: {why}"));
            }
        }
    }
    Ok(differences)
}

fn count(snapshot: &Session, table: &str) -> Result<u64> {
    let statement = format!("SELECT count(*) FROM {}", quoted(table));
    let row = snapshot.query_row(&statement, parameters![])?;
    row.context("`count(*)` gave no row")?.at(0)
}

fn quoted(identifier: &str) -> String {
    format!("\"{}\"", identifier.replace('"', "\"\""))
}

/// What is wrong with a database that its engine fails on; the error itself where the host is to
/// blame, or the time, or a limit.
pub(crate) fn unreadable(error: Error) -> Result<String> {
    match (&error.kind, error.blame()) {
        (ErrorKind::Failed | ErrorKind::Invalid, blame) if blame != Some(Blame::Host) => Ok(error.message),
        _ => Err(error),
    }
}
