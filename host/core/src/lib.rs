//! Vocabulary and pure rules of Sopwith, and the ports that the other crates implement.
//!
//! Nothing here reads a file, opens a socket or looks at a clock.

pub mod actor;
pub mod approval;
pub mod attempt;
pub mod audit;
pub mod command;
pub mod digest;
pub mod failure;
pub mod generation;
pub mod grant;
pub mod journal;
pub mod limits;
pub mod lock;
pub mod manifest;
pub mod moment;
pub mod name;
pub mod nesting;
pub mod port;
pub mod procedure;
pub mod resource;
pub mod retention;
pub mod retry;
pub mod role;
pub mod run;
pub mod schedule;
pub mod secret;
pub mod template;
