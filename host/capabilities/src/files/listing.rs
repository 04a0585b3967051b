//! A walk whose entries are handed out page by page, with what is in them.

use super::meta;
use super::walk::{Entry, Walker};
use crate::blocking::on_thread;
use crate::gate::Gate;
use crate::options;
use crate::redaction::Mask;
use crate::stop::Watch;
use crate::trouble::file_failure;
use async_trait::async_trait;
use jiff::Timestamp;
use rustix::fs::FileType;
use sopwith_core::failure::Failure;
use sopwith_core::port::capabilities::{Answer, Inventory, Meta, Pairs};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

/// Entries of one page, whatever was asked for.
const PAGE_ENTRIES_MAX: u32 = 256;
const HEAD_BYTES_MAX: u64 = 64 << 10;

/// What a walk is told besides its filter.
#[derive(Clone)]
pub(super) struct Options {
    wants_digest: bool,
    head_bytes: u64,
    pub(super) depth_max: Option<usize>,
    modified_before: Option<Timestamp>,
}

impl Options {
    pub(super) fn parse(pairs: &Pairs) -> Answer<Self> {
        let names = ["digest", "head-bytes", "depth-max", "modified-before"];
        let [digest, head_bytes, depth_max, modified_before] = options::values(pairs, names)?;
        if digest.is_some_and(|digest| digest != "sha256") {
            return Err(Failure::invalid("the option `digest` knows only `sha256`"));
        }
        let head_bytes = options::parse("head-bytes", head_bytes)?.unwrap_or(0);
        if head_bytes > HEAD_BYTES_MAX {
            return Err(Failure::invalid(format!(
                "`head-bytes` is at most {HEAD_BYTES_MAX}"
            )));
        }
        Ok(Self {
            wants_digest: digest.is_some(),
            head_bytes,
            depth_max: options::parse("depth-max", depth_max)?,
            modified_before: options::parse("modified-before", modified_before)?,
        })
    }
}

/// A walk whose entries are handed out page by page.
pub(super) struct Listing {
    gate: Arc<Gate>,
    directory: String,
    walker: Arc<Mutex<Walker>>,
    options: Options,
}

impl Listing {
    pub(super) fn new(gate: Arc<Gate>, directory: &str, walker: Walker, options: Options) -> Self {
        Self {
            gate,
            directory: directory.to_owned(),
            walker: Arc::new(Mutex::new(walker)),
            options,
        }
    }
}

#[async_trait]
impl Inventory for Listing {
    async fn next(&mut self, entries_max: u32) -> Answer<Vec<Meta>> {
        let walker = Arc::clone(&self.walker);
        let (options, mask) = (self.options.clone(), self.gate.mask());
        let doing = format!("walk directories.{}", self.directory);
        let count = entries_max.clamp(1, PAGE_ENTRIES_MAX) as usize;
        on_thread(&self.gate, move |watch| {
            loop {
                let taken = take(&walker, &options, count, &watch)?;
                let entries = taken.map_err(|error| file_failure(&error, &doing))?;
                let described = describe(&entries, &options, &mask, (&watch, &doing))?;
                // An empty page is the end, so one whose entries have all vanished is none.
                if entries.is_empty() || !described.is_empty() {
                    return Ok(described);
                }
            }
        })
        .await
    }
}

fn take(
    walker: &Mutex<Walker>,
    options: &Options,
    count: usize,
    watch: &Watch,
) -> Answer<io::Result<Vec<Entry>>> {
    let mut walker = walker.lock().unwrap_or_else(PoisonError::into_inner);
    let mut entries = Vec::new();
    while entries.len() < count {
        match walker.next(watch)? {
            Ok(Some(entry)) => {
                let modified_at = meta::modified_at(&entry.stat);
                if options.modified_before.is_none_or(|before| modified_at < before) {
                    entries.push(entry);
                }
            }
            Ok(None) => break,
            Err(error) => return Ok(Err(error)),
        }
    }
    Ok(Ok(entries))
}

/// Reads what is wanted of the entries, on all cores. What has vanished meanwhile is left out.
fn describe(
    entries: &[Entry],
    options: &Options,
    mask: &Mask,
    (watch, doing): (&Watch, &str),
) -> Answer<Vec<Meta>> {
    let reads = options.wants_digest || options.head_bytes > 0;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = if reads { cores.min(entries.len()) } else { 1 };
    let next = AtomicUsize::new(0);
    let described = Mutex::new((0..entries.len()).map(|_| None).collect::<Vec<_>>());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((place, entry)) = claim(entries, &next) {
                    let meta = describe_one(entry, options, mask, (watch, doing));
                    described.lock().unwrap_or_else(PoisonError::into_inner)[place] = Some(meta);
                }
            });
        }
    });
    let described = described.into_inner().unwrap_or_else(PoisonError::into_inner);
    described
        .into_iter()
        .flatten()
        .filter_map(Result::transpose)
        .collect()
}

fn claim<'e>(entries: &'e [Entry], next: &AtomicUsize) -> Option<(usize, &'e Entry)> {
    let place = next.fetch_add(1, Relaxed);
    entries.get(place).map(|entry| (place, entry))
}

fn describe_one(
    entry: &Entry,
    options: &Options,
    mask: &Mask,
    (watch, doing): (&Watch, &str),
) -> Answer<Option<Meta>> {
    let name = Path::new(&entry.name);
    let path = entry.path.to_string_lossy();
    let described = meta::of(&entry.parent, name, &path, &entry.stat);
    let described = match described {
        Ok(mut meta)
            if entry.kind() == FileType::RegularFile && (options.wants_digest || options.head_bytes > 0) =>
        {
            let place = (&*entry.parent, name);
            let head = (options.head_bytes, mask);
            meta::add_content(&mut meta, place, options.wants_digest, head, watch)?.map(|()| meta)
        }
        described => described,
    };
    match described {
        Ok(meta) => Ok(Some(meta)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(file_failure(&error, &format!("{doing}: `{path}`"))),
    }
}
