//! Components that were changed: each is refused with a reason, or a plugin that ends within its bounds.

use super::calls::guests;
use super::sections::{Binary, Content, push_number};
use crate::capabilities::Notes;
use crate::clock::{TestClock, TestEntropy};
use crate::guests::{Written, fixture};
use crate::hostile;
use crate::stage::{BOTH, bounds, call};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::json;
use sopwith_core::limits::Limits;
use sopwith_core::port::{Plugin, PluginLoader as _, PluginProblem};
use sopwith_fuzz::{Case, Target};
use sopwith_sandbox::{Allocation, Sandbox, Settings};
use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// How much faster the clock of the sandbox is, so that what hangs is soon given up.
const SPEED: u32 = 20;
/// After so many cases a good plugin has to load and run as ever.
const NEIGHBOUR_EVERY: u32 = 50;

/// Numbers that are just too large, in what counts, sizes and indices are made of.
const NUMBERS: &[u32] = &[
    0,
    1,
    2,
    7,
    8,
    9,
    127,
    128,
    255,
    256,
    65_535,
    65_536,
    100_001,
    1 << 31,
    u32::MAX,
];

/// Operators of code that fit in each other's places, and small numbers.
const OPERATORS: &[u8] = &[
    0x00, 0x01, 0x0c, 0x0f, 0x10, 0x1a, 0x20, 0x21, 0x22, 0x23, 0x28, 0x36, 0x40, 0x41, 0x45, 0x46, 0x6a,
    0x6b, 0x6c, 0x6d, 0x71, 0x72, 0x74, 0x7f,
];

/// The bytes of a file that should be a component.
#[derive(Clone)]
struct Bytes(Arc<[u8]>);

impl std::fmt::Debug for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

impl Case for Bytes {
    const EXTENSION: &'static str = "wasm";

    fn written(&self) -> Vec<u8> {
        self.0.to_vec()
    }

    fn read(content: &[u8]) -> Option<Self> {
        Some(Self(content.into()))
    }
}

/// What becomes of one section.
#[derive(Debug, Clone)]
enum Change {
    Cut,
    Double(usize),
    Move(Index),
    Graft(Index, Index),
    Kind(u8),
    Content(Vec<Edit>),
    /// The same, of what runs: globals, elements, code and data.
    Running(Vec<Edit>),
}

/// What becomes of some bytes: a byte, a number or a few bytes, mostly near the beginning, where counts are.
#[derive(Debug, Clone)]
enum Edit {
    Byte(Index, u8),
    Number(Index, u32),
    Insert(Index, Vec<u8>),
    Cut(Index, usize),
    Double(Index, usize),
}

fn edit() -> impl Strategy<Value = Edit> {
    let place = any::<Index>;
    prop_oneof![
        2 => (place(), any::<u8>()).prop_map(|(at, byte)| Edit::Byte(at, byte)),
        4 => (place(), select(OPERATORS)).prop_map(|(at, byte)| Edit::Byte(at, byte)),
        3 => (place(), select(NUMBERS)).prop_map(|(at, number)| Edit::Number(at, number)),
        1 => (place(), vec(any::<u8>(), 1..5)).prop_map(|(at, bytes)| Edit::Insert(at, bytes)),
        1 => (place(), 1..9_usize).prop_map(|(at, length)| Edit::Cut(at, length)),
        1 => (place(), 1..40_usize).prop_map(|(at, length)| Edit::Double(at, length)),
    ]
}

impl Edit {
    fn make(&self, bytes: &mut Vec<u8>) {
        let place = |at: &Index| at.index(bytes.len() + 1);
        match self {
            Self::Byte(at, byte) => {
                let at = place(at);
                bytes.splice(at..(at + 1).min(bytes.len()), [*byte]);
            }
            Self::Number(at, number) => {
                let at = place(at);
                let mut written = Vec::new();
                push_number(&mut written, *number);
                bytes.splice(at..(at + 1).min(bytes.len()), written);
            }
            Self::Insert(at, new) => {
                let at = place(at);
                bytes.splice(at..at, new.iter().copied());
            }
            Self::Cut(at, length) => {
                let at = place(at);
                bytes.drain(at..(at + length).min(bytes.len()));
            }
            Self::Double(at, length) => {
                let at = place(at);
                let copy = bytes[at..(at + length).min(bytes.len())].to_vec();
                bytes.splice(at..at, copy);
            }
        }
    }
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        2 => Just(Change::Cut),
        1 => prop_oneof![Just(1), 2..300_usize].prop_map(Change::Double),
        1 => any::<Index>().prop_map(Change::Move),
        3 => any::<[Index; 2]>().prop_map(|[from, place]| Change::Graft(from, place)),
        1 => (0..14_u8).prop_map(Change::Kind),
        12 => vec(edit(), 1..4).prop_map(Change::Content),
        12 => vec(edit(), 1..4).prop_map(Change::Running),
    ]
}

impl Change {
    fn make(&self, binary: &mut Binary, at: Index, seeds: &[Binary]) {
        if binary.count() == 0 {
            return;
        }
        let number = match (self, binary.running()) {
            (Self::Running(_), running) if !running.is_empty() => *at.get::<usize>(&running),
            _ => at.index(binary.count()),
        };
        let (sections, place) = binary.place(number);
        match self {
            Self::Cut => {
                sections.remove(place);
            }
            Self::Double(times) => {
                let copies = vec![sections[place].clone(); *times];
                sections.splice(place..place, copies);
            }
            Self::Move(to) => {
                let section = sections.remove(place);
                sections.insert(to.index(sections.len() + 1), section);
            }
            Self::Graft(from, which) => {
                let mut from = from.get::<Binary>(seeds).clone();
                let number = which.index(from.count());
                let (others, other) = from.place(number);
                sections.insert(place, others[other].clone());
            }
            Self::Kind(id) => sections[place].id = *id,
            Self::Content(edits) | Self::Running(edits) => {
                let bytes = match &mut sections[place].content {
                    Content::Bytes(bytes) => bytes,
                    Content::Inner(inner) => &mut inner.header,
                };
                for edit in edits {
                    edit.make(bytes);
                }
            }
        }
    }
}

/// Guests that behave and guests that do not, and one that was built of Rust.
fn seeds(kept: Vec<Bytes>) -> Vec<Binary> {
    let written = [
        Written::default(),
        hostile::memory_bomb(),
        hostile::memory_at_once(),
        hostile::table_bomb(),
        hostile::handle_bomb(),
        hostile::pipes_in_turn(),
        hostile::huge_text(),
        hostile::random_bomb(),
        hostile::recursion(),
        Written {
            run: hostile::LOOP,
            ..Written::default()
        },
    ];
    let written = written.iter().map(Written::bytes).chain([fixture("noop")]);
    let all = kept.into_iter().map(|bytes| bytes.0).chain(written);
    all.filter_map(|bytes| Binary::parse(&bytes))
        .filter(|binary| binary.count() > 0)
        .collect()
}

fn cases(seeds: Vec<Binary>) -> impl Strategy<Value = Bytes> {
    let changes =
        prop_oneof![4 => vec((any::<Index>(), change()), 1), 1 => vec((any::<Index>(), change()), 2..4)];
    // Changes of the whole file make its sizes wrong, which is soon noticed.
    let edits = prop_oneof![16 => Just(Vec::new()), 1 => vec(edit(), 1..4)];
    let altered = (any::<Index>(), changes, edits).prop_map(move |(seed, changes, edits)| {
        let mut binary = seed.get::<Binary>(&seeds).clone();
        for (at, change) in &changes {
            change.make(&mut binary, *at, &seeds);
        }
        let mut bytes = binary.bytes();
        for edit in &edits {
            edit.make(&mut bytes);
        }
        Bytes(bytes.into())
    });
    prop_oneof![8 => altered, 1 => guests().prop_map(Bytes)]
}

/// The same sandbox twice, by where memory comes from.
struct Bench {
    runtime: Runtime,
    sandboxes: [Sandbox; 2],
    tried: Cell<u32>,
}

impl Bench {
    fn new() -> Self {
        let sandbox = |allocation: Allocation| {
            let settings = Settings {
                cache: None,
                allocation,
                clock: Arc::new(TestClock::with_speed(SPEED)),
                entropy: Arc::new(TestEntropy),
            };
            Sandbox::new(settings).expect("a sandbox")
        };
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let sandboxes = {
            let _inside = runtime.enter();
            BOTH.map(sandbox)
        };
        let tried = Cell::new(0);
        Self {
            runtime,
            sandboxes,
            tried,
        }
    }

    fn holds(&self, case: &Bytes) -> &'static str {
        self.tried.set(self.tried.get() + 1);
        if self.tried.get().is_multiple_of(NEIGHBOUR_EVERY) {
            let good = self
                .load(&Written::default().bytes())
                .expect("a good plugin loads as ever");
            assert!(self.run(&*good).expect("and runs").is_ok());
        }
        match self.load(&case.0) {
            Err(problem) => {
                assert!(!problem.message.is_empty());
                "refused"
            }
            Ok(plugin) => match self.run(&*plugin) {
                Some(Ok(())) => "ran",
                Some(Err(())) => "failed",
                None => unreachable!("a plugin has an action"),
            },
        }
    }

    /// Loads with one allocator or the other in turn.
    fn load(&self, bytes: &Arc<[u8]>) -> Result<Arc<dyn Plugin>, PluginProblem> {
        let sandbox = &self.sandboxes[self.tried.get() as usize % 2];
        self.runtime.block_on(sandbox.load(Arc::clone(bytes)))
    }

    fn run(&self, plugin: &dyn Plugin) -> Option<Result<(), ()>> {
        let action = plugin.manifest().actions.first()?.name.to_string();
        let limits = Limits {
            timeout: Duration::from_secs(4),
            cpu: Duration::from_secs(1),
            ..Limits::default()
        };
        let notes = Arc::new(Notes::default());
        let running = plugin.run(call(&action, json!({})), notes, bounds(limits));
        let ended = self.runtime.block_on(running);
        Some(
            ended
                .result
                .map(drop)
                .map_err(|failure| assert!(!failure.message.is_empty())),
        )
    }
}

#[test]
fn whatever_bytes_are_they_are_refused_or_a_plugin_that_ends() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/component");
    let target = Target::new("component", folder);
    let bench = Bench::new();
    target.run(&cases(seeds(target.corpus())).boxed(), |case| bench.holds(case));
}
