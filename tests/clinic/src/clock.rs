//! The one place that asks what time it is.

use jiff::Timestamp;

/// Tells the time of now.
#[expect(
    clippy::disallowed_methods,
    reason = "the clinic is a process of its own, and its other modules take time as an argument"
)]
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// Writes a time as the database keeps it: RFC 3339 in UTC with three digits, so that text sorts as time.
pub(crate) fn text(time: Timestamp) -> String {
    format!("{time:.3}")
}
