//! Patients: how they are entered and listed.

use jiff::Timestamp;
use jiff::civil::Date;
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

use crate::clock;
use crate::schema::DEFAULT_TENANT;

/// What is known of a patient before the clinic has entered them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPatient {
    pub(crate) given_name: String,
    pub(crate) family_name: String,
    pub(crate) birth_date: Date,
}

/// A patient of the clinic.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Patient {
    id: i64,
    record_number: i64,
    given_name: String,
    family_name: String,
    birth_date: String,
    created_at: String,
}

/// Enters a patient under the next free record number.
///
/// The caller holds the write lock: the number is read and then used.
pub(crate) fn enter(connection: &Connection, new: NewPatient, now: Timestamp) -> rusqlite::Result<Patient> {
    let record_number = next_record_number(connection)?;
    let (birth_date, created_at) = (new.birth_date.to_string(), clock::text(now));
    connection
        .prepare_cached(
            "INSERT INTO patients
                 (tenant_id, record_number, given_name, family_name, birth_date, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            DEFAULT_TENANT,
            record_number,
            new.given_name,
            new.family_name,
            birth_date,
            created_at
        ])?;
    Ok(Patient {
        id: connection.last_insert_rowid(),
        record_number,
        given_name: new.given_name,
        family_name: new.family_name,
        birth_date,
        created_at,
    })
}

/// Lists the newest patients, newest first.
pub(crate) fn newest(connection: &Connection, limit: u32) -> rusqlite::Result<Vec<Patient>> {
    connection
        .prepare_cached(
            "SELECT id, record_number, given_name, family_name, birth_date, created_at
             FROM patients WHERE tenant_id = ?1 ORDER BY id DESC LIMIT ?2",
        )?
        .query_map(params![DEFAULT_TENANT, limit], |row| {
            Ok(Patient {
                id: row.get(0)?,
                record_number: row.get(1)?,
                given_name: row.get(2)?,
                family_name: row.get(3)?,
                birth_date: row.get(4)?,
                created_at: row.get(5)?,
            })
        })?
        .collect()
}

fn next_record_number(connection: &Connection) -> rusqlite::Result<i64> {
    connection
        .prepare_cached(
            "SELECT max(0, coalesce(max(record_number), 0)) + 1 FROM patients WHERE tenant_id = ?1",
        )?
        .query_row([DEFAULT_TENANT], |row| row.get(0))
}
