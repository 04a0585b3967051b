//! What belongs to the audit log beside its entries: checkpoints, redactions, tombstones, anchors.

use crate::audit;
use crate::column::{from_json, instant, parsed, to_json};
use crate::fault::Outcome;
use jiff::Timestamp;
use rusqlite::{Connection, Params, named_params};
use serde::de::DeserializeOwned;
use sopwith_core::audit::{AuditEntry, AuditRecord, Checkpoint, KeptEntry, Redaction, Signed, Tombstone};
use sopwith_core::digest::Digest;
use sopwith_core::port::{AuditFilter, OldEntries, StoreError};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// How many entries one answer has, unless fewer are asked for.
const LISTED_MAX: u32 = 10_000;

/// The newest entries that fit, those with the highest numbers first. Which ones are on the page goes by their time,
/// as the indices do; an entry may be dated before the one that was written before it.
pub(crate) fn find(connection: &Connection, filter: &AuditFilter) -> Outcome<Vec<KeptEntry>> {
    let mut conditions = vec!["audit.at >= :since AND audit.at < :until"];
    conditions.extend(filter.action.as_ref().map(|_| "audit.action = :action"));
    conditions.extend(filter.seq.map(|_| "audit.seq = :seq"));
    conditions.extend(filter.object.as_ref().map(|_| "audit.object = :object"));
    let actor = filter.actor.as_deref().map(|actor| {
        actor
            .split_once(':')
            .map_or((actor, None), |(kind, name)| (kind, Some(name)))
    });
    conditions.extend(actor.map(|(_, name)| match name {
        Some(_) => "audit.actor ->> 'kind' = :kind AND audit.actor ->> 'name' = :name",
        None => "audit.actor ->> 'kind' = :kind",
    }));
    let sql = format!(
        "{} WHERE {} ORDER BY audit.at DESC, audit.seq DESC LIMIT :limit",
        audit::SELECT,
        conditions.join(" AND ")
    );
    let mut select = connection.prepare_cached(&sql)?;
    let parameters: [(&str, Option<String>); 7] = [
        (":since", Some(instant(filter.since.unwrap_or(Timestamp::MIN)))),
        // Nothing was written at the end of all time.
        (":until", Some(instant(filter.until.unwrap_or(Timestamp::MAX)))),
        (":seq", filter.seq.map(|seq| seq.to_string())),
        (":action", filter.action.clone()),
        (":object", filter.object.clone()),
        (":kind", actor.map(|(kind, _)| kind.to_owned())),
        (":name", actor.and_then(|(_, name)| name).map(str::to_owned)),
    ];
    for (name, value) in parameters.iter().filter(|(_, value)| value.is_some()) {
        let index = select.parameter_index(name)?.expect("it stands in the statement");
        select.raw_bind_parameter(index, value)?;
    }
    let limit = select
        .parameter_index(":limit")?
        .expect("it stands in the statement");
    select.raw_bind_parameter(limit, filter.limit.unwrap_or(LISTED_MAX).min(LISTED_MAX))?;
    let mut entries = audit::page(select.raw_query())?;
    entries.sort_unstable_by_key(|kept| Reverse(kept.entry.seq));
    Ok(entries)
}

/// The numbers of the first and the last entry of this time.
pub(crate) fn between(
    connection: &Connection,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
) -> Outcome<Option<(u64, u64)>> {
    let mut select =
        connection.prepare_cached("SELECT min(seq), max(seq) FROM audit WHERE at >= ?1 AND at < ?2")?;
    let (since, until) = (since.unwrap_or(Timestamp::MIN), until.unwrap_or(Timestamp::MAX));
    let (first, last): (Option<u64>, Option<u64>) = select
        .query_row((instant(since), instant(until)), |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    Ok(first.zip(last))
}

/// The newest checkpoint.
pub(crate) fn last_checkpoint(connection: &Connection) -> Outcome<Option<Signed<Checkpoint>>> {
    let sql = "SELECT body FROM audit_checkpoint ORDER BY seq DESC LIMIT 1";
    Ok(bodies(connection, sql, [])?.pop())
}

/// Checkpoints, oldest first.
pub(crate) fn checkpoints(
    connection: &Connection,
    after: u64,
    limit: u32,
) -> Outcome<Vec<Signed<Checkpoint>>> {
    let sql = "SELECT body FROM audit_checkpoint WHERE seq > ?1 ORDER BY seq LIMIT ?2";
    bodies(connection, sql, (number(after), limit))
}

/// Keeps a checkpoint that follows on the newest one.
pub(crate) fn add_checkpoint(connection: &Connection, checkpoint: &Signed<Checkpoint>) -> Outcome<()> {
    let last = last_checkpoint(connection)?.map_or(0, |last| last.statement.seq);
    if last != checkpoint.statement.previous.unwrap_or_default() {
        return Err(StoreError::Conflict { found: last }.into());
    }
    connection
        .prepare_cached("INSERT INTO audit_checkpoint (seq, body) VALUES (?1, ?2)")?
        .execute((checkpoint.statement.seq, to_json(checkpoint)?))?;
    Ok(())
}

/// Takes a payload away.
pub(crate) fn redact(
    connection: &Connection,
    redaction: &Signed<Redaction>,
    record: &AuditRecord,
) -> Outcome<AuditEntry> {
    // What is deleted is overwritten, too.
    connection.pragma_update(None, "secure_delete", true)?;
    let seq = redaction.statement.seq;
    let deleted = connection
        .prepare_cached("DELETE FROM audit_payload WHERE seq = ?1")?
        .execute([number(seq)]);
    connection.pragma_update(None, "secure_delete", false)?;
    if deleted? == 0 {
        return Err(StoreError::Unfit(format!("entry {seq} has no payload")).into());
    }
    connection
        .prepare_cached("INSERT INTO audit_redaction (seq, body) VALUES (?1, ?2)")?
        .execute((seq, to_json(redaction)?))?;
    audit::append(connection, record)
}

/// The oldest entries that are old enough.
pub(crate) fn old_entries(
    connection: &Connection,
    before: Timestamp,
    below: u64,
    most: u32,
) -> Outcome<Option<OldEntries>> {
    let mut select = connection
        .prepare_cached("SELECT seq, at, previous, hash FROM audit WHERE seq < ?1 ORDER BY seq LIMIT ?2")?;
    let mut rows = select.query((number(below), most))?;
    let mut old: Option<OldEntries> = None;
    while let Some(row) = rows.next()? {
        let (seq, at): (u64, Timestamp) = (row.get(0)?, parsed(&row.get::<_, String>(1)?)?);
        if at >= before {
            break;
        }
        let digest = |column| Ok::<_, rusqlite::Error>(Digest::from(row.get::<_, [u8; 32]>(column)?));
        let (first, from, previous) = match old {
            Some(old) => (old.first, old.from, old.previous),
            None => (seq, at, digest(2)?),
        };
        old = Some(OldEntries {
            first,
            from,
            previous,
            last: seq,
            to: at,
            hash: digest(3)?,
        });
    }
    Ok(old)
}

/// Removes entries, and leaves a tombstone in their place.
pub(crate) fn retire(
    connection: &Connection,
    tombstone: &Signed<Tombstone>,
    record: &AuditRecord,
) -> Outcome<()> {
    let range = tombstone.statement;
    for table in ["audit_payload", "audit_redaction", "audit_checkpoint", "audit"] {
        let delete = format!("DELETE FROM {table} WHERE seq BETWEEN ?1 AND ?2");
        let deleted = connection
            .prepare_cached(&delete)?
            .execute((range.first, range.last))?;
        if table == "audit" && deleted as u64 != range.count {
            return Err(StoreError::Conflict {
                found: deleted as u64,
            }
            .into());
        }
    }
    connection
        .prepare_cached("INSERT INTO audit_tombstone (first, last, body) VALUES (?1, ?2, ?3)")?
        .execute((range.first, range.last, to_json(tombstone)?))?;
    audit::append(connection, record).map(drop)
}

/// Tombstones, oldest first.
pub(crate) fn tombstones(connection: &Connection, after: u64) -> Outcome<Vec<Signed<Tombstone>>> {
    let sql = "SELECT body FROM audit_tombstone WHERE last > ?1 ORDER BY first";
    bodies(connection, sql, [number(after)])
}

/// The newest checkpoint of each anchor.
pub(crate) fn anchored(connection: &Connection) -> Outcome<BTreeMap<String, u64>> {
    let mut select = connection.prepare_cached("SELECT name, seq FROM audit_anchor")?;
    let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Notes what an anchor has.
pub(crate) fn set_anchored(connection: &Connection, anchor: &str, seq: u64) -> Outcome<()> {
    let mut upsert = connection.prepare_cached(
        "INSERT INTO audit_anchor (name, seq) VALUES (:name, :seq)
         ON CONFLICT (name) DO UPDATE SET seq = max(seq, :seq)",
    )?;
    upsert.execute(named_params! { ":name": anchor, ":seq": seq })?;
    Ok(())
}

fn bodies<T: DeserializeOwned>(
    connection: &Connection,
    sql: &str,
    parameters: impl Params,
) -> Outcome<Vec<T>> {
    let mut select = connection.prepare_cached(sql)?;
    let mut rows = select.query(parameters)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(from_json(&row.get::<_, String>(0)?)?);
    }
    Ok(found)
}

/// No entry has a number beyond what the database can count.
fn number(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}
