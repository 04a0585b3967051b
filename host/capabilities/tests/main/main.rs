//! The real capabilities on a real store, and what a hostile plugin would try with them.

mod disk;
mod files;
mod flow;
mod journal;
mod path_escapes;
mod restore;
mod scratch;
mod snapshot;
mod sql;
mod sql_escapes;
mod state;
mod world;
