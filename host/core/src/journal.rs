//! What a run leaves behind while it is under way.

use crate::failure::Failure;
use crate::grant::{Denial, GrantUse};
use crate::port::capabilities::{Finding, Pairs};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One line of a run's record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JournalEntry {
    /// When.
    pub at: Timestamp,
    /// In which attempt, from 1.
    pub attempt: u32,
    /// What.
    #[serde(flatten)]
    pub note: Note,
}

/// What a line of the record says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "note", rename_all = "snake_case")]
#[expect(
    missing_docs,
    reason = "the fields are the parameters of the contract's `journal`"
)]
pub enum Note {
    /// The plugin said something.
    Log {
        level: String,
        message: String,
        fields: Pairs,
    },
    /// The plugin printed something.
    Printed { stream: String, text: String },
    /// A step began.
    StepBegan { name: String },
    /// A step got so far.
    StepProgress {
        name: String,
        done: u64,
        total: Option<u64>,
        unit: String,
    },
    /// A step ended well; a later attempt gets its output back.
    StepFinished { name: String, output: Value },
    /// A step was left out.
    StepSkipped { name: String, reason: String },
    /// A step ended badly.
    StepFailed { name: String, failure: Failure },
    /// A later attempt asked for a step that an earlier one had finished.
    StepRecalled { name: String },
    /// A finding.
    Finding(Finding),
    /// A check was carried out to its end.
    Checked { check: String, subjects: u64 },
    /// A figure.
    Metric { name: String, value: f64, unit: String },
    /// A piece of evidence; its content lies apart.
    Attached {
        name: String,
        media_type: String,
        bytes: u64,
    },
    /// The host is about to change something for the plugin.
    Change { call: String, object: String },
    /// What became of the newest change of this call and object.
    ChangeFailed {
        call: String,
        object: String,
        failure: Failure,
    },
    /// A dry run did not change something.
    Planned { call: String, object: String },
    /// Something was not granted.
    Denied(Denial),
    /// Which grants were used since the line before that says so.
    Used { uses: Vec<GrantUse> },
}
