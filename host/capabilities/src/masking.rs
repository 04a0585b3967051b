//! Masks secrets in what is handed to a guest, or kept.
//!
//! Names stay as they are, since a guest asks by them: paths, columns, keys of the state.

use crate::blocking::until_done;
use crate::gate::Gate;
use crate::redaction::Mask;
use sopwith_core::failure::Failure;
use sopwith_core::port::capabilities::{Answer, Finding, Pairs, SqlValue};

/// More is looked through on another thread, since nothing else goes on here meanwhile.
const BYTES_HERE_MAX: usize = 256 << 10;

/// Masks this many bytes, where that holds up nobody.
pub(crate) async fn mask<T: Send + 'static>(
    gate: &Gate,
    bytes: usize,
    work: impl FnOnce(&Mask) -> T + Send + 'static,
) -> Answer<T> {
    let mask = gate.mask();
    if mask.is_idle() || bytes <= BYTES_HERE_MAX {
        return Ok(work(&mask));
    }
    until_done(gate, move |_| Ok(work(&mask))).await
}

/// The content of something.
pub(crate) async fn bytes(gate: &Gate, bytes: Vec<u8>) -> Answer<Vec<u8>> {
    mask(gate, bytes.len(), move |mask| mask.bytes(&bytes).into_owned()).await
}

/// Rows of a query, which take so many bytes.
pub(crate) async fn rows(gate: &Gate, rows: Vec<Vec<SqlValue>>, bytes: u64) -> Answer<Vec<Vec<SqlValue>>> {
    let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
    let row = |row: Vec<SqlValue>, mask: &Mask| row.into_iter().map(|cell| value(mask, cell)).collect();
    mask(gate, bytes, move |mask| {
        if mask.is_idle() {
            return rows;
        }
        rows.into_iter().map(|cells| row(cells, mask)).collect()
    })
    .await
}

fn value(mask: &Mask, value: SqlValue) -> SqlValue {
    match value {
        SqlValue::Text(text) => SqlValue::Text(masked(mask, text)),
        SqlValue::Decimal(text) => SqlValue::Decimal(masked(mask, text)),
        SqlValue::Timestamp(text) => SqlValue::Timestamp(masked(mask, text)),
        SqlValue::Blob(bytes) => SqlValue::Blob(mask.bytes(&bytes).into_owned()),
        SqlValue::Other { kind, text } => SqlValue::Other {
            kind,
            text: masked(mask, text),
        },
        SqlValue::Null | SqlValue::Boolean(_) | SqlValue::Integer(_) | SqlValue::Real(_) => value,
    }
}

/// Why something was not done.
pub(crate) fn failure(mask: &Mask, failure: Failure) -> Failure {
    Failure {
        message: masked(mask, failure.message),
        hint: failure.hint.map(|hint| masked(mask, hint)),
        extra: pairs(mask, failure.extra),
        ..failure
    }
}

/// What an earlier run found, perhaps before a secret was known.
pub(crate) fn finding(mask: &Mask, finding: &mut Finding) {
    let texts = [&mut finding.subject, &mut finding.title, &mut finding.detail];
    for text in texts.into_iter().chain(&mut finding.fix) {
        *text = masked(mask, std::mem::take(text));
    }
    finding.extra = pairs(mask, std::mem::take(&mut finding.extra));
}

/// Names with values.
pub(crate) fn pairs(mask: &Mask, pairs: Pairs) -> Pairs {
    let pair = |(name, value)| (masked(mask, name), masked(mask, value));
    pairs.into_iter().map(pair).collect()
}

/// A text.
pub(crate) fn masked(mask: &Mask, text: String) -> String {
    if mask.is_idle() {
        return text;
    }
    mask.text(&text).into_owned()
}
