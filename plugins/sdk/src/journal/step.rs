//! Recorded parts of a run, as closures.

use crate::bindings::sopwith::plugin::journal as host;
use crate::error::into_host;
use crate::{Context, Error, ErrorKind, Result, run};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A step that is being carried out.
#[derive(Debug)]
pub struct Step {
    name: String,
    handle: host::Step,
}

/// Carries out one step of the procedure and records its output.
///
/// A step that finished in an earlier attempt of the same run is not carried out again: its
/// recorded output comes back instead. An error fails the step and is passed on. The name is
/// unique in the run.
pub fn step<T>(name: &str, work: impl FnOnce(&Step) -> Result<T>) -> Result<T>
where
    T: Serialize + DeserializeOwned,
{
    let step = Step::begin(name)?;
    if let Some(recorded) = step.handle.recorded() {
        let output = serde_json::from_str(&recorded);
        return output.with_context(|| format!("the recorded output of step `{name}`"));
    }
    match work(&step) {
        Ok(output) => step.finish(output),
        Err(error) => Err(step.end_with(error)),
    }
}

/// Records that a step was left out, and why.
pub fn skip_step(name: &str, reason: &str) -> Result<()> {
    Ok(Step::begin(name)?.handle.skip(reason)?)
}

impl Step {
    fn begin(name: &str) -> Result<Self> {
        let handle = host::begin(name)?;
        let name = name.to_owned();
        Ok(Self { name, handle })
    }

    /// Carries out a step within this one, under the name `THIS/NAME`.
    pub fn step<T>(&self, name: &str, work: impl FnOnce(&Step) -> Result<T>) -> Result<T>
    where
        T: Serialize + DeserializeOwned,
    {
        step(&format!("{}/{name}", self.name), work)
    }

    /// Shows how far it is: so many of so many `unit`s.
    pub fn progress(&self, done: u64, total: impl Into<Option<u64>>, unit: &str) {
        self.handle.progress(done, total.into(), unit);
    }

    fn finish<T: Serialize>(self, output: T) -> Result<T> {
        self.handle.finish(&serde_json::to_string(&output)?)?;
        Ok(output)
    }

    fn end_with(self, error: Error) -> Error {
        // What a dry run cannot go on with has not gone wrong.
        let planned = error.kind == ErrorKind::Planned && run::dry_run();
        if planned && self.handle.skip(&error.message).is_ok() {
            return error;
        }
        self.handle.fail(&into_host(error.clone()));
        error
    }
}
