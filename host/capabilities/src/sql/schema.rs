//! The normalised DDL of a database: the same text for the same schema, however it was written.

use super::tokens::tokens;
use rusqlite::Connection;

/// The engine's own tables are left out, those behind virtual tables too: they vary with its
/// version and not with the schema.
const OBJECTS: &str = "SELECT sql FROM sqlite_schema
    WHERE sql IS NOT NULL
      AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
      AND tbl_name NOT IN (SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'shadow')
    ORDER BY CASE type WHEN 'table' THEN 1 WHEN 'index' THEN 2 WHEN 'view' THEN 3 ELSE 4 END, lower(name)";

/// Reads the schema as the transaction of the connection sees it.
pub(super) fn read(connection: &Connection) -> rusqlite::Result<String> {
    let mut statement = connection.prepare(OBJECTS)?;
    let mut rows = statement.query([])?;
    let mut schema = String::new();
    while let Some(row) = rows.next()? {
        schema.push_str(&normalised(&row.get::<_, String>(0)?));
        schema.push_str(";\n");
    }
    Ok(schema)
}

/// Whether a text has no statement in it.
pub(super) fn is_empty(statement: &str) -> bool {
    tokens(statement).all(|token| token == ";")
}

/// One statement of DDL. The columns of a table stand on lines of their own, so that a
/// difference between two schemas is one that people can read.
fn normalised(sql: &str) -> String {
    let tokens: Vec<_> = tokens(sql).collect();
    let is_table = tokens.first().is_some_and(|word| word == "create")
        && tokens.get(1).is_some_and(|word| word == "table");
    let mut text = String::with_capacity(sql.len());
    let mut depth = 0_usize;
    let mut before = "(";
    for token in &tokens {
        let token = token.as_str();
        if token == ")" {
            depth = depth.saturating_sub(1);
        }
        let outermost = is_table && depth == 0 && text.contains('(');
        match (before, token) {
            (_, ")") if outermost => text.push('\n'),
            ("(" | ",", _) if is_table && depth == 1 => text.push_str("\n    "),
            ("(" | ".", _) | (_, ")" | "," | "." | ";") => {}
            _ => text.push(' '),
        }
        text.push_str(token);
        if token == "(" {
            depth += 1;
        }
        before = token;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(ddl: &str) -> String {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(ddl).unwrap();
        read(&connection).unwrap()
    }

    #[test]
    fn the_same_schema_is_the_same_text_however_it_was_written() {
        let one = schema(
            "CREATE TABLE patient (id INTEGER PRIMARY KEY, name TEXT NOT NULL CHECK (length(name) > 0));
             CREATE INDEX by_name ON patient(name);",
        );
        let other = schema(
            "create table IF NOT EXISTS \"Patient\"(\"id\" integer primary key, -- the number
               [name] text not null check(length( name )>0) );
             create index \"by_name\" on PATIENT (NAME);",
        );
        assert_eq!(one, other);
        assert_eq!(
            one,
            "create table patient (\n    id integer primary key,\n    \
             name text not null check (length (name) > 0)\n);\n\
             create index by_name on patient (name);\n"
        );
    }

    #[test]
    fn the_order_of_making_and_the_tables_of_the_engine_do_not_matter() {
        let one = schema(
            "CREATE TABLE a (x INTEGER PRIMARY KEY AUTOINCREMENT); CREATE TABLE b (y UNIQUE); ANALYZE;",
        );
        let other =
            schema("CREATE TABLE b (y UNIQUE); CREATE TABLE a (x INTEGER PRIMARY KEY AUTOINCREMENT);");
        assert_eq!(one, other);
    }

    #[test]
    fn another_schema_is_another_text() {
        let ddl = [
            "CREATE TABLE a (x DEFAULT 'A')",
            "CREATE TABLE a (x DEFAULT 'a')",
            "CREATE TABLE a (x)",
        ];
        let [one, other, third] = ddl.map(schema);
        assert_ne!(one, other);
        assert_ne!(one, third);
    }

    #[test]
    fn a_text_without_a_statement_is_empty() {
        assert!(is_empty(" ; -- nothing\n/* at all */"));
        assert!(!is_empty("SELECT 1"));
    }
}
