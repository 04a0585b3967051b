//! What the writer and the seed write.

use clinic::inspection::{Violations, inspect};
use clinic::{Places, balance_of, schema};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::{Clinic, MANY_WRITES};

const SEEDED_BYTES: u64 = 5_000_000;

fn rows(database: &Connection, table: &str) -> u64 {
    let sql = format!("SELECT count(*) FROM {table}");
    let rows: i64 = database.query_row(&sql, [], |row| row.get(0)).unwrap();
    rows.unsigned_abs()
}

#[tokio::test]
async fn every_write_keeps_the_promises_about_the_data() {
    let clinic = Clinic::start(&[]).await;
    clinic.running.written(MANY_WRITES).await.unwrap();
    assert_eq!(clinic.inspect(), Violations::default());

    let database = schema::open(&clinic.running.places().database).unwrap();
    assert!(rows(&database, "journal_entries") >= MANY_WRITES);
    assert!(rows(&database, "patients") >= MANY_WRITES / 50);
    assert!(rows(&database, "attachments") >= MANY_WRITES / 200);
    let balance = balance_of(&database).unwrap();
    assert!(balance.debit_cents > 0);
    assert_eq!(balance.debit_cents, balance.credit_cents);
}

#[test]
fn seed_fills_a_database_to_its_size() {
    let directory = TempDir::new().unwrap();
    let now = "2026-01-02T03:04:05Z".parse().unwrap();
    let seeded = clinic::seed(directory.path(), SEEDED_BYTES, 7, now).unwrap();
    let places = Places::within(directory.path());
    let bytes = std::fs::metadata(&places.database).unwrap().len();
    assert_eq!(seeded.database_bytes, bytes);
    assert!((SEEDED_BYTES..SEEDED_BYTES * 11 / 10).contains(&bytes), "{bytes}");
    assert_eq!(inspect(&places).unwrap(), Violations::default());
    let database = schema::open(&places.database).unwrap();
    assert_eq!(rows(&database, "journal_entries"), seeded.entries);
}
