//! Masks and escapes every text of a line of the record.

use crate::redaction::Redaction;
use sopwith_core::failure::Failure;
use sopwith_core::grant::{Denial, Wanted};
use sopwith_core::journal::Note;
use sopwith_core::port::capabilities::{Finding, Pairs};

/// A line that may be kept and shown.
pub(crate) fn clean(mut note: Note, redaction: &Redaction) -> Note {
    let clean = Cleaner { redaction };
    match &mut note {
        Note::Log {
            level,
            message,
            fields,
        } => {
            clean.lines([level, message]);
            clean.pairs(fields);
        }
        Note::Printed { stream, text } => {
            clean.lines([stream]);
            clean.text(text);
        }
        Note::StepBegan { name } | Note::StepRecalled { name } => clean.lines([name]),
        Note::StepFinished { name, output } => {
            clean.lines([name]);
            *output = redaction.json(output.take());
        }
        Note::StepSkipped { name, reason } => clean.lines([name, reason]),
        Note::StepFailed { name, failure } => {
            clean.lines([name]);
            clean.failure(failure);
        }
        Note::Finding(finding) => clean.finding(finding),
        Note::Checked { check, .. } => clean.lines([check]),
        Note::StepProgress { name, unit, .. } | Note::Metric { name, unit, .. } => clean.lines([name, unit]),
        Note::Attached { name, media_type, .. } => clean.lines([name, media_type]),
        Note::Change { call, object } | Note::Planned { call, object } => clean.of_host([call, object]),
        Note::ChangeFailed {
            call,
            object,
            failure,
        } => {
            clean.of_host([call, object]);
            clean.failure(failure);
        }
        Note::Denied(denial) => clean.denial(denial),
        // Names of the operator and of the contract.
        Note::Used { .. } => {}
    }
    note
}

struct Cleaner<'s> {
    redaction: &'s Redaction,
}

impl Cleaner<'_> {
    fn lines<const N: usize>(&self, lines: [&mut String; N]) {
        for line in lines {
            *line = self.redaction.line(line);
        }
    }

    fn of_host<const N: usize>(&self, lines: [&mut String; N]) {
        for line in lines {
            *line = self.redaction.line_of_host(line);
        }
    }

    fn text(&self, text: &mut String) {
        *text = self.redaction.text(text);
    }

    fn pairs(&self, pairs: &mut Pairs) {
        for (name, value) in pairs {
            self.lines([name]);
            self.text(value);
        }
    }

    fn failure(&self, failure: &mut Failure) {
        self.lines([&mut failure.message]);
        failure.hint.iter_mut().for_each(|hint| self.text(hint));
        self.pairs(&mut failure.extra);
    }

    fn finding(&self, finding: &mut Finding) {
        self.lines([
            &mut finding.check,
            &mut finding.severity,
            &mut finding.subject,
            &mut finding.title,
        ]);
        self.text(&mut finding.detail);
        finding.fix.iter_mut().for_each(|fix| self.text(fix));
        self.pairs(&mut finding.extra);
    }

    fn denial(&self, denial: &mut Denial) {
        self.of_host([&mut denial.why, &mut denial.hint]);
        match &mut denial.wanted {
            Wanted::Named { name, .. } => self.of_host([name]),
            Wanted::Network { origin, method } => self.of_host([&mut origin.host, method]),
            Wanted::Insertion {
                secret,
                origin,
                method,
            } => self.of_host([secret, &mut origin.host, method]),
        }
    }
}
