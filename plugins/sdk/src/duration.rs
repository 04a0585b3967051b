//! Lengths of time, as operators write them: `300ms`, `5s`, `1h 30m`, `14d`.

use crate::{Context, Error, Result};
use jiff::{SignedDuration, Span, SpanRelativeTo};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt::{self, Display};
use std::str::FromStr;
use std::time;

/// A length of time for settings and inputs, where it stands as a text with units; a day has
/// 24 hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Duration(time::Duration);

impl Duration {
    /// So many seconds.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(time::Duration::from_secs(seconds))
    }

    /// The same for the standard library.
    pub const fn get(self) -> time::Duration {
        self.0
    }
}

impl FromStr for Duration {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let unclear = || Error::invalid(format!("`{text}` is no length of time such as `5s`"));
        let span: Span = text.parse().map_err(|_| unclear())?;
        let signed = span
            .to_duration(SpanRelativeTo::days_are_24_hours())
            .map_err(|_| unclear())?;
        let unsigned = time::Duration::try_from(signed);
        Ok(Self(
            unsigned.with_context(|| format!("`{text}` is less than nothing"))?,
        ))
    }
}

impl TryFrom<String> for Duration {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl Display for Duration {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match SignedDuration::try_from(self.0) {
            Ok(signed) => write!(formatter, "{signed:#}"),
            Err(_) => write!(formatter, "{}s", self.0.as_secs()),
        }
    }
}

impl From<Duration> for String {
    fn from(duration: Duration) -> Self {
        duration.to_string()
    }
}

impl JsonSchema for Duration {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "examples": ["5s"]})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<(u64, &str), &str>) {
        let parsed = text.parse::<Duration>();
        let shown = parsed
            .as_ref()
            .map(|duration| (crate::milliseconds(duration.get()), duration.to_string()))
            .map_err(|error| error.message.as_str());
        let shown = shown
            .as_ref()
            .map(|(milliseconds, text)| (*milliseconds, text.as_str()))
            .map_err(|message| *message);
        assert_eq!(shown, expected, "{text}");
    }

    #[test]
    fn lengths_of_time_are_written_with_units() {
        check("300ms", Ok((300, "300ms")));
        check("5s", Ok((5_000, "5s")));
        check("1h30m", Ok((5_400_000, "1h 30m")));
        check("2d", Ok((172_800_000, "48h")));
        check("5", Err("`5` is no length of time such as `5s`"));
        check("soon", Err("`soon` is no length of time such as `5s`"));
        check("1 month", Err("`1 month` is no length of time such as `5s`"));
    }

    #[test]
    fn negative_length_is_refused() {
        let error = "-5s"
            .parse::<Duration>()
            .expect_err("time does not run backwards");
        assert!(error.message.starts_with("`-5s` is less than nothing"), "{error}");
    }

    #[test]
    fn length_of_time_stands_in_json_as_its_text() {
        let written = serde_json::to_string(&Duration::from_secs(90)).expect("it is JSON");
        assert_eq!(written, "\"1m 30s\"");
        let read: Duration = serde_json::from_str(&written).expect("it reads itself");
        assert_eq!(read, Duration::from_secs(90));
    }
}
