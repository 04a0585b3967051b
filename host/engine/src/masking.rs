//! Masks secrets in what an attempt came to, before it is kept.

use serde_json::Value;
use sopwith_core::failure::Failure;
use sopwith_core::port::capabilities::Pairs;
use sopwith_core::run::Report;

/// What an attempt came to, with every text masked.
pub(crate) fn masked(
    result: Result<Report, Failure>,
    mask: &dyn Fn(&str) -> String,
) -> Result<Report, Failure> {
    match result {
        Ok(report) => Ok(Report {
            verdict: report.verdict,
            summary: one_line(&mask(&report.summary)),
            output: masked_value(report.output, mask),
            extra: masked_pairs(report.extra, mask),
        }),
        Err(failure) => Err(Failure {
            message: one_line(&mask(&failure.message)),
            hint: failure.hint.map(|hint| mask(&hint)),
            extra: masked_pairs(failure.extra, mask),
            ..failure
        }),
    }
}

/// A sentence has one line; another one would look like a line of the host wherever it is shown.
fn one_line(text: &str) -> String {
    text.replace('\n', "\\n")
}

fn masked_pairs(pairs: Pairs, mask: &dyn Fn(&str) -> String) -> Pairs {
    let pair = |(name, value): (String, String)| (mask(&name), mask(&value));
    pairs.into_iter().map(pair).collect()
}

fn masked_value(value: Value, mask: &dyn Fn(&str) -> String) -> Value {
    match value {
        Value::String(text) => Value::String(mask(&text)),
        Value::Array(items) => items.into_iter().map(|item| masked_value(item, mask)).collect(),
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| (mask(&name), masked_value(value, mask)))
            .collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_of_a_plugin_have_one_line() {
        let mask = |text: &str| text.replace("hush", "*");
        let said = "no luck hush\n2026-01-01 change: files.remove all";
        let failure = Failure::invalid(said).hint("first\nsecond");
        let failure = masked(Err(failure), &mask).expect_err("a failure");
        assert_eq!(failure.message, r"no luck *\n2026-01-01 change: files.remove all");
        assert_eq!(failure.hint.as_deref(), Some("first\nsecond"));
        let report = Report {
            verdict: sopwith_core::run::Verdict::Ok,
            summary: said.to_owned(),
            output: Value::Null,
            extra: vec![("hush".to_owned(), "hush".to_owned())],
        };
        let report = masked(Ok(report), &mask).expect("a report");
        assert_eq!(report.summary, failure.message);
        assert_eq!(report.extra, [("*".to_owned(), "*".to_owned())]);
    }
}
