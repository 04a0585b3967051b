//! The record that a plugin leaves: steps, log, findings, figures, evidence.

mod budget;
mod step;

pub(crate) use step::OpenSteps;

use crate::gate::Gate;
use crate::masking;
use async_trait::async_trait;
pub(crate) use budget::Budget;
use budget::{PAIRS_MAX, finding_bytes, kept_bytes, pairs_bytes};
use sopwith_core::failure::Failure;
use sopwith_core::journal::Note;
use sopwith_core::port::Attachment;
use sopwith_core::port::capabilities::{Answer, Finding, Journal, OpenFinding, Pairs, Step};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use step::JournalStep;

/// The length of a name: of a step, a check, a figure, an attachment.
const NAME_BYTES_MAX: usize = 256;
/// Lines of one run that may wait to be written: as many as one commit carries.
const LINES_AHEAD_MAX: u64 = 256;
const LEVELS: [&str; 5] = ["trace", "debug", "info", "warn", "error"];

/// `sopwith:plugin/journal`
pub(crate) struct RunJournal {
    gate: Arc<Gate>,
    steps: Arc<OpenSteps>,
    budget: Arc<Budget>,
    /// Lines that were kept so far.
    lines: AtomicU64,
}

impl RunJournal {
    pub(crate) fn new(gate: Arc<Gate>) -> Self {
        Self {
            budget: Arc::new(Budget::new(
                gate.attempt().limits.clone(),
                &gate.attempt().finished_steps,
            )),
            steps: Arc::default(),
            lines: AtomicU64::new(0),
            gate,
        }
    }

    /// The steps that are open, for whoever shows progress.
    pub(crate) fn open_steps(&self) -> Arc<OpenSteps> {
        Arc::clone(&self.steps)
    }

    /// What the plugin has written so far.
    pub(crate) fn budget(&self) -> &Budget {
        &self.budget
    }

    /// Keeps a line, as long as there is room for it. Nobody waits for most of them; but whoever says
    /// very much waits now and then, so that the lines of others are not written behind all of it.
    async fn keep(&self, bytes: u64, note: impl FnOnce() -> Note) {
        let note = match self.budget.log(bytes) {
            budget::Room::Enough => note(),
            budget::Room::JustFull => Note::Log {
                level: "warn".to_owned(),
                message: format!(
                    "log cut off: there is room for {} bytes",
                    self.gate.attempt().limits.log_bytes
                ),
                fields: Vec::new(),
            },
            budget::Room::None => return,
        };
        if (self.lines.fetch_add(1, Relaxed) + 1).is_multiple_of(LINES_AHEAD_MAX) {
            // What becomes of a line that nobody asks about is told by the store.
            let _ = self.gate.record().durably(note).await;
        } else {
            self.gate.record().soon(note);
        }
    }
}

#[async_trait]
impl Journal for RunJournal {
    async fn begin(&self, name: &str) -> Answer<Box<dyn Step>> {
        check_step_name(name)?;
        let step = JournalStep::begin(&self.gate, &self.steps, &self.budget, name)?;
        Ok(Box::new(step))
    }

    async fn log(&self, level: &str, message: &str, mut fields: Pairs) {
        let level = LEVELS.into_iter().find(|known| *known == level).unwrap_or("info");
        fields.truncate(PAIRS_MAX);
        self.keep(kept_bytes(message) + pairs_bytes(&fields), || Note::Log {
            level: level.to_owned(),
            message: message.to_owned(),
            fields,
        })
        .await;
    }

    async fn printed(&self, stream: &str, text: &str) {
        self.keep(kept_bytes(text), || Note::Printed {
            stream: stream.to_owned(),
            text: text.to_owned(),
        })
        .await;
    }

    async fn add_findings(&self, findings: Vec<Finding>) -> Answer<()> {
        let mut notes = Vec::new();
        let mut answer = Ok(());
        for finding in findings {
            check_name("a check", &finding.check)?;
            answer = self.budget.finding(&finding);
            if answer.is_err() {
                break;
            }
            notes.push(Note::Finding(finding));
        }
        self.gate.record().all_durably(notes).await?;
        answer
    }

    async fn checked(&self, check: &str, subjects: u64) -> Answer<()> {
        check_name("a check", check)?;
        self.budget.checked()?;
        let check = check.to_owned();
        self.gate
            .record()
            .durably(Note::Checked { check, subjects })
            .await
    }

    async fn open_findings(&self, check: &str) -> Answer<Vec<OpenFinding>> {
        let procedure = &self.gate.attempt().run.queued.procedure;
        let store = self.gate.record().store();
        let mut open = store.open_findings(procedure, Some(check)).await?;
        let bytes: u64 = open.iter().map(|open| finding_bytes(&open.finding)).sum();
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        masking::mask(&self.gate, bytes, move |mask| {
            for open in &mut open {
                masking::finding(mask, &mut open.finding);
            }
            open
        })
        .await
    }

    async fn metric(&self, name: &str, value: f64, unit: &str) {
        if value.is_finite() && name.len() <= NAME_BYTES_MAX {
            let (name, unit) = (name.to_owned(), unit.to_owned());
            let bytes = kept_bytes(&name) + kept_bytes(&unit);
            self.keep(bytes, || Note::Metric { name, value, unit }).await;
        } else {
            let message = format!("the figure `{value}` is not kept: it is no number or has too long a name");
            self.log("warn", &message, Vec::new()).await;
        }
    }

    async fn attach(&self, name: &str, media_type: &str, content: Vec<u8>) -> Answer<()> {
        check_name("an attachment", name)?;
        check_name("a media type", media_type)?;
        let bytes = name.len() + media_type.len() + content.len();
        self.budget.attachment(bytes as u64)?;
        let content = masking::bytes(&self.gate, content).await?;
        let attachment = Attachment {
            name: name.to_owned(),
            media_type: media_type.to_owned(),
            content,
        };
        self.gate.record().attach(attachment).await
    }

    fn redact(&self, value: &str) {
        self.gate.record().redaction().add(value);
    }

    fn masked(&self, text: &str) -> String {
        self.gate.record().redaction().text(text)
    }
}

fn check_name(what: &str, name: &str) -> Answer<()> {
    if name.is_empty() || name.len() > NAME_BYTES_MAX || name.contains(char::is_control) {
        return Err(Failure::invalid(format!(
            "the name of {what} has 1 to {NAME_BYTES_MAX} bytes and no control characters"
        )));
    }
    Ok(())
}

fn check_step_name(name: &str) -> Answer<()> {
    check_name("a step", name)?;
    if name.split('/').any(str::is_empty) {
        return Err(Failure::invalid(format!(
            "the parts of the step `{name}` may not be empty"
        )));
    }
    Ok(())
}
