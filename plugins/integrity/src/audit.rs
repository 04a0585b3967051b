//! The action `audit`: every check, on one snapshot of the database.

use crate::offenders::Offenders;
use crate::outcome::CheckOutcome;
use crate::plan::{self, Check, Plan, Source};
use crate::settings::Settings;
use crate::{record, report, trend};
use sopwith::journal::Step;
use sopwith::sql::Session;
use sopwith::{Blame, Context, Error, ErrorKind, Report, Result, Severity, step};

/// What came of the audit.
#[sopwith::output]
#[derive(Debug)]
pub(crate) struct AuditOutput {
    /// The database that was checked.
    database: String,
    /// Each check, the engine's own first.
    checks: Vec<CheckOutcome>,
}

/// Carries out every check, all queries on one snapshot.
#[sopwith::action(idempotent)]
#[needs(
    databases(read),
    from = "$.database",
    reason = "looks for rows that break a promise"
)]
pub(crate) fn audit(settings: &Settings) -> Result<Report<AuditOutput>> {
    let plan = plan::read(settings)?;
    let checks = step("audit", |step| all(&plan, step))?;
    let database = plan.database.name().to_owned();
    let report = Report::new(report::verdict(&checks), report::summary(&database, &checks));
    Ok(report.with_output(AuditOutput { database, checks }))
}

/// One that could not be carried out does not keep the others from being, and makes the audit
/// an error in the end.
fn all(plan: &Plan, step: &Step) -> Result<Vec<CheckOutcome>> {
    let previous = trend::previous()?;
    let session = plan
        .database
        .session()
        .statement_timeout(plan.statement_timeout)
        .read()?;
    let (mut outcomes, mut errors) = (Vec::new(), Vec::new());
    for (done, check) in (0..).zip(&plan.checks) {
        step.progress(done, plan.checks.len() as u64, "checks");
        match carry_out(plan, check, &session) {
            Ok(offenders) => {
                let outcome = judge(check, &offenders, previous.get(&check.name).copied());
                record::keep(plan.database.name(), check, &outcome, &offenders)?;
                outcomes.push(outcome);
            }
            Err(error) if error.kind == ErrorKind::Cancelled => return Err(error),
            Err(error) => errors.push(of_the_operator(error).context(format!("check `{}`", check.name))),
        }
    }
    step.progress(plan.checks.len() as u64, plan.checks.len() as u64, "checks");
    trend::remember(&plan.checks, &outcomes)?;
    let error = errors
        .into_iter()
        .reduce(|first, another| together(first, &another));
    error.map_or(Ok(outcomes), Err)
}

/// What makes no sense here, or is not for an audit to do, is a query or a name that stands in the procedure's file.
fn of_the_operator(error: Error) -> Error {
    match error.kind {
        ErrorKind::Invalid | ErrorKind::Denied => error.with_blame(Blame::Operator),
        _ => error,
    }
}

/// The first error, which says what else went wrong.
fn together(first: Error, another: &Error) -> Error {
    let message = format!("{}; {}", first.message, another.message);
    Error { message, ..first }
}

fn carry_out(plan: &Plan, check: &Check, session: &Session) -> Result<Offenders> {
    match &check.source {
        Source::Engine(depth) => {
            let problems = plan.database.verify(*depth).context("the engine's own checks")?;
            Ok(Offenders::problems(check, &problems))
        }
        Source::Query(statement) => {
            let rows = session.query(&statement.sql, &statement.parameters)?;
            let columns = rows.columns().to_vec();
            Offenders::count(check, &columns, rows)
        }
    }
}

/// Compares what was found with the thresholds of the check.
pub(crate) fn judge(check: &Check, offenders: &Offenders, previous: Option<u64>) -> CheckOutcome {
    // One more stands for those that were not counted; no threshold lies beyond.
    let rows = offenders.rows + u64::from(offenders.is_at_least);
    let fails = check.error_if.is_some_and(|threshold| threshold.is_met_by(rows));
    let warns = check.warn_if.is_some_and(|threshold| threshold.is_met_by(rows));
    CheckOutcome {
        name: check.name.clone(),
        ok: !fails && !warns,
        severity: if warns && !fails {
            check.severity.min(Severity::Medium)
        } else {
            check.severity
        },
        rows: offenders.rows,
        at_least: offenders.is_at_least,
        previous,
        sample: offenders.sample.clone(),
    }
}
