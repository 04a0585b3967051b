//! Cron lines of every kind, at every instant: what is accepted has instants in order, found in bounded time.

use super::{Cron, CronFields};
use croner::parser::CronParser;
use jiff::{SignedDuration, Timestamp};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use sopwith_fuzz::{Parts, Target, edited};

const NANOSECOND: SignedDuration = SignedDuration::from_nanos(1);
/// How many instants of a line are looked at.
const INSTANTS: usize = 12;

#[rustfmt::skip]
const WORDS: &[&str] = &[
    "*", "?", "/", "-", ",", "#", "L", "W", "LW", "+", " ", "\t", "0", "1", "7", "23", "24", "29", "31", "59",
    "60", "00", "-1", "99999999999", "0-59/0", "*/0", "*/1", "59-0", "31W", "0W", "5L", "L-3", "1#5", "7#6",
    "SUN", "mon-fri", "JAN", "dec-jan", "@daily", "@reboot", "@yearly", "@every 5m", "H", "%", "２", "TZ=UTC",
];

/// Where clocks change, days are left out, or time itself ends.
const INSTANTS_OF_NOTE: &[&str] = &[
    "2026-03-29T01:00:00Z",
    "2026-10-25T01:00:00Z",
    "2011-12-30T10:00:00Z",
    "1919-03-31T04:30:00Z",
    "1969-09-30T13:00:00Z",
    "2028-02-29T00:00:00Z",
    "2100-02-28T23:59:59Z",
];

/// A field that the parser takes, or one that it looks at twice.
fn field(min: u32, max: u32, names: &'static [&'static str]) -> impl Strategy<Value = String> {
    let range = move || (min..=max, min..=max).prop_map(|(one, other)| (one.min(other), one.max(other)));
    let item = prop_oneof![
        4 => (min..=max).prop_map(|number| number.to_string()),
        2 => range().prop_map(|(from, to)| format!("{from}-{to}")),
        1 => (range(), 1..=max).prop_map(|((from, to), step)| format!("{from}-{to}/{step}")),
        1 => (1..=max).prop_map(|step| format!("*/{step}")),
        2 => select(names).prop_map(str::to_owned),
    ];
    let odd = (
        0..70_u32,
        select(vec!["-1", "/0", "W", "L", "#6", ",", "+", "?", ""]),
    );
    let odd = odd.prop_map(|(number, mark)| format!("{number}{mark}"));
    prop_oneof![
        20 => Just("*".to_owned()),
        40 => item.clone(),
        10 => vec(item, 2..5).prop_map(|items| items.join(",")),
        1 => odd,
    ]
}

fn line(seeds: Vec<String>) -> impl Strategy<Value = String> {
    let fields = (
        field(0, 59, &["0", "*/15"]),
        field(0, 23, &["2", "1-3", "0"]),
        field(1, 31, &["L", "LW", "15W", "31W", "29"]),
        field(1, 12, &["JAN", "feb", "OCT-DEC", "2"]),
        field(
            0,
            7,
            &["MON", "sun", "Fri#2", "5L", "1-5", "+SUN", "0#5", "MON-FRI"],
        ),
    );
    let five = fields
        .prop_map(|(minute, hour, day, month, weekday)| format!("{minute} {hour} {day} {month} {weekday}"));
    prop_oneof![4 => five, 1 => edited(seeds, WORDS)]
}

fn zone() -> impl Strategy<Value = String> {
    let known: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
    let odd = vec![
        "",
        "UTC",
        "utc",
        "Europe/berlin",
        "Etc/GMT+12",
        "local",
        "../UTC",
        "+02:00",
        "EST5EDT",
    ];
    prop_oneof![40 => select(known), 1 => select(odd).prop_map(str::to_owned)]
}

fn instant() -> impl Strategy<Value = Timestamp> {
    let near =
        (select(INSTANTS_OF_NOTE), -40 * 3600..40 * 3600_i64, 0..3_i32).prop_map(|(at, seconds, nanos)| {
            let at: Timestamp = at.parse().unwrap();
            at + SignedDuration::new(seconds, nanos)
        });
    let (first, last) = (Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
    let any = (first..last).prop_map(|second| Timestamp::from_second(second).unwrap());
    let end = (0..3_000_000_i64).prop_map(move |back| Timestamp::from_second(last - back).unwrap());
    let start = (0..3_000_000_i64).prop_map(move |on| Timestamp::from_second(first + on).unwrap());
    let (first, last) = (Just(Timestamp::MIN), Just(Timestamp::MAX));
    prop_oneof![8 => near, 4 => any, 1 => end, 1 => start, 1 => first, 1 => last]
}

fn cases(kept: &[Parts]) -> impl Strategy<Value = Parts> + use<> {
    let lines = kept.iter().map(|case| case.part("line").to_owned()).collect();
    let seconds = prop_oneof![8 => Just(None), 2 => field(0, 59, &["0", "*"]).prop_map(Some)];
    (line(lines), seconds, zone(), instant()).prop_map(|(line, seconds, zone, from)| {
        let (fields, line) = match seconds {
            Some(seconds) => ("six", format!("{seconds} {line}")),
            None => ("five", line),
        };
        let parts = [
            ("line", line),
            ("fields", fields.to_owned()),
            ("zone", zone),
            ("from", from.to_string()),
        ];
        Parts(parts.map(|(name, text)| (name.to_owned(), text)).into())
    })
}

fn holds(case: &Parts) -> &'static str {
    let (fields, seconds) = match case.part("fields") {
        "six" => (CronFields::Six, croner::parser::Seconds::Required),
        _ => (CronFields::Five, croner::parser::Seconds::Disallowed),
    };
    let from: Timestamp = case.part("from").parse().unwrap();
    let cron = match Cron::parse(case.part("line"), fields, case.part("zone")) {
        Ok(cron) => cron,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return "refused";
        }
    };
    let written = serde_json::to_string(&cron).unwrap();
    assert_eq!(
        serde_json::from_str::<Cron>(&written).unwrap(),
        cron,
        "it is kept as it is"
    );
    cron.warnings(from);
    cron.near_clock_change(from);

    let instants: Vec<Timestamp> = cron.between(from, Timestamp::MAX).take(INSTANTS).collect();
    let mut before = from;
    for instant in &instants {
        assert!(*instant > before, "{instant} is not after {before}");
        assert_eq!(cron.next(before), Some(*instant), "after {before}");
        assert_eq!(
            cron.next(*instant - NANOSECOND),
            Some(*instant),
            "just before {instant}"
        );
        assert_eq!(instant.subsec_nanosecond(), 0);
        before = *instant;
    }
    if instants.len() < INSTANTS {
        assert_eq!(cron.next(before), None, "after the last one");
    }
    let parsed = CronParser::builder()
        .seconds(seconds)
        .build()
        .parse(case.part("line"))
        .unwrap();
    let spaced = parsed
        .as_str()
        .split_whitespace()
        .take(if fields == CronFields::Six { 3 } else { 2 });
    if spaced.clone().any(|field| field.contains(['*', '/', '?'])) {
        for instant in &instants {
            let shown = cron.zone().to_datetime(*instant);
            assert!(parsed.is_time_matching(&shown).unwrap(), "{shown} is not named");
        }
    }
    check_tally(&cron, from, &instants);
    if instants.is_empty() { "never due" } else { "due" }
}

/// A tally counts what a walk finds, and one of a range is the sum of those of its parts.
fn check_tally(cron: &Cron, from: Timestamp, instants: &[Timestamp]) {
    for until in 0..instants.len() {
        let tally = cron.tally(from, instants[until]).unwrap();
        assert_eq!(tally.count, until as u64 + 1, "up to {}", instants[until]);
        assert_eq!((tally.first, tally.last), (instants[0], instants[until]));
    }
    let count = |from, until| cron.tally(from, until).map_or(0, |tally| tally.count);
    let year = SignedDuration::from_hours(24 * 365);
    let [middle, until] = [1, 3].map(|years| from.checked_add(year * years).unwrap_or(Timestamp::MAX));
    assert_eq!(
        count(from, middle) + count(middle, until),
        count(from, until),
        "{from}, {middle}, {until}"
    );
}

#[test]
fn whatever_a_line_names_comes_in_order_and_in_bounded_time() {
    let target = Target::new("cron", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/cron"));
    target.run(&cases(&target.corpus()).boxed(), holds);
}
