//! Values as people read them in one line.

use sopwith::jiff::fmt::friendly::{Designator, Spacing, SpanPrinter};
use sopwith::jiff::{SignedDuration, SpanRound, ToSpan, Unit};

/// What a page answers can be long, and its sentence stands in a list.
const CHARACTERS_MAX: usize = 120;

/// The text on one line, and no longer than a person reads.
pub(crate) fn cut(text: &str) -> String {
    let mut characters = text
        .chars()
        .map(|character| if character.is_control() { ' ' } else { character });
    let mut short: String = characters.by_ref().take(CHARACTERS_MAX).collect();
    if characters.next().is_some() {
        short.push('…');
    }
    short
}

/// A length of time, in at most the two units that matter.
pub(crate) fn duration(duration: SignedDuration) -> String {
    let smallest = match duration.abs() {
        long if long >= SignedDuration::from_hours(24) => Unit::Hour,
        long if long >= SignedDuration::from_mins(1) => Unit::Second,
        short if short >= SignedDuration::from_millis(1) => Unit::Millisecond,
        _ => Unit::Microsecond,
    };
    let round = SpanRound::new()
        .largest(Unit::Day)
        .smallest(smallest)
        .days_are_24_hours();
    let printer = SpanPrinter::new()
        .spacing(Spacing::None)
        .designator(Designator::Compact);
    let span = 0
        .seconds()
        .checked_add(duration)
        .and_then(|span| span.round(round));
    span.map_or_else(|_| format!("{duration:#}"), |span| printer.span_to_string(&span))
}

/// Microseconds as milliseconds.
pub(crate) fn milliseconds(microseconds: u64) -> String {
    if microseconds >= 10_000 {
        return format!("{} ms", microseconds / 1_000);
    }
    format!("{}.{} ms", microseconds / 1_000, microseconds % 1_000 / 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_duration(given: SignedDuration, expected: &str) {
        assert_eq!(duration(given), expected);
    }

    #[test]
    fn lengths_of_time_are_shown_in_the_units_that_matter() {
        check_duration(SignedDuration::from_micros(412), "412µs");
        check_duration(SignedDuration::from_micros(12_345), "12ms");
        check_duration(SignedDuration::from_millis(2_004), "2s4ms");
        check_duration(SignedDuration::from_secs(75), "1m15s");
        check_duration(SignedDuration::from_hours(13 * 24 + 4), "13d4h");
        check_duration(-SignedDuration::from_hours(72), "-3d");
    }

    #[test]
    fn long_texts_are_cut_and_stay_on_their_line() {
        assert_eq!(cut("one\ntwo"), "one two");
        let long = "é".repeat(CHARACTERS_MAX + 1);
        assert_eq!(cut(&long), format!("{}…", "é".repeat(CHARACTERS_MAX)));
    }

    #[test]
    fn quick_answers_keep_a_decimal() {
        assert_eq!(milliseconds(412), "0.4 ms");
        assert_eq!(milliseconds(12_999), "12 ms");
    }
}
