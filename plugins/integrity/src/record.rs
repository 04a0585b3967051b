//! What is kept of the checks in the run's record.

use crate::offenders::{Group, Offenders};
use crate::outcome::CheckOutcome;
use crate::plan::Check;
use sopwith::{Finding, Result, journal};

/// Records a check that was carried out to its end.
pub(crate) fn keep(
    database: &str,
    check: &Check,
    outcome: &CheckOutcome,
    offenders: &Offenders,
) -> Result<()> {
    let findings = findings(database, check, outcome, offenders);
    if !findings.is_empty() {
        journal::add_findings(&findings)?;
    }
    journal::checked(&check_id(check), findings.len().max(1) as u64)?;
    // The metric is a float by contract; counts end long before it gets inexact.
    #[expect(clippy::cast_precision_loss, reason = "`rows_max` is a million at most")]
    journal::metric(&format!("{}/rows", check_id(check)), outcome.rows as f64, "rows");
    Ok(())
}

fn check_id(check: &Check) -> String {
    format!("integrity/{}", check.name)
}

fn findings(database: &str, check: &Check, outcome: &CheckOutcome, offenders: &Offenders) -> Vec<Finding> {
    if outcome.ok {
        return Vec::new();
    }
    let finding = |subject: &str, title: String, detail: String, rows: u64| {
        let finding = Finding::new(outcome.severity, check_id(check), subject, title)
            .with_detail(detail)
            .with_extra("rows", rows);
        match &check.fix {
            Some(fix) => finding.with_fix(fix),
            None => finding,
        }
    };
    let Some(key) = &check.key else {
        let title = format!("`{}` is broken by {}", check.name, outcome.shown());
        return vec![finding(
            database,
            title,
            offenders.lines.join("\n"),
            offenders.rows,
        )];
    };
    let about = |group: &Group| {
        let subject = format!("{key} {}", group.key);
        let title = format!("`{}` is broken by {subject}", check.name);
        finding(&subject, title, group.line.clone(), group.rows)
    };
    let mut findings: Vec<_> = offenders.groups.iter().map(about).collect();
    if offenders.further_rows > 0 || offenders.is_at_least {
        let title = format!(
            "`{}` is broken by further rows, {} in all",
            check.name,
            outcome.shown()
        );
        findings.push(finding(
            "further rows",
            title,
            String::new(),
            offenders.further_rows,
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit;
    use crate::plan;
    use sopwith::serde_json::{Value, from_value, json};

    fn offenders() -> Offenders {
        let group = |key: &str, rows| Group {
            key: key.to_owned(),
            rows,
            line: format!("entry_id={key}"),
        };
        Offenders {
            rows: 3,
            lines: vec!["entry_id=7".to_owned(), "entry_id=8".to_owned()],
            groups: vec![group("7", 2), group("8", 1)],
            ..Offenders::default()
        }
    }

    /// Subject, severity, title, detail and fix of each finding.
    fn check(settings: Value, offenders: &Offenders, expected: &[[&str; 5]]) {
        let mut check = settings;
        check["name"] = "balanced".into();
        check["query"] = "SELECT …".into();
        let settings = from_value(json!({ "database": "app", "engine": "off", "checks": [check] }));
        let plan = plan::read(&settings.expect("the settings are of their shape")).expect("they make sense");
        let check = &plan.checks[0];
        let outcome = audit::judge(check, offenders, Some(1));
        let findings = findings("app", check, &outcome, offenders);
        let shown = findings.iter().map(|found| {
            let fix = found.fix.as_deref().unwrap_or_default();
            [
                found.subject.as_str(),
                &found.severity,
                &found.title,
                &found.detail,
                fix,
            ]
        });
        assert_eq!(shown.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn check_without_a_key_is_about_the_database() {
        let title = "`balanced` is broken by 3 rows (1 before)";
        let rows = "entry_id=7\nentry_id=8";
        check(
            json!({ "fix": "mend it" }),
            &offenders(),
            &[["app", "high", title, rows, "mend it"]],
        );
    }

    #[test]
    fn each_thing_is_a_finding_where_the_check_has_a_key() {
        let seven = [
            "entry_id 7",
            "high",
            "`balanced` is broken by entry_id 7",
            "entry_id=7",
            "",
        ];
        let eight = [
            "entry_id 8",
            "high",
            "`balanced` is broken by entry_id 8",
            "entry_id=8",
            "",
        ];
        check(json!({ "key": "entry_id" }), &offenders(), &[seven, eight]);
        let more = Offenders {
            rows: 10,
            further_rows: 7,
            ..offenders()
        };
        let title = "`balanced` is broken by further rows, 10 rows (1 before) in all";
        check(
            json!({ "key": "entry_id" }),
            &more,
            &[seven, eight, ["further rows", "high", title, "", ""]],
        );
    }

    #[test]
    fn thresholds_decide_whether_and_how_badly_it_fails() {
        let finding = |severity| {
            [
                "app",
                severity,
                "`balanced` is broken by 3 rows (1 before)",
                "entry_id=7\nentry_id=8",
                "",
            ]
        };
        let critical = |mut settings: Value| {
            settings["severity"] = "critical".into();
            settings
        };
        check(critical(json!({})), &offenders(), &[finding("critical")]);
        check(critical(json!({ "error_if": "> 3" })), &offenders(), &[]);
        check(
            critical(json!({ "warn_if": "> 0" })),
            &offenders(),
            &[finding("medium")],
        );
        check(
            critical(json!({ "warn_if": "> 0", "error_if": "> 2" })),
            &offenders(),
            &[finding("critical")],
        );
        check(
            json!({ "severity": "low", "warn_if": "> 0" }),
            &offenders(),
            &[finding("low")],
        );
    }
}
