//! What a plugin of Sopwith is written with.
//!
//! A plugin is a settings struct and one function an action. The manifest that the host reads,
//! the JSON Schemas in it and the glue follow from them: names from names, summaries from
//! documentation, schemas from types.
//!
//! ```no_run
//! use sopwith::{Report, Result, probe};
//!
//! /// Checks that a page answers.
//! #[sopwith::settings]
//! struct Ping {
//!     /// The page to ask for.
//!     url: String,
//!     /// The status that it must answer with.
//!     #[serde(default = "ok")]
//!     status: u16,
//! }
//!
//! fn ok() -> u16 {
//!     200
//! }
//!
//! /// What the page answered.
//! #[sopwith::output]
//! struct Answer {
//!     /// The status.
//!     status: u16,
//!     /// How long the whole took.
//!     elapsed_us: u64,
//! }
//!
//! /// Asks for the page once.
//! #[sopwith::action(idempotent)]
//! #[needs(network(GET), from = "$.url", reason = "asks for the page")]
//! fn check(settings: &Ping) -> Result<Report<Answer>> {
//!     let response = probe::get(&settings.url).send()?;
//!     let answer = Answer { status: response.status, elapsed_us: response.timing.total_us };
//!     let report = if answer.status == settings.status {
//!         Report::ok("the page answers")
//!     } else {
//!         Report::critical(format!("the page answers with status {}", answer.status))
//!     };
//!     Ok(report.with_output(answer))
//! }
//!
//! sopwith::plugin!(Ping: check);
//! # fn main() {}
//! ```
//!
//! - [`settings`], [`inputs`] and [`output`] stand on the types that cross the boundary and
//!   expand to serde and schemars. Attributes of both work as usual.
//!   Settings may hold a [`sql::Database`], a [`files::Directory`], a [`commands::Command`] or a
//!   [`secrets::Secret`], which operators write as its name, and a [`Duration`], which they write like `5s`.
//! - [`action`] stands on a function of the settings, or of the settings and inputs, both by
//!   reference, that returns [`Result`]`<`[`Report`]`<Output>>`. `changes` says that it changes
//!   something outside its own state, `idempotent` that a run that was cut off may simply be
//!   started again. Each `#[needs(KIND(ACCESS), from = "JSONPATH", reason = "…")]` beneath it
//!   asks for a permission; with `optional` the action does without it where it is refused.
//! - [`plugin!`] names the settings and the actions by their paths, the default first.
//!
//! An error ends a run as failed; that a check found trouble is a verdict, not an error. In a
//! dry run, an error of kind [`ErrorKind::Planned`] ends the action as well as can be.

#[doc(hidden)]
pub mod action;
pub mod approvals;
#[doc(hidden)]
#[expect(clippy::same_length_and_capacity, reason = "written by wit-bindgen")]
pub mod bindings;
pub mod commands;
mod duration;
mod error;
pub mod files;
pub mod flow;
mod given;
pub mod journal;
pub mod manifest;
mod plugin;
pub mod probe;
pub mod procedures;
mod report;
mod resource;
pub mod run;
pub mod secrets;
pub mod sql;
pub mod state;

pub use duration::Duration;
pub use error::{Blame, Context, Error, ErrorKind, Result};
pub use journal::{Finding, Severity, step};
pub use plugin::Plugin;
pub use report::{Report, Verdict};
pub use sopwith_sdk_macros::{action, inputs, output, plugin, settings};

pub use {jiff, schemars, serde, serde_json};

use resource::resource_name;

fn milliseconds(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn pair<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let mut pairs = pairs.iter();
    pairs
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.as_str())
}
