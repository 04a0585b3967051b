//! Shows how far a run is: a bar on a terminal, a line for each step elsewhere.

use crate::output::{self, continued};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use sopwith_core::journal::Note;
use std::io::IsTerminal as _;
use std::time::Duration;

/// How often the spinner turns.
const TURN_EVERY: Duration = Duration::from_millis(100);
/// What stands before a line.
const COLUMNS: usize = 2;

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
            Note::Denied(denial) => self.line(&format!("✗ {denial}\n{}", denial.hint)),
            Note::Log { level, message, .. } if level == "warn" || level == "error" => {
                self.line(&format!("{level}: {message}"));
            }
            Note::Finding(finding) => {
                self.line(&format!("! ({}) {}", finding.severity, output::finding(finding)));
            }
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
        if let Ok(style) = ProgressStyle::with_template(template(total, unit)) {
            self.bar.set_style(style);
        }
        match total {
            Some(total) => self.bar.set_length(total),
            None => self.bar.unset_length(),
        }
        self.bar.set_message(name.to_owned());
        self.bar.set_prefix(unit.to_owned());
        self.bar.set_position(done);
    }

    fn line(&self, line: &str) {
        if self.shown {
            self.bar
                .suspend(|| anstream::eprintln!("  {}", continued(line, COLUMNS)));
        }
    }
}

/// How numbers look: with a bar where it is known how many there will be. The prefix is their unit.
fn template(total: Option<u64>, unit: &str) -> &'static str {
    match (total, unit) {
        (Some(_), "bytes") => "{spinner} {msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec}",
        (Some(_), _) => "{spinner} {msg} {wide_bar} {pos}/{len} {prefix}",
        (None, "bytes") => "{spinner} {msg} {bytes} {bytes_per_sec}",
        (None, _) => "{spinner} {msg} {pos} {prefix}",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use indicatif::TermLike;
    use std::io;
    use std::sync::{Arc, Mutex};

    /// A terminal that remembers whatever was written to it.
    #[derive(Debug, Clone, Default)]
    struct Paper(Arc<Mutex<String>>);

    impl TermLike for Paper {
        fn width(&self) -> u16 {
            100
        }

        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn write_line(&self, text: &str) -> io::Result<()> {
            self.write_str(text)
        }

        fn write_str(&self, text: &str) -> io::Result<()> {
            self.0.lock().unwrap().push_str(text);
            Ok(())
        }

        fn clear_line(&self) -> io::Result<()> {
            Ok(())
        }

        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Of a step that has come so far, a terminal shows this.
    fn check(done: u64, total: Option<u64>, unit: &str, expected: &str) {
        let paper = Paper::default();
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::term_like(Box::new(paper.clone())));
        let mut progress = Progress { bar, shown: true };
        let (name, unit) = ("copy".to_owned(), unit.to_owned());
        progress.note(&Note::StepBegan { name: name.clone() });
        progress.note(&Note::StepProgress {
            name,
            done,
            total,
            unit,
        });
        progress.bar.tick();
        let text = paper.0.lock().unwrap().clone();
        assert!(text.contains("copy") && text.contains(expected), "{text:?}");
    }

    #[test]
    fn numbers_are_shown_with_a_total_and_without_one() {
        check(3, Some(7), "tables", "3/7 tables");
        check(1536, Some(4096), "bytes", "1.50 KiB/4.00 KiB");
        check(42, None, "rows", "copy 42 rows");
        check(1536, None, "bytes", "copy 1.50 KiB");
    }
}
