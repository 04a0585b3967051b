//! The work of the clinic: one journal entry after another, now and then a patient or an attachment.

use std::fs;
use std::path::PathBuf;

use jiff::Timestamp;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rusqlite::Connection;

use crate::{Error, attachments, ledger, patients, sample};

const WRITES_PER_PATIENT: u64 = 50;
const WRITES_PER_ATTACHMENT: u64 = 200;

/// Draws what is written next; equal seeds write equal rows.
#[derive(Debug)]
pub(crate) struct Work {
    random: StdRng,
    attachments: PathBuf,
    writes: u64,
}

impl Work {
    pub(crate) fn new(seed: u64, attachments: PathBuf) -> Self {
        Self {
            random: StdRng::seed_from_u64(seed),
            attachments,
            writes: 0,
        }
    }

    /// Writes the next piece of work; the caller's transaction makes it whole.
    pub(crate) fn write_next(&mut self, connection: &Connection, now: Timestamp) -> Result<Written, Error> {
        let turn = self.writes;
        self.writes += 1;
        // The first turn enters a patient, so that there is one for the rest.
        if turn.is_multiple_of(WRITES_PER_PATIENT) {
            patients::enter(connection, sample::patient(&mut self.random), now)?;
        }
        let patient = self.any_patient(connection)?;
        ledger::record(connection, &sample::entry(&mut self.random, patient), now)?;
        if turn.is_multiple_of(WRITES_PER_ATTACHMENT) {
            return self.attach(connection, patient, now);
        }
        Ok(Written { file: None })
    }

    fn attach(&mut self, connection: &Connection, patient: i64, now: Timestamp) -> Result<Written, Error> {
        let (attachment, content) = sample::attachment(&mut self.random, patient);
        attachments::insert_row(connection, &attachment, now)?;
        attachments::write_file(&self.attachments, &attachment, &content)?;
        Ok(Written {
            file: Some(self.attachments.join(attachment.path())),
        })
    }

    fn any_patient(&mut self, connection: &Connection) -> rusqlite::Result<i64> {
        let newest: i64 = connection
            .prepare_cached("SELECT max(id) FROM patients")?
            .query_row([], |row| row.get(0))?;
        let from = self.random.random_range(0..=newest);
        connection
            .prepare_cached("SELECT id FROM patients WHERE id >= ?1 ORDER BY id LIMIT 1")?
            .query_row([from], |row| row.get(0))
    }
}

/// A piece of work that is written and not yet committed.
#[derive(Debug)]
#[must_use]
pub(crate) struct Written {
    file: Option<PathBuf>,
}

impl Written {
    /// Takes back the file, because its row was not committed.
    pub(crate) fn discard(self) -> Result<(), Error> {
        match self.file {
            Some(path) => fs::remove_file(&path).map_err(Error::file(&path)),
            None => Ok(()),
        }
    }
}
