//! Finds every form of every value that is known, in one pass over what may come in pieces.

use super::forms::{Form, Shared};
use aho_corasick::automaton::{Automaton, StateID};
use aho_corasick::dfa::DFA;
use aho_corasick::nfa::contiguous::NFA;
use aho_corasick::{Anchored, BuildError};

/// With more bytes in all forms the fast table takes megabytes, and long to make.
const TABLE_BYTES_MAX: usize = 8 << 10;

/// All forms of all values, ready to be looked for.
pub(super) struct Patterns {
    machine: Machine,
    shared: Vec<Shared>,
    reach: usize,
}

/// The same automaton as a table, or smaller and slower.
enum Machine {
    Table(DFA),
    Compact(NFA),
}

/// How far a look has come.
#[derive(Debug, Clone, Default)]
pub(super) struct Walk {
    state: Option<StateID>,
    /// How many bytes were looked at.
    at: usize,
    /// No form that is still to be found begins before this byte.
    open: usize,
}

/// Where a form stands, counted from the first byte that was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) shared: Shared,
}

impl Patterns {
    /// Fails where there are too many forms for any automaton.
    pub(super) fn new(forms: &[Form]) -> Result<Self, BuildError> {
        let texts = || forms.iter().map(|form| &form.text);
        let bytes: usize = texts().map(Vec::len).sum();
        // A prefilter pays for few patterns alone.
        let machine = if bytes <= TABLE_BYTES_MAX {
            Machine::Table(DFA::builder().prefilter(false).build(texts())?)
        } else {
            Machine::Compact(NFA::builder().prefilter(false).build(texts())?)
        };
        Ok(Self {
            machine,
            shared: forms.iter().map(|form| form.shared).collect(),
            reach: texts().map(Vec::len).max().unwrap_or_default(),
        })
    }

    /// The most bytes that one form has.
    pub(super) fn reach(&self) -> usize {
        self.reach
    }

    /// Looks at the next bytes, and adds what ends in them, in the order of the ends.
    pub(super) fn walk(&self, walk: &mut Walk, bytes: &[u8], found: &mut Vec<Found>) {
        match &self.machine {
            Machine::Table(table) => self.walk_through(table, walk, bytes, found),
            Machine::Compact(compact) => self.walk_through(compact, walk, bytes, found),
        }
    }

    fn walk_through(
        &self,
        automaton: &impl Automaton,
        walk: &mut Walk,
        bytes: &[u8],
        found: &mut Vec<Found>,
    ) {
        let Ok(first) = automaton.start_state(Anchored::No) else {
            unreachable!("both automata are made to search from any place")
        };
        let mut state = walk.state.unwrap_or(first);
        let mut open = walk.open;
        for (place, byte) in (walk.at + 1..).zip(bytes) {
            state = automaton.next_state(Anchored::No, state, *byte);
            if state == first {
                open = place;
            } else if automaton.is_match(state) {
                found.push(self.form_at(automaton, state, place));
            }
        }
        walk.at += bytes.len();
        walk.open = open.max(walk.at.saturating_sub(self.reach));
        walk.state = Some(state);
    }

    /// The form that ends here. Of several the longest comes first, and covers the others.
    fn form_at(&self, automaton: &impl Automaton, state: StateID, end: usize) -> Found {
        let pattern = automaton.match_pattern(state, 0);
        Found {
            start: end - automaton.pattern_len(pattern),
            end,
            shared: self.shared[pattern.as_usize()],
        }
    }
}

impl Walk {
    /// Nothing that is still to be found begins before this byte, or shares its value with one.
    pub(super) fn decided(&self) -> usize {
        self.open.saturating_sub(1)
    }
}
