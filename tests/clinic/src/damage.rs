//! Damage to the data, each kind by itself, and its repair.
//!
//! Damaged rows have ids that real ones never get, so that a repair finds them after a restart, in a
//! restored backup, and among millions of others.

use std::fs;
use std::io::ErrorKind;

use jiff::Timestamp;
use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use uuid::Uuid;

use crate::attachments::{self, Attachment, FILE_KINDS};
use crate::ledger::insert_line;
use crate::schema::{self, DEFAULT_TENANT};
use crate::{Breakage, Error, Places, clock};

const UNBALANCED_ENTRY: i64 = -1;
const MISSING_ENTRY: i64 = -2;
const DUPLICATE_PATIENTS: [i64; 2] = [-1, -2];
const DUPLICATE_RECORD_NUMBER: i64 = -1;
const MISPLACED_TENANT: &str = "misplaced";
const ROW_WITHOUT_FILE: Uuid = Uuid::from_u128(0x0000_0000_0000_4000_8000_0000_0000_0001);
const FILE_WITHOUT_ROW: Uuid = Uuid::from_u128(0x0000_0000_0000_4000_8000_0000_0000_0002);
const STRAY_CONTENT: &[u8] = b"nobody knows this file";

/// Damages the data as a breakage says; one that is not about data changes nothing.
pub(crate) fn inflict(breakage: Breakage, places: &Places, now: Timestamp) -> Result<(), Error> {
    change(breakage, places, |transaction| {
        remove(breakage, transaction)?;
        insert(breakage, transaction, now)
    })?;
    if breakage == Breakage::Attachments {
        let stray = attachment(FILE_WITHOUT_ROW);
        attachments::write_file(&places.attachments, &stray, STRAY_CONTENT)?;
    }
    Ok(())
}

/// Repairs what [`inflict`] damaged, and is content where nothing is damaged.
pub(crate) fn repair(breakage: Breakage, places: &Places) -> Result<(), Error> {
    change(breakage, places, |transaction| remove(breakage, transaction))?;
    if breakage == Breakage::Attachments {
        let path = places.attachments.join(attachment(FILE_WITHOUT_ROW).path());
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(Error::file(&path)(error));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Changes the data in one transaction that no foreign key stands in the way of.
fn change(
    breakage: Breakage,
    places: &Places,
    with: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<()>,
) -> Result<(), Error> {
    if !is_in_database(breakage) {
        return Ok(());
    }
    let mut connection = schema::open(&places.database)?;
    connection.pragma_update(None, "foreign_keys", false)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    with(&transaction)?;
    Ok(transaction.commit()?)
}

fn is_in_database(breakage: Breakage) -> bool {
    match breakage {
        Breakage::Tenant
        | Breakage::Balance
        | Breakage::ForeignKeys
        | Breakage::Attachments
        | Breakage::Patients => true,
        Breakage::Health | Breakage::Ready | Breakage::TenantMeta | Breakage::Latency | Breakage::Body => {
            false
        }
    }
}

fn insert(breakage: Breakage, transaction: &Transaction<'_>, now: Timestamp) -> rusqlite::Result<()> {
    match breakage {
        Breakage::Tenant => rename_tenant(transaction, DEFAULT_TENANT, MISPLACED_TENANT),
        Breakage::Balance => insert_unbalanced_entry(transaction, now),
        Breakage::ForeignKeys => {
            // A pair that balances, so that nothing but the foreign key is wrong.
            insert_line(transaction, MISSING_ENTRY, "1000 cash", 500, 0)?;
            insert_line(transaction, MISSING_ENTRY, "4000 consultations", 0, 500)
        }
        Breakage::Attachments => attachments::insert_row(transaction, &attachment(ROW_WITHOUT_FILE), now),
        Breakage::Patients => insert_duplicate_patients(transaction, now),
        _ => Ok(()),
    }
}

fn remove(breakage: Breakage, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let delete = |sql, id| transaction.execute(sql, [id]).map(drop);
    match breakage {
        Breakage::Tenant => rename_tenant(transaction, MISPLACED_TENANT, DEFAULT_TENANT),
        Breakage::Balance => {
            delete_lines(transaction, UNBALANCED_ENTRY)?;
            delete("DELETE FROM journal_entries WHERE id = ?1", UNBALANCED_ENTRY)
        }
        Breakage::ForeignKeys => delete_lines(transaction, MISSING_ENTRY),
        Breakage::Attachments => {
            let id = ROW_WITHOUT_FILE.to_string();
            transaction.execute("DELETE FROM attachments WHERE id = ?1", [id])?;
            Ok(())
        }
        Breakage::Patients => DUPLICATE_PATIENTS
            .into_iter()
            .try_for_each(|id| delete("DELETE FROM patients WHERE id = ?1", id)),
        _ => Ok(()),
    }
}

fn delete_lines(connection: &Connection, entry: i64) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM journal_lines WHERE entry_id = ?1", [entry])?;
    Ok(())
}

fn rename_tenant(connection: &Connection, from: &str, to: &str) -> rusqlite::Result<()> {
    connection.execute("UPDATE tenants SET id = ?2 WHERE id = ?1", [from, to])?;
    Ok(())
}

fn insert_unbalanced_entry(connection: &Connection, now: Timestamp) -> rusqlite::Result<()> {
    connection.execute(
        "INSERT INTO journal_entries (id, tenant_id, recorded_by, recorded_at, note)
         VALUES (?1, ?2, 1, ?3, 'one euro is missing')",
        params![UNBALANCED_ENTRY, DEFAULT_TENANT, clock::text(now)],
    )?;
    insert_line(connection, UNBALANCED_ENTRY, "1000 cash", 10_000, 0)?;
    insert_line(connection, UNBALANCED_ENTRY, "4000 consultations", 0, 9_900)
}

fn insert_duplicate_patients(connection: &Connection, now: Timestamp) -> rusqlite::Result<()> {
    for id in DUPLICATE_PATIENTS {
        connection.execute(
            "INSERT INTO patients
                 (id, tenant_id, record_number, given_name, family_name, birth_date, created_at)
             VALUES (?1, ?2, ?3, 'Double', 'Entered', '1980-02-29', ?4)",
            params![id, DEFAULT_TENANT, DUPLICATE_RECORD_NUMBER, clock::text(now)],
        )?;
    }
    Ok(())
}

fn attachment(id: Uuid) -> Attachment {
    Attachment {
        id,
        patient: None,
        kind: FILE_KINDS[0],
        size_bytes: 1_000,
    }
}
