//! The sentence and the verdict on all checks.

use crate::outcome::{CheckOutcome, State};
use crate::shown;
use sopwith::Verdict;

/// More than this nobody reads in one sentence; the report's output has them all.
const REASONS_MAX: usize = 3;

/// What the worst check that fails makes of the run.
pub(crate) fn verdict(outcomes: &[CheckOutcome]) -> Verdict {
    let trouble = outcomes.iter().filter(|outcome| outcome.is_trouble());
    let worst = trouble.map(|outcome| outcome.severity.verdict()).max();
    worst.unwrap_or(Verdict::Ok)
}

/// What the operator reads of all checks.
pub(crate) fn summary(outcomes: &[CheckOutcome]) -> String {
    let trouble: Vec<_> = outcomes.iter().filter(|outcome| outcome.is_trouble()).collect();
    match trouble.as_slice() {
        [] => well(outcomes),
        trouble => format!("{}: {}", count(trouble.len(), outcomes, "fail"), reasons(trouble)),
    }
}

/// `1 of 4 checks fails`, `3 of 4 checks fail`, `1 of 1 check fails`.
fn count(number: usize, of: &[CheckOutcome], verb: &str) -> String {
    let checks = if of.len() == 1 { "check" } else { "checks" };
    let ending = if number == 1 { "s" } else { "" };
    format!("{number} of {} {checks} {verb}{ending}", of.len())
}

fn reasons(trouble: &[&CheckOutcome]) -> String {
    let mut reasons: Vec<_> = trouble
        .iter()
        .take(REASONS_MAX)
        .map(|outcome| reason(outcome))
        .collect();
    if trouble.len() > REASONS_MAX {
        reasons.push(format!("and {} more", trouble.len() - REASONS_MAX));
    }
    reasons.join("; ")
}

fn reason(outcome: &CheckOutcome) -> String {
    let unavailable = if outcome.state == State::Unavailable {
        "unavailable: "
    } else {
        ""
    };
    format!(
        "{}: {unavailable}{}",
        outcome.name,
        outcome.reason.as_deref().unwrap_or_default()
    )
}

fn well(outcomes: &[CheckOutcome]) -> String {
    let carried_out: Vec<_> = outcomes.iter().filter(|outcome| outcome.ok).collect();
    let mut summary = count(carried_out.len(), outcomes, "hold");
    let timed = carried_out
        .iter()
        .filter_map(|outcome| Some((outcome.timing.as_ref()?.total_us, &outcome.name)));
    if let Some((total_us, name)) = timed.max() {
        summary = format!("{summary} (slowest: {name} {})", shown::milliseconds(total_us));
    }
    match outcomes.len() - carried_out.len() {
        0 => summary,
        planned => format!("{summary}; {planned} left out of the dry run"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::outcome;
    use sopwith::Severity;

    fn check(outcomes: &[CheckOutcome], expected_verdict: Verdict, expected_summary: &str) {
        assert_eq!(summary(outcomes), expected_summary);
        assert_eq!(verdict(outcomes), expected_verdict);
    }

    #[test]
    fn checks_that_hold_name_the_slowest() {
        let mut slow = outcome("meta", State::Holds);
        slow.timing.as_mut().expect("it is timed").total_us = 45_000;
        let outcomes = [outcome("health", State::Holds), slow];
        check(&outcomes, Verdict::Ok, "2 of 2 checks hold (slowest: meta 45 ms)");
        check(
            &outcomes[..1],
            Verdict::Ok,
            "1 of 1 check holds (slowest: health 12 ms)",
        );
    }

    #[test]
    fn checks_that_fail_say_why() {
        let outcomes = ["ready", "meta"].map(|name| outcome(name, State::Fails));
        let sentence = "1 of 1 check fails: ready: [STATUS] (503) == 200";
        check(&outcomes[..1], Verdict::Critical, sentence);
        let sentence = "2 of 2 checks fail: ready: [STATUS] (503) == 200; meta: [STATUS] (503) == 200";
        check(&outcomes, Verdict::Critical, sentence);
        let outcomes = [
            outcome("health", State::Holds),
            outcome("ready", State::Unavailable),
        ];
        let sentence = "1 of 2 checks fails: ready: unavailable: [STATUS] (503) == 200";
        check(&outcomes, Verdict::Critical, sentence);
    }

    #[test]
    fn severity_below_high_is_a_warning() {
        let minor = CheckOutcome {
            severity: Severity::Medium,
            ..outcome("a", State::Fails)
        };
        let major = CheckOutcome {
            severity: Severity::High,
            ..outcome("b", State::Fails)
        };
        assert_eq!(verdict(std::slice::from_ref(&minor)), Verdict::Warning);
        assert_eq!(verdict(&[minor, major]), Verdict::Critical);
    }

    #[test]
    fn long_lists_of_failures_end() {
        let outcomes = ["a", "b", "c", "d", "e"].map(|name| outcome(name, State::Fails));
        assert!(summary(&outcomes).ends_with("c: [STATUS] (503) == 200; and 2 more"));
    }

    #[test]
    fn planned_checks_are_neither_good_nor_bad() {
        let outcomes = [outcome("health", State::Holds), outcome("login", State::Planned)];
        let sentence = "1 of 2 checks holds (slowest: health 12 ms); 1 left out of the dry run";
        check(&outcomes, Verdict::Ok, sentence);
    }
}
