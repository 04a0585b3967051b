//! A clinic's database for tests, on the engine itself.

use crate::offenders::Offenders;
use crate::plan::{self, Check, Source};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ToSql};
use sopwith::serde_json::{Value as Json, from_value, json};
use sopwith::sql::{Column, Row, Value};

const SCHEMA: &str = include_str!("../../../tests/clinic/src/schema.sql");

const ROWS: &str = "
    INSERT INTO tenants VALUES ('default', 'Clinic', '2026-01-01');
    INSERT INTO users VALUES (1, 'default', 'ada@example.org', 'Ada', '2026-01-01');
    INSERT INTO patients VALUES (1, 'default', 1, 'Grace', 'Hopper', '1906-12-09', '2026-01-01');
    INSERT INTO journal_entries VALUES (1, 'default', 1, 1, '2026-01-01', 'a visit'), (2, 'default', NULL, 1, '2026-01-01', 'rent');
    INSERT INTO journal_lines VALUES (1, 1, '1000 cash', 500, 0), (2, 1, '4000 consultations', 0, 300),
        (3, 1, '4000 consultations', 0, 200), (4, 2, '6000 rent', 900, 0), (5, 2, '1000 cash', 0, 900);
    INSERT INTO attachments VALUES
        ('00000000-0000-4000-8000-000000000001', 'default', 1, 'x-ray.pdf', 'application/pdf', 10,
         '00/00000000-0000-4000-8000-000000000001', '2026-01-01');
";

/// A healthy database, then damaged by this SQL with no constraint in its way.
pub(crate) fn damaged_by(sql: &str) -> Connection {
    let connection = Connection::open_in_memory().expect("memory is there");
    connection.execute_batch(SCHEMA).expect("the schema is SQL");
    connection.execute_batch(ROWS).expect("the rows fit the schema");
    let free = "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON;";
    connection
        .execute_batch(&format!("{free} {sql}"))
        .expect("it can be damaged");
    connection
}

/// The check of these settings.
pub(crate) fn check(settings: &Json) -> Check {
    let settings = from_value(json!({ "database": "app", "engine": "off", "checks": [settings] }));
    let plan = plan::read(&settings.expect("the settings are of their shape")).expect("they make sense");
    plan.checks.into_iter().next().expect("there is a check")
}

/// What a check finds in a database; the error is the engine's.
pub(crate) fn offenders(check: &Check, connection: &Connection) -> Result<Offenders, rusqlite::Error> {
    let Source::Query(statement) = &check.source else {
        panic!("the engine's own checks are the host's");
    };
    let mut prepared = connection.prepare(&statement.sql)?;
    assert!(prepared.readonly(), "an audit only reads: {}", statement.sql);
    let column = |name: &str| Column {
        name: name.to_owned(),
        kind: String::new(),
    };
    let columns: Vec<_> = prepared.column_names().map(column).collect();
    let parameters: Vec<_> = statement.parameters.iter().map(bound).collect();
    let parameters: Vec<_> = parameters.iter().map(AsRef::as_ref).collect();
    let rows = prepared.query_map(parameters.as_slice(), |row| {
        (0..columns.len())
            .map(|index| row.get_ref(index).map(value))
            .collect::<Result<Vec<_>, _>>()
    })?;
    let rows = rows.collect::<Result<Vec<_>, _>>()?;
    let rows = rows
        .into_iter()
        .map(|values| Ok(Row::new(columns.clone(), values)));
    Ok(Offenders::count(check, &columns, rows).expect("the rows can be counted"))
}

fn bound(value: &Value) -> Box<dyn ToSql> {
    match value {
        Value::Integer(number) => Box::new(*number),
        Value::Boolean(value) => Box::new(*value),
        Value::Text(text) => Box::new(text.clone()),
        other => panic!("no rule binds {other:?}"),
    }
}

fn value(found: ValueRef<'_>) -> Value {
    match found {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => number.into(),
        ValueRef::Real(number) => number.into(),
        ValueRef::Text(bytes) => String::from_utf8_lossy(bytes).into_owned().into(),
        ValueRef::Blob(bytes) => bytes.into(),
    }
}

/// The checks of the documentation's procedure.
fn documented() -> Vec<Check> {
    let page = include_str!("../../../docs/plugins/integrity.md");
    let block = page
        .split("```toml\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next());
    let file: Json = toml::from_str(block.expect("the page has a procedure")).expect("it is TOML");
    let settings = from_value(file["settings"].clone()).expect("its settings are of their shape");
    plan::read(&settings).expect("they make sense").checks
}

/// The checks of the documentation's procedure that find something in a clinic damaged so.
fn found(damage: &str) -> Vec<String> {
    let connection = damaged_by(damage);
    let checks = documented();
    let queries = checks
        .iter()
        .filter(|check| matches!(check.source, Source::Query(_)));
    let breaking = queries.filter(|check| offenders(check, &connection).expect(&check.name).rows > 0);
    breaking.map(|check| check.name.clone()).collect()
}

#[test]
fn documented_checks_hold_of_a_whole_clinic_and_each_finds_its_damage() {
    let damages = [
        ("", ""),
        (
            "UPDATE journal_lines SET credit_cents = 1 WHERE id = 3",
            "balanced-entries",
        ),
        (
            "INSERT INTO journal_lines VALUES (6, 9, 'cash', 5, 0), (7, 9, 'rent', 0, 5)",
            "lines-have-entries",
        ),
        (
            "DELETE FROM journal_lines WHERE entry_id = 2",
            "entries-have-lines",
        ),
        (
            "INSERT INTO patients SELECT 2, tenant_id, record_number, 'A', 'B', '', '' FROM patients",
            "record-numbers",
        ),
        ("UPDATE tenants SET id = 'another'", "default-tenant"),
        ("DELETE FROM users", "some-user"),
        ("UPDATE patients SET tenant_id = 'another'", "one-clinic-each"),
        ("UPDATE attachments SET media_type = 'text/html'", "media-types"),
        ("UPDATE attachments SET id = 'x-ray'", "attachment-ids"),
    ];
    for (damage, check) in damages {
        assert_eq!(found(damage).join(", "), check, "{damage}");
    }
    assert_eq!(
        documented().len(),
        damages.len(),
        "each check, and the engine's own"
    );
}
