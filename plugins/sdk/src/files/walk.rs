//! Walks through directories.

use super::{Directory, Meta};
use crate::Result;
use crate::bindings::sopwith::plugin::files as host;
use jiff::Timestamp;
use std::vec;

/// Large enough that a call a page costs nothing.
const PAGE_ENTRIES_MAX: u32 = 256;

/// A walk that is yet to begin.
#[derive(Debug)]
#[must_use = "a walk begins with `entries`"]
pub struct Walk<'a> {
    directory: &'a Directory,
    path: String,
    include_globs: Vec<String>,
    exclude_globs: Vec<String>,
    options: Vec<(String, String)>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(directory: &'a Directory, path: &str) -> Self {
        Self {
            directory,
            path: path.to_owned(),
            include_globs: Vec::new(),
            exclude_globs: Vec::new(),
            options: Vec::new(),
        }
    }

    /// Only what one of these fits; without any, all.
    pub fn include(mut self, globs: impl IntoIterator<Item: Into<String>>) -> Self {
        self.include_globs.extend(globs.into_iter().map(Into::into));
        self
    }

    /// Nothing that one of these fits.
    pub fn exclude(mut self, globs: impl IntoIterator<Item: Into<String>>) -> Self {
        self.exclude_globs.extend(globs.into_iter().map(Into::into));
        self
    }

    /// With the digest of each file.
    pub fn digest(self) -> Self {
        self.option("digest", "sha256".to_owned())
    }

    /// With so many of the first bytes of each file.
    pub fn head_bytes(self, bytes: u32) -> Self {
        self.option("head-bytes", bytes.to_string())
    }

    /// No deeper than this; 1 is what lies in the directory itself.
    pub fn depth_max(self, depth: u32) -> Self {
        self.option("depth-max", depth.to_string())
    }

    /// Only what was last changed before this.
    pub fn modified_before(self, instant: Timestamp) -> Self {
        self.option("modified-before", instant.to_string())
    }

    /// Begins the walk.
    pub fn entries(self) -> Result<Entries> {
        let (directory, path) = (self.directory.name(), &self.path);
        let (include, exclude) = (&self.include_globs, &self.exclude_globs);
        let inventory = host::walk(directory, path, include, exclude, &self.options)?;
        Ok(Entries {
            inventory,
            page: Vec::new().into_iter(),
            ended: false,
        })
    }

    fn option(mut self, name: &str, value: String) -> Self {
        self.options.push((name.to_owned(), value));
        self
    }
}

/// What a walk comes by.
#[derive(Debug)]
pub struct Entries {
    inventory: host::Inventory,
    page: vec::IntoIter<Meta>,
    ended: bool,
}

impl Entries {
    fn turn_page(&mut self) -> Result<Option<Meta>> {
        self.page = self.inventory.next(PAGE_ENTRIES_MAX)?.into_iter();
        Ok(self.page.next())
    }
}

impl Iterator for Entries {
    type Item = Result<Meta>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(meta) = self.page.next() {
            return Some(Ok(meta));
        }
        if self.ended {
            return None;
        }
        let next = self.turn_page();
        self.ended = !matches!(next, Ok(Some(_)));
        next.transpose()
    }
}
