//! Measures, and tells what was measured beside its baseline and its target.
//!
//! A benchmark is a program that prints one row a figure; `tests/bench/run` makes a table of them.

mod figure;
mod machine;
mod samples;

pub use figure::{Figure, Quantity, Target};
pub use machine::{Machine, timed};
pub use samples::Samples;

/// Whether the command line asks for this benchmark, or for none by name.
pub fn wanted(name: &str) -> bool {
    let mut names = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with('-'))
        .peekable();
    names.peek().is_none() || names.any(|wanted| wanted == name)
}
