//! Settings that make sense: each check with its request and its conditions read.

use crate::condition::Condition;
use crate::settings::{CheckSettings, Settings};
use sopwith::probe::Request;
use sopwith::{Blame, Error, Result, Severity};
use std::collections::BTreeSet;
use std::time::Duration;

/// One check that can be carried out.
#[derive(Debug)]
pub(crate) struct Check {
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) severity: Severity,
    pub(crate) request: Request,
    pub(crate) timeout: Duration,
    pub(crate) conditions: Vec<Condition>,
    pub(crate) retries: u32,
    pub(crate) retry_after: Duration,
}

/// The checks of a procedure; nothing is asked before all of them make sense.
pub(crate) fn checks(settings: &Settings) -> Result<Vec<Check>> {
    let mut names = BTreeSet::new();
    let checks = settings.checks.iter().map(|check| {
        if !names.insert(&check.name) {
            return Err(invalid(format!("two checks have the name `{}`", check.name)));
        }
        read(check, settings.timeout.get())
    });
    checks.collect()
}

fn read(settings: &CheckSettings, timeout: Duration) -> Result<Check> {
    let conditions = settings
        .conditions
        .iter()
        .map(|text| condition(&settings.name, text));
    Ok(Check {
        name: settings.name.clone(),
        url: settings.url.clone(),
        severity: settings.severity,
        request: request(settings)?,
        timeout: settings.timeout.map_or(timeout, sopwith::Duration::get),
        conditions: conditions.collect::<Result<_>>()?,
        retries: settings.retries,
        retry_after: settings.retry_after.get(),
    })
}

fn condition(check: &str, text: &str) -> Result<Condition> {
    text.parse()
        .map_err(|fault| invalid(format!("check `{check}`: condition `{text}`: {fault}")))
}

fn request(settings: &CheckSettings) -> Result<Request> {
    let mut request =
        Request::new(settings.method.to_string(), &settings.url).with_redirects_max(settings.redirects_max);
    for (name, value) in &settings.headers {
        request = request.with_header(name, value);
    }
    match (&settings.body, &settings.json) {
        (None, None) => Ok(request),
        (Some(text), None) => Ok(request.with_body(text.as_bytes())),
        (None, Some(value)) => request.with_json(value),
        (Some(_), Some(_)) => Err(invalid(format!(
            "check `{}` has both `body` and `json`, and a request has one body",
            settings.name
        ))),
    }
}

fn invalid(message: String) -> Error {
    Error::invalid(message).with_blame(Blame::Operator)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sopwith::ErrorKind;
    use sopwith::serde_json::{Value, from_value, json};

    fn read(checks: &Value) -> Result<Vec<Check>> {
        let settings: Settings =
            from_value(json!({ "checks": checks })).expect("the settings are of their shape");
        super::checks(&settings)
    }

    #[test]
    fn procedure_of_the_documentation_makes_sense() {
        let page = include_str!("../../../docs/plugins/smoke.md");
        let block = page
            .split("```toml\n")
            .nth(1)
            .and_then(|rest| rest.split("```").next());
        let file: Value = toml::from_str(block.expect("the page has a procedure")).expect("it is TOML");
        let settings = from_value(file["settings"].clone()).expect("its settings are of their shape");
        let names = super::checks(&settings)
            .expect("they make sense")
            .into_iter()
            .map(|check| check.name);
        assert_eq!(
            names.collect::<Vec<_>>(),
            ["health", "ready", "tenant", "nothing-there"]
        );
    }

    fn check_refused(checks: &Value, message: &str) {
        let error = read(checks).expect_err("it must be refused");
        assert_eq!(
            (error.kind, error.message.as_str()),
            (ErrorKind::Invalid, message)
        );
    }

    #[test]
    fn settings_have_the_documented_defaults() {
        let checks = read(&json!([{ "name": "home", "url": "http://127.0.0.1/" }])).expect("it is enough");
        let home = &checks[0];
        assert_eq!(home.timeout, Duration::from_secs(10));
        assert_eq!(home.severity, Severity::Critical);
        assert_eq!((home.retries, home.retry_after), (0, Duration::from_secs(1)));
        let conditions: Vec<_> = home.conditions.iter().map(Condition::text).collect();
        assert_eq!(conditions, ["[STATUS] == 200"]);
    }

    #[test]
    fn condition_that_is_none_names_its_check_and_the_place() {
        check_refused(
            &json!([{ "name": "home", "url": "http://127.0.0.1/", "conditions": ["[STATUS] = 200"] }]),
            "check `home`: condition `[STATUS] = 200`: at character 10: \
             expected one of `==`, `!=`, `<`, `<=`, `>` and `>=`",
        );
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        let home = json!({ "name": "home", "url": "http://127.0.0.1/" });
        check_refused(&json!([home, home]), "two checks have the name `home`");
        check_refused(
            &json!([{ "name": "home", "url": "http://127.0.0.1/", "body": "x", "json": 1 }]),
            "check `home` has both `body` and `json`, and a request has one body",
        );
    }
}
