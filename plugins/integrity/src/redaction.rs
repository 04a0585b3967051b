//! Rows as they may be shown.

use sopwith::serde_json::Value as Json;
use sopwith::sql::{Column, Row};
use sopwith::{Error, Result};

/// What stands in place of a value that is not shown.
const REDACTED: &str = "[redacted]";

/// A person needs to know which row it is, and not all of a document in it.
const CHARACTERS_MAX: usize = 120;

/// Which columns are not shown.
#[derive(Debug, Clone)]
pub(crate) struct Redaction {
    /// Of every check; few queries have all of them.
    common: Vec<String>,
    /// Of this check, whose result has each of them.
    own: Vec<String>,
}

impl Redaction {
    /// The columns that no check shows, and those that this one does not.
    pub(crate) fn new(common: &[String], own: &[String]) -> Self {
        let (common, own) = (common.to_vec(), own.to_vec());
        Self { common, own }
    }

    /// Whether a column of this name is not shown; engines differ about capitals in names.
    pub(crate) fn covers(&self, column: &str) -> bool {
        let mut redacted = self.common.iter().chain(&self.own);
        redacted.any(|name| name.to_lowercase() == column.to_lowercase())
    }

    /// Refuses a name that no column has: what it was to hide would be shown.
    pub(crate) fn check(&self, columns: &[Column]) -> Result<()> {
        let is_there = |name: &str| {
            columns
                .iter()
                .any(|column| column.name.to_lowercase() == name.to_lowercase())
        };
        match self.own.iter().find(|name| !is_there(name)) {
            Some(name) => Err(Error::invalid(format!(
                "`redact` names `{name}`, which is no column of the result"
            ))),
            None => Ok(()),
        }
    }

    /// The row as an object.
    pub(crate) fn object(&self, row: &Row) -> Result<Json> {
        let mut object = row.to_json()?;
        for (name, value) in object.as_object_mut().into_iter().flatten() {
            if self.covers(name) {
                *value = REDACTED.into();
            } else if let Json::String(text) = value {
                *value = cut(text).into();
            }
        }
        Ok(object)
    }

    /// The row on a line, its columns in order.
    pub(crate) fn line(&self, row: &Row) -> String {
        let fields = row.columns().iter().zip(row.values()).map(|(column, value)| {
            let name = &column.name;
            if self.covers(name) {
                return format!("{name}={REDACTED}");
            }
            format!("{name}={}", cut(&value.to_string()))
        });
        fields.collect::<Vec<_>>().join(", ")
    }
}

/// The text on one line, and no longer than a person reads.
pub(crate) fn cut(text: &str) -> String {
    let mut characters = text
        .chars()
        .map(|character| if character.is_control() { ' ' } else { character });
    let mut short: String = characters.by_ref().take(CHARACTERS_MAX).collect();
    if characters.next().is_some() {
        short.push('…');
    }
    short
}
