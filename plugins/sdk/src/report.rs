//! How an action ended.

use crate::Result;
use crate::bindings::exports::sopwith::plugin::procedure as host;
use serde::Serialize;
use std::fmt::Display;

/// How an action ended. That a check found trouble is a verdict, not an error.
#[derive(Debug, Clone, PartialEq)]
pub struct Report<O = ()> {
    /// What was found.
    pub verdict: Verdict,
    /// One sentence for the operator.
    pub summary: String,
    /// What machines read.
    pub output: O,
    /// Further names with values.
    pub extra: Vec<(String, String)>,
}

/// What an action found, from the most to the least welcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// There was no reason to act.
    NothingToDo,
    /// All is as it should be.
    Ok,
    /// Somebody should look at it.
    Warning,
    /// Somebody must look at it; the run has not passed.
    Critical,
}

impl Verdict {
    /// The verdict as the contract writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NothingToDo => "nothing-to-do",
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

impl Report {
    /// A report of this verdict, without output so far.
    pub fn new(verdict: Verdict, summary: impl Display) -> Self {
        Self {
            verdict,
            summary: summary.to_string(),
            output: (),
            extra: Vec::new(),
        }
    }

    /// All is as it should be.
    pub fn ok(summary: impl Display) -> Self {
        Self::new(Verdict::Ok, summary)
    }

    /// Somebody should look at it.
    pub fn warning(summary: impl Display) -> Self {
        Self::new(Verdict::Warning, summary)
    }

    /// Somebody must look at it; the run has not passed.
    pub fn critical(summary: impl Display) -> Self {
        Self::new(Verdict::Critical, summary)
    }

    /// There was no reason to act.
    pub fn nothing_to_do(summary: impl Display) -> Self {
        Self::new(Verdict::NothingToDo, summary)
    }

    /// Adds what machines read.
    #[must_use]
    pub fn with_output<O>(self, output: O) -> Report<O> {
        Report {
            verdict: self.verdict,
            summary: self.summary,
            output,
            extra: self.extra,
        }
    }
}

impl<O> Report<O> {
    /// Adds a name with a value.
    #[must_use]
    pub fn with_extra(mut self, name: &str, value: impl Display) -> Self {
        self.extra.push((name.to_owned(), value.to_string()));
        self
    }
}

impl<O: Serialize> Report<O> {
    /// The report as the contract has it.
    pub(crate) fn into_host(self) -> Result<host::Report> {
        Ok(host::Report {
            verdict: self.verdict.as_str().to_owned(),
            summary: self.summary,
            output: serde_json::to_string(&self.output)?,
            extra: self.extra,
        })
    }
}
