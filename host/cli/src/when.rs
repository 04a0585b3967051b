//! Instants as people name them: exactly, as a day, or as so long ago.

use crate::clock::SystemClock;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, Zoned, civil};
use sopwith_core::port::Clock as _;
use std::str::FromStr;

/// An instant that was named on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct When(Timestamp);

impl When {
    /// The instant.
    pub(crate) fn instant(self) -> Timestamp {
        self.0
    }

    fn parse(text: &str, now: &Zoned) -> Option<Self> {
        let in_zone =
            |civil: civil::DateTime| Some(civil.to_zoned(now.time_zone().clone()).ok()?.timestamp());
        let exact = || text.parse::<Timestamp>().ok();
        let local = || text.parse::<civil::DateTime>().ok().and_then(in_zone);
        let ago = || {
            let span: Span = text.parse().ok()?;
            let past = if span.is_negative() { span } else { -span };
            Some(now.checked_add(past).ok()?.timestamp())
        };
        exact().or_else(local).or_else(ago).map(Self)
    }
}

impl FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let now = SystemClock::new().now().to_zoned(TimeZone::system());
        Self::parse(text, &now).ok_or_else(|| {
            format!("`{text}` is no instant like `2026-03-01T12:00:00Z`, no day like `2026-03-01`, and not so long ago like `24h`")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_days_and_so_long_ago_are_understood() {
        let now: Zoned = "2026-03-31T12:00:00+02:00[Europe/Berlin]".parse().unwrap();
        for (text, instant) in [
            ("2026-03-01T12:00:00Z", "2026-03-01T12:00:00Z"),
            ("2026-03-01T12:00:00+01:00", "2026-03-01T11:00:00Z"),
            ("2026-03-01", "2026-02-28T23:00:00Z"),
            ("2026-03-01 12:30", "2026-03-01T11:30:00Z"),
            ("24h", "2026-03-30T10:00:00Z"),
            ("7d", "2026-03-24T11:00:00Z"),
            ("1 month ago", "2026-02-28T11:00:00Z"),
        ] {
            let expected = When(instant.parse().unwrap());
            assert_eq!(When::parse(text, &now), Some(expected), "{text}");
        }
        for bad in ["", "yesterday", "24", "2026-02-30"] {
            assert_eq!(When::parse(bad, &now), None, "{bad}");
        }
    }
}
