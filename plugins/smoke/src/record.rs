//! What is kept of the checks in the run's record.

use crate::outcome::{CheckOutcome, State};
use sopwith::{Finding, Result, journal};
use std::time::Duration;

/// Records a check that was carried out: what it found, and how long the answer took.
pub(crate) fn keep(outcome: &CheckOutcome) -> Result<()> {
    if outcome.state == State::Planned {
        // It was not carried out, so it resolves nothing.
        return Ok(());
    }
    if let Some(finding) = finding(outcome) {
        journal::add_findings(&[finding])?;
    }
    journal::checked(&check_id(outcome), 1)?;
    if let Some(timing) = &outcome.timing {
        let seconds = Duration::from_micros(timing.total_us).as_secs_f64();
        journal::metric(&format!("{}/response-time", check_id(outcome)), seconds, "s");
    }
    Ok(())
}

fn check_id(outcome: &CheckOutcome) -> String {
    format!("smoke/{}", outcome.name)
}

fn finding(outcome: &CheckOutcome) -> Option<Finding> {
    let title = match outcome.state {
        State::Holds | State::Planned => return None,
        State::Fails => format!("`{}` does not answer as it should", outcome.name),
        State::Unavailable => format!("`{}` is unavailable", outcome.name),
    };
    let finding = Finding::new(outcome.severity, check_id(outcome), &outcome.url, title);
    Some(finding.with_detail(outcome.reason.as_deref().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::outcome;

    #[test]
    fn finding_tells_an_unavailable_page_from_a_bad_one() {
        let bad = finding(&outcome("ready", State::Fails)).expect("there is something to find");
        assert_eq!(
            (bad.check.as_str(), bad.subject.as_str()),
            ("smoke/ready", "http://127.0.0.1/ready")
        );
        assert_eq!(
            (bad.severity.as_str(), bad.title.as_str()),
            ("critical", "`ready` does not answer as it should")
        );
        assert_eq!(bad.detail, "[STATUS] (503) == 200");
        let gone = finding(&outcome("ready", State::Unavailable)).expect("there is something to find");
        assert_eq!(gone.title, "`ready` is unavailable");
        assert_eq!(finding(&outcome("ready", State::Holds)), None);
    }
}
