//! A snapshot of an SQLite database, taken while others write.

use super::{Halt, Outlet, Produce, Produced};
use crate::databases::DatabaseFile;
use crate::scratch::with_suffix;
use crate::sql::{Aside, Piece, Snapshot, Summary};
use crate::stop::Watch;
use sopwith_core::failure::{Failure, FailureKind};
use sopwith_core::port::capabilities::Answer;
use std::sync::Arc;
use std::time::Duration;

/// Writers wait for as long as a database in rollback-journal mode is read.
const WRITERS_WAIT_MAX: Duration = Duration::from_mins(1);

/// A database that may be read.
pub(super) struct DatabaseSource {
    file: DatabaseFile,
    aside: Aside,
    bytes: u64,
}

impl DatabaseSource {
    pub(super) fn open(file: DatabaseFile, aside: Aside) -> Answer<Self> {
        let log = std::fs::metadata(with_suffix(&file.path, "-wal")).map_or(0, |metadata| metadata.len());
        Ok(Self {
            bytes: file.check_file()?.max(log),
            file,
            aside,
        })
    }
}

impl Produce for DatabaseSource {
    fn size(&self) -> Option<u64> {
        Some(self.bytes)
    }

    fn run(self: Box<Self>, outlet: &mut Outlet) -> Result<Produced, Halt> {
        let watch = Arc::clone(outlet.watch());
        let mut snapshot = self.aside.snapshot(&self.file, &watch)?;
        let mut produced = Produced::default();
        let waits = snapshot.journal != "wal";
        if waits {
            watch.allot(Some(WRITERS_WAIT_MAX));
            produced.warnings.push(format!(
                "while it is copied writers of `{}` wait: it is in rollback-journal mode; WAL mode avoids it",
                self.file.name
            ));
        }
        let until = waits.then(|| watch.now() + WRITERS_WAIT_MAX);
        let summary = stream(&mut snapshot, outlet, &watch, until)?;
        watch.allot(None);
        let rows = serde_json::to_string(&summary.rows).unwrap_or_default();
        produced.extra.push(("rows".to_owned(), rows));
        produced
            .extra
            .push(("schema-digest".to_owned(), summary.schema_digest));
        Ok(produced)
    }
}

/// Moves all pages. While writers wait, it does so until a time.
fn stream(
    snapshot: &mut Snapshot,
    outlet: &mut Outlet,
    watch: &Watch,
    until: Option<Duration>,
) -> Result<Summary, Halt> {
    let waits = until.is_some();
    loop {
        let left = until.map(|until| until.saturating_sub(watch.now()));
        match snapshot.next(left).map_err(|failure| timed(failure, waits))? {
            Piece::Pages(pages) => outlet.put(&pages).map_err(|halt| match halt {
                Halt::Failed(failure) => Halt::Failed(timed(failure, waits)),
                Halt::Deserted => Halt::Deserted,
            })?,
            Piece::End(summary) => return Ok(summary),
        }
    }
}

fn timed(failure: Failure, waits: bool) -> Failure {
    if waits && failure.kind == FailureKind::Timeout {
        return failure
            .hint("writers wait while a database in rollback-journal mode is read: switch it to WAL mode");
    }
    failure
}
