//! The real capabilities on a real store, and what a hostile plugin would try with them.

mod command_escapes;
mod command_flows;
mod commands;
mod disk;
mod files;
mod flow;
mod fuzz;
mod journal;
mod masking;
mod path_escapes;
mod restore;
mod scratch;
mod secret_stores;
mod secrets;
mod snapshot;
mod sql;
mod sql_attacks;
mod sql_bombs;
mod sql_escapes;
mod state;
mod world;
