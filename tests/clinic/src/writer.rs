//! The writer: keeps writing at an even pace until it is told to stop.

use std::num::NonZeroU32;
use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::work::Work;
use crate::{Error, clock};

/// Writes one transaction after another on a connection of its own.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) connection: Connection,
    pub(crate) work: Work,
    /// How many transactions are committed.
    pub(crate) committed: watch::Sender<u64>,
}

impl Writer {
    /// Writes until `stop`; a transaction that has begun is finished.
    ///
    /// It blocks the thread that polls it, so it needs one of its own. Writes that fall behind are
    /// made up for, so that the pace holds on average.
    pub(crate) async fn run(mut self, writes_per_second: NonZeroU32, stop: CancellationToken) {
        let mut pace = tokio::time::interval(Duration::from_secs(1) / writes_per_second.get());
        let mut failing = false;
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                _ = pace.tick() => {}
            }
            match self.write() {
                Ok(()) => {
                    failing = false;
                    self.committed.send_modify(|count| *count += 1);
                }
                Err(error) => {
                    // One line for a streak of failures, or the log would grow with the pace.
                    if !failing {
                        eprintln!("writer: {error}");
                    }
                    failing = true;
                }
            }
        }
    }

    fn write(&mut self) -> Result<(), Error> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let written = self.work.write_next(&transaction, clock::now())?;
        if let Err(error) = transaction.commit() {
            written.discard()?;
            return Err(error.into());
        }
        Ok(())
    }
}
