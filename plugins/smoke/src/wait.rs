//! The action `wait`: asks until all is well, or for long enough.

use crate::outcome::CheckOutcome;
use crate::plan::{self, Check};
use crate::settings::Settings;
use crate::streak::{Next, Streak};
use crate::{ask, record, report};
use sopwith::journal::Step;
use sopwith::{Duration, Report, Result, Verdict, run, step};
use std::time;

/// How long to wait, and for what.
#[sopwith::inputs]
#[derive(Debug)]
pub(crate) struct WaitInputs {
    /// How long to wait at most.
    #[serde(default = "one_minute")]
    limit: Duration,
    /// How long to wait between two rounds.
    #[serde(default = "one_second")]
    interval: Duration,
    /// How many rounds in a row all checks must hold.
    #[serde(default = "one")]
    #[schemars(range(min = 1))]
    rounds: u32,
}

/// What came of the wait.
#[sopwith::output]
#[derive(Debug)]
pub(crate) struct WaitOutput {
    /// Whether all checks held for as many rounds in a row as were wanted.
    ok: bool,
    /// How many rounds were carried out.
    rounds: u32,
    /// How long it took, in milliseconds.
    elapsed_ms: u64,
    /// Each check in the last round.
    checks: Vec<CheckOutcome>,
}

/// Repeats the checks until all of them hold, without the retries of each.
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
pub(crate) fn wait(settings: &Settings, inputs: &WaitInputs) -> Result<Report<WaitOutput>> {
    let plan = plan::checks(settings)?;
    let output = step("wait", |step| until_well(&plan, inputs, step))?;
    Ok(report(output, inputs))
}

fn until_well(plan: &[Check], inputs: &WaitInputs, step: &Step) -> Result<WaitOutput> {
    let begin = run::time_left();
    let mut streak = Streak::new(inputs.rounds, inputs.limit.get(), inputs.interval.get());
    loop {
        // The time left falls steadily, while the clock on the wall may jump.
        let elapsed = begin.saturating_sub(run::time_left());
        let checks = round(plan, inputs.limit.get().saturating_sub(elapsed))?;
        let is_well = !checks.iter().any(CheckOutcome::is_trouble);
        let elapsed = begin.saturating_sub(run::time_left());
        let next = streak.after(is_well, elapsed);
        step.progress(streak.held().into(), u64::from(inputs.rounds), "rounds");
        if next == Next::Again {
            sopwith::debug!(round = streak.rounds(), "{}", report::summary(&checks));
            run::sleep(inputs.interval.get())?;
            continue;
        }
        checks.iter().try_for_each(record::keep)?;
        return Ok(WaitOutput {
            ok: next == Next::Well,
            rounds: streak.rounds(),
            elapsed_ms: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
            checks,
        });
    }
}

/// Every check once; none waits longer than the whole may take.
fn round(plan: &[Check], left: time::Duration) -> Result<Vec<CheckOutcome>> {
    // A request without any time is refused, and the first round may come at the very end.
    let left = left.max(time::Duration::from_millis(1));
    plan.iter()
        .map(|check| ask::once(check, check.timeout.min(left)))
        .collect()
}

fn report(output: WaitOutput, inputs: &WaitInputs) -> Report<WaitOutput> {
    let (checks, rounds) = (report::summary(&output.checks), output.rounds);
    let elapsed = time::Duration::from_millis(output.elapsed_ms).as_secs_f64();
    let report = if output.ok {
        Report::ok(format!("{checks} after {elapsed:.1} s, in round {rounds}"))
    } else if report::verdict(&output.checks) == Verdict::Ok {
        let wanted = inputs.rounds;
        Report::critical(format!(
            "{checks}, but not {wanted} rounds in a row within {}",
            inputs.limit
        ))
    } else {
        Report::critical(format!(
            "still not well after {elapsed:.1} s and round {rounds}: {checks}"
        ))
    };
    report.with_output(output)
}

fn one_minute() -> Duration {
    Duration::from_secs(60)
}

fn one_second() -> Duration {
    Duration::from_secs(1)
}

fn one() -> u32 {
    1
}
