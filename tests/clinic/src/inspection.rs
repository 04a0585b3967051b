//! Counts what is wrong in a clinic's data, for tests that break and mend it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use crate::schema::{self, DEFAULT_TENANT};
use crate::{Error, Places, balance_of};

/// How often each promise about the data is broken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Violations {
    /// Entries whose debits differ from their credits.
    pub unbalanced_entries: u32,
    /// Rows that refer to a row that does not exist.
    pub dangling_rows: u32,
    /// Attachments whose file is missing or has another size.
    pub missing_files: u32,
    /// Files that no attachment speaks of.
    pub stray_files: u32,
    /// Record numbers that several patients have.
    pub duplicate_record_numbers: u32,
    /// One where the default tenant is missing.
    pub missing_tenants: u32,
}

/// Inspects the data of a clinic that may be running, whose writes wait for it.
pub fn inspect(places: &Places) -> Result<Violations, Error> {
    let mut connection = schema::open(&places.database)?;
    // Under the write lock no attachment is between its file and its row.
    let snapshot = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let files = files_beneath(&places.attachments)?;
    let rows = attachment_rows(&snapshot)?;
    let is_there = |path: &str, size: u32| {
        fs::metadata(places.attachments.join(path)).is_ok_and(|file| file.len() == u64::from(size))
    };
    let known: BTreeSet<&str> = rows.iter().map(|(path, _)| path.as_str()).collect();
    Ok(Violations {
        unbalanced_entries: balance_of(&snapshot)?.unbalanced_entries,
        dangling_rows: count(&snapshot, "SELECT count(*) FROM pragma_foreign_key_check")?,
        missing_files: tally(rows.iter().filter(|(path, size)| !is_there(path, *size))),
        stray_files: tally(files.iter().filter(|path| !known.contains(path.as_str()))),
        duplicate_record_numbers: count(
            &snapshot,
            "SELECT count(*) FROM (SELECT 1 FROM patients
             GROUP BY tenant_id, record_number HAVING count(*) > 1)",
        )?,
        missing_tenants: u32::from(!has_default_tenant(&snapshot)?),
    })
}

fn tally<T>(items: impl Iterator<Item = T>) -> u32 {
    u32::try_from(items.count()).unwrap_or(u32::MAX)
}

fn count(connection: &Connection, sql: &str) -> rusqlite::Result<u32> {
    connection.query_row(sql, [], |row| row.get(0))
}

fn has_default_tenant(connection: &Connection) -> rusqlite::Result<bool> {
    connection
        .prepare("SELECT 1 FROM tenants WHERE id = ?1")?
        .exists([DEFAULT_TENANT])
}

fn attachment_rows(connection: &Connection) -> rusqlite::Result<Vec<(String, u32)>> {
    connection
        .prepare("SELECT path, size_bytes FROM attachments")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

/// Lists the files in the folders of the directory of attachments, by their relative paths.
fn files_beneath(directory: &Path) -> Result<Vec<String>, Error> {
    let mut files = Vec::new();
    for folder in entries(directory)? {
        for file in entries(&directory.join(&folder))? {
            files.push(format!("{folder}/{file}"));
        }
    }
    Ok(files)
}

fn entries(directory: &Path) -> Result<Vec<String>, Error> {
    fs::read_dir(directory)
        .map_err(Error::file(directory))?
        .map(|entry| {
            let entry = entry.map_err(Error::file(directory))?;
            Ok(entry.file_name().to_string_lossy().into_owned())
        })
        .collect()
}
