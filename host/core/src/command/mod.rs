//! Commands as the operator wrote them down: a program, and where a plugin may fill in a blank.

mod argument;
mod pattern;

pub use argument::{Argument, ArgumentPart, InvalidArgument};
pub use pattern::{InvalidPattern, Pattern};

use crate::digest::Digest;
use crate::template::Template;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// `[commands.NAME]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// The absolute path of the program.
    pub program: PathBuf,
    /// The only bytes of the program that are started.
    pub sha256: Option<Digest>,
    /// Its arguments, with blanks.
    pub arguments: Vec<Argument>,
    /// Where it is started; the root directory where there is none.
    pub directory: Option<PathBuf>,
    /// Its whole environment; nothing of the host's own is handed on.
    pub environment: BTreeMap<String, Template>,
    /// Whether it changes anything; a dry run carries out only what does not.
    pub effects: Effects,
    /// How long it may take; as long as the attempt where there is none.
    pub timeout: Option<Duration>,
    /// What may stand in its blanks, by name; each of them stands in an argument.
    pub blanks: BTreeMap<String, Blank>,
}

/// Whether a command changes anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effects {
    /// It only looks.
    None,
    /// It changes something.
    Changes,
}

/// What may stand in a blank.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Blank {
    /// Text that this pattern matches as a whole.
    Pattern(Pattern),
    /// The name of a database, in whose place the host puts where it is.
    Database,
}
