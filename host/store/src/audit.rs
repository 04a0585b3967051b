//! The audit log: its chain goes on in the transaction of the change that it tells of.

use crate::column::{from_json, instant, parsed, to_json, unreadable};
use crate::fault::Outcome;
use crate::reader::Page;
use rusqlite::{Connection, OptionalExtension as _, Row, Rows, named_params};
use serde_json::{Value, json};
use sopwith_core::actor::Actor;
use sopwith_core::audit::{AuditEntry, AuditHead, AuditRecord, KeptEntry, canonical};
use sopwith_core::digest::Digest;
use sopwith_core::run::{Run, RunEvent};

/// How many entries one call gives.
const ENTRIES_MAX: u32 = 10_000;

/// What is larger is in the payload by its digest; the event itself has it in full.
const PAYLOAD_PART_BYTES_MAX: usize = 4 << 10;

/// Adds an entry to the end of the chain.
pub(crate) fn append(connection: &Connection, record: &AuditRecord) -> Outcome<AuditEntry> {
    // Read each time, so that a transaction that is taken back takes the chain's end back with it.
    let (entry, next) = head(connection)?.append(record);
    let mut insert = connection.prepare_cached(
        "INSERT INTO audit (seq, previous, at, actor, action, object, revision, payload_digest, hash)
         VALUES (:seq, :previous, :at, :actor, :action, :object, :revision, :payload_digest, :hash)",
    )?;
    insert.execute(named_params! {
        ":seq": entry.seq,
        ":previous": entry.previous.as_bytes(),
        ":at": instant(entry.at),
        ":actor": to_json(&entry.actor)?,
        ":action": entry.action,
        ":object": entry.object,
        ":revision": entry.revision.as_ref().map(Digest::as_bytes),
        ":payload_digest": entry.payload_digest.as_bytes(),
        ":hash": next.hash.as_bytes(),
    })?;
    connection
        .prepare_cached("INSERT INTO audit_payload (seq, body) VALUES (?1, ?2)")?
        .execute((entry.seq, to_json(&record.payload)?))?;
    Ok(entry)
}

/// Adds the entry for an event of a run.
pub(crate) fn append_event(
    connection: &Connection,
    run: &Run,
    event: &RunEvent,
    actor: &Actor,
) -> Outcome<()> {
    let mut payload = serde_json::to_value(event).map_err(|error| unreadable::<RunEvent>(&error))?;
    // Each entry says by itself which bytes acted.
    payload["plugin"] = json!(run.queued.plugin);
    payload["plugin_digest"] = json!(run.queued.plugin_digest);
    let record = AuditRecord {
        at: event.at(),
        actor: actor.clone(),
        action: format!("run.{}", event.as_str()),
        object: format!("run:{}", run.id()),
        revision: Some(run.queued.revision),
        payload: slim(payload),
    };
    append(connection, &record).map(drop)
}

/// The end of the chain.
pub(crate) fn head(connection: &Connection) -> Outcome<AuditHead> {
    let last = connection
        .prepare_cached("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")?
        .query_row([], |row| {
            Ok(AuditHead {
                seq: row.get(0)?,
                hash: Digest::from(row.get::<_, [u8; 32]>(1)?),
            })
        })
        .optional()?;
    Ok(last.unwrap_or_default())
}

/// All that is kept of entries.
pub(crate) const SELECT: &str =
    "SELECT audit.seq, previous, at, actor, action, object, revision, payload_digest, hash,
            audit_payload.body, audit_redaction.body
     FROM audit
     LEFT JOIN audit_payload ON audit_payload.seq = audit.seq
     LEFT JOIN audit_redaction ON audit_redaction.seq = audit.seq";

/// Entries after this number, with the payloads that are still there.
pub(crate) fn entries(connection: &Connection, after: u64, limit: u32) -> Outcome<Vec<KeptEntry>> {
    let sql = format!("{SELECT} WHERE audit.seq > ?1 ORDER BY audit.seq LIMIT ?2");
    let mut select = connection.prepare_cached(&sql)?;
    // No entry has a number beyond what the database can count.
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    page(select.query((after, limit.min(ENTRIES_MAX)))?)
}

/// The entries in these rows of [`SELECT`], as many as one answer carries.
pub(crate) fn page(mut rows: Rows<'_>) -> Outcome<Vec<KeptEntry>> {
    let mut page = Page::default();
    while let Some(row) = rows.next()? {
        let (body, redaction): (Option<String>, Option<String>) = (row.get(9)?, row.get(10)?);
        let bytes = body.as_ref().map_or(0, String::len);
        let kept = KeptEntry {
            entry: entry(row)?,
            hash: Digest::from(row.get::<_, [u8; 32]>(8)?),
            payload: body.as_deref().map(from_json).transpose()?,
            redaction: redaction.as_deref().map(from_json).transpose()?,
        };
        if !page.takes(kept, bytes) {
            break;
        }
    }
    Ok(page.rows)
}

fn entry(row: &Row<'_>) -> Outcome<AuditEntry> {
    let digest = |column| Ok::<_, rusqlite::Error>(Digest::from(row.get::<_, [u8; 32]>(column)?));
    Ok(AuditEntry {
        seq: row.get(0)?,
        previous: digest(1)?,
        at: parsed(&row.get::<_, String>(2)?)?,
        actor: from_json(&row.get::<_, String>(3)?)?,
        action: row.get(4)?,
        object: row.get(5)?,
        revision: row.get::<_, Option<[u8; 32]>>(6)?.map(Digest::from),
        payload_digest: digest(7)?,
    })
}

/// Puts a digest in the place of each large part: settings, inputs, the output of a report.
fn slim(payload: Value) -> Value {
    each_part(payload, |part| {
        if is_small(&part) {
            return part;
        }
        let slimmer = each_part(part.clone(), |inner| {
            if is_small(&inner) { inner } else { digested(&inner) }
        });
        if is_small(&slimmer) {
            slimmer
        } else {
            digested(&part)
        }
    })
}

fn each_part(whole: Value, change: impl Fn(Value) -> Value) -> Value {
    match whole {
        Value::Object(parts) => parts
            .into_iter()
            .map(|(name, part)| (name, change(part)))
            .collect(),
        other => other,
    }
}

fn is_small(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
        // Each byte takes up to six, and the quotes two.
        Value::String(text) if text.len() * 6 + 2 <= PAYLOAD_PART_BYTES_MAX => true,
        _ => canonical(value).len() <= PAYLOAD_PART_BYTES_MAX,
    }
}

fn digested(value: &Value) -> Value {
    let text = canonical(value);
    json!({ "digest": Digest::of(&text), "bytes": text.len() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_part_of_a_payload_is_there_by_its_digest() {
        let output = json!("x".repeat(PAYLOAD_PART_BYTES_MAX));
        let event = json!({ "event": "succeeded", "report": { "summary": "fine", "output": output } });
        let expected = json!({
            "event": "succeeded",
            "report": {
                "summary": "fine",
                "output": { "digest": Digest::of(canonical(&output)), "bytes": PAYLOAD_PART_BYTES_MAX + 2 },
            },
        });
        assert_eq!(slim(event), expected);
    }

    #[test]
    fn a_part_with_very_many_small_parts_is_small_too() {
        let settings: Value = (0..10_000)
            .map(|number| (number.to_string(), json!(number)))
            .collect();
        let payload = slim(json!({ "event": "queued", "settings": settings }));
        assert!(
            canonical(&payload).len() <= 2 * PAYLOAD_PART_BYTES_MAX,
            "{payload}"
        );
    }
}
