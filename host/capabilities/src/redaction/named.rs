//! The values that a plugin named or put, which are masked in its run alone.

use super::forms;
use super::search::Search;
use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Values of a run that are masked one by one; beyond that every text is masked as a whole, so that
/// neither time nor a secret runs away.
pub(super) const VALUES_MAX: usize = 256;
/// The same for the bytes of all values together, in all the ways in which they are looked for.
pub(super) const FORMS_BYTES_MAX: usize = 512 << 10;

/// The values of a run.
#[derive(Default)]
pub(super) struct Named(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    values: BTreeSet<Vec<u8>>,
    forms_bytes: usize,
    /// Made when it is next needed.
    search: Option<Search>,
}

impl Named {
    /// What is masked after this is masked by this value, too.
    pub(super) fn add(&self, value: &[u8]) {
        let mut inner = self.lock();
        if inner.add(value) {
            inner.search = None;
        }
    }

    /// What to search for now.
    pub(super) fn search(&self) -> Search {
        let mut inner = self.lock();
        if let Some(search) = &inner.search {
            return search.clone();
        }
        let search = if inner.is_too_much() {
            Search::Everything
        } else {
            Search::of(&inner.values)
        };
        inner.search = Some(search.clone());
        search
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn add(&mut self, value: &[u8]) -> bool {
        if self.is_too_much() {
            return false;
        }
        if value.len() > FORMS_BYTES_MAX {
            // What would be too much is not written down in all its forms first.
            self.forms_bytes = value.len();
            return true;
        }
        if !self.values.insert(value.to_vec()) {
            return false;
        }
        let forms = forms::of(value);
        self.forms_bytes += forms.iter().map(|form| form.text.len()).sum::<usize>();
        true
    }

    fn is_too_much(&self) -> bool {
        self.values.len() > VALUES_MAX || self.forms_bytes > FORMS_BYTES_MAX
    }
}
