//! A few connections that only read, each used by one call at a time.

use crate::fault::Outcome;
use crate::schema;
use rusqlite::Connection;
use sopwith_core::port::{StoreError, Stored};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;

/// How many calls read at once; those that come after wait.
const READERS_MAX: usize = 4;

/// How many bytes of JSON one answer has, beyond its first row.
const PAGE_BYTES_MAX: usize = 64 << 20;

/// The rows of an answer, which ends early where they are large.
pub(crate) struct Page<T> {
    pub(crate) rows: Vec<T>,
    bytes: usize,
}

impl<T> Default for Page<T> {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            bytes: 0,
        }
    }
}

impl<T> Page<T> {
    /// Takes a row of so many bytes, or says that it is full.
    pub(crate) fn takes(&mut self, row: T, bytes: usize) -> bool {
        self.bytes += bytes;
        let fits = self.bytes <= PAGE_BYTES_MAX || self.rows.is_empty();
        if fits {
            self.rows.push(row);
        }
        fits
    }
}

/// The way to the connections that read.
pub(crate) struct Readers {
    places: Arc<Semaphore>,
    idle: Arc<Idle>,
}

struct Idle {
    path: PathBuf,
    connections: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self {
            places: Arc::new(Semaphore::new(READERS_MAX)),
            idle: Arc::new(Idle {
                path,
                connections: Mutex::default(),
            }),
        }
    }

    /// Reads one snapshot, apart from the threads that carry the runtime.
    pub(crate) async fn read<T, F>(&self, work: F) -> Stored<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Outcome<T> + Send + 'static,
    {
        let broken = |error: &dyn std::error::Error| StoreError::Broken(error.to_string());
        let place = Arc::clone(&self.places).acquire_owned().await;
        let place = place.map_err(|error| broken(&error))?;
        let idle = Arc::clone(&self.idle);
        let reading = tokio::task::spawn_blocking(move || {
            let _place = place;
            idle.read(work)
        });
        Ok(reading.await.map_err(|error| broken(&error))??)
    }
}

impl Idle {
    fn read<T>(&self, work: impl FnOnce(&Connection) -> Outcome<T>) -> Outcome<T> {
        let mut connection = match self.connections().pop() {
            Some(connection) => connection,
            None => schema::open_reader(&self.path)?,
        };
        let snapshot = connection.transaction()?;
        let answer = work(&snapshot);
        drop(snapshot);
        self.connections().push(connection);
        answer
    }

    fn connections(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
