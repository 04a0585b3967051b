//! Instants that are named one by one.

use super::Tally;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Instants that are named one by one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct At {
    instants: BTreeSet<Timestamp>,
}

/// A text that names no instant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither a local time nor one with its distance from UTC")]
pub struct InvalidAt(String);

impl At {
    /// Reads times as RFC 3339 writes them. One without a distance from UTC is by the clocks of this zone:
    /// where they leave it out, as late after the change as it would have been after it; where they repeat
    /// it, the first time.
    pub fn parse<'t>(texts: impl IntoIterator<Item = &'t str>, zone: &TimeZone) -> Result<Self, InvalidAt> {
        let instant = |text: &str| {
            if let Ok(instant) = text.parse::<Timestamp>() {
                return Ok(instant);
            }
            let local: Result<DateTime, _> = text.parse();
            let zoned = local.and_then(|local| zone.to_ambiguous_zoned(local).compatible());
            zoned
                .map(|zoned| zoned.timestamp())
                .map_err(|_| InvalidAt(text.to_owned()))
        };
        let instants = texts.into_iter().map(instant).collect::<Result<_, _>>()?;
        Ok(Self { instants })
    }

    /// The first instant after this one.
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        self.instants.iter().find(|instant| **instant > after).copied()
    }

    /// Counts the instants after the first one given, up to and with the second.
    pub(super) fn tally(&self, after: Timestamp, until: Timestamp) -> Option<Tally> {
        let mut within = self
            .instants
            .iter()
            .filter(|instant| **instant > after && **instant <= until);
        let first = *within.next()?;
        let (count, last) = within.fold((1, first), |(count, _), instant| (count + 1, *instant));
        Some(Tally { count, first, last })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn berlin(texts: &[&str]) -> Result<Vec<String>, String> {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let at = At::parse(texts.iter().copied(), &zone).map_err(|error| error.to_string())?;
        let ticks = std::iter::successors(at.next(Timestamp::MIN), |tick| at.next(*tick));
        Ok(ticks.map(|tick| tick.to_string()).collect())
    }

    #[test]
    fn times_are_local_unless_they_say_their_distance_from_utc() {
        let read = berlin(&["2026-12-24T18:00", "2026-12-24 12:00:30", "2026-12-24T18:00Z"]).unwrap();
        assert_eq!(
            read,
            [
                "2026-12-24T11:00:30Z",
                "2026-12-24T17:00:00Z",
                "2026-12-24T18:00:00Z"
            ]
        );
    }

    #[test]
    fn times_at_a_change_of_clocks_come_once() {
        assert_eq!(berlin(&["2026-03-29T02:30"]).unwrap(), ["2026-03-29T01:30:00Z"]);
        assert_eq!(berlin(&["2026-10-25T02:30"]).unwrap(), ["2026-10-25T00:30:00Z"]);
    }

    #[test]
    fn what_is_no_time_is_told() {
        for text in ["tomorrow", "24:00", "2026-02-30T10:00", ""] {
            let said = berlin(&[text]).unwrap_err();
            assert!(said.starts_with(&format!("`{text}` is neither")), "{said}");
        }
    }

    #[test]
    fn tally_counts_those_within() {
        let at = At::parse(["1970-01-01T00:00:01Z", "1970-01-01T00:00:05Z"], &TimeZone::UTC).unwrap();
        let second = |second| Timestamp::from_second(second).unwrap();
        let count = |after, until| {
            let tally = at.tally(second(after), second(until));
            tally.map_or((0, 0, 0), |tally| {
                (tally.count, tally.first.as_second(), tally.last.as_second())
            })
        };
        assert_eq!(count(0, 9), (2, 1, 5));
        assert_eq!(count(1, 5), (1, 5, 5));
        assert_eq!(count(5, 9), (0, 0, 0));
    }
}
