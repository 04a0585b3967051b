//! Databases, by the name that the operator gave them.
//!
//! ```no_run
//! use sopwith::parameters;
//! use sopwith::sql::Database;
//!
//! # fn main() -> Result<(), sopwith::Error> {
//! let app = Database::new("app");
//! let snapshot = app.read()?;
//! for row in snapshot.query("SELECT id, name FROM patient WHERE born > ?", parameters!["1990"])? {
//!     let row = row?;
//!     let (id, name): (i64, Option<String>) = (row.get("id")?, row.get("name")?);
//! }
//!
//! let transaction = app.write()?;
//! transaction.execute("DELETE FROM session WHERE user = ?", parameters![7])?;
//! transaction.commit()?;
//! # Ok(())
//! # }
//! ```

mod rows;
mod scratch;
mod session;
mod value;

pub use rows::{Row, Rows};
pub use scratch::Scratch;
pub use session::{Opening, Session};
pub use value::{FromValue, Value};

use crate::Result;
use crate::bindings::sopwith::plugin::sql as host;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use host::{Column, DatabaseInfo, OtherValue};

/// The name of a database.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Database(String);

crate::resource_name!(Database);

/// How thoroughly an engine checks itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Depth {
    /// What is quick.
    Quick,
    /// All that the engine can check.
    #[default]
    Full,
}

impl Database {
    /// What the engine says of itself and of the database.
    pub fn describe(&self) -> Result<DatabaseInfo> {
        Ok(host::describe(self.name())?)
    }

    /// The normalised DDL: the same text for the same schema, however it was written.
    pub fn schema(&self) -> Result<String> {
        Ok(host::schema(self.name())?)
    }

    /// The engine's own checks of pages, indices and foreign keys; the problems found.
    pub fn verify(&self, depth: Depth) -> Result<Vec<String>> {
        let depth = match depth {
            Depth::Quick => "quick",
            Depth::Full => "full",
        };
        Ok(host::verify(self.name(), depth)?)
    }

    /// Begins a read-only snapshot.
    pub fn read(&self) -> Result<Session> {
        self.session().read()
    }

    /// Begins a transaction that is rolled back unless it is committed.
    pub fn write(&self) -> Result<Session> {
        self.session().write()
    }

    /// A session that is yet to be opened, for what it is to be told.
    pub fn session(&self) -> Opening<'_> {
        Opening::new(self)
    }

    /// Makes an empty database on the same engine, for this run alone.
    pub fn scratch(&self) -> Result<Scratch> {
        Scratch::like(self)
    }
}
