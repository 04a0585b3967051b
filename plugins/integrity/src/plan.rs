//! Settings that make sense: each check with its query and its thresholds read.

use crate::redaction::Redaction;
use crate::rule::{self, Statement};
use crate::settings::{CheckSettings, Settings};
use crate::threshold::Threshold;
use sopwith::sql::{Database, Depth};
use sopwith::{Blame, Context, Error, Result, Severity};
use std::collections::BTreeSet;
use std::time::Duration;

/// The name of the engine's own check.
const ENGINE: &str = "engine";

/// What an audit carries out.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) database: Database,
    pub(crate) statement_timeout: Duration,
    pub(crate) checks: Vec<Check>,
}

/// One check that can be carried out.
#[derive(Debug)]
pub(crate) struct Check {
    pub(crate) name: String,
    pub(crate) source: Source,
    pub(crate) key: Option<String>,
    pub(crate) severity: Severity,
    pub(crate) warn_if: Option<Threshold>,
    pub(crate) error_if: Option<Threshold>,
    pub(crate) fix: Option<String>,
    pub(crate) sample: usize,
    pub(crate) redaction: Redaction,
    pub(crate) rows_max: u64,
}

/// Where a check learns what is wrong.
#[derive(Debug)]
pub(crate) enum Source {
    /// From the engine's own checks.
    Engine(Depth),
    /// From the rows of a query.
    Query(Statement),
}

/// The checks of a procedure; nothing is asked before all of them make sense.
pub(crate) fn read(settings: &Settings) -> Result<Plan> {
    let mut checks: Vec<_> = settings
        .engine
        .depth()
        .map(|depth| engine(settings, depth))
        .into_iter()
        .collect();
    let mut names = BTreeSet::from([ENGINE]);
    for check in &settings.checks {
        if !names.insert(&check.name) {
            return Err(invalid(format!("two checks have the name `{}`", check.name)));
        }
        let read = read_check(settings, check).map_err(|error| error.with_blame(Blame::Operator));
        checks.push(read.with_context(|| format!("check `{}`", check.name))?);
    }
    if checks.is_empty() {
        return Err(invalid(
            "there is nothing to check: `engine` is `off`, and there are no `checks`".to_owned(),
        ));
    }
    Ok(Plan {
        database: settings.database.clone(),
        statement_timeout: settings.statement_timeout.get(),
        checks,
    })
}

fn engine(settings: &Settings, depth: Depth) -> Check {
    Check {
        name: ENGINE.to_owned(),
        source: Source::Engine(depth),
        key: None,
        severity: Severity::Critical,
        warn_if: None,
        error_if: Some(Threshold::ANY),
        fix: Some("restore the newest verified backup beside it, and compare".to_owned()),
        sample: settings.sample as usize,
        redaction: Redaction::new(&[], &[]),
        rows_max: settings.rows_max.into(),
    }
}

fn read_check(settings: &Settings, check: &CheckSettings) -> Result<Check> {
    let rows_max = u64::from(settings.rows_max);
    let warn_if = threshold("warn_if", check.warn_if.as_deref(), rows_max)?;
    let error_if = threshold("error_if", check.error_if.as_deref(), rows_max)?;
    let redaction = Redaction::new(&settings.redact, &check.redact);
    let key = check.key.as_ref().map(|key| key.name().to_owned());
    if let Some(key) = key.as_deref().filter(|key| redaction.covers(key)) {
        return Err(Error::invalid(format!(
            "`key` is `{key}`, which `redact` says not to show"
        )));
    }
    Ok(Check {
        name: check.name.clone(),
        source: Source::Query(rule::statement(check)?),
        key,
        severity: check.severity,
        warn_if,
        error_if: error_if.or(warn_if.is_none().then_some(Threshold::ANY)),
        fix: check.fix.clone(),
        sample: check.sample.unwrap_or(settings.sample) as usize,
        redaction,
        rows_max,
    })
}

fn threshold(name: &str, text: Option<&str>, rows_max: u64) -> Result<Option<Threshold>> {
    let threshold: Option<Threshold> = text
        .map(str::parse)
        .transpose()
        .with_context(|| format!("`{name}`"))?;
    match threshold {
        Some(threshold) if threshold.number > rows_max => Err(Error::invalid(format!(
            "`{name}` is `{threshold}`, but no more than {rows_max} rows are counted (`rows_max`)"
        ))),
        other => Ok(other),
    }
}

fn invalid(message: String) -> Error {
    Error::invalid(message).with_blame(Blame::Operator)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sopwith::serde_json::{Value, from_value, json};

    fn read(checks: &Value) -> Result<Plan> {
        let settings = json!({ "database": "app", "redact": ["email"], "checks": checks });
        super::read(&from_value(settings).expect("the settings are of their shape"))
    }

    fn check_refused(checks: &Value, message: &str) {
        assert_eq!(read(checks).expect_err("it must be refused").message, message);
    }

    #[test]
    fn any_row_fails_a_check_that_says_nothing_else() {
        let checks = json!([{ "name": "a", "query": "SELECT 1" }, { "name": "b", "query": "SELECT 1", "warn_if": "> 2" }]);
        let plan = read(&checks).expect("it makes sense");
        let thresholds: Vec<_> = plan
            .checks
            .iter()
            .map(|check| (check.warn_if, check.error_if))
            .collect();
        let more_than_two = "> 2".parse().ok();
        assert_eq!(
            thresholds,
            [
                (None, Some(Threshold::ANY)),
                (None, Some(Threshold::ANY)),
                (more_than_two, None)
            ]
        );
        let names: Vec<_> = plan.checks.iter().map(|check| check.name.as_str()).collect();
        assert_eq!(names, ["engine", "a", "b"]);
    }

    #[test]
    fn what_makes_no_sense_names_its_check() {
        let query = |more: Value| {
            let mut check = json!({ "name": "a", "query": "SELECT 1" });
            let fields = more.as_object().expect("it is an object").clone();
            check.as_object_mut().expect("it is an object").extend(fields);
            json!([check])
        };
        let one_rule = "check `a`: one check has one rule or one `query`";
        check_refused(
            &query(json!({ "not_null": { "table": "t", "columns": ["c"] } })),
            one_rule,
        );
        let no_rule = "check `a`: there is no `query` and no rule such as `unique`";
        check_refused(&json!([{ "name": "a" }]), no_rule);
        let threshold = "check `a`: `warn_if`: `lots` compares with no number of rows, as `> 0` does";
        check_refused(&query(json!({ "warn_if": "lots" })), threshold);
        let uncounted =
            "check `a`: `error_if` is `> 10001`, but no more than 10000 rows are counted (`rows_max`)";
        check_refused(&query(json!({ "error_if": "> 10001" })), uncounted);
        let hidden = "check `a`: `key` is `Email`, which `redact` says not to show";
        check_refused(&query(json!({ "key": "Email" })), hidden);
        let bounds = "check `a`: `row_count` needs `min`, `max` or both";
        check_refused(&json!([{ "name": "a", "row_count": { "table": "t" } }]), bounds);
        check_refused(
            &json!([{ "name": "engine", "query": "SELECT 1" }]),
            "two checks have the name `engine`",
        );
    }
}
