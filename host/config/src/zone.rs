//! What is said of time zones.

use crate::diagnostic::Diagnostic;
use crate::document::{Document, Location};
use crate::shape::nearest;
use jiff::tz;

/// The error about a time zone that does not exist.
pub(crate) fn unknown(document: &Document, place: &Location) -> Diagnostic {
    let written = document.written(place);
    let known: Vec<String> = tz::db().available().map(|name| name.to_string()).collect();
    let hint = nearest::hint(written, known.iter().map(String::as_str));
    document
        .error(
            place,
            format!("`{written}` is not a time zone of the IANA database"),
        )
        .hint(hint.unwrap_or_else(|| "write it like:  time_zone = \"Europe/Berlin\"".to_owned()))
}
