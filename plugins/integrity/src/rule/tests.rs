//! Rules against a clinic's database, whole and damaged.

use crate::clinic::{check as check_of, damaged_by, offenders};
use sopwith::serde_json::{Value, json};

/// What the rule finds in a clinic that was damaged so, a row on a line.
fn check(rule: &Value, damage: &str, expected: &[&str]) {
    let mut settings = json!({ "name": "rule" });
    let fields = rule.as_object().expect("a rule is an object").clone();
    settings.as_object_mut().expect("it is an object").extend(fields);
    let check = check_of(&settings);
    let found = offenders(&check, &damaged_by(damage)).expect("the query is right");
    assert_eq!(found.lines, expected, "{rule} after {damage}");
}

/// The same, and that a whole clinic has no such row.
fn check_both(rule: &Value, damage: &str, expected: &[&str]) {
    check(rule, "", &[]);
    check(rule, damage, expected);
}

#[test]
fn unique_finds_values_that_more_than_one_row_has() {
    let twice =
        "INSERT INTO patients SELECT id + 1, tenant_id, record_number, 'A', 'B', '', '' FROM patients";
    let rule = json!({ "unique": { "table": "patients", "columns": ["tenant_id", "record_number"] } });
    check_both(&rule, twice, &["tenant_id=default, record_number=1, rows=2"]);
    let nulls = "INSERT INTO journal_entries VALUES (3, 'default', NULL, 1, '', '')";
    check(
        &json!({ "unique": { "table": "journal_entries", "columns": ["patient_id"] } }),
        nulls,
        &[],
    );
}

#[test]
fn not_null_finds_rows_with_a_null() {
    let rule =
        json!({ "key": "id", "not_null": { "table": "journal_entries", "columns": ["patient_id", "note"] } });
    check(&rule, "", &["id=2, patient_id=NULL, note=rent"]);
    let rule = json!({ "key": "id", "not_null": { "table": "journal_entries", "columns": ["id", "note"] } });
    check(&rule, "", &[]);
}

#[test]
fn accepted_values_are_of_one_type() {
    let accounts = json!(["1000 cash", "4000 consultations", "6000 rent"]);
    let rule = json!({ "table": "journal_lines", "column": "account", "values": accounts });
    let damage = "UPDATE journal_lines SET account = 'o''clock' WHERE id = 4";
    check_both(
        &json!({ "key": "id", "accepted_values": rule }),
        damage,
        &["id=4, account=o'clock"],
    );
    let rule = json!({ "table": "users", "column": "id", "values": ["1"] });
    check(&json!({ "accepted_values": rule }), "", &["id=1"]);
    let rule = json!({ "table": "journal_entries", "column": "patient_id", "values": [1, true] });
    check(&json!({ "accepted_values": rule }), "", &[]);
}

fn references(table: &str, column: &str, parent: &str, parent_column: &str) -> Value {
    let rule = json!({ "table": table, "column": column, "parent": parent, "parent_column": parent_column });
    json!({ "key": "id", "references": rule })
}

#[test]
fn references_find_rows_whose_match_is_missing() {
    let rule = references("journal_lines", "entry_id", "journal_entries", "id");
    let damage = "DELETE FROM journal_entries WHERE id = 2";
    check_both(&rule, damage, &["id=4, entry_id=2", "id=5, entry_id=2"]);
    let rule = references("journal_entries", "patient_id", "patients", "id");
    check_both(&rule, "DELETE FROM patients", &["id=1, patient_id=1"]);
}

#[test]
fn row_count_has_bounds() {
    let rule = |bounds: Value| {
        let mut rule = json!({ "table": "users" });
        let bounds = bounds.as_object().expect("bounds are an object").clone();
        rule.as_object_mut().expect("it is an object").extend(bounds);
        json!({ "row_count": rule })
    };
    check_both(
        &rule(json!({ "min": 1, "max": 1 })),
        "DELETE FROM users",
        &["rows=0"],
    );
    check(&rule(json!({ "min": 1 })), "DELETE FROM users", &["rows=0"]);
    check(&rule(json!({ "max": 0 })), "", &["rows=1"]);
    check(&rule(json!({ "min": 1 })), "", &[]);
}

fn balanced() -> Value {
    json!({ "balanced": { "table": "journal_lines", "entry": "entry_id", "debit": "debit_cents", "credit": "credit_cents" } })
}

#[test]
fn balanced_finds_entries_whose_debits_are_not_their_credits() {
    let damage = "UPDATE journal_lines SET credit_cents = 199 WHERE id = 3";
    check_both(
        &balanced(),
        damage,
        &["entry_id=1, debit_cents=500, credit_cents=499, not_integers=0"],
    );
    // 2^53 + 1 and 2^53 are one number to a float.
    let large = "UPDATE journal_lines SET debit_cents = 9007199254740993 WHERE id = 4;
                 UPDATE journal_lines SET credit_cents = 9007199254740992 WHERE id = 5";
    let cents = "entry_id=2, debit_cents=9007199254740993, credit_cents=9007199254740992, not_integers=0";
    check(&balanced(), large, &[cents]);
}

/// A table that does not keep its amounts to integers, as the clinic's does.
const LOOSE: &str = "CREATE TABLE loose (entry, debit, credit); INSERT INTO loose VALUES ";

#[test]
fn amount_that_is_no_integer_breaks_the_balance() {
    let rule =
        json!({ "balanced": { "table": "loose", "entry": "entry", "debit": "debit", "credit": "credit" } });
    let check = |rows: &str, expected: &[&str]| check(&rule, &format!("{LOOSE}{rows}"), expected);
    check("(1, 5, NULL), (1, NULL, 5)", &[]);
    check(
        "(1, 0.5, NULL), (1, NULL, 0.5)",
        &["entry=1, debit=0.5, credit=0.5, not_integers=2"],
    );
    check("(1, '5', 5)", &["entry=1, debit=5, credit=5, not_integers=1"]);
    check("(1, NULL, 5)", &["entry=1, debit=0, credit=5, not_integers=0"]);
    check("(NULL, 5, 4)", &["entry=NULL, debit=5, credit=4, not_integers=0"]);
}

#[test]
fn sum_matches_compares_totals_with_their_lines() {
    let tables = "CREATE TABLE bills (id, total); CREATE TABLE positions (bill, cents);";
    let lines = json!({ "table": "positions", "key": "bill", "amount": "cents" });
    let rule = json!({ "sum_matches": { "table": "bills", "key": "id", "total": "total", "lines": lines } });
    let check =
        |rows: &str, expected: &[&str]| check(&rule, &format!("{tables} INSERT INTO {rows}"), expected);
    check(
        "bills VALUES (1, 7), (2, 0); INSERT INTO positions VALUES (1, 3), (1, 4)",
        &[],
    );
    check("bills VALUES (1, 7)", &["id=1, total=7, sum=0, not_integers=0"]);
    check(
        "bills VALUES (1, NULL)",
        &["id=1, total=NULL, sum=0, not_integers=0"],
    );
    let inexact = "bills VALUES (1, 1); INSERT INTO positions VALUES (1, 0.5), (1, 0.5)";
    check(inexact, &["id=1, total=1, sum=1, not_integers=2"]);
}

#[test]
fn names_are_quoted() {
    let table = "CREATE TABLE \"a \"\"table\"\"\" (\"select\", \"a; DROP TABLE users\"); INSERT INTO \"a \"\"table\"\"\" VALUES (1, NULL);";
    let rule = json!({ "table": "a \"table\"", "columns": ["a; DROP TABLE users"] });
    check(
        &json!({ "key": "select", "not_null": rule }),
        table,
        &["select=1, a; DROP TABLE users=NULL"],
    );
}

#[test]
fn column_that_does_not_exist_is_an_error_and_no_pass() {
    let lines = json!({ "table": "users", "key": "nope", "amount": "nope" });
    let rules = [
        json!({ "unique": { "table": "users", "columns": ["nope"] } }),
        json!({ "not_null": { "table": "users", "columns": ["nope"] } }),
        json!({ "accepted_values": { "table": "users", "column": "nope", "values": ["nope"] } }),
        references("users", "tenant_id", "tenants", "nope"),
        references("users", "nope", "tenants", "id"),
        json!({ "row_count": { "table": "nope", "min": 0 } }),
        json!({ "balanced": { "table": "users", "entry": "nope", "debit": "nope", "credit": "nope" } }),
        json!({ "sum_matches": { "table": "users", "key": "id", "total": "nope", "lines": lines } }),
        json!({ "key": "nope", "not_null": { "table": "users", "columns": ["id"] } }),
    ];
    for mut rule in rules {
        rule["name"] = "rule".into();
        let found = offenders(&check_of(&rule), &damaged_by(""));
        let message = found.expect_err("the name is nobody's").to_string();
        assert!(message.contains("no such"), "{rule}: {message}");
    }
}
