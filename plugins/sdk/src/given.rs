//! Reads what an operator gave: settings and inputs.

use crate::{Blame, Context, Error, Result};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Reads it, and names the place of what is wrong; the host wrote the text, so that lines and
/// columns would say nothing to anybody.
pub(crate) fn read<T: DeserializeOwned>(what: &str, text: &str) -> Result<T> {
    let value: Value = serde_json::from_str(text).context(what)?;
    serde_path_to_error::deserialize(value).map_err(|error| {
        let place = match error.path().to_string().as_str() {
            "." => what.to_owned(),
            path => format!("{what}: `{path}`"),
        };
        let error = Error::from(error.into_inner()).context(place);
        error.with_blame(Blame::Operator)
    })
}
