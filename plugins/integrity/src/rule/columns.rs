//! Promises about columns: unique, never null, found elsewhere.

use super::{Statement, each, shown};
use crate::identifier::Identifier;

/// Columns of a table.
#[sopwith::settings]
#[derive(Debug)]
pub(crate) struct Columns {
    /// The table.
    table: Identifier,
    /// Its columns.
    #[schemars(length(min = 1))]
    columns: Vec<Identifier>,
}

/// A column whose values stand in another table.
#[sopwith::settings]
#[derive(Debug)]
pub(crate) struct References {
    /// The table that refers.
    table: Identifier,
    /// Its column.
    column: Identifier,
    /// The table that it refers to.
    parent: Identifier,
    /// The column that it refers to.
    parent_column: Identifier,
}

/// The values that more than one row has. A null is no value, so a row with one is unique.
pub(super) fn unique(rule: &Columns) -> Statement {
    let Columns { table, columns } = rule;
    let group = each(columns, ", ", |column| column.of("t"));
    let no_nulls = each(columns, " AND ", |column| {
        format!("{} IS NOT NULL", column.of("t"))
    });
    let shown = shown(None, columns);
    format!(
        "SELECT {shown}, count(*) AS \"rows\" FROM {table} AS t WHERE {no_nulls} \
         GROUP BY {group} HAVING count(*) > 1 ORDER BY {group}"
    )
    .into()
}

/// The rows in which one of the columns is null.
pub(super) fn not_null(rule: &Columns, key: Option<&Identifier>) -> Statement {
    let Columns { table, columns } = rule;
    let nulls = each(columns, " OR ", |column| format!("{} IS NULL", column.of("t")));
    format!(
        "SELECT {} FROM {table} AS t WHERE {nulls} ORDER BY 1",
        shown(key, columns)
    )
    .into()
}

/// The rows whose value the other table does not have. A null refers to nothing.
pub(super) fn references(rule: &References, key: Option<&Identifier>) -> Statement {
    let References {
        table,
        column,
        parent,
        parent_column,
    } = rule;
    let shown = shown(key, std::slice::from_ref(column));
    let (column, parent_column) = (column.of("t"), parent_column.of("p"));
    format!(
        "SELECT {shown} FROM {table} AS t WHERE {column} IS NOT NULL \
         AND NOT EXISTS (SELECT 1 FROM {parent} AS p WHERE {parent_column} = {column}) ORDER BY 1"
    )
    .into()
}
