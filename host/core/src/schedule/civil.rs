//! A cron line as a calendar reads it: without a time zone and without changes of clocks.

use super::CronFields;
use croner::Cron as Parsed;
use croner::CronPattern;
use croner::errors::CronError;
use croner::parser::{CronParser, Seconds, Year};
use jiff::civil::{Date, DateTime, Time};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};

/// When matches are looked for. The parser gives up a little before and after, but not in every search.
const HORIZON: Range<DateTime> = Range {
    start: DateTime::constant(2, 1, 1, 0, 0, 0, 0),
    end: DateTime::constant(5000, 1, 1, 0, 0, 0, 0),
};

/// The fields of a line and what they may say.
const FIELDS: [(&str, &str); 6] = [
    ("second", "0 to 59"),
    ("minute", "0 to 59"),
    ("hour", "0 to 23"),
    ("day", "1 to 31"),
    ("month", "1 to 12, or jan to dec"),
    ("weekday", "0 to 7, or sun to sat"),
];

/// The dates and times that a cron line names.
#[derive(Debug, Clone)]
pub(super) struct CivilPattern {
    parsed: Arc<Parsed>,
    kind: PatternKind,
}

/// The patterns in use. One takes more than five kibibytes, and of those of ten thousand procedures few differ.
static IN_USE: LazyLock<Mutex<Patterns>> = LazyLock::new(Mutex::default);

/// Patterns by their lines.
type Patterns = BTreeMap<(String, CronFields), Weak<Parsed>>;

/// The same pattern, in one place with those that are equal.
fn shared(parsed: Parsed, fields: CronFields) -> Arc<Parsed> {
    let mut in_use = IN_USE.lock().unwrap_or_else(PoisonError::into_inner);
    let key = (parsed.as_str().to_owned(), fields);
    if let Some(known) = in_use.get(&key).and_then(Weak::upgrade) {
        return known;
    }
    in_use.retain(|_, pattern| pattern.strong_count() > 0);
    let parsed = Arc::new(parsed);
    in_use.insert(key, Arc::downgrade(&parsed));
    parsed
}

/// How a line behaves where clocks change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PatternKind {
    /// It names times of the day: each is due once a day.
    Fixed,
    /// It names a spacing: real time counts.
    Interval,
}

impl CivilPattern {
    pub(super) fn parse(line: &str, fields: CronFields) -> Result<Self, CronError> {
        let (seconds, clock_fields) = match fields {
            CronFields::Five => (Seconds::Disallowed, 2),
            CronFields::Six => (Seconds::Required, 3),
        };
        let parsed = CronParser::builder()
            .seconds(seconds)
            .year(Year::Disallowed)
            .build()
            .parse(line)?;
        // The parser passes over empty items, and a field of nothing else would never match.
        let mut items = parsed
            .as_str()
            .split_whitespace()
            .flat_map(|field| field.split(','));
        if items.any(str::is_empty) {
            return Err(CronError::InvalidPattern("a list has an empty item".to_owned()));
        }
        // The parser keeps the line with nicknames such as `@daily` written out.
        let spaced = parsed
            .as_str()
            .split_whitespace()
            .take(clock_fields)
            .any(|field| field.contains(['*', '/', '?']));
        let kind = if spaced {
            PatternKind::Interval
        } else {
            PatternKind::Fixed
        };
        let parsed = shared(parsed, fields);
        Ok(Self { parsed, kind })
    }

    /// Which field of the line is wrong, and what it may say; none where no single one is. The parser does not
    /// tell, so each is tried with the others out of the way.
    pub(super) fn wrong_field(line: &str, fields: CronFields) -> Option<String> {
        let names = match fields {
            CronFields::Five => &FIELDS[1..],
            CronFields::Six => &FIELDS[..],
        };
        let written: Vec<&str> = line.split_whitespace().collect();
        let mut alone = (0..names.len()).filter(|_| written.len() == names.len());
        let wrong = alone.find(|index| {
            let mut line = vec!["*"; names.len()];
            line[*index] = written[*index];
            Self::parse(&line.join(" "), fields).is_err()
        })?;
        let (name, range) = names[wrong];
        Some(format!("the {name} `{}` (it goes from {range})", written[wrong]))
    }

    pub(super) fn kind(&self) -> PatternKind {
        self.kind
    }

    /// What the fields say.
    pub(super) fn fields(&self) -> &CronPattern {
        &self.parsed.pattern
    }

    /// The first match at this time or later, within the horizon.
    pub(super) fn first_from(&self, from: DateTime) -> Option<DateTime> {
        let from = from.max(HORIZON.start);
        let found = self.parsed.find_next_occurrence(&from, true).ok();
        found.filter(|found| *found < HORIZON.end)
    }

    /// The first match later than the second that contains this time, within the horizon.
    pub(super) fn first_after(&self, after: DateTime) -> Option<DateTime> {
        if after < HORIZON.start {
            return self.first_from(HORIZON.start);
        }
        let found = self.parsed.find_next_occurrence(&after, false).ok();
        found.filter(|found| *found < HORIZON.end)
    }

    /// The last match before the second that contains this time, within the horizon.
    pub(super) fn last_before(&self, before: DateTime) -> Option<DateTime> {
        let before = before.min(HORIZON.end);
        let found = self.parsed.find_previous_occurrence(&before, false).ok();
        found.filter(|found| *found >= HORIZON.start)
    }

    /// How many matches a range holds within the horizon, without visiting them one by one. Fractions of a
    /// second are cut off.
    pub(super) fn count(&self, range: Range<DateTime>) -> u64 {
        let range = range.start.max(HORIZON.start)..range.end.min(HORIZON.end);
        if range.is_empty() {
            return 0;
        }
        let day = DayTimes::new(self.fields());
        let (first, last) = (range.start.date(), range.end.date());
        first
            .series(jiff::Span::new().days(1))
            .take_while(|date| *date <= last)
            .filter(|date| self.names_date(*date))
            .map(|date| {
                let until = if date == last {
                    day.earlier_than(range.end.time())
                } else {
                    day.all()
                };
                let skipped = if date == first {
                    day.earlier_than(range.start.time())
                } else {
                    0
                };
                until - skipped
            })
            .sum()
    }

    fn names_date(&self, date: Date) -> bool {
        let (year, month, day) = (
            i32::from(date.year()),
            date.month().unsigned_abs().into(),
            date.day().unsigned_abs().into(),
        );
        let sunday_based = date.weekday().to_sunday_zero_offset().unsigned_abs().into();
        let weekday = croner::Weekday::from_days_from_sunday(sunday_based);
        let fields = self.fields();
        fields.year_match(year).unwrap_or(false)
            && fields.month_match(month).unwrap_or(false)
            && fields.day_match(year, month, day, weekday).unwrap_or(false)
    }
}

/// The times of a day that a line names, as sorted values of the clock's hands.
struct DayTimes {
    hours: Vec<u16>,
    minutes: Vec<u16>,
    seconds: Vec<u16>,
}

impl DayTimes {
    fn new(fields: &CronPattern) -> Self {
        Self {
            hours: fields.hours.values(),
            minutes: fields.minutes.values(),
            seconds: fields.seconds.values(),
        }
    }

    fn all(&self) -> u64 {
        (self.hours.len() * self.minutes.len() * self.seconds.len()) as u64
    }

    fn earlier_than(&self, time: Time) -> u64 {
        let (hours, hour_is_named) = rank(&self.hours, time.hour());
        let (minutes, minute_is_named) = rank(&self.minutes, time.minute());
        let (seconds, _) = rank(&self.seconds, time.second());
        let in_minute = if minute_is_named { seconds } else { 0 };
        let in_hour = if hour_is_named {
            minutes * self.seconds.len() + in_minute
        } else {
            0
        };
        (hours * self.minutes.len() * self.seconds.len() + in_hour) as u64
    }
}

/// How many of the sorted values are smaller, and whether this one is among them.
fn rank(values: &[u16], hand: i8) -> (usize, bool) {
    let hand = hand.unsigned_abs().into();
    let smaller = values.partition_point(|value| *value < hand);
    (smaller, values.get(smaller) == Some(&hand))
}
