//! What becomes of the ticks of a schedule that are due: a pure rule.

use jiff::{SignedDuration, Timestamp};
use sopwith_core::name::ProcedureName;
use sopwith_core::port::{NoRun, TickRange};
use sopwith_core::schedule::{CatchUp, Closed, Outside, Schedule, Tally};

/// The ticks of one schedule that are due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Due {
    /// Those that get runs, oldest first.
    pub(crate) runs: Vec<Tick>,
    /// Those that get none.
    pub(crate) ranges: Vec<TickRange>,
    /// The newest of them.
    pub(crate) newest: Timestamp,
}

/// A tick that gets a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tick {
    pub(crate) nominal_at: Timestamp,
    pub(crate) start_by: Option<Timestamp>,
}

/// What decides about the ticks of a schedule.
pub(crate) struct Deciding<'a> {
    /// Of this procedure.
    pub(crate) procedure: &'a ProcedureName,
    pub(crate) schedule: &'a Schedule,
    pub(crate) now: Timestamp,
    /// Since when the host has been there: ticks before were nobody's to run in time.
    pub(crate) present_since: Timestamp,
    /// Since when a pause holds them off.
    pub(crate) paused_since: Option<Timestamp>,
}

impl Deciding<'_> {
    /// Decides about all ticks after `cursor` whose start has come.
    ///
    /// The newest one runs, unless its start passed before this host was there and the schedule
    /// does not catch up. Older ones run where the schedule catches up on all, and are missed
    /// otherwise: no host was there to run them in time. One whose deadline has passed is missed.
    /// What the calendar does not allow is skipped; or it waits until it is allowed, and is skipped
    /// where a newer tick is due by then.
    pub(crate) fn due(&self, cursor: Timestamp) -> Option<Due> {
        self.schedule.next(cursor).filter(|next| *next <= self.now)?;
        if let Some(since) = self.paused_since {
            return self.while_paused(cursor, since);
        }
        let groups = self.groups(cursor);
        let newest = groups.last()?.ticks.last;
        let chosen = self.chosen(&groups);
        let mut ranges = Vec::new();
        let mut runs = Vec::new();
        for group in &groups {
            let in_group = |tick: &&Timestamp| (group.ticks.first..=group.ticks.last).contains(*tick);
            let chosen: Vec<_> = chosen.iter().filter(in_group).map(|at| self.tick(*at)).collect();
            let until = chosen
                .first()
                .map_or(group.ticks.last, |tick| before(tick.nominal_at));
            let left = self.schedule.when.tally(before(group.ticks.first), until);
            let (late, in_time): (Vec<_>, Vec<_>) = chosen
                .into_iter()
                .partition(|tick| tick.start_by.is_some_and(|start_by| self.now > start_by));
            let reason = group.closed.map_or(NoRun::Downtime, NoRun::from);
            ranges.extend(left.map(|ticks| range(ticks, reason)));
            ranges.extend(tally(&late).map(|ticks| range(ticks, NoRun::Deadline)));
            runs.extend(in_time);
        }
        Some(Due {
            ranges: joined(ranges, &runs),
            runs,
            newest,
        })
    }

    /// All up to now get no run; those that passed before it was paused, and before this host was there,
    /// since nobody was. One that waits for its window waits on unless a newer tick has come since.
    fn while_paused(&self, cursor: Timestamp, since: Timestamp) -> Option<Due> {
        let when = &self.schedule.when;
        let newest = when.tally(cursor, self.now)?.last;
        if self.defers() && when.tally(since.max(cursor), self.now).is_none() {
            return None;
        }
        let since = since.min(before(self.present_since)).clamp(cursor, self.now);
        let missed = when
            .tally(cursor, since)
            .map(|ticks| range(ticks, NoRun::Downtime));
        let paused = when
            .tally(since, self.now)
            .map(|ticks| range(ticks, NoRun::Paused));
        Some(Due {
            runs: Vec::new(),
            ranges: missed.into_iter().chain(paused).collect(),
            newest,
        })
    }

    /// The ticks whose start has come, in groups that the calendar treats alike.
    fn groups(&self, cursor: Timestamp) -> Vec<Group> {
        let when = &self.schedule.when;
        let mut groups: Vec<Group> = match &self.schedule.calendar {
            None => {
                let ticks = when.tally(cursor, self.now);
                ticks
                    .map(|ticks| Group { ticks, closed: None })
                    .into_iter()
                    .collect()
            }
            Some(calendar) => {
                let phases = calendar
                    .phases(after(cursor))
                    .take_while(|phase| phase.from <= self.now);
                let ticks = phases.filter_map(|phase| {
                    let end = phase.until.map_or(self.now, |until| before(until).min(self.now));
                    let (ticks, closed) = (when.tally(before(phase.from), end)?, phase.closed);
                    Some(Group { ticks, closed })
                });
                ticks.collect()
            }
        };
        while let Some(last) = groups.last_mut() {
            if self.start_of(last.ticks.last) <= self.now {
                break;
            }
            // Only the last one of an open phase can still wait for its jitter; a closed phase waits as a whole.
            let others = when.tally(before(last.ticks.first), before(last.ticks.last));
            match others.filter(|_| last.closed.is_none()) {
                Some(ticks) => last.ticks = ticks,
                None => drop(groups.pop()),
            }
        }
        groups
    }

    fn start_of(&self, nominal_at: Timestamp) -> Timestamp {
        self.schedule.start_of(self.procedure, nominal_at)
    }

    fn tick(&self, nominal_at: Timestamp) -> Tick {
        Tick {
            nominal_at,
            start_by: self.schedule.start_by(self.start_of(nominal_at)),
        }
    }

    /// Those that are to run, oldest first.
    fn chosen(&self, groups: &[Group]) -> Vec<Timestamp> {
        let is_deferred = self.defers();
        let runnable = groups
            .iter()
            .rev()
            .filter(|group| group.closed.is_none() || is_deferred);
        let newest = runnable.clone().next().map(|group| group.ticks.last);
        let in_time = newest.filter(|newest| self.start_of(*newest) >= self.present_since);
        match self.schedule.catch_up {
            CatchUp::None => in_time.into_iter().collect(),
            CatchUp::Latest => newest.into_iter().collect(),
            CatchUp::All { max, window } => {
                let since = self.now.checked_sub(window).unwrap_or(Timestamp::MIN);
                let mut chosen = Vec::new();
                for group in runnable {
                    let room = max - u32::try_from(chosen.len()).unwrap_or(max);
                    let room = if group.closed.is_some() { room.min(1) } else { room };
                    let from = before(group.ticks.first.max(since));
                    let newest = self.schedule.when.newest(from, group.ticks.last, room);
                    chosen.splice(0..0, newest);
                }
                if chosen.is_empty() {
                    chosen.extend(in_time);
                }
                chosen
            }
        }
    }

    fn defers(&self) -> bool {
        let calendar = self.schedule.calendar.as_ref();
        calendar.is_some_and(|calendar| calendar.outside() == Outside::Defer)
    }
}

/// Ticks that the calendar treats alike.
#[derive(Debug)]
struct Group {
    ticks: Tally,
    closed: Option<Closed>,
}

/// The ranges, with those of one reason in one where no tick between them runs.
fn joined(ranges: Vec<TickRange>, runs: &[Tick]) -> Vec<TickRange> {
    let mut joined: Vec<TickRange> = Vec::new();
    for range in ranges {
        let runs_between = |last: &TickRange| {
            let between = last.last..range.first;
            runs.iter().any(|tick| between.contains(&tick.nominal_at))
        };
        match joined.last_mut() {
            Some(last) if last.reason == range.reason && !runs_between(last) => {
                last.last = range.last;
                last.count += range.count;
            }
            _ => joined.push(range),
        }
    }
    joined
}

fn tally(ticks: &[Tick]) -> Option<Tally> {
    let (first, last) = (ticks.first()?.nominal_at, ticks.last()?.nominal_at);
    Some(Tally {
        count: ticks.len() as u64,
        first,
        last,
    })
}

fn range(tally: Tally, reason: NoRun) -> TickRange {
    TickRange {
        first: tally.first,
        last: tally.last,
        count: tally.count,
        reason,
    }
}

fn after(instant: Timestamp) -> Timestamp {
    instant
        .checked_add(SignedDuration::from_nanos(1))
        .unwrap_or(Timestamp::MAX)
}

fn before(instant: Timestamp) -> Timestamp {
    instant
        .checked_sub(SignedDuration::from_nanos(1))
        .unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests;
