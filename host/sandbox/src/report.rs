//! Reads what an action reported.

use crate::bindings::exports::sopwith::plugin::procedure;
use crate::bindings::sopwith::plugin::types;
use crate::ending::{TEXT_BYTES_MAX, start};
use crate::json;
use sopwith_core::failure::Failure;
use sopwith_core::limits::Limits;
use sopwith_core::run::{Report, Verdict};

/// No word of the contract is longer; one that nobody knows is shown as far as this.
const WORD_BYTES_MAX: usize = 64;
/// Names with values that an error may carry.
const EXTRAS_MAX: usize = 16;

/// What a name with a value takes besides its texts.
const PAIR_BYTES: usize = 8;

/// What a report has of bytes.
pub(crate) fn bytes(report: &procedure::Report) -> u64 {
    let extra = report.extra.iter();
    let extra: usize = extra
        .map(|(name, value)| name.len() + value.len() + PAIR_BYTES)
        .sum();
    (report.summary.len() + report.output.len() + extra) as u64
}

/// The report in the host's terms; whatever does not fit is the plugin's fault.
pub(crate) fn read(
    report: procedure::Report,
    limits: &Limits,
    mask: &dyn Fn(&str) -> String,
) -> Result<Report, Failure> {
    let (bytes, bytes_max) = (bytes(&report), limits.output_bytes);
    if bytes > bytes_max {
        let message = format!("the report has {bytes} bytes, and may have {bytes_max}");
        return Err(
            Failure::limit("output", message).hint("raise `output` under [limits] if the work needs it")
        );
    }
    let (memory, memory_max) = (json::memory(&report.output) as u64, limits.memory_bytes);
    if memory > memory_max {
        let message =
            format!("the output of the report takes {memory} bytes of memory, and may take {memory_max}");
        return Err(
            Failure::limit("memory", message).hint("raise `memory` under [limits] if the work needs it")
        );
    }
    Ok(Report {
        verdict: verdict(&report.verdict, mask)?,
        summary: report.summary,
        output: json::read("the output of the report", &report.output)?,
        extra: report.extra,
    })
}

/// What the word means; one that means nothing may be anything, a secret too.
fn verdict(word: &str, mask: &dyn Fn(&str) -> String) -> Result<Verdict, Failure> {
    let known = (word.len() <= WORD_BYTES_MAX).then(|| Verdict::from_word(word).ok());
    match known.flatten() {
        Some(verdict) => Ok(verdict),
        None => Verdict::from_word(start(&mask(word), WORD_BYTES_MAX)),
    }
}

/// The error in the host's terms, with as much of each text as the record keeps; masked before it is
/// cut, since half a secret is not recognised.
pub(crate) fn read_error(error: types::Error, mask: &dyn Fn(&str) -> String) -> Failure {
    let failure = Failure::from(error);
    let cut = |text: String| start(&mask(&text), TEXT_BYTES_MAX).to_owned();
    Failure {
        message: cut(failure.message),
        hint: failure.hint.map(cut),
        extra: failure
            .extra
            .into_iter()
            .take(EXTRAS_MAX)
            .map(|(name, value)| (cut(name), cut(value)))
            .collect(),
        ..failure
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(verdict: &str, output: &str, expected: &str) {
        let report = procedure::Report {
            verdict: verdict.to_owned(),
            summary: "done".to_owned(),
            output: output.to_owned(),
            extra: Vec::new(),
        };
        let limits = Limits {
            output_bytes: 16,
            memory_bytes: 1_000,
            ..Limits::default()
        };
        let outcome = read(report, &limits, &str::to_owned)
            .map_or_else(|failure| failure.message, |report| report.output.to_string());
        assert!(outcome.contains(expected), "{outcome}");
    }

    #[test]
    fn report_that_does_not_fit_is_the_plugins_fault() {
        check("ok", "[1]", "[1]");
        check("fine", "[1]", "`fine` is not a verdict");
        check("ok", "[1", "is not JSON");
        check("ok", "[1,2,3,4,5,6,7]", "has 19 bytes, and may have 16");
        check("ok", "[{},{}]", "takes 1727 bytes of memory, and may take 1000");
        check(&"x".repeat(1000), "[1]", &format!("`{}` is not", "x".repeat(64)));
    }

    #[test]
    fn a_verdict_is_one_whatever_is_masked() {
        let mask = |_: &str| "[redacted]".to_owned();
        assert_eq!(verdict("critical", &mask).expect("a verdict"), Verdict::Critical);
        let failure = verdict("hush", &mask).expect_err("no verdict");
        assert_eq!(failure.message, "`[redacted]` is not a verdict");
    }

    #[test]
    fn error_is_kept_as_far_as_the_record_has_room() {
        let long = || "x".repeat(2 * TEXT_BYTES_MAX);
        let error = types::Error {
            kind: "failed".to_owned(),
            message: long(),
            hint: Some(long()),
            retryable: true,
            extra: vec![(long(), long()); 100],
        };
        let failure = read_error(error, &str::to_owned);
        let kept = serde_json::to_string(&failure).expect("JSON").len();
        assert!(failure.retryable && kept < 40 * TEXT_BYTES_MAX, "{kept} bytes");
    }

    #[test]
    fn further_names_of_a_report_are_kept_and_counted() {
        let report = |count: usize| procedure::Report {
            verdict: "ok".to_owned(),
            summary: String::new(),
            output: "1".to_owned(),
            extra: vec![("a".to_owned(), "b".to_owned()); count],
        };
        let limits = Limits {
            output_bytes: 32,
            ..Limits::default()
        };
        let kept = read(report(3), &limits, &str::to_owned).expect("a report");
        assert_eq!(kept.extra, report(3).extra);
        let failure = read(report(4), &limits, &str::to_owned).expect_err("too much");
        assert!(failure.message.contains("has 41 bytes"), "{failure}");
    }

    #[test]
    fn secret_that_is_cut_through_is_masked_first() {
        let mask = |text: &str| text.replace("hush", "****");
        let said = format!("{}hush", "x".repeat(TEXT_BYTES_MAX - 2));
        let error = types::Error {
            kind: "failed".to_owned(),
            message: said.clone(),
            hint: Some(said.clone()),
            retryable: false,
            extra: vec![(said.clone(), said)],
        };
        let failure = read_error(error, &mask);
        assert!(failure.message.ends_with("x**"));
        assert!(!format!("{failure:?}").contains("hu"));

        let report = procedure::Report {
            verdict: format!("{}hush", "x".repeat(WORD_BYTES_MAX - 2)),
            summary: String::new(),
            output: String::new(),
            extra: Vec::new(),
        };
        let failure = read(report, &Limits::default(), &mask).expect_err("no verdict");
        assert!(failure.message.contains("x**`"), "{failure}");
    }
}
