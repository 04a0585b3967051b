//! Masks secrets in what an attempt came to, before it is kept.

use serde_json::Value;
use sopwith_core::failure::Failure;
use sopwith_core::run::Report;

/// What an attempt came to, with every text masked.
pub(crate) fn masked(
    result: Result<Report, Failure>,
    mask: &dyn Fn(&str) -> String,
) -> Result<Report, Failure> {
    match result {
        Ok(report) => Ok(Report {
            verdict: report.verdict,
            summary: mask(&report.summary),
            output: masked_value(report.output, mask),
        }),
        Err(failure) => Err(Failure {
            message: mask(&failure.message),
            hint: failure.hint.map(|hint| mask(&hint)),
            extra: failure
                .extra
                .into_iter()
                .map(|(name, value)| (mask(&name), mask(&value)))
                .collect(),
            ..failure
        }),
    }
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
