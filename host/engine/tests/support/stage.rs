//! What scripted plugins are told to do, and what they were seen to do; it outlives the hosts.

use super::entropy::Seeded;
use jiff::Timestamp;
use sopwith_core::attempt::Attempt;
use sopwith_core::lock::{Locks, compatible, locks_of};
use sopwith_core::name::ActionName;
use sopwith_core::run::RunId;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Mutex;
use std::time::Duration;

/// What a scripted plugin does when it is called.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// It comes to a report.
    Succeed,
    /// It takes so long, unless it is told to end or its time is up, and comes to a report.
    Work(Duration),
    /// It takes so long, and then does something else.
    WorkThen(Duration, Box<Act>),
    /// It takes until it is told to end or its time is up.
    Block,
    /// It does not listen when it is told to end.
    Hang,
    /// It fails.
    Fail { retryable: bool },
    /// It comes to a report with lists in lists, so many levels deep.
    Nest(usize),
    /// It is told to end, and then fails in a way that would be retried.
    FailWhenToldToEnd,
    /// It says of itself that it was told to end.
    SayCancelled,
    /// The host's own code panics.
    Panic,
    /// It waits for an instant that lies so far away when it is first named, and then does something else.
    SuspendFor(Duration, Box<Act>),
    /// It asks under the name of a gate, and does something else where that is approved.
    Ask(&'static str, Box<Act>),
    /// It calls another procedure, and does something else where that passed.
    Call(&'static str, Box<Act>),
    /// It carries out steps, each with an effect, and then does something else.
    Steps(&'static [&'static str], Box<Act>),
}

/// An attempt that got as far as the plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) run: RunId,
    pub(crate) attempt: u32,
    pub(crate) nominal_at: Option<Timestamp>,
}

/// What plugins are told to do, and what they were seen to do.
#[derive(Default)]
pub(crate) struct Stage {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    script: BTreeMap<ActionName, VecDeque<Act>>,
    chance: Option<Seeded>,
    seen: Vec<Seen>,
    present: BTreeMap<RunId, Locks>,
    present_max: usize,
    effects: Vec<(RunId, String)>,
    finished: BTreeSet<(RunId, String)>,
    leftovers: BTreeSet<RunId>,
    violations: Vec<String>,
}

impl Stage {
    /// Tells the next call of an action what to do; it succeeds where nobody says anything.
    pub(crate) fn then(&self, action: &str, act: Act) {
        let mut inner = self.inner.lock().unwrap();
        inner
            .script
            .entry(action.parse().unwrap())
            .or_default()
            .push_back(act);
    }

    /// Forgets what no call has done yet.
    pub(crate) fn forget_script(&self) {
        self.inner.lock().unwrap().script.clear();
    }

    /// Lets chance decide what plugins do, or lets them succeed from now on.
    pub(crate) fn leave_to_chance(&self, chance: Option<Seeded>) {
        self.inner.lock().unwrap().chance = chance;
    }

    pub(crate) fn act(&self, action: &ActionName) -> Act {
        let mut inner = self.inner.lock().unwrap();
        let told = inner.script.get_mut(action).and_then(VecDeque::pop_front);
        told.or_else(|| inner.chance.as_ref().map(by_chance))
            .unwrap_or(Act::Succeed)
    }

    /// An attempt gets its capabilities.
    pub(crate) fn enter(&self, attempt: &Attempt) {
        let mut inner = self.inner.lock().unwrap();
        let run = &attempt.run;
        inner.seen.push(Seen {
            run: run.id(),
            attempt: run.attempt,
            nominal_at: run.queued.trigger.nominal_at(),
        });
        let locks = locks_of(None, &attempt.grants);
        let conflicts: Vec<_> = inner
            .present
            .iter()
            .filter(|(_, held)| !compatible(held, &locks))
            .collect();
        if !conflicts.is_empty() {
            let violation = format!("{} meets {conflicts:?}", run.id());
            inner.violations.push(violation);
        }
        if inner.present.insert(run.id(), locks).is_some() {
            inner.violations.push(format!("{} is under way twice", run.id()));
        }
        inner.present_max = inner.present_max.max(inner.present.len());
        inner.leftovers.insert(run.id());
    }

    /// An attempt gives its capabilities back, or its host died.
    pub(crate) fn leave(&self, run: RunId) {
        self.inner.lock().unwrap().present.remove(&run);
    }

    /// A run clears up.
    pub(crate) fn clear(&self, run: RunId) {
        self.inner.lock().unwrap().leftovers.remove(&run);
    }

    /// A host clears up what runs left that are none of these.
    pub(crate) fn sweep(&self, live: &[RunId]) {
        self.inner
            .lock()
            .unwrap()
            .leftovers
            .retain(|run| live.contains(run));
    }

    /// A step has its effect.
    pub(crate) fn effect(&self, run: RunId, step: &str) {
        let mut inner = self.inner.lock().unwrap();
        if inner.finished.contains(&(run, step.to_owned())) {
            inner
                .violations
                .push(format!("{run} does the finished step `{step}` again"));
        }
        inner.effects.push((run, step.to_owned()));
    }

    /// A step was recorded as finished.
    pub(crate) fn finish(&self, run: RunId, step: &str) {
        self.inner.lock().unwrap().finished.insert((run, step.to_owned()));
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.inner.lock().unwrap().seen.clone()
    }

    pub(crate) fn effects(&self) -> Vec<String> {
        let inner = self.inner.lock().unwrap();
        inner.effects.iter().map(|(_, step)| step.clone()).collect()
    }

    pub(crate) fn present_max(&self) -> usize {
        self.inner.lock().unwrap().present_max
    }

    pub(crate) fn leftovers(&self) -> BTreeSet<RunId> {
        self.inner.lock().unwrap().leftovers.clone()
    }

    pub(crate) fn violations(&self) -> Vec<String> {
        self.inner.lock().unwrap().violations.clone()
    }
}

fn by_chance(chance: &Seeded) -> Act {
    let then = match chance.below(20) {
        0..=7 => Act::Succeed,
        8..=13 => Act::Work(Duration::from_secs(chance.below(150))),
        14 | 15 => Act::Fail { retryable: true },
        16 => Act::Fail { retryable: false },
        17 => Act::Block,
        18 => Act::FailWhenToldToEnd,
        _ => Act::Panic,
    };
    match chance.below(8) {
        0 | 1 => Act::Steps(&["dump", "verify", "publish"], Box::new(then)),
        2 => Act::SuspendFor(Duration::from_secs(chance.below(600)), Box::new(then)),
        3 => Act::Call("called", Box::new(then)),
        _ => then,
    }
}
