//! The way from files to a generation, seen from outside.

mod golden;
mod last_good;
mod loading;
mod reload;
mod support;
