//! The sentence and the verdict on all checks.

use crate::outcome::CheckOutcome;
use sopwith::Verdict;

/// More than this nobody reads in one sentence; the report's output has them all.
const REASONS_MAX: usize = 3;

/// What the worst check that fails makes of the run.
pub(crate) fn verdict(outcomes: &[CheckOutcome]) -> Verdict {
    let failing = outcomes.iter().filter(|outcome| !outcome.ok);
    let worst = failing.map(|outcome| outcome.severity.verdict()).max();
    worst.unwrap_or(Verdict::Ok)
}

/// What the operator reads of all checks.
pub(crate) fn summary(database: &str, outcomes: &[CheckOutcome]) -> String {
    let failing: Vec<_> = outcomes.iter().filter(|outcome| !outcome.ok).collect();
    match failing.as_slice() {
        [] => format!(
            "{} in database `{database}`",
            count(outcomes.len(), outcomes, "hold")
        ),
        failing => {
            let fail = count(failing.len(), outcomes, "fail");
            format!("{fail} in database `{database}`: {}", reasons(failing))
        }
    }
}

/// `1 of 4 checks fails`, `3 of 4 checks fail`, `1 of 1 check fails`.
fn count(number: usize, of: &[CheckOutcome], verb: &str) -> String {
    let checks = if of.len() == 1 { "check" } else { "checks" };
    let ending = if number == 1 { "s" } else { "" };
    format!("{number} of {} {checks} {verb}{ending}", of.len())
}

fn reasons(failing: &[&CheckOutcome]) -> String {
    let shown = failing.iter().take(REASONS_MAX);
    let mut reasons: Vec<_> = shown
        .map(|outcome| format!("{}: {}", outcome.name, outcome.shown()))
        .collect();
    if failing.len() > REASONS_MAX {
        reasons.push(format!("and {} more", failing.len() - REASONS_MAX));
    }
    reasons.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use sopwith::Severity;

    fn outcome(name: &str, rows: u64, severity: Severity) -> CheckOutcome {
        CheckOutcome {
            name: name.to_owned(),
            ok: rows == 0,
            severity,
            rows,
            at_least: false,
            previous: Some(1),
            sample: Vec::new(),
        }
    }

    fn check(outcomes: &[CheckOutcome], expected: (Verdict, &str)) {
        assert_eq!((verdict(outcomes), summary("app", outcomes).as_str()), expected);
    }

    #[test]
    fn worst_check_decides() {
        let well = outcome("engine", 0, Severity::Critical);
        let minor = outcome("names", 1, Severity::Medium);
        let major = CheckOutcome {
            at_least: true,
            ..outcome("lines", 20, Severity::High)
        };
        check(&[], (Verdict::Ok, "0 of 0 checks hold in database `app`"));
        check(
            std::slice::from_ref(&well),
            (Verdict::Ok, "1 of 1 check holds in database `app`"),
        );
        let sentence = "1 of 2 checks fails in database `app`: names: 1 row";
        check(&[well.clone(), minor.clone()], (Verdict::Warning, sentence));
        let sentence =
            "2 of 3 checks fail in database `app`: lines: at least 20 rows (1 before); names: 1 row";
        check(&[well, major, minor], (Verdict::Critical, sentence));
    }
}
