//! Values that are looked for, and the automaton that finds them, made when it is next needed.

use super::forms;
use super::patterns::Patterns;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

const EMPTY: u8 = 0;
const CHANGED: u8 = 1;
const READY: u8 = 2;

/// Values of some kind, kept as `V` keeps them.
pub(super) struct Known<V> {
    state: AtomicU8,
    values: Mutex<V>,
    search: RwLock<Search>,
}

/// What a text is searched for.
#[derive(Clone, Default)]
pub(super) enum Search {
    /// Nothing is known.
    #[default]
    Nothing,
    /// These.
    For(Arc<Patterns>),
    /// There is too much to look for, so that every text counts as a value.
    Everything,
}

/// A set of values.
pub(super) trait Values: Default {
    /// All of them; none when there are too many.
    fn all(&self) -> Option<Vec<&[u8]>>;
}

impl<V: Values> Known<V> {
    /// Changes the values; what is masked after that is masked by the new ones.
    pub(super) fn change(&self, change: impl FnOnce(&mut V) -> bool) {
        let mut values = self.lock();
        if change(&mut values) {
            self.state.store(CHANGED, Ordering::Release);
        }
    }

    /// What to search for now. Where nothing is known it costs one look at a number.
    pub(super) fn search(&self) -> Search {
        match self.state.load(Ordering::Acquire) {
            EMPTY => Search::Nothing,
            READY => self.search.read().unwrap_or_else(PoisonError::into_inner).clone(),
            _ => self.prepare(),
        }
    }

    fn prepare(&self) -> Search {
        // Nobody changes the values, or searches for the old ones, before this is done.
        let values = self.lock();
        if self.state.load(Ordering::Acquire) == READY {
            return self.search.read().unwrap_or_else(PoisonError::into_inner).clone();
        }
        let search = prepare(&*values);
        *self.search.write().unwrap_or_else(PoisonError::into_inner) = search.clone();
        self.state.store(READY, Ordering::Release);
        search
    }

    fn lock(&self) -> MutexGuard<'_, V> {
        self.values.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<V: Values> Default for Known<V> {
    fn default() -> Self {
        Self {
            state: AtomicU8::new(EMPTY),
            values: Mutex::default(),
            search: RwLock::default(),
        }
    }
}

fn prepare(values: &impl Values) -> Search {
    let Some(values) = values.all() else {
        return Search::Everything;
    };
    let forms: Vec<_> = values.into_iter().flat_map(forms::of).collect();
    match Patterns::new(&forms) {
        Ok(patterns) => Search::For(Arc::new(patterns)),
        Err(_) => Search::Everything,
    }
}
