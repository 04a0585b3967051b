//! Points in time on the command line, as people say them.

use crate::output;
use jiff::{Span, Timestamp};
use sopwith_core::moment::Moment;
use std::str::FromStr;

/// A point in time, or how far away from now it lies.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Said {
    At(Moment),
    Away(Span),
}

impl Said {
    /// What is meant, where a distance goes back.
    pub(crate) fn ago(self, now: Timestamp) -> Moment {
        self.from(now, true)
    }

    /// What is meant, where a distance goes forward.
    pub(crate) fn ahead(self, now: Timestamp) -> Moment {
        self.from(now, false)
    }

    fn from(self, now: Timestamp, back: bool) -> Moment {
        match self {
            Self::At(moment) => moment,
            Self::Away(span) => {
                // A day of 23 hours is a day.
                let here = now.to_zoned(output::zone());
                let there = if back {
                    here.saturating_sub(span)
                } else {
                    here.saturating_add(span)
                };
                Moment::Instant(there.timestamp())
            }
        }
    }
}

impl FromStr for Said {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let away = || text.parse::<Span>().ok().filter(|span| span.is_positive());
        match text.parse() {
            Ok(moment) => Ok(Self::At(moment)),
            Err(error) => away()
                .map(Self::Away)
                .ok_or_else(|| format!("{error}; nor is it a distance from now such as `24h` or `7d`")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_go_the_way_that_is_asked_for() {
        let now: Timestamp = "2026-03-10T12:00:00Z".parse().unwrap();
        let said: Said = "36h".parse().unwrap();
        let instant = |text: &str| Moment::Instant(text.parse().unwrap());
        assert_eq!(said.ago(now), instant("2026-03-09T00:00:00Z"));
        assert_eq!(said.ahead(now), instant("2026-03-12T00:00:00Z"));
        let day: Said = "2026-03-01".parse().unwrap();
        assert_eq!(day.ago(now), "2026-03-01".parse().unwrap());
        for text in ["soon", "-3h", "", "0s"] {
            let said = text.parse::<Said>().unwrap_err();
            assert!(said.contains("such as `24h`"), "{said}");
        }
    }
}
