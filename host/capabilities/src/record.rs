//! Writes the record of a run; every text that goes in is masked and made harmless first.

use crate::clean::clean;
use crate::redaction::{Redaction, Redactor};
use sopwith_core::journal::{JournalEntry, Note};
use sopwith_core::port::capabilities::Answer;
use sopwith_core::port::{Attachment, Clock, Store};
use sopwith_core::run::{Run, RunId};
use std::sync::Arc;

/// The record of one attempt.
pub(crate) struct Record {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    run: RunId,
    attempt: u32,
    redaction: Redaction,
}

impl Record {
    pub(crate) fn new(
        run: &Run,
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

    pub(crate) fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    pub(crate) fn redaction(&self) -> &Redaction {
        &self.redaction
    }

    fn entry(&self, note: Note) -> JournalEntry {
        JournalEntry {
            at: self.clock.now(),
            attempt: self.attempt,
            note: clean(note, &self.redaction),
        }
    }
}
