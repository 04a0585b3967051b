//! Decides what a statement may do; SQLite asks before it compiles one.

use rusqlite::hooks::{AuthAction, AuthContext};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Pragmas that only look, and whose argument only says at what.
const PRAGMAS_WITH_ARGUMENT: [&str; 10] = [
    "foreign_key_check",
    "foreign_key_list",
    "index_info",
    "index_list",
    "index_xinfo",
    "integrity_check",
    "quick_check",
    "table_info",
    "table_list",
    "table_xinfo",
];
/// Pragmas that only look, as long as they have no argument.
const PRAGMAS_WITHOUT_ARGUMENT: [&str; 14] = [
    "application_id",
    "auto_vacuum",
    "collation_list",
    "compile_options",
    "data_version",
    "encoding",
    "foreign_keys",
    "freelist_count",
    "journal_mode",
    "page_count",
    "page_size",
    "query_only",
    "schema_version",
    "user_version",
];
/// Tables of the engine that are part of a database; its others look into pages, statements and
/// paths.
const ENGINE_TABLES: [&str; 7] = [
    "sqlite_master",
    "sqlite_schema",
    "sqlite_sequence",
    "sqlite_stat1",
    "sqlite_stat4",
    "sqlite_temp_master",
    "sqlite_temp_schema",
];
const ENGINE_MODULES: [&str; 4] = ["bytecode", "completion", "dbstat", "tables_used"];
/// `optimize` of the full-text search changes its table in the middle of a query.
const FUNCTIONS: [&str; 3] = ["fts3_tokenizer", "load_extension", "optimize"];

/// What the statements of a session may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Policy {
    /// Look.
    Read,
    /// Change rows of these tables, whose names are in lower case.
    Write(BTreeSet<String>),
    /// Everything that stays within a database of the run's own.
    Own,
}

/// What a statement wanted and may not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// A kind of statement that no session may carry out.
    Statement(String),
    /// A change of rows where the session is for reading.
    Change,
    /// A table that is not among those of the grant.
    Table(String),
}

/// Decides about one part of a statement; `shadows` are tables that virtual ones of the grant
/// change for themselves, and that the engine lets nobody else change.
pub(super) fn judge(
    context: &AuthContext<'_>,
    policy: &Policy,
    shadows: &BTreeSet<String>,
) -> Result<(), Refusal> {
    use AuthAction as Do;
    match context.action {
        Do::Select | Do::Recursive => Ok(()),
        Do::Read { table_name, .. } => judge_read(table_name),
        Do::Function { function_name } => judge_function(function_name),
        Do::Pragma {
            pragma_name,
            pragma_value,
        } => judge_pragma(pragma_name, pragma_value),
        Do::Insert { table_name } | Do::Delete { table_name } | Do::Update { table_name, .. } => {
            judge_write(table_name, context.database_name, policy, shadows)
        }
        action if *policy == Policy::Own => judge_own(&action),
        action => Err(refused(&action)),
    }
}

fn judge_read(table: &str) -> Result<(), Refusal> {
    let table = table.to_ascii_lowercase();
    if looks_inside(&table) {
        return Err(Refusal::Statement(format!("reading `{table}`")));
    }
    Ok(())
}

fn looks_inside(table: &str) -> bool {
    ENGINE_MODULES.contains(&table) || table.starts_with("sqlite_") && !ENGINE_TABLES.contains(&table)
}

fn judge_function(function: &str) -> Result<(), Refusal> {
    let function = function.to_ascii_lowercase();
    if FUNCTIONS.contains(&function.as_str()) {
        return Err(Refusal::Statement(format!("the function `{function}`")));
    }
    Ok(())
}

fn judge_pragma(pragma: &str, value: Option<&str>) -> Result<(), Refusal> {
    let pragma = pragma.to_ascii_lowercase();
    let known = PRAGMAS_WITH_ARGUMENT.contains(&pragma.as_str())
        || value.is_none() && PRAGMAS_WITHOUT_ARGUMENT.contains(&pragma.as_str());
    if known {
        return Ok(());
    }
    let argument = if value.is_some() { " with an argument" } else { "" };
    Err(Refusal::Statement(format!("`PRAGMA {pragma}`{argument}")))
}

fn judge_write(
    table: &str,
    database: Option<&str>,
    policy: &Policy,
    shadows: &BTreeSet<String>,
) -> Result<(), Refusal> {
    let table = table.to_ascii_lowercase();
    match policy {
        Policy::Read => Err(Refusal::Change),
        _ if looks_inside(&table) => Err(Refusal::Statement(format!("changing `{table}`"))),
        Policy::Own => Ok(()),
        Policy::Write(tables) => {
            if database == Some("main") && (tables.contains(&table) || shadows.contains(&table)) {
                return Ok(());
            }
            Err(Refusal::Table(table))
        }
    }
}

/// What changes a schema is harmless in a database of one's own; everything else leads out of it
/// or out of the transaction.
fn judge_own(action: &AuthAction<'_>) -> Result<(), Refusal> {
    use AuthAction as Do;
    match action {
        Do::CreateIndex { .. }
        | Do::CreateTable { .. }
        | Do::CreateTempIndex { .. }
        | Do::CreateTempTable { .. }
        | Do::CreateTempTrigger { .. }
        | Do::CreateTempView { .. }
        | Do::CreateTrigger { .. }
        | Do::CreateView { .. }
        | Do::DropIndex { .. }
        | Do::DropTable { .. }
        | Do::DropTempIndex { .. }
        | Do::DropTempTable { .. }
        | Do::DropTempTrigger { .. }
        | Do::DropTempView { .. }
        | Do::DropTrigger { .. }
        | Do::DropView { .. }
        | Do::AlterTable { .. }
        | Do::Reindex { .. }
        | Do::Analyze { .. } => Ok(()),
        other => Err(refused(other)),
    }
}

fn refused(action: &AuthAction<'_>) -> Refusal {
    use AuthAction as Do;
    let what = match action {
        Do::Attach { .. } => "`ATTACH`",
        Do::Detach { .. } => "`DETACH`",
        Do::Transaction { .. } => "a statement that begins or ends a transaction",
        Do::Savepoint { .. } => "a statement about savepoints",
        Do::CreateVtable { .. } | Do::DropVtable { .. } => "a virtual table",
        Do::Reindex { .. } => "`REINDEX`",
        Do::Analyze { .. } => "`ANALYZE`",
        _ => "a change of the schema",
    };
    Refusal::Statement(what.to_owned())
}
