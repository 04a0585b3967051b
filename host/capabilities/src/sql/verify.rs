//! The engine's own checks of a database.

use rusqlite::{Connection, ErrorCode};
use sopwith_core::port::capabilities::{DatabaseInfo, VerifyDepth};

/// Problems of one kind that are told; a database with more is not read any further.
const PROBLEMS_MAX: u32 = 100;

/// What the engine knows of a database.
pub(super) fn describe(connection: &Connection) -> rusqlite::Result<DatabaseInfo> {
    begin(connection)?;
    let number = |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let journal: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
    Ok(DatabaseInfo {
        engine: "sqlite".to_owned(),
        version: rusqlite::version().to_owned(),
        bytes: (number("page_count")? * number("page_size")?).unsigned_abs(),
        extra: vec![
            ("journal-mode".to_owned(), journal),
            ("user-version".to_owned(), number("user_version")?.to_string()),
            ("application-id".to_owned(), number("application_id")?.to_string()),
        ],
    })
}

/// The normalised DDL of a database.
pub(super) fn schema(connection: &Connection) -> rusqlite::Result<String> {
    begin(connection)?;
    super::schema::read(connection)
}

/// The problems that the engine finds, all in one snapshot.
pub(super) fn problems(connection: &Connection, depth: VerifyDepth) -> rusqlite::Result<Vec<String>> {
    let found = begin(connection).and_then(|()| engine_problems(connection, depth));
    match found {
        // To find that is what the check is for, so it is no failure of the check.
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) => {
            Ok(vec![format!("the database is damaged: {error}")])
        }
        found => found,
    }
}

fn begin(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("BEGIN")?;
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
}

fn engine_problems(connection: &Connection, depth: VerifyDepth) -> rusqlite::Result<Vec<String>> {
    let pragma = match depth {
        VerifyDepth::Quick => "quick_check",
        VerifyDepth::Full => "integrity_check",
    };
    let mut problems = Vec::new();
    connection.pragma(None, pragma, PROBLEMS_MAX, |row| {
        problems.push(row.get::<_, String>(0)?);
        Ok(())
    })?;
    problems.retain(|problem| problem != "ok");
    if depth == VerifyDepth::Full {
        orphans(connection, &mut problems)?;
    }
    Ok(problems)
}

fn orphans(connection: &Connection, problems: &mut Vec<String>) -> rusqlite::Result<()> {
    let mut statement = connection.prepare("PRAGMA foreign_key_check")?;
    let mut rows = statement.query([])?;
    let mut count = 0;
    while let Some(row) = rows.next()? {
        if count == PROBLEMS_MAX {
            problems.push(format!(
                "more than {PROBLEMS_MAX} rows refer to rows that do not exist"
            ));
            break;
        }
        count += 1;
        let (table, id, parent): (String, Option<i64>, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let id = id.map_or_else(|| "a row".to_owned(), |id| format!("row {id}"));
        problems.push(format!(
            "{id} of `{table}` refers to a row of `{parent}` that does not exist"
        ));
    }
    Ok(())
}
