//! Lines of the record that nobody waits for: bounded in memory, and counted where they are dropped.

use crate::fault::{Fault, Outcome};
use crate::journal::{self, Line};
use crate::writer::{Job, Writer};
use jiff::Timestamp;
use rusqlite::Connection;
use sopwith_core::journal::{JournalEntry, Note};
use sopwith_core::port::{StoreError, Stored};
use sopwith_core::run::RunId;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many bytes of lines may wait to be written.
const WAITING_BYTES_MAX: u32 = 8 << 20;

/// Takes lines that nobody waits for.
pub(crate) struct Soon {
    room: Arc<Semaphore>,
    dropped: Arc<Dropped>,
}

impl Soon {
    pub(crate) fn new() -> Self {
        Self {
            room: Arc::new(Semaphore::new(WAITING_BYTES_MAX as usize)),
            dropped: Arc::default(),
        }
    }

    /// The work that tells, at the end of each batch, what was dropped since the last one.
    pub(crate) fn notices(&self) -> impl FnMut() -> Option<Box<dyn Job>> + use<> {
        let dropped = Arc::clone(&self.dropped);
        move || {
            let notices = Notices {
                gaps: dropped.take(),
                written: false,
                dropped: Arc::clone(&dropped),
            };
            (!notices.gaps.is_empty()).then(|| Box::new(notices) as Box<dyn Job>)
        }
    }

    /// Hands lines to the writer, or counts them as dropped where there is no room.
    pub(crate) fn record(&self, writer: &Writer, run: RunId, entries: &[JournalEntry]) {
        let Some(newest) = entries.last() else {
            return;
        };
        let gap = Gap {
            entries: entries.len(),
            at: newest.at,
            attempt: newest.attempt,
        };
        let sent = self
            .lines(run, entries, gap)
            .and_then(|job| Ok(writer.send(job)?));
        if let Err(fault) = sent {
            tracing::debug!(%run, %fault, "lines of the record were dropped");
            self.dropped.add(run, gap);
        }
    }

    fn lines(&self, run: RunId, entries: &[JournalEntry], gap: Gap) -> Outcome<Box<dyn Job>> {
        let lines = journal::lines(entries)?;
        let bytes: usize = lines.iter().map(Line::bytes).sum();
        // What alone is larger than the room may go when all of it is free.
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX).min(WAITING_BYTES_MAX);
        let room = Arc::clone(&self.room).try_acquire_many_owned(bytes);
        let room = room.map_err(|_| StoreError::Broken("too much waits to be written".to_owned()))?;
        Ok(Box::new(Waiting {
            run,
            lines,
            gap,
            written: false,
            dropped: Arc::clone(&self.dropped),
            _room: room,
        }))
    }
}

/// Lines that were not written.
#[derive(Debug, Clone, Copy)]
struct Gap {
    entries: usize,
    at: Timestamp,
    attempt: u32,
}

/// What was dropped of each run since somebody could be told.
#[derive(Default)]
struct Dropped(Mutex<BTreeMap<RunId, Gap>>);

impl Dropped {
    fn add(&self, run: RunId, gap: Gap) {
        let mut gaps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        gaps.entry(run)
            .and_modify(|known| known.entries += gap.entries)
            .or_insert(gap);
    }

    fn take(&self) -> BTreeMap<RunId, Gap> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Lines on their way.
struct Waiting {
    run: RunId,
    lines: Vec<Line>,
    gap: Gap,
    written: bool,
    dropped: Arc<Dropped>,
    _room: OwnedSemaphorePermit,
}

impl Job for Waiting {
    fn may_linger(&self) -> bool {
        true
    }

    fn carry_out(&mut self, connection: &Connection) -> Stored<()> {
        journal::append(connection, self.run, &self.lines)?;
        self.written = true;
        Ok(())
    }

    fn conclude(self: Box<Self>, committed: Stored<()>) {
        if !self.written || committed.is_err() {
            self.dropped.add(self.run, self.gap);
        }
    }
}

/// Tells of what was dropped, where it would have stood.
struct Notices {
    gaps: BTreeMap<RunId, Gap>,
    written: bool,
    dropped: Arc<Dropped>,
}

impl Job for Notices {
    fn may_linger(&self) -> bool {
        true
    }

    fn carry_out(&mut self, connection: &Connection) -> Stored<()> {
        for (run, gap) in &self.gaps {
            match journal::append(connection, *run, &journal::lines(&[notice(*gap)])?) {
                // There is no record to tell it in.
                Err(Fault::Answer(StoreError::NoRun(_))) => {}
                other => other?,
            }
        }
        self.written = true;
        Ok(())
    }

    fn conclude(self: Box<Self>, committed: Stored<()>) {
        if self.written && committed.is_ok() {
            return;
        }
        for (run, gap) in self.gaps {
            self.dropped.add(run, gap);
        }
    }
}

fn notice(gap: Gap) -> JournalEntry {
    JournalEntry {
        at: gap.at,
        attempt: gap.attempt,
        note: Note::Log {
            level: "warn".to_owned(),
            message: format!("{} entries dropped", gap.entries),
            fields: Vec::new(),
        },
    }
}
