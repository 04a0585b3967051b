//! The way from files to a generation, seen from outside.

mod fuzz;
mod golden;
mod last_good;
mod loading;
mod reload;
mod secrets;
mod signatures;
mod support;
