//! What ticks came to, in words.

use jiff::Timestamp;
use sopwith_core::port::TickOutcome;

/// What ticks came to, as minutes since the start of the clock and words.
pub(crate) fn told(outcomes: &[TickOutcome]) -> Vec<String> {
    let start: Timestamp = "2026-03-02T00:00:00Z".parse().unwrap();
    let minute = |at: Timestamp| at.duration_since(start).as_mins();
    let outcomes = outcomes.iter();
    outcomes
        .map(|outcome| match outcome {
            TickOutcome::Run(run) => {
                let nominal_at = run.queued.trigger.nominal_at().unwrap();
                format!("{} {}", minute(nominal_at), run.state)
            }
            TickOutcome::Range(range) => {
                let (first, last) = (minute(range.first), minute(range.last));
                assert_eq!(u64::try_from(last - first).unwrap() + 1, range.count);
                format!("{first}..{last} {}", range.reason.as_str())
            }
        })
        .collect()
}
