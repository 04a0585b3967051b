//! What texts are searched for.

use super::forms;
use super::patterns::Patterns;
use std::sync::Arc;

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

impl Search {
    /// Looks for these values, in all the ways in which they may be written.
    pub(super) fn of<'v>(values: impl IntoIterator<Item = &'v Vec<u8>>) -> Self {
        let forms: Vec<_> = values.into_iter().flat_map(|value| forms::of(value)).collect();
        if forms.is_empty() {
            return Self::Nothing;
        }
        match Patterns::new(&forms) {
            Ok(patterns) => Self::For(Arc::new(patterns)),
            Err(_) => Self::Everything,
        }
    }
}
