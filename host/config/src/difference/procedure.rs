//! What would become of procedures.

use super::Side;
use super::written::{Changed, changed};
use jiff::Timestamp;
use serde::Serialize;
use sopwith_core::digest::Digest;
use sopwith_core::generation::ReadyProcedure;
use sopwith_core::name::{ActionName, ProcedureName, ScheduleName};
use sopwith_core::schedule::Schedule;
use std::collections::BTreeSet;

/// How many coming instants of a schedule are told.
const TICKS: usize = 3;

/// What would become of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It is not there yet.
    Added,
    /// It would be gone.
    Removed,
    /// It would be another.
    Changed,
}

/// What would become of one procedure.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ProcedureDifference {
    /// Its name.
    pub name: ProcedureName,
    /// What would become of it.
    pub fate: Fate,
    /// Keys of its file.
    pub written: Vec<Changed>,
    /// The bytes that carry it out, where they would be others.
    pub plugin: Option<(Digest, Digest)>,
    /// A version of its plugin that would be held.
    pub held: Option<Digest>,
    /// Actions that could not run any more.
    pub no_longer_available: BTreeSet<ActionName>,
    /// Actions that could not run until now.
    pub newly_available: BTreeSet<ActionName>,
    /// The schedules whose instants would be others.
    pub schedules: Vec<ScheduleDifference>,
}

/// What would become of the instants of one schedule.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScheduleDifference {
    /// Its name.
    pub schedule: ScheduleName,
    /// What would become of it.
    pub fate: Fate,
    /// Its next instants as things stand.
    pub before: Vec<Tick>,
    /// Its next instants then.
    pub after: Vec<Tick>,
}

/// An instant of a schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tick {
    /// The instant.
    pub at: Timestamp,
    /// The same in the schedule's time zone.
    pub local: String,
}

/// The procedures that would not stay as they are, by name.
pub(super) fn differences(
    before: Option<Side<'_>>,
    after: Side<'_>,
    now: Timestamp,
) -> Vec<ProcedureDifference> {
    let of_before = before.iter().flat_map(|side| side.generation.procedures.keys());
    let names: BTreeSet<_> = of_before.chain(after.generation.procedures.keys()).collect();
    let differences = names.into_iter().filter_map(|name| {
        let of = |side: Side<'_>| {
            let ready = side.generation.procedures.get(name).cloned();
            let text = side.inputs.procedures.get(name.as_str()).cloned();
            (ready, text.unwrap_or_default())
        };
        let ((old, old_text), (new, new_text)) = (before.map(of).unwrap_or_default(), of(after));
        let written = changed(&old_text, &new_text);
        difference(name, old.as_deref(), new.as_deref(), written, now)
    });
    differences.collect()
}

fn difference(
    name: &ProcedureName,
    old: Option<&ReadyProcedure>,
    new: Option<&ReadyProcedure>,
    written: Vec<Changed>,
    now: Timestamp,
) -> Option<ProcedureDifference> {
    let unavailable = |ready: Option<&ReadyProcedure>| -> BTreeSet<ActionName> {
        ready
            .iter()
            .flat_map(|ready| ready.unavailable.keys())
            .cloned()
            .collect()
    };
    let (could_not, cannot) = (unavailable(old), unavailable(new));
    let (fate, plugin, held) = match (old, new) {
        (None, _) => (Fate::Added, None, None),
        (_, None) => (Fate::Removed, None, None),
        (Some(old), Some(new)) => {
            let bytes = (old.plugin.digest(), new.plugin.digest());
            let held = new.held.as_ref().filter(|held| old.held.as_ref() != Some(held));
            let plugin = Some(bytes).filter(|(old, new)| old != new);
            (Fate::Changed, plugin, held.map(|held| held.digest))
        }
    };
    let difference = ProcedureDifference {
        name: name.clone(),
        fate,
        written,
        plugin,
        held,
        // What a new procedure lacks, and what a removed one lacked, is no change of it.
        no_longer_available: new.map_or_else(BTreeSet::new, |_| &cannot - &could_not),
        newly_available: old.and(new).map_or_else(BTreeSet::new, |_| &could_not - &cannot),
        schedules: schedules(old, new, now),
    };
    let is_same = difference.fate == Fate::Changed
        && difference.written.is_empty()
        && difference.plugin.is_none()
        && difference.held.is_none()
        && difference.no_longer_available.is_empty()
        && difference.newly_available.is_empty()
        && difference.schedules.is_empty();
    (!is_same).then_some(difference)
}

fn schedules(
    old: Option<&ReadyProcedure>,
    new: Option<&ReadyProcedure>,
    now: Timestamp,
) -> Vec<ScheduleDifference> {
    let of = |ready: Option<&'_ ReadyProcedure>| -> Vec<Schedule> {
        ready.map_or_else(Vec::new, |ready| ready.procedure.schedules.clone())
    };
    let (old, new) = (of(old), of(new));
    let find = |schedules: &[Schedule], name: &ScheduleName| {
        schedules.iter().find(|schedule| schedule.name == *name).cloned()
    };
    let names: BTreeSet<_> = old
        .iter()
        .chain(&new)
        .map(|schedule| schedule.name.clone())
        .collect();
    let differences = names.into_iter().filter_map(|name| {
        let (old, new) = (find(&old, &name), find(&new, &name));
        let fate = match (&old, &new) {
            (None, _) => Fate::Added,
            (_, None) => Fate::Removed,
            (Some(old), Some(new)) if old.when != new.when => Fate::Changed,
            _ => return None,
        };
        Some(ScheduleDifference {
            schedule: name,
            fate,
            before: ticks(old.as_ref(), now),
            after: ticks(new.as_ref(), now),
        })
    });
    differences.collect()
}

fn ticks(schedule: Option<&Schedule>, now: Timestamp) -> Vec<Tick> {
    let Some(schedule) = schedule else {
        return Vec::new();
    };
    let instants = std::iter::successors(schedule.next(now), |instant| schedule.next(*instant));
    let ticks = instants.take(TICKS).map(|at| {
        let local = at.to_zoned(schedule.when.zone());
        Tick {
            at,
            local: local.strftime("%Y-%m-%d %H:%M:%S %Z").to_string(),
        }
    });
    ticks.collect()
}
