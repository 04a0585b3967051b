//! Finds out which of several alternatives of a schema a value was meant to be.

use super::words;
use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use serde_json::Value;
use std::collections::BTreeSet;

/// What is wrong with a value that fits none of the alternatives.
pub(super) enum Misfit<'a> {
    /// It is of none of these kinds.
    Kind(BTreeSet<&'static str>),
    /// It is none of these values.
    Value(Vec<Value>),
    /// It was meant to be this alternative, of which these are the errors.
    Alternative(&'a [ValidationError<'static>]),
}

/// The alternatives of an error, each with its own errors.
pub(super) fn alternatives<'e>(
    error: &'e ValidationError<'_>,
) -> Option<&'e [Vec<ValidationError<'static>>]> {
    match error.kind() {
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            Some(context)
        }
        _ => None,
    }
}

/// What is wrong with a value that fits none of the alternatives.
pub(super) fn misfit<'a>(at: &str, alternatives: &'a [Vec<ValidationError<'static>>]) -> Misfit<'a> {
    let candidates: Vec<_> = alternatives
        .iter()
        .filter(|errors| kinds_wanted(at, errors).is_none())
        .collect();
    if candidates.is_empty() {
        let kinds = alternatives.iter().filter_map(|errors| kinds_wanted(at, errors));
        return Misfit::Kind(kinds.flatten().collect());
    }
    let values: Option<Vec<Vec<Value>>> = candidates
        .iter()
        .map(|errors| values_wanted(at, errors))
        .collect();
    match values {
        Some(values) => Misfit::Value(values.into_iter().flatten().collect()),
        None => candidates
            .into_iter()
            .min_by_key(|errors| errors.len())
            .map_or(Misfit::Value(Vec::new()), |errors| Misfit::Alternative(errors)),
    }
}

/// The kinds that would do, if it is the kind of the value that is wrong.
fn kinds_wanted(at: &str, errors: &[ValidationError<'static>]) -> Option<BTreeSet<&'static str>> {
    let here = || errors.iter().filter(|error| error.instance_path().as_str() == at);
    for error in here() {
        if let ValidationErrorKind::Type { kind } = error.kind() {
            return Some(words::kinds(kind));
        }
    }
    let inner = here().find_map(alternatives)?;
    let kinds: Option<Vec<_>> = inner.iter().map(|errors| kinds_wanted(at, errors)).collect();
    Some(kinds?.into_iter().flatten().collect())
}

/// The values that would do, if it is the value itself that is wrong.
fn values_wanted(at: &str, errors: &[ValidationError<'static>]) -> Option<Vec<Value>> {
    let [error] = errors else { return None };
    if error.instance_path().as_str() != at {
        return None;
    }
    match error.kind() {
        ValidationErrorKind::Constant { expected_value } => Some(vec![expected_value.as_ref().clone()]),
        ValidationErrorKind::Enum { options } => options.as_array().cloned(),
        _ => {
            let inner = alternatives(error)?;
            let of_right_kind = inner.iter().filter(|errors| kinds_wanted(at, errors).is_none());
            let values: Option<Vec<_>> = of_right_kind.map(|errors| values_wanted(at, errors)).collect();
            Some(values?.into_iter().flatten().collect())
        }
    }
}
