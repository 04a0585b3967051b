//! The cursors of a session, each on top of the one that was opened before it.

use super::connection::VALUE_BYTES_MAX;
use super::value::{self, Cell, Page};
use super::worker::Worker;
use rusqlite::Rows;
use sopwith_core::failure::Failure;
use sopwith_core::port::capabilities::Answer;

/// Bytes after which a page ends before it has as many rows as were asked for.
const PAGE_BYTES: u64 = 1 << 20;
/// The largest value, and some small ones beside it.
const ROW_BYTES_MAX: u64 = VALUE_BYTES_MAX + (1 << 20);

/// The cursors that are open, the newest first.
pub(super) trait Open {
    fn next(&mut self, worker: &Worker, cursor: u64, rows_max: u32) -> Answer<Page>;
    fn close(&mut self, cursor: u64);
    fn count(&self) -> usize;
    /// Whether the newest one is closed, so that its frame may go.
    fn is_closed(&self) -> bool;
}

/// Beneath the first cursor.
pub(super) struct Ground;

impl Open for Ground {
    fn next(&mut self, _: &Worker, _: u64, _: u32) -> Answer<Page> {
        Err(Failure::invalid("the cursor is closed"))
    }

    fn close(&mut self, _: u64) {}

    fn count(&self) -> usize {
        0
    }

    fn is_closed(&self) -> bool {
        false
    }
}

/// A cursor, and those beneath it.
pub(super) struct Level<'a> {
    pub(super) id: u64,
    /// None once it is closed.
    pub(super) rows: Option<Rows<'a>>,
    pub(super) columns: usize,
    pub(super) rows_left: u64,
    pub(super) bytes_left: u64,
    pub(super) below: &'a mut dyn Open,
}

impl Open for Level<'_> {
    fn next(&mut self, worker: &Worker, cursor: u64, rows_max: u32) -> Answer<Page> {
        if cursor == self.id {
            self.page(worker, rows_max)
        } else {
            self.below.next(worker, cursor, rows_max)
        }
    }

    fn close(&mut self, cursor: u64) {
        if cursor == self.id {
            self.rows = None;
        } else {
            self.below.close(cursor);
        }
    }

    fn count(&self) -> usize {
        1 + self.below.count()
    }

    fn is_closed(&self) -> bool {
        self.rows.is_none()
    }
}

impl Level<'_> {
    fn page(&mut self, worker: &Worker, rows_max: u32) -> Answer<Page> {
        let Some(rows) = &mut self.rows else {
            return Err(Failure::invalid("the cursor is closed"));
        };
        let (mut page, mut bytes) = (Page::new(), 0);
        while page.len() < rows_max.max(1) as usize && bytes < PAGE_BYTES {
            let Some(row) = rows.next().map_err(|error| worker.failure(&error))? else {
                break;
            };
            // Counted before it is held.
            let mut row_bytes = 0;
            for i in 0..self.columns {
                let value = row.get_ref(i).map_err(|error| worker.failure(&error))?;
                row_bytes += value::bytes(&value);
            }
            let most = worker.bounds.query_bytes;
            self.rows_left = take(self.rows_left, 1, "rows", worker.bounds.rows)?;
            self.bytes_left = take(self.bytes_left, row_bytes, "query_bytes", most)?;
            if row_bytes > ROW_BYTES_MAX {
                let message = format!("one row may have {ROW_BYTES_MAX} bytes");
                return Err(Failure::limit("query_bytes", message).hint("ask for fewer columns at once"));
            }
            let values: Result<_, _> = (0..self.columns)
                .map(|i| row.get_ref(i).map(Cell::read))
                .collect();
            let values = values.map_err(|error| worker.failure(&error))?;
            bytes += row_bytes;
            page.push(values);
        }
        Ok(page)
    }
}

fn take(left: u64, more: u64, limit: &str, max: u64) -> Answer<u64> {
    left.checked_sub(more).ok_or_else(|| {
        let unit = if limit == "rows" { "rows" } else { "bytes" };
        Failure::limit(limit, format!("one query may give {max} {unit}"))
    })
}
