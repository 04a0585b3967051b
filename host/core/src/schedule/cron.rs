//! Cron lines in a time zone: which instants they name.

use super::civil::CivilPattern;
use super::ticks::{Instants, Tally, tally};
use super::warning::{CronWarning, meets_clock_change, takes_either_day};
use super::zone::Change;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// Whether a cron line begins with a field for seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CronFields {
    /// Minute, hour, day, month, weekday.
    #[default]
    Five,
    /// Second, and then the five.
    Six,
}

/// A cron line in a time zone.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Cron {
    written: Written,
    pattern: CivilPattern,
    zone: TimeZone,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Written {
    line: String,
    fields: CronFields,
    time_zone: String,
}

/// Why a cron line or its time zone is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCron {
    /// The line.
    #[error("`{line}` is not a cron line: {why}")]
    Line {
        /// As it was written.
        line: String,
        /// The field that is wrong, with what it may say; none where no single one is.
        field: Option<String>,
        /// What the parser says.
        why: String,
    },
    /// The time zone.
    #[error("`{0}` is not a time zone of the IANA database")]
    TimeZone(String),
}

impl Cron {
    /// Reads a cron line and the name of a time zone.
    pub fn parse(line: &str, fields: CronFields, time_zone: &str) -> Result<Self, InvalidCron> {
        let zone = TimeZone::get(time_zone).map_err(|_| InvalidCron::TimeZone(time_zone.to_owned()))?;
        let pattern = CivilPattern::parse(line, fields).map_err(|error| InvalidCron::Line {
            line: line.to_owned(),
            field: CivilPattern::wrong_field(line, fields),
            why: error.to_string(),
        })?;
        let written = Written {
            line: line.to_owned(),
            fields,
            time_zone: time_zone.to_owned(),
        };
        Ok(Self {
            written,
            pattern,
            zone,
        })
    }

    /// A line in a zone that is given by its rules instead of its name.
    #[cfg(test)]
    pub(super) fn in_zone(line: &str, fields: CronFields, zone: TimeZone) -> Self {
        let written = Written {
            line: line.to_owned(),
            fields,
            time_zone: zone.iana_name().unwrap_or_default().to_owned(),
        };
        let pattern = CivilPattern::parse(line, fields).unwrap();
        Self {
            written,
            pattern,
            zone,
        }
    }

    /// The line as it was written.
    pub fn line(&self) -> &str {
        &self.written.line
    }

    /// The time zone in which the line is read.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The first instant after this one that the line names.
    ///
    /// A fixed time (no `*` and no `/` in the fields for the time of day) comes once a local day:
    /// where clocks leave it out, right after the change, together with all that they leave out
    /// there; where they repeat it, at the first occurrence. A local day that does not exist has no
    /// instant. Any other line keeps its real spacing: repeated times count twice, and times that are
    /// left out are not made up for.
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        self.instants(after).next()
    }

    /// The instants after the first one given, up to and with the second, in order.
    pub fn between(
        &self,
        from_exclusive: Timestamp,
        to_inclusive: Timestamp,
    ) -> impl Iterator<Item = Timestamp> {
        self.instants(from_exclusive)
            .take_while(move |instant| *instant <= to_inclusive)
    }

    /// Counts what [`between`](Self::between) yields, without visiting each instant.
    pub fn tally(&self, from_exclusive: Timestamp, to_inclusive: Timestamp) -> Option<Tally> {
        tally(&self.pattern, &self.zone, from_exclusive, to_inclusive)
    }

    /// Whether clocks change on the local day of this instant.
    pub fn near_clock_change(&self, instant: Timestamp) -> bool {
        let today = self.zone.to_datetime(instant).date();
        [
            Change::preceding(&self.zone, instant),
            Change::following(&self.zone, instant),
        ]
        .into_iter()
        .flatten()
        .any(|change| change.is_on(today))
    }

    /// What deserves a second look, where changes of clocks count for a year from this instant.
    pub fn warnings(&self, from: Timestamp) -> Vec<CronWarning> {
        let line = || self.written.line.clone();
        let clock_change = meets_clock_change(&self.pattern, &self.zone, from).then(|| {
            let time_zone = self.written.time_zone.clone();
            CronWarning::ClockChange {
                line: line(),
                time_zone,
            }
        });
        let either_day = takes_either_day(&self.pattern).then(|| CronWarning::EitherDay { line: line() });
        clock_change.into_iter().chain(either_day).collect()
    }

    fn instants(&self, after: Timestamp) -> Instants<'_> {
        Instants::after(&self.pattern, &self.zone, after)
    }
}

impl PartialEq for Cron {
    fn eq(&self, other: &Self) -> bool {
        self.written == other.written
    }
}

impl TryFrom<Written> for Cron {
    type Error = InvalidCron;

    fn try_from(written: Written) -> Result<Self, InvalidCron> {
        Self::parse(&written.line, written.fields, &written.time_zone)
    }
}

impl From<Cron> for Written {
    fn from(cron: Cron) -> Self {
        cron.written
    }
}
