//! Carries out checks: asks, looks at the answers, tries again.

use crate::answer::Answer;
use crate::outcome::{CheckOutcome, ConditionOutcome, State};
use crate::plan::Check;
use sopwith::jiff::Timestamp;
use sopwith::probe::Response;
use sopwith::{Blame, Context, Error, ErrorKind, Result, run};
use std::time::Duration;

/// Carries out a check, again after a failure as often as it says.
pub(crate) fn with_retries(check: &Check) -> Result<CheckOutcome> {
    let mut outcome = once(check, check.timeout)?;
    while outcome.is_trouble() && outcome.attempts <= check.retries {
        run::sleep(check.retry_after)?;
        let attempts = outcome.attempts + 1;
        outcome = CheckOutcome {
            attempts,
            ..once(check, check.timeout)?
        };
    }
    Ok(outcome)
}

/// Carries out a check once. That the other side does not answer is an outcome; that it could
/// not be asked is an error.
pub(crate) fn once(check: &Check, timeout: Duration) -> Result<CheckOutcome> {
    match check.request.clone().with_timeout(timeout).send() {
        Ok(response) => Ok(judge(check, &response, run::now())),
        Err(error) => without_answer(check, error, run::dry_run),
    }
}

fn judge(check: &Check, response: &Response, now: Timestamp) -> CheckOutcome {
    let answer = Answer::new(response, now);
    let conditions = check.conditions.iter().map(|condition| {
        let evaluation = condition.evaluate(&answer);
        ConditionOutcome {
            condition: condition.text().to_owned(),
            ok: evaluation.holds,
            shown: evaluation.shown,
        }
    });
    let conditions: Vec<_> = conditions.collect();
    let failing = conditions.iter().filter(|condition| !condition.ok);
    let failing: Vec<_> = failing.map(|condition| condition.shown.as_str()).collect();
    let (state, reason) = match failing.as_slice() {
        [] => (State::Holds, None),
        failing => (State::Fails, Some(failing.join("; "))),
    };
    CheckOutcome {
        conditions,
        status: Some(response.status),
        peer_address: Some(response.peer_address.clone()),
        timing: Some(response.timing.clone()),
        ..outcome(check, state, reason)
    }
}

fn without_answer(check: &Check, error: Error, dry_run: impl FnOnce() -> bool) -> Result<CheckOutcome> {
    let state = match error.kind {
        _ if error.blame() == Some(Blame::Outside) => State::Unavailable,
        ErrorKind::Planned if dry_run() => State::Planned,
        _ => return Err(error).with_context(|| format!("check `{}`", check.name)),
    };
    Ok(outcome(check, state, Some(error.message)))
}

fn outcome(check: &Check, state: State, reason: Option<String>) -> CheckOutcome {
    CheckOutcome {
        name: check.name.clone(),
        url: check.url.clone(),
        ok: state == State::Holds,
        state,
        severity: check.severity,
        reason,
        conditions: Vec::new(),
        attempts: 1,
        status: None,
        peer_address: None,
        timing: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;
    use crate::{plan, samples};
    use sopwith::serde_json::{from_value, json};

    fn ready() -> Check {
        let conditions = ["[STATUS] == 200", "[BODY].status == ok"];
        let check = json!({ "name": "ready", "url": "http://127.0.0.1/ready", "conditions": conditions });
        let settings: Settings = from_value(json!({ "checks": [check] })).expect("the settings are right");
        plan::checks(&settings).expect("the check makes sense").remove(0)
    }

    #[test]
    fn conditions_that_fail_are_the_reason() {
        let outcome = judge(
            &ready(),
            &samples::response(503, r#"{"status":"ok"}"#),
            samples::now(),
        );
        assert_eq!((outcome.ok, outcome.state), (false, State::Fails));
        assert_eq!(outcome.reason.as_deref(), Some("[STATUS] (503) == 200"));
        assert_eq!(outcome.status, Some(503));
        let held: Vec<_> = outcome.conditions.iter().map(|condition| condition.ok).collect();
        assert_eq!(held, [false, true]);

        let outcome = judge(
            &ready(),
            &samples::response(200, r#"{"status":"ok"}"#),
            samples::now(),
        );
        assert_eq!(
            (outcome.ok, outcome.state, outcome.reason),
            (true, State::Holds, None)
        );
    }

    #[test]
    fn server_that_does_not_answer_is_unavailable_and_not_bad() {
        let error = Error::new(ErrorKind::Unavailable, "connection refused").with_blame(Blame::Outside);
        let outcome = without_answer(&ready(), error, || false).expect("the check was carried out");
        assert_eq!((outcome.ok, outcome.state), (false, State::Unavailable));
        assert_eq!(outcome.reason.as_deref(), Some("connection refused"));
    }

    #[test]
    fn check_that_may_not_ask_is_an_error() {
        let error = Error::new(ErrorKind::Denied, "it is not granted").with_blame(Blame::Operator);
        let error = without_answer(&ready(), error, || false).expect_err("nothing was checked");
        assert_eq!(error.kind, ErrorKind::Denied);
        assert_eq!(error.message, "check `ready`: it is not granted");
    }

    #[test]
    fn request_that_a_dry_run_leaves_out_is_planned() {
        let planned = || Error::new(ErrorKind::Planned, "a dry run does not send it");
        let outcome = without_answer(&ready(), planned(), || true).expect("a dry run goes on");
        assert_eq!((outcome.state, outcome.is_trouble()), (State::Planned, false));
        assert!(without_answer(&ready(), planned(), || false).is_err());
    }
}
