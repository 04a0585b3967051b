//! Shows how far a run is: a bar on a terminal, a line for each step elsewhere.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use sopwith_core::journal::Note;
use std::io::IsTerminal as _;
use std::time::Duration;

/// How often the spinner turns.
const TURN_EVERY: Duration = Duration::from_millis(100);

/// What is shown of a run that is under way.
pub(crate) struct Progress {
    bar: ProgressBar,
    shown: bool,
}

impl Progress {
    /// Shows steps on standard error, or nothing at all.
    pub(crate) fn new(shown: bool) -> Self {
        let bar = ProgressBar::new_spinner();
        if shown && std::io::stderr().is_terminal() {
            bar.enable_steady_tick(TURN_EVERY);
        } else {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        Self { bar, shown }
    }

    /// Takes in a line of the run's record.
    pub(crate) fn note(&mut self, note: &Note) {
        match note {
            Note::StepBegan { name } => self.begin(name),
            Note::StepProgress {
                name,
                done,
                total,
                unit,
            } => self.advance(name, *done, *total, unit),
            Note::StepFinished { name, .. } => self.line(&format!("✓ {name}")),
            Note::StepRecalled { name } => self.line(&format!("✓ {name} (by an earlier attempt)")),
            Note::StepSkipped { name, reason } => self.line(&format!("– {name}: {reason}")),
            Note::StepFailed { name, failure } => self.line(&format!("✗ {name}: {failure}")),
            Note::Planned { call, object } => self.line(&format!("would change: {call} {object}")),
            Note::Denied(denial) => self.line(&format!("✗ {denial}\n  {}", denial.hint)),
            Note::Log { level, message, .. } if level == "warn" || level == "error" => {
                self.line(&format!("{level}: {message}"));
            }
            Note::Finding(finding) => self.line(&format!(
                "! {} ({}): {}",
                finding.title, finding.severity, finding.detail
            )),
            _ => {}
        }
    }

    /// Takes the bar away.
    pub(crate) fn end(&self) {
        self.bar.finish_and_clear();
    }

    fn begin(&self, name: &str) {
        self.bar.set_style(ProgressStyle::default_spinner());
        self.bar.set_message(name.to_owned());
    }

    fn advance(&self, name: &str, done: u64, total: Option<u64>, unit: &str) {
        let numbers = if unit == "bytes" {
            "{bytes}/{total_bytes} {bytes_per_sec}"
        } else {
            "{pos}/{len}"
        };
        if let Some(total) = total {
            let template = format!("{{spinner}} {{msg}} {{wide_bar}} {numbers}");
            if let Ok(style) = ProgressStyle::with_template(&template) {
                self.bar.set_style(style);
            }
            self.bar.set_length(total);
        }
        self.bar.set_message(name.to_owned());
        self.bar.set_position(done);
    }

    fn line(&self, line: &str) {
        if self.shown {
            self.bar.suspend(|| anstream::eprintln!("  {line}"));
        }
    }
}
