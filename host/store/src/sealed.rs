//! The sealed values of secrets: versions, of which a new one moves the others on.

use crate::audit;
use crate::column::{instant, parsed, unreadable};
use crate::fault::Outcome;
use rusqlite::{Connection, Row, named_params};
use serde::de::DeserializeOwned;
use sopwith_core::audit::AuditRecord;
use sopwith_core::name::ResourceName;
use sopwith_core::port::{SealedVersion, StoreError};
use sopwith_core::secret::{SecretVersion, Stage};

/// The versions of a secret, the newest first.
pub(crate) fn versions(connection: &Connection, secret: &ResourceName) -> Outcome<Vec<SecretVersion>> {
    let mut select = connection.prepare_cached(
        "SELECT id, stage, created_at, fingerprint, origin FROM sealed_secret
         WHERE secret = ?1 ORDER BY number DESC",
    )?;
    let mut rows = select.query([secret.as_str()])?;
    let mut versions = Vec::new();
    while let Some(row) = rows.next()? {
        versions.push(version(row)?);
    }
    Ok(versions)
}

/// One version with its sealed value.
pub(crate) fn get(
    connection: &Connection,
    secret: &ResourceName,
    id: &str,
) -> Outcome<Option<SealedVersion>> {
    let mut select = connection.prepare_cached(
        "SELECT id, stage, created_at, fingerprint, origin, key, sealed FROM sealed_secret
         WHERE secret = ?1 AND id = ?2",
    )?;
    let mut rows = select.query((secret.as_str(), id))?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    Ok(Some(SealedVersion {
        version: version(row)?,
        key: row.get(5)?,
        sealed: row.get(6)?,
    }))
}

/// The secrets and ids of all versions that are current or previous.
pub(crate) fn in_use(connection: &Connection) -> Outcome<Vec<(ResourceName, String)>> {
    let mut select = connection.prepare_cached(
        "SELECT secret, id FROM sealed_secret WHERE stage <> 'retired' AND stage <> 'pending' ORDER BY secret, number",
    )?;
    let mut rows = select.query([])?;
    let mut used = Vec::new();
    while let Some(row) = rows.next()? {
        used.push((parsed(&row.get::<_, String>(0)?)?, row.get(1)?));
    }
    Ok(used)
}

/// Adds a version and moves the others on, unless the one at this stage has the same value.
pub(crate) fn add(
    connection: &Connection,
    secret: &ResourceName,
    added: SealedVersion,
    versions_max: u64,
    record: &AuditRecord,
) -> Outcome<SecretVersion> {
    let stage = added.version.stage;
    let known = versions(connection, secret)?;
    let mut at_stage = known.iter().filter(|version| version.stage == stage);
    if let Some(same) = at_stage.find(|version| version.fingerprint == added.version.fingerprint) {
        return Ok(same.clone());
    }
    let of_origin = known
        .iter()
        .filter(|version| version.origin == added.version.origin);
    if of_origin.count() as u64 >= versions_max {
        return Err(StoreError::Full { max: versions_max }.into());
    }
    let mut moved: Vec<_> = known
        .iter()
        .map(|version| (version, version.stage.after(stage)))
        .filter(|(version, after)| version.stage != *after)
        .collect();
    // Those that retire make room for those that follow them.
    moved.sort_by_key(|(_, after)| *after != Stage::Retired);
    for (version, after) in moved {
        connection
            .prepare_cached("UPDATE sealed_secret SET stage = ?3 WHERE secret = ?1 AND id = ?2")?
            .execute((secret.as_str(), &version.id, after.as_str()))?;
    }
    insert(connection, secret, &added)?;
    audit::append(connection, record)?;
    Ok(added.version)
}

fn insert(connection: &Connection, secret: &ResourceName, added: &SealedVersion) -> Outcome<()> {
    let version = &added.version;
    let mut insert = connection.prepare_cached(
        "INSERT INTO sealed_secret (secret, id, stage, created_at, origin, fingerprint, key, sealed)
         VALUES (:secret, :id, :stage, :created_at, :origin, :fingerprint, :key, :sealed)",
    )?;
    insert.execute(named_params! {
        ":secret": secret.as_str(),
        ":id": version.id,
        ":stage": version.stage.as_str(),
        ":created_at": instant(version.created_at),
        ":origin": version.origin.as_str(),
        ":fingerprint": version.fingerprint,
        ":key": added.key,
        ":sealed": added.sealed,
    })?;
    Ok(())
}

fn version(row: &Row<'_>) -> Outcome<SecretVersion> {
    Ok(SecretVersion {
        id: row.get(0)?,
        stage: word(row.get(1)?)?,
        created_at: parsed(&row.get::<_, String>(2)?)?,
        fingerprint: row.get(3)?,
        origin: word(row.get(4)?)?,
    })
}

/// Reads one of a set of words.
fn word<T: DeserializeOwned>(text: String) -> Outcome<T> {
    serde_json::from_value(text.into()).map_err(|error| unreadable::<T>(&error))
}
