//! The action `check`: every check once, with its retries.

use crate::outcome::CheckOutcome;
use crate::plan::{self, Check};
use crate::settings::Settings;
use crate::{ask, record, report};
use sopwith::journal::Step;
use sopwith::{Error, Report, Result, step};

/// What came of the checks.
#[sopwith::output]
#[derive(Debug)]
pub(crate) struct CheckOutput {
    /// Each check, in the order of the settings.
    pub(crate) checks: Vec<CheckOutcome>,
}

/// Carries out every check, with its retries.
#[sopwith::action(idempotent)]
#[needs(
    network(GET),
    from = "$.checks[?@.method == 'GET'].url",
    reason = "asks with GET"
)]
#[needs(
    network(HEAD),
    from = "$.checks[?@.method == 'HEAD'].url",
    reason = "asks with HEAD"
)]
#[needs(
    network(OPTIONS),
    from = "$.checks[?@.method == 'OPTIONS'].url",
    reason = "asks with OPTIONS"
)]
#[needs(
    network(POST),
    from = "$.checks[?@.method == 'POST'].url",
    reason = "asks with POST"
)]
#[needs(
    network(PUT),
    from = "$.checks[?@.method == 'PUT'].url",
    reason = "asks with PUT"
)]
#[needs(
    network(PATCH),
    from = "$.checks[?@.method == 'PATCH'].url",
    reason = "asks with PATCH"
)]
#[needs(
    network(DELETE),
    from = "$.checks[?@.method == 'DELETE'].url",
    reason = "asks with DELETE"
)]
#[needs(
    secrets(insert),
    from = "$.checks[*]['url', 'body', 'json']",
    reason = "sends them where the settings name them"
)]
#[needs(
    secrets(insert),
    from = "$.checks[*]['headers', 'json']..*",
    reason = "sends them where the settings name them"
)]
pub(crate) fn check(settings: &Settings) -> Result<Report<CheckOutput>> {
    let plan = plan::checks(settings)?;
    let checks = step("check", |step| all(&plan, step))?;
    let report = Report::new(report::verdict(&checks), report::summary(&checks));
    Ok(report.with_output(CheckOutput { checks }))
}

/// One that could not be carried out does not keep the others from being.
fn all(plan: &[Check], step: &Step) -> Result<Vec<CheckOutcome>> {
    let (mut outcomes, mut errors) = (Vec::new(), Vec::new());
    for (done, check) in (0..).zip(plan) {
        step.progress(done, plan.len() as u64, "checks");
        match ask::with_retries(check) {
            Ok(outcome) => {
                record::keep(&outcome)?;
                outcomes.push(outcome);
            }
            Err(error) => errors.push(error),
        }
    }
    step.progress(plan.len() as u64, plan.len() as u64, "checks");
    errors
        .into_iter()
        .reduce(|first, another| together(first, &another))
        .map_or(Ok(outcomes), Err)
}

/// The first error, which says what else went wrong.
fn together(first: Error, another: &Error) -> Error {
    let message = format!("{}; {}", first.message, another.message);
    Error { message, ..first }
}
