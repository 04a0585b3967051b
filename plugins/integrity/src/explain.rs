//! The action `explain`: what an audit would ask, without asking it.

use crate::plan::{self, Check, Source};
use crate::settings::Settings;
use sopwith::sql::Value;
use sopwith::{Report, Result, Severity};

/// What an audit would ask.
#[sopwith::output]
#[derive(Debug)]
pub(crate) struct Explained {
    /// Each check, the engine's own first.
    checks: Vec<Explanation>,
}

/// What one check asks.
#[sopwith::output]
#[derive(Debug)]
struct Explanation {
    /// The check's name.
    name: String,
    /// The query, or nothing where it is the engine that checks itself.
    query: Option<String>,
    /// What stands for each `?` of the query, with commas between.
    parameters: Option<String>,
    /// The number of rows that is a warning.
    warn_if: Option<String>,
    /// The number of rows that fails the check.
    error_if: Option<String>,
    /// How bad that is.
    severity: Severity,
}

/// Shows the query and the thresholds of every check, and asks nothing.
#[sopwith::action(idempotent)]
pub(crate) fn explain(settings: &Settings) -> Result<Report<Explained>> {
    let plan = plan::read(settings)?;
    let checks = if plan.checks.len() == 1 { "check" } else { "checks" };
    let summary = format!("{} {checks} on database `{}`", plan.checks.len(), plan.database);
    let checks = plan.checks.iter().map(one).collect();
    Ok(Report::ok(summary).with_output(Explained { checks }))
}

fn one(check: &Check) -> Explanation {
    let statement = match &check.source {
        Source::Engine(_) => None,
        Source::Query(statement) => Some(statement),
    };
    let parameters = statement.filter(|statement| !statement.parameters.is_empty());
    let parameters = parameters.map(|statement| {
        let shown: Vec<_> = statement.parameters.iter().map(Value::to_string).collect();
        shown.join(", ")
    });
    Explanation {
        name: check.name.clone(),
        query: statement.map(|statement| statement.sql.clone()),
        parameters,
        warn_if: check.warn_if.map(|threshold| threshold.to_string()),
        error_if: check.error_if.map(|threshold| threshold.to_string()),
        severity: check.severity,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clinic;
    use sopwith::serde_json::{Value as Json, json, to_value};

    /// The fields of an explanation that tell of its query.
    fn check(settings: &Json, expected: &Json) {
        let explained = to_value(one(&clinic::check(settings))).expect("it is JSON");
        let fields = explained.as_object().expect("it is an object");
        for (name, value) in fields {
            assert!(!value.is_array() && !value.is_object(), "`{name}` is no scalar");
        }
        assert_eq!(
            json!([fields["name"], fields["parameters"], fields["error_if"]]),
            *expected
        );
    }

    #[test]
    fn explanation_is_a_flat_record() {
        let values = json!({ "table": "users", "column": "id", "values": [1, "two", true] });
        check(
            &json!({ "name": "ids", "accepted_values": values }),
            &json!(["ids", "1, two, true", "> 0"]),
        );
        check(
            &json!({ "name": "own", "query": "SELECT 1", "warn_if": "> 2" }),
            &json!(["own", null, null]),
        );
    }
}
