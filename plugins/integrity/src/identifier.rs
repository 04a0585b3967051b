//! Names of tables and columns as they stand in SQL.

use sopwith::schemars::JsonSchema;
use sopwith::serde::{Deserialize, Serialize};
use std::fmt::{self, Display};

/// The name of a table or a column. It is shown in quotes, so that no name is anything else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "sopwith::serde", try_from = "String", into = "String")]
#[schemars(crate = "sopwith::schemars", inline)]
pub(crate) struct Identifier(String);

impl Identifier {
    /// The name itself.
    pub(crate) fn name(&self) -> &str {
        &self.0
    }

    /// The column of this name of the table that a query calls `table`.
    ///
    /// Without the table, SQLite takes a quoted name that it does not know for a text, and the
    /// check would pass.
    pub(crate) fn of(&self, table: &str) -> String {
        format!("{table}.{self}")
    }
}

impl TryFrom<String> for Identifier {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        if name.is_empty() || name.contains('\0') {
            return Err("a name is not empty and has no zero byte");
        }
        Ok(Self(name))
    }
}

impl From<Identifier> for String {
    fn from(identifier: Identifier) -> Self {
        identifier.0
    }
}

impl Display for Identifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "\"{}\"", self.0.replace('"', "\"\""))
    }
}
