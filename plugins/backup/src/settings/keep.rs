//! Which backups are kept.

use crate::text::text_setting;
use jiff::Span;
use serde::{Deserialize, Serialize};
use std::fmt::{self, Display};
use std::str::FromStr;

/// Which backups are kept, by the rules of restic: each rule counts apart, and what one of them
/// keeps stays. A number is of backups, 0 for no such rule and -1 for no end.
#[sopwith::settings]
#[derive(Debug, Clone, Default, PartialEq)]
#[serde(default)]
pub(crate) struct Keep {
    /// The newest backups.
    #[schemars(range(min = -1))]
    pub(crate) last: i32,
    /// The newest backup of each of the newest hours that have one.
    #[schemars(range(min = -1))]
    pub(crate) hourly: i32,
    /// The newest backup of each of the newest days that have one.
    #[schemars(range(min = -1))]
    pub(crate) daily: i32,
    /// The newest backup of each of the newest ISO weeks that have one.
    #[schemars(range(min = -1))]
    pub(crate) weekly: i32,
    /// The newest backup of each of the newest months that have one.
    #[schemars(range(min = -1))]
    pub(crate) monthly: i32,
    /// The newest backup of each of the newest years that have one.
    #[schemars(range(min = -1))]
    pub(crate) yearly: i32,
    /// All backups within this span before the newest: `12h`, `30d`, `8w`, `1y 6mo`.
    pub(crate) within: Option<Within>,
    /// One backup an hour within this span before the newest.
    pub(crate) within_hourly: Option<Within>,
    /// One backup a day within this span before the newest.
    pub(crate) within_daily: Option<Within>,
    /// One backup an ISO week within this span before the newest.
    pub(crate) within_weekly: Option<Within>,
    /// One backup a month within this span before the newest.
    pub(crate) within_monthly: Option<Within>,
    /// One backup a year within this span before the newest.
    pub(crate) within_yearly: Option<Within>,
    /// The newest of the safety copies that restores made, which count apart.
    #[schemars(range(min = -1))]
    pub(crate) safety: i32,
}

/// The units of spans, as operators know them from restic.
const UNITS: &str = "`y`, `mo`, `w`, `d`, `h`, `m`";

/// A span of time before the newest backup.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Within {
    text: String,
    pub(crate) span: Span,
}

text_setting!(Within);

impl PartialEq for Within {
    fn eq(&self, other: &Self) -> bool {
        self.span.fieldwise() == other.span.fieldwise()
    }
}

impl FromStr for Within {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let span: Span = text.parse().map_err(|_| {
            format!("`{text}` is not a span of time such as `30d` or `1y 6mo`; known are {UNITS}")
        })?;
        if !span.is_positive() {
            return Err(format!("`{text}` is not a span of time that leads back"));
        }
        let text = text.to_owned();
        Ok(Self { text, span })
    }
}

impl Display for Within {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}
