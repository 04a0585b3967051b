//! The digests of the compiled plugins that this host put on disk.

use crate::fault::Outcome;
use rusqlite::Connection;
use sopwith_core::digest::Digest;
use std::collections::BTreeMap;

/// The digests of all files by their names.
pub(crate) fn all(connection: &Connection) -> Outcome<BTreeMap<String, Digest>> {
    let mut select = connection.prepare_cached("SELECT name, digest FROM artefact")?;
    let mut rows = select.query([])?;
    let mut digests = BTreeMap::new();
    while let Some(row) = rows.next()? {
        digests.insert(row.get(0)?, Digest::from(row.get::<_, [u8; 32]>(1)?));
    }
    Ok(digests)
}

/// Keeps digests, and forgets the names that have none.
pub(crate) fn set(connection: &Connection, changes: &BTreeMap<String, Option<Digest>>) -> Outcome<()> {
    let mut keep = connection.prepare_cached(
        "INSERT INTO artefact (name, digest) VALUES (?1, ?2)
         ON CONFLICT DO UPDATE SET digest = excluded.digest",
    )?;
    let mut forget = connection.prepare_cached("DELETE FROM artefact WHERE name = ?1")?;
    for (name, digest) in changes {
        match digest {
            Some(digest) => keep.execute((name, digest.as_bytes()))?,
            None => forget.execute([name])?,
        };
    }
    Ok(())
}
