//! The shape of `[commands.NAME]`.

use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// A command that procedures may run: a program and how it is started, without a shell.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Command {
    /// The file of the program; it is looked for nowhere else.
    #[schemars(required, extend("examples" = ["/usr/bin/systemctl"]))]
    pub(crate) program: Option<String>,
    /// Its arguments. `{name}` is a blank that the plugin fills in; `\{` and `\}` are braces.
    #[schemars(extend("default" = [], "examples" = [["restart", "clinic.service"]]))]
    pub(crate) arguments: Option<Vec<String>>,
    /// Where it is started; the root directory by default.
    #[schemars(extend("examples" = ["/srv/clinic"]))]
    pub(crate) directory: Option<String>,
    /// Its whole environment, also with `{{secret:NAME}}`; nothing of the host's is added.
    #[schemars(extend("default" = {}))]
    pub(crate) environment: Option<BTreeMap<String, String>>,
    /// Whether it changes anything. A dry run runs only what does not.
    #[schemars(extend("default" = "changes"))]
    pub(crate) effects: Option<Effects>,
    /// How long it may take; as long as the attempt by default.
    #[schemars(extend("examples" = ["30s"]))]
    pub(crate) timeout: Option<String>,
    /// The only bytes of the program that are started.
    pub(crate) sha256: Option<String>,
    /// What may stand in its blanks.
    #[schemars(extend("default" = {}))]
    pub(crate) blanks: Option<BTreeMap<String, Blank>>,
}

/// Whether a command changes anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Effects {
    /// It only looks.
    None,
    /// It changes something.
    Changes,
}

/// What may stand in a blank: what a pattern matches as a whole, or the name of a database.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Blank {
    /// A regular expression, which has to match all of the value.
    #[schemars(extend("examples" = ["[a-z0-9_]{1,40}"]))]
    pub(crate) pattern: Option<String>,
    /// `database`: the name of one, in whose place the host puts its path.
    pub(crate) kind: Option<BlankKind>,
}

/// What else than text may stand in a blank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum BlankKind {
    /// The name of a database.
    Database,
}
