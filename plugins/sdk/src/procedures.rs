//! Other procedures: each runs under its own grants, in the place of the run that calls it.
//!
//! ```no_run
//! use sopwith::procedures::Procedure;
//! use sopwith::step;
//!
//! # fn main() -> Result<(), sopwith::Error> {
//! let backup = Procedure::new("clinic-backup");
//! let outcome = step("backup", |_| backup.action("backup").call())?;
//! if !outcome.passed() {
//!     sopwith::error!("no backup, no deployment: {}", outcome.summary);
//! }
//! let drilled = backup.action("drill").last_passed()?;
//! # Ok(())
//! # }
//! ```

use crate::bindings::sopwith::plugin::procedures as host;
use crate::sql::Scratch;
use crate::{Context, Result};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The name of a procedure.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Procedure(String);

crate::resource_name!(Procedure);

impl Procedure {
    /// One of its actions.
    pub fn action(&self, action: impl Into<String>) -> Call {
        Call {
            action: Some(action.into()),
            ..Call::of(self)
        }
    }

    /// The action that it carries out by default.
    pub fn default_action(&self) -> Call {
        Call::of(self)
    }
}

/// A call that is yet to be made.
#[derive(Debug, Clone)]
#[must_use = "nothing runs without `call`"]
pub struct Call {
    procedure: String,
    action: Option<String>,
    inputs: Value,
    lend: Vec<(String, String)>,
}

impl Call {
    fn of(procedure: &Procedure) -> Self {
        Self {
            procedure: procedure.0.clone(),
            action: None,
            inputs: Value::Object(serde_json::Map::new()),
            lend: Vec::new(),
        }
    }

    /// Tells the run something. A later attempt has to say the same, so it comes from settings, inputs or a step.
    pub fn with_inputs(mut self, inputs: &impl Serialize) -> Result<Self> {
        self.inputs = serde_json::to_value(inputs).context("the inputs")?;
        Ok(self)
    }

    /// Puts a scratch database of this run in the place of one of its databases.
    pub fn lend(mut self, database: impl Into<String>, scratch: &Scratch) -> Self {
        self.lend.push((database.into(), scratch.name().to_owned()));
        self
    }

    /// Runs it, and waits for its end. While it waits for people or for an instant, this run is suspended; a later
    /// attempt that makes the same call from the same step gets the same run. That it did not pass is no error.
    pub fn call(self) -> Result<Outcome> {
        let inputs = self.inputs.to_string();
        outcome(host::call(
            &self.procedure,
            self.action.as_deref(),
            &inputs,
            &self.lend,
        )?)
    }

    /// The newest run that passed; never a dry one.
    pub fn last_passed(&self) -> Result<Option<Outcome>> {
        host::last_passed(&self.procedure, self.action.as_deref())?
            .map(outcome)
            .transpose()
    }
}

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// Its id.
    pub run: String,
    /// `succeeded`, `failed`, `timed_out`, `cancelled`, `lost`, `rejected`, `expired`.
    pub state: String,
    /// Empty where it came to no report.
    pub verdict: String,
    /// What it reported, or why it failed.
    pub summary: String,
    /// The result, in the shape that its manifest declares.
    pub output: Value,
    /// When its first attempt started.
    #[schemars(with = "Option<String>")]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[schemars(with = "Option<String>")]
    pub ended_at: Option<Timestamp>,
}

impl Outcome {
    /// Whether it succeeded with a verdict other than `critical`.
    pub fn passed(&self) -> bool {
        self.state == "succeeded" && self.verdict != "critical"
    }

    /// The result as a type.
    pub fn output<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_value(self.output.clone()).context("the output of the run that was called")
    }
}

fn outcome(outcome: host::Outcome) -> Result<Outcome> {
    let instant = |text: Option<String>| {
        let parsed = text.map(|text| text.parse().with_context(|| format!("the instant `{text}`")));
        parsed.transpose()
    };
    Ok(Outcome {
        run: outcome.run,
        state: outcome.state,
        verdict: outcome.verdict,
        summary: outcome.summary,
        output: serde_json::from_str(&outcome.output).context("the output of the run that was called")?,
        started_at: instant(outcome.started_at)?,
        ended_at: instant(outcome.ended_at)?,
    })
}
