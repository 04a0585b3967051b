//! Writes the record of a run; every text that goes in is masked and made harmless first.

use crate::clean::clean;
use crate::redaction::{Redaction, Redactor};
use sopwith_core::failure::Failure;
use sopwith_core::journal::{JournalEntry, Note};
use sopwith_core::port::capabilities::Answer;
use sopwith_core::port::{Attachment, Clock, Store};
use sopwith_core::run::{Run, RunId};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Bytes that changes and failures may take in the record for each call that an attempt may make.
const BYTES_FOR_A_CALL: u64 = 640;
/// An attempt that may make few calls may still fail at length.
const BYTES_MIN: u64 = 1 << 20;
/// What a line takes besides its texts.
const LINE_BYTES: u64 = 96;

/// The record of one attempt.
pub(crate) struct Record {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    run: RunId,
    attempt: u32,
    redaction: Redaction,
    /// Of lines that are not counted where the plugin asks for them.
    bytes: AtomicU64,
    bytes_max: u64,
}

impl Record {
    pub(crate) fn new(
        run: &Run,
        calls_max: u64,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        redactor: Arc<Redactor>,
    ) -> Self {
        Self {
            store,
            clock,
            run: run.id(),
            attempt: run.attempt,
            redaction: Redaction::new(redactor),
            bytes: AtomicU64::new(0),
            bytes_max: calls_max.saturating_mul(BYTES_FOR_A_CALL).max(BYTES_MIN),
        }
    }

    /// Adds a line, at the latest with the next durable one.
    pub(crate) fn soon(&self, note: Note) {
        self.store.record_soon(self.run, vec![self.entry(note)]);
    }

    /// Adds a line, durable when this returns.
    pub(crate) async fn durably(&self, note: Note) -> Answer<()> {
        let entry = self.entry(note);
        Ok(self.store.record(self.run, vec![entry]).await?)
    }

    /// Adds several lines, durable when this returns.
    pub(crate) async fn all_durably(&self, notes: Vec<Note>) -> Answer<()> {
        let entries = notes.into_iter().map(|note| self.entry(note)).collect();
        Ok(self.store.record(self.run, entries).await?)
    }

    /// Keeps a piece of evidence, whose content was masked.
    pub(crate) async fn attach(&self, attachment: Attachment) -> Answer<()> {
        let attachment = Attachment {
            name: self.redaction.line(&attachment.name),
            media_type: self.redaction.line(&attachment.media_type),
            ..attachment
        };
        let entry = self.entry(Note::Attached {
            name: attachment.name.clone(),
            media_type: attachment.media_type.clone(),
            bytes: attachment.content.len() as u64,
        });
        Ok(self.store.attach(self.run, attachment, entry).await?)
    }

    /// Fails once changes and failures have taken what they may; what happened is on record all the same.
    pub(crate) fn check_room(&self) -> Answer<()> {
        if self.bytes.load(Relaxed) <= self.bytes_max {
            return Ok(());
        }
        let max = self.bytes_max;
        let message = format!("an attempt may have {max} bytes of changes and failures on record");
        Err(Failure::limit("record", message).hint("raise `calls` under [limits] if the work needs it"))
    }

    pub(crate) fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    pub(crate) fn redaction(&self) -> &Redaction {
        &self.redaction
    }

    fn entry(&self, note: Note) -> JournalEntry {
        let note = clean(note, &self.redaction);
        self.bytes.fetch_add(bytes(&note), Relaxed);
        JournalEntry {
            at: self.clock.now(),
            attempt: self.attempt,
            note,
        }
    }
}

/// What a line takes that tells of a change or a failure.
fn bytes(note: &Note) -> u64 {
    let texts = match note {
        Note::Change { call, object } | Note::Planned { call, object } => call.len() + object.len(),
        Note::ChangeFailed {
            call,
            object,
            failure,
        } => call.len() + object.len() + failure_bytes(failure),
        Note::StepFailed { name, failure } => name.len() + failure_bytes(failure),
        _ => return 0,
    };
    LINE_BYTES + texts as u64
}

fn failure_bytes(failure: &Failure) -> usize {
    let extra = failure.extra.iter();
    let extra: usize = extra.map(|(name, value)| name.len() + value.len()).sum();
    failure.message.len() + failure.hint.as_ref().map_or(0, String::len) + extra
}
