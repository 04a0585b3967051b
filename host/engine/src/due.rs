//! What becomes of the ticks of a schedule that are due: a pure rule.

use jiff::{SignedDuration, Timestamp};
use sopwith_core::name::ProcedureName;
use sopwith_core::port::{NoRun, TickRange};
use sopwith_core::schedule::{CatchUp, Schedule, Tally};

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
}

impl Deciding<'_> {
    /// Decides about all ticks after `cursor` whose start has come.
    ///
    /// The newest one runs, unless its start passed before this host was there and the schedule
    /// does not catch up. Older ones run where the schedule catches up on all, and are missed
    /// otherwise: no host was there to run them in time. One whose deadline has passed is missed.
    pub(crate) fn due(&self, cursor: Timestamp) -> Option<Due> {
        let when = &self.schedule.when;
        let mut all = when.tally(cursor, self.now)?;
        if self.start_of(all.last) > self.now {
            all = when.tally(cursor, before(all.last))?;
        }
        let chosen = self.chosen(cursor, all);
        let (late, runs): (Vec<_>, Vec<_>) = chosen
            .iter()
            .map(|nominal_at| self.tick(*nominal_at))
            .partition(|tick| tick.start_by.is_some_and(|start_by| self.now > start_by));
        let until = chosen.first().map_or(all.last, |first| before(*first));
        let missed = when
            .tally(cursor, until)
            .map(|tally| range(tally, NoRun::Downtime));
        let late = tally(&late).map(|tally| range(tally, NoRun::Deadline));
        Some(Due {
            runs,
            ranges: missed.into_iter().chain(late).collect(),
            newest: all.last,
        })
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

    /// Those that are to run.
    fn chosen(&self, cursor: Timestamp, all: Tally) -> Vec<Timestamp> {
        let in_time = (self.start_of(all.last) >= self.present_since).then_some(all.last);
        match self.schedule.catch_up {
            CatchUp::None => in_time.into_iter().collect(),
            CatchUp::Latest => vec![all.last],
            CatchUp::All { max, window } => {
                let since = self.now.checked_sub(window).unwrap_or(Timestamp::MIN);
                let newest = self
                    .schedule
                    .when
                    .newest(cursor.max(before(since)), all.last, max);
                if newest.is_empty() {
                    in_time.into_iter().collect()
                } else {
                    newest
                }
            }
        }
    }
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

fn before(instant: Timestamp) -> Timestamp {
    instant
        .checked_sub(SignedDuration::from_nanos(1))
        .unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sopwith_core::schedule::{Cron, CronFields, Overlap, When};

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(minute * 60).unwrap()
    }

    fn every_minute(catch_up: CatchUp) -> Schedule {
        Schedule {
            name: "tick".parse().unwrap(),
            action: "tick".parse().unwrap(),
            inputs: serde_json::Value::Null,
            when: When::Cron(Box::new(
                Cron::parse("* * * * *", CronFields::Five, "UTC").unwrap(),
            )),
            catch_up,
            overlap: Overlap::Forbid,
            jitter: SignedDuration::ZERO,
            deadline: None,
        }
    }

    fn due(schedule: &Schedule, cursor: i64, now: Timestamp, present_since: i64) -> Option<Due> {
        let deciding = Deciding {
            procedure: &"clinic".parse().unwrap(),
            schedule,
            now,
            present_since: at(present_since),
        };
        deciding.due(at(cursor))
    }

    /// The minutes that run, and those of each range with its reason.
    fn told(due: Option<Due>) -> (Vec<i64>, Vec<String>) {
        let minute = |at: Timestamp| at.as_second() / 60;
        let Some(due) = due else {
            return (Vec::new(), Vec::new());
        };
        let ranges = due.ranges.iter().map(|range| {
            let (first, last) = (minute(range.first), minute(range.last));
            assert_eq!(i64::try_from(range.count).unwrap(), last - first + 1);
            format!("{first}..{last} {}", range.reason.as_str())
        });
        let runs = due.runs.iter().map(|tick| minute(tick.nominal_at));
        (runs.collect(), ranges.collect())
    }

    fn check(
        catch_up: CatchUp,
        (cursor, now, present_since): (i64, i64, i64),
        runs: &[i64],
        ranges: &[&str],
    ) {
        let due = due(&every_minute(catch_up), cursor, at(now), present_since);
        let (ran, left) = told(due);
        assert_eq!(ran, runs);
        assert_eq!(left, ranges);
    }

    #[test]
    fn nothing_is_due_before_the_next_tick() {
        check(CatchUp::Latest, (5, 5, 0), &[], &[]);
    }

    #[test]
    fn a_tick_in_time_runs_whatever_the_catch_up() {
        let none_of_it = CatchUp::All {
            max: 1,
            window: SignedDuration::ZERO,
        };
        for catch_up in [CatchUp::None, CatchUp::Latest, none_of_it] {
            check(catch_up, (5, 6, 0), &[6], &[]);
        }
    }

    #[test]
    fn thirty_days_of_downtime_come_to_one_run_and_one_range() {
        let month = (0, 43_200, 43_200);
        check(CatchUp::Latest, month, &[43_200], &["1..43199 missed(downtime)"]);
        check(
            CatchUp::None,
            (0, 43_200, 43_201),
            &[],
            &["1..43200 missed(downtime)"],
        );
    }

    #[test]
    fn all_is_what_lies_in_the_window_and_at_most_so_many() {
        let all = |max, minutes| CatchUp::All {
            max,
            window: SignedDuration::from_mins(minutes),
        };
        check(
            all(10, 3),
            (0, 100, 101),
            &[97, 98, 99, 100],
            &["1..96 missed(downtime)"],
        );
        check(all(2, 60), (0, 100, 101), &[99, 100], &["1..98 missed(downtime)"]);
        check(all(10, 60), (98, 100, 101), &[99, 100], &[]);
    }

    #[test]
    fn a_tick_whose_deadline_has_passed_is_missed_in_catch_up_too() {
        let schedule = Schedule {
            deadline: Some(SignedDuration::from_mins(5)),
            when: When::Cron(Box::new(
                Cron::parse("*/10 * * * *", CronFields::Five, "UTC").unwrap(),
            )),
            ..every_minute(CatchUp::All {
                max: 3,
                window: SignedDuration::from_hours(1),
            })
        };
        let late = due(&schedule, 0, at(36), 36).unwrap();
        assert_eq!(late.runs, []);
        assert_eq!(
            (late.ranges[0].count, late.ranges[0].reason),
            (3, NoRun::Deadline)
        );
        let in_time = due(&schedule, 0, at(35), 35).unwrap();
        assert_eq!(
            in_time.runs,
            [Tick {
                nominal_at: at(30),
                start_by: Some(at(35))
            }]
        );
        assert_eq!(
            (in_time.ranges[0].last, in_time.ranges[0].reason),
            (at(20), NoRun::Deadline)
        );
    }

    #[test]
    fn a_tick_waits_for_its_jitter_and_keeps_its_instant() {
        let schedule = Schedule {
            jitter: SignedDuration::from_hours(1),
            ..every_minute(CatchUp::None)
        };
        for minute in 1..50 {
            let start = schedule.start_of(&"clinic".parse().unwrap(), at(minute));
            assert!(at(minute) <= start && start < at(minute + 1));
            let none = due(&schedule, minute - 1, start - SignedDuration::from_millis(1), 0);
            assert_eq!(none, None);
            // It is in time even where the host came up after its instant.
            let deciding = Deciding {
                procedure: &"clinic".parse().unwrap(),
                schedule: &schedule,
                now: start,
                present_since: start,
            };
            assert_eq!(told(deciding.due(at(minute - 1))), (vec![minute], Vec::new()));
            let both = due(&schedule, minute - 1, at(minute + 1), 0);
            let next = schedule.start_of(&"clinic".parse().unwrap(), at(minute + 1));
            if next > at(minute + 1) {
                assert_eq!(told(both).0, [minute]);
            }
        }
    }
}
