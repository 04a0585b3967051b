//! What becomes of the ticks of a schedule that are due: a pure rule.

use jiff::{SignedDuration, Timestamp};
use sopwith_core::port::{NoRun, TickRange};
use sopwith_core::schedule::{CatchUp, Schedule};

/// The ticks of one schedule that are due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Due {
    /// The newest of them, where it gets a run.
    pub(crate) run: Option<Timestamp>,
    /// Those that get none.
    pub(crate) missed: Option<TickRange>,
    /// The newest of them.
    pub(crate) newest: Timestamp,
}

/// Decides about all ticks after `cursor` up to `now`.
///
/// The newest one runs, unless it passed before this host was `present_since` and the schedule
/// does not catch up. All older ones are missed: no host was there to run them in time.
pub(crate) fn due(
    schedule: &Schedule,
    cursor: Timestamp,
    now: Timestamp,
    present_since: Timestamp,
) -> Option<Due> {
    let all = schedule.when.tally(cursor, now)?;
    let newest = all.last;
    let runs = newest >= present_since || schedule.catch_up == CatchUp::Latest;
    let without_run = if runs {
        schedule.when.tally(cursor, before(newest))
    } else {
        Some(all)
    };
    let missed = without_run.map(|tally| TickRange {
        first: tally.first,
        last: tally.last,
        count: tally.count,
        reason: NoRun::Downtime,
    });
    Some(Due {
        run: runs.then_some(newest),
        missed,
        newest,
    })
}

fn before(instant: Timestamp) -> Timestamp {
    instant
        .checked_sub(SignedDuration::from_nanos(1))
        .unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sopwith_core::schedule::{Cron, CronFields, When};

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(minute * 60).unwrap()
    }

    fn check(
        catch_up: CatchUp,
        cursor: i64,
        now: i64,
        present_since: i64,
    ) -> Option<(Option<Timestamp>, u64)> {
        let schedule = Schedule {
            name: "tick".parse().unwrap(),
            action: "tick".parse().unwrap(),
            inputs: serde_json::Value::Null,
            when: When::Cron(Box::new(
                Cron::parse("* * * * *", CronFields::Five, "UTC").unwrap(),
            )),
            catch_up,
        };
        let due = due(&schedule, at(cursor), at(now), at(present_since))?;
        Some((due.run, due.missed.map_or(0, |range| range.count)))
    }

    #[test]
    fn nothing_is_due_before_the_next_tick() {
        assert_eq!(check(CatchUp::Latest, 5, 5, 0), None);
    }

    #[test]
    fn a_tick_in_time_runs_whatever_the_catch_up() {
        assert_eq!(check(CatchUp::None, 5, 6, 0), Some((Some(at(6)), 0)));
        assert_eq!(check(CatchUp::Latest, 5, 6, 0), Some((Some(at(6)), 0)));
    }

    #[test]
    fn thirty_days_of_downtime_come_to_one_run_and_one_range() {
        assert_eq!(
            check(CatchUp::Latest, 0, 43_200, 43_200),
            Some((Some(at(43_200)), 43_199))
        );
        assert_eq!(check(CatchUp::None, 0, 43_200, 43_201), Some((None, 43_200)));
    }
}
