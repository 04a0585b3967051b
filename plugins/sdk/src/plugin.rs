//! What the host calls: the description of the plugin, and the choice of the action.

use crate::action::Action;
use crate::bindings::exports::sopwith::plugin::procedure as host;
use crate::bindings::sopwith::plugin::types;
use crate::error::into_host;
use crate::manifest::{Manifest, schema_to_read, summary_of};
use crate::{Error, ErrorKind, Result, Verdict, given, run};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

/// A whole plugin, as [`plugin!`](crate::plugin) writes it.
pub trait Plugin {
    /// The settings of the procedure, one type for all actions.
    type Settings: DeserializeOwned + JsonSchema + 'static;
    /// The name of the plugin.
    const NAME: &'static str;
    /// The version of the plugin.
    const VERSION: &'static str;

    /// What it can do; the first one is the default.
    fn actions() -> Vec<Action<Self::Settings>>;

    /// What it says of itself.
    fn manifest() -> Manifest {
        let settings = schema_to_read::<Self::Settings>();
        let actions = Self::actions();
        Manifest {
            name: Self::NAME,
            version: Self::VERSION,
            summary: summary_of(&settings),
            settings,
            actions: actions.into_iter().map(Action::into_manifest).collect(),
        }
    }
}

impl<P: Plugin> host::Guest for P {
    fn describe() -> String {
        serde_json::to_string(&P::manifest()).expect("schemas and texts always become JSON")
    }

    fn run(action: String, settings: String, inputs: String) -> Result<host::Report, types::Error> {
        let ended = carry_out::<P>(&action, &settings, &inputs);
        conclude(ended, run::dry_run).map_err(into_host)
    }
}

fn carry_out<P: Plugin>(name: &str, settings: &str, inputs: &str) -> Result<host::Report> {
    let mut actions = P::actions().into_iter();
    let action = actions
        .find(|action| action.name() == name)
        .ok_or_else(|| Error::not_found(format!("plugin `{}` has no action `{name}`", P::NAME)))?;
    let settings = given::read("settings", settings)?;
    action.carry_out(&settings, inputs)
}

/// A dry run that came to where the answer cannot be made up has done all that it can.
fn conclude(ended: Result<host::Report>, dry_run: impl FnOnce() -> bool) -> Result<host::Report> {
    match ended {
        Err(error) if error.kind == ErrorKind::Planned && dry_run() => Ok(host::Report {
            verdict: Verdict::Ok.as_str().to_owned(),
            summary: format!("planned up to here: {}", error.message),
            output: "null".to_owned(),
            extra: error.extra,
        }),
        other => other,
    }
}

/// Exports a plugin where it is compiled to a component, and lets it be where it is tested.
#[doc(hidden)]
#[macro_export]
macro_rules! export {
    ($component:ident) => {
        #[cfg(target_family = "wasm")]
        $crate::bindings::export!($component with_types_in $crate::bindings);
        #[cfg(not(target_family = "wasm"))]
        const _: fn() -> $crate::manifest::Manifest = <$component as $crate::Plugin>::manifest;
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Report;
    use crate::action::NoInputs;

    enum Adder {}

    #[derive(serde::Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct Settings {
        base: u32,
    }

    #[derive(serde::Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct Inputs {
        number: u32,
    }

    impl Plugin for Adder {
        type Settings = Settings;
        const NAME: &'static str = "adder";
        const VERSION: &'static str = "1.0.0";

        fn actions() -> Vec<Action<Settings>> {
            let add = |settings: &Settings, inputs: &Inputs| {
                Ok(Report::warning("added").with_output(settings.base + inputs.number))
            };
            let plan = |_: &Settings, _: &NoInputs| -> Result<Report> {
                Err(Error::new(ErrorKind::Planned, "`POST` was not sent"))
            };
            vec![
                Action::new("add", "Adds.", add),
                Action::new("plan", "Plans.", plan),
            ]
        }
    }

    #[test]
    fn action_gets_settings_and_inputs_and_its_report_comes_back() {
        let report = carry_out::<Adder>("add", r#"{"base":2}"#, r#"{"number":3}"#).expect("it adds");
        assert_eq!(
            (report.verdict.as_str(), report.summary.as_str()),
            ("warning", "added")
        );
        assert_eq!(report.output, "5");
    }

    fn check_refused(action: &str, settings: &str, inputs: &str, kind: &ErrorKind, message: &str) {
        let error = carry_out::<Adder>(action, settings, inputs).expect_err("it must be refused");
        assert_eq!(&error.kind, kind, "{error}");
        assert!(error.message.starts_with(message), "{error}");
        assert!(!error.message.contains(" line "), "{error}");
    }

    #[test]
    fn what_the_plugin_does_not_know_is_refused() {
        let (settings, inputs) = (r#"{"base":2}"#, r#"{"number":3}"#);
        let unknown = "plugin `adder` has no action `sub`";
        check_refused("sub", settings, inputs, &ErrorKind::NotFound, unknown);
        let field = "settings: `bass`: unknown field `bass`";
        check_refused("add", r#"{"bass":2}"#, inputs, &ErrorKind::Invalid, field);
        let number = "inputs: `number`: invalid type: string \"3\", expected u32";
        check_refused("add", settings, r#"{"number":"3"}"#, &ErrorKind::Invalid, number);
    }

    #[test]
    fn planned_is_a_good_end_in_a_dry_run_alone() {
        let planned = || carry_out::<Adder>("plan", r#"{"base":2}"#, "{}");
        let report = conclude(planned(), || true).expect("a dry run ends well");
        assert_eq!((report.verdict.as_str(), report.output.as_str()), ("ok", "null"));
        assert_eq!(report.summary, "planned up to here: `POST` was not sent");
        let error = conclude(planned(), || false).expect_err("a real run has failed");
        assert_eq!(error.kind, ErrorKind::Planned);
    }
}
