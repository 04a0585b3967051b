//! Backs up SQLite databases, proves the copies, restores them and lets old ones go by rule.

mod action;
mod choice;
mod claim;
mod examination;
mod expectation;
mod findings;
mod manifest;
mod naming;
mod plan;
mod pruning;
mod retention;
mod rows;
mod settings;
mod shelf;
mod snapshot;
mod text;
mod words;

use settings::Settings;

sopwith::plugin!(
    Settings: action::backup::backup,
    action::verify::verify,
    action::restore::restore,
    action::prune::prune,
    action::list::list,
);

#[cfg(test)]
mod tests;
