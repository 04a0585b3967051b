//! Random lines, compared with a slow reading of the same rules that looks at every minute.

use super::{Cron, CronFields};
use croner::parser::CronParser;
use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::sample::select;
use std::collections::BTreeSet;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);
const NANOSECOND: SignedDuration = SignedDuration::from_nanos(1);

/// Zones, with an instant close to a change of their clocks or far from one.
const PLACES: &[(&str, &str)] = &[
    ("Europe/Berlin", "2026-03-29T01:00:00Z"),
    ("Europe/Berlin", "2026-10-25T01:00:00Z"),
    ("America/New_York", "2026-03-08T07:00:00Z"),
    ("America/New_York", "2026-11-01T06:00:00Z"),
    ("Australia/Lord_Howe", "2026-04-04T15:00:00Z"),
    ("Australia/Lord_Howe", "2026-10-03T15:30:00Z"),
    ("Pacific/Apia", "2011-12-30T10:00:00Z"),
    ("Africa/Casablanca", "2026-02-15T02:00:00Z"),
    ("Africa/Casablanca", "2026-03-22T02:00:00Z"),
    ("America/Sao_Paulo", "2018-02-18T02:00:00Z"),
    ("America/Sao_Paulo", "2018-11-04T03:00:00Z"),
    // Clocks skipped from half past eleven into the next day.
    ("America/Toronto", "1919-03-31T04:30:00Z"),
    // A day was repeated.
    ("Pacific/Kwajalein", "1969-09-30T13:00:00Z"),
    ("UTC", "2026-03-29T01:00:00Z"),
    ("Asia/Kathmandu", "2026-03-29T01:00:00Z"),
];

fn minutes() -> impl Strategy<Value = String> {
    prop_oneof![
        (0..60_u8).prop_map(|minute| minute.to_string()),
        (0..60, 0..60).prop_map(|(one, other)| format!("{one},{other}")),
        (0..30, 0..30).prop_map(|(start, length)| format!("{start}-{}", start + length)),
        select(vec!["*", "*/7", "*/15", "*/30", "5-55/10"]).prop_map(str::to_owned),
    ]
}

fn hours() -> impl Strategy<Value = String> {
    prop_oneof![
        (0..24_u8).prop_map(|hour| hour.to_string()),
        (0..4_u8).prop_map(|hour| hour.to_string()),
        (0..24, 0..24).prop_map(|(one, other)| format!("{one},{other}")),
        (0..12, 0..12).prop_map(|(start, length)| format!("{start}-{}", start + length)),
        select(vec!["*", "*/2", "*/5", "1-23/3"]).prop_map(str::to_owned),
    ]
}

fn days() -> impl Strategy<Value = &'static str> {
    select(vec![
        "* * *",
        "* * *",
        "* * *",
        "* * SUN",
        "* * 1-5",
        "1 * *",
        "*/2 * *",
        "L * *",
        "29-31 * *",
        "15 * SUN",
        "* 3,10 *",
        "30 12 *",
    ])
}

prop_compose! {
    fn lines()(minutes in minutes(), hours in hours(), days in days()) -> String {
        format!("{minutes} {hours} {days}")
    }
}

prop_compose! {
    fn places()((zone, change) in select(PLACES), nearby in -40 * 3600..40 * 3600_i64) -> (&'static str, Timestamp) {
        (zone, change.parse::<Timestamp>().unwrap() + SignedDuration::from_secs(nearby))
    }
}

/// What the clocks of a zone show, minute by minute.
struct Clocks {
    shown: Vec<(Timestamp, DateTime)>,
}

impl Clocks {
    fn around(cron: &Cron, [from, until]: [Timestamp; 2]) -> Self {
        // A margin, so that a day is known to exist and a repeated time is known to be one.
        let start = (from - DAY * 3).as_second().div_euclid(60) * 60;
        let first = Timestamp::from_second(start).unwrap();
        let shown = std::iter::successors(Some(first), |instant| Some(*instant + MINUTE))
            .take_while(|instant| *instant <= until + DAY * 3)
            .map(|instant| (instant, cron.zone().to_datetime(instant)))
            .collect();
        Self { shown }
    }

    /// The first instant at which the clocks show this time or a later one, on a day that exists.
    fn reach(&self, named: DateTime) -> Option<Timestamp> {
        let exists = self.shown.iter().any(|(_, shown)| shown.date() == named.date());
        let reached = self.shown.iter().find(|(_, shown)| *shown >= named)?;
        exists.then_some(reached.0)
    }
}

/// The instants in a range, by looking at each minute of the clock or of the calendar.
fn by_hand(cron: &Cron, [from, until]: [Timestamp; 2]) -> Vec<Timestamp> {
    let parsed = CronParser::new().parse(cron.line()).unwrap();
    let names = |shown: &DateTime| parsed.is_time_matching(shown).unwrap();
    let clocks = Clocks::around(cron, [from, until]);
    let time_of_day = cron.line().split(' ').take(2);
    let instants: BTreeSet<Timestamp> = if time_of_day.clone().any(|field| field.contains(['*', '/'])) {
        let matching = clocks.shown.iter().filter(|(_, shown)| names(shown));
        matching.map(|(instant, _)| *instant).collect()
    } else {
        let calendar = std::iter::successors(Some(cron.zone().to_datetime(from - DAY * 2)), |shown| {
            Some(*shown + MINUTE)
        })
        .map(|shown| shown.with().second(0).subsec_nanosecond(0).build().unwrap());
        calendar
            .take_while(|shown| *shown <= cron.zone().to_datetime(until + DAY * 2))
            .filter(|shown| names(shown))
            .filter_map(|named| clocks.reach(named))
            .collect()
    };
    instants
        .into_iter()
        .filter(|instant| *instant > from && *instant <= until)
        .collect()
}

proptest! {
    #[test]
    fn agrees_with_a_look_at_every_minute(line in lines(), (zone, from) in places(), hours in 1..60_i64) {
        let cron = Cron::parse(&line, CronFields::Five, zone).unwrap();
        let until = from + SignedDuration::from_hours(hours);
        let instants: Vec<Timestamp> = cron.between(from, until).collect();
        prop_assert_eq!(&instants, &by_hand(&cron, [from, until]));
    }

    #[test]
    fn next_is_later_and_does_not_depend_on_where_the_search_begins(line in lines(), (zone, from) in places()) {
        let cron = Cron::parse(&line, CronFields::Five, zone).unwrap();
        let mut before = from;
        for instant in cron.between(from, Timestamp::MAX).take(20) {
            prop_assert!(instant > before);
            prop_assert_eq!(cron.next(before), Some(instant));
            prop_assert_eq!(cron.next(instant - NANOSECOND), Some(instant));
            before = instant;
        }
    }

    #[test]
    fn tally_is_what_a_walk_counts(line in lines(), (zone, from) in places(), hours in 1..9000_i64) {
        let cron = Cron::parse(&line, CronFields::Five, zone).unwrap();
        let until = from + SignedDuration::from_hours(hours);
        let tally = cron.tally(from, until);
        let instants: Vec<Timestamp> = cron.between(from, until).collect();
        prop_assert_eq!(tally.map_or(0, |tally| tally.count), instants.len() as u64);
        prop_assert_eq!(tally.map(|tally| tally.first), instants.first().copied());
        prop_assert_eq!(tally.map(|tally| tally.last), instants.last().copied());
    }

    #[test]
    fn line_with_seconds_agrees_with_the_same_line_without(line in lines(), (zone, from) in places()) {
        let five = Cron::parse(&line, CronFields::Five, zone).unwrap();
        let six = Cron::parse(&format!("0 {line}"), CronFields::Six, zone).unwrap();
        prop_assert_eq!(six.next(from), five.next(from));
    }

    #[test]
    fn named_time_of_a_fixed_line_comes_once_a_local_day(
        hour in 0..24_i8,
        minute in 0..60_i8,
        (zone, from) in places(),
    ) {
        let cron = Cron::parse(&format!("{minute} {hour} * * *"), CronFields::Five, zone).unwrap();
        let until = from + DAY * 10;
        let local = |instant: Timestamp| cron.zone().to_datetime(instant);
        let instants: Vec<DateTime> = cron.between(from, until).map(local).collect();
        let (named, carried): (Vec<_>, Vec<_>) =
            instants.into_iter().partition(|shown| shown.hour() == hour && shown.minute() == minute);
        prop_assert!(named.windows(2).all(|pair| pair[0].date() < pair[1].date()), "{named:?}");
        prop_assert!(carried.len() <= 1, "{carried:?}");
        prop_assert!((8..=11).contains(&(named.len() + carried.len())), "{named:?}");
    }
}
