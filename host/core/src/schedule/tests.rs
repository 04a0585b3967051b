//! Lines whose instants are known, above all where clocks change.

use super::{Cron, CronFields, CronWarning, Tally};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

const NANOSECOND: SignedDuration = SignedDuration::from_nanos(1);

fn five(line: &str, zone: &str) -> Cron {
    Cron::parse(line, CronFields::Five, zone).unwrap()
}

fn six(line: &str, zone: &str) -> Cron {
    Cron::parse(line, CronFields::Six, zone).unwrap()
}

fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn midnight(date: Date, zone: &TimeZone) -> Timestamp {
    zone.to_timestamp(date.into()).unwrap()
}

/// Compares all instants of some local days, written as day, time and offset.
#[track_caller]
fn check(line: &str, zone: &str, [first_day, last_day]: [&str; 2], expected: &[&str]) {
    let cron = five(line, zone);
    let [first, last] = [first_day, last_day].map(|day| day.parse::<Date>().unwrap());
    let before = midnight(first, cron.zone()) - NANOSECOND;
    let end = midnight(last.tomorrow().unwrap(), cron.zone()) - NANOSECOND;
    let instants: Vec<Timestamp> = cron.between(before, end).collect();
    let shown: Vec<String> = instants
        .iter()
        .map(|instant| {
            let local = instant.to_zoned(cron.zone().clone());
            local.strftime("%d %H:%M%:z").to_string()
        })
        .collect();
    assert_eq!(shown, expected, "`{line}` in `{zone}`");
    assert_eq!(
        cron.tally(before, end).map_or(0, |tally| tally.count),
        expected.len() as u64
    );
}

#[test]
fn fixed_time_in_a_gap_runs_right_after_it() {
    let days = ["2026-03-28", "2026-03-30"];
    let expected = ["28 02:30+01:00", "29 03:00+02:00", "30 02:30+02:00"];
    check("30 2 * * *", "Europe/Berlin", days, &expected);
    let days = ["2026-03-07", "2026-03-08"];
    let expected = ["07 02:30-05:00", "08 03:00-04:00"];
    check("30 2 * * *", "America/New_York", days, &expected);
    let days = ["2026-10-04", "2026-10-04"];
    let expected = ["04 02:30+11:00"];
    check("15 2 * * *", "Australia/Lord_Howe", days, &expected);
    let days = ["2026-03-22", "2026-03-22"];
    check("30 2 * * *", "Africa/Casablanca", days, &["22 03:00+01:00"]);
}

#[test]
fn fixed_time_at_a_missing_midnight_runs_when_the_day_begins() {
    let days = ["2018-11-03", "2018-11-05"];
    let expected = ["03 00:00-03:00", "04 01:00-02:00", "05 00:00-02:00"];
    check("@daily", "America/Sao_Paulo", days, &expected);
}

#[test]
fn all_times_of_a_gap_come_to_one_instant() {
    let days = ["2026-03-29", "2026-03-29"];
    let expected = ["29 01:45+01:00", "29 03:00+02:00"];
    check("45 1 * * *", "Europe/Berlin", days, &expected[..1]);
    check("0,15,30,45 2 * * *", "Europe/Berlin", days, &expected[1..]);
    check("0 2,3 * * *", "Europe/Berlin", days, &expected[1..]);
    let expected = [
        "29 00:30+01:00",
        "29 01:30+01:00",
        "29 03:00+02:00",
        "29 03:30+02:00",
    ];
    check("30 0-3 * * *", "Europe/Berlin", days, &expected);
}

#[test]
fn fixed_time_in_a_repeated_hour_runs_at_its_first_occurrence() {
    let days = ["2026-10-25", "2026-10-25"];
    check("30 2 * * *", "Europe/Berlin", days, &["25 02:30+02:00"]);
    let expected = [
        "25 00:30+02:00",
        "25 01:30+02:00",
        "25 02:30+02:00",
        "25 03:30+01:00",
    ];
    check("30 0-3 * * *", "Europe/Berlin", days, &expected);
    let days = ["2026-11-01", "2026-11-01"];
    check("30 1 * * *", "America/New_York", days, &["01 01:30-04:00"]);
    let days = ["2026-04-05", "2026-04-05"];
    let expected = ["05 01:15+11:00", "05 01:45+11:00"];
    check("15,45 1 * * *", "Australia/Lord_Howe", days, &expected);
    let days = ["2026-02-15", "2026-02-15"];
    check("30 2 * * *", "Africa/Casablanca", days, &["15 02:30+01:00"]);
    let days = ["2018-02-17", "2018-02-18"];
    let expected = ["17 23:30-02:00", "18 23:30-03:00"];
    check("30 23 * * *", "America/Sao_Paulo", days, &expected);
}

#[test]
fn line_of_a_weekday_sees_the_local_day() {
    let days = ["2026-03-23", "2026-03-30"];
    check("30 2 * * SUN", "Europe/Berlin", days, &["29 03:00+02:00"]);
    check("30 2 * * MON", "UTC", days, &["23 02:30+00:00", "30 02:30+00:00"]);
}

#[test]
fn day_that_does_not_exist_has_no_instant() {
    let days = ["2011-12-29", "2011-12-31"];
    let expected = ["29 12:00-10:00", "31 12:00+14:00"];
    check("0 12 * * *", "Pacific/Apia", days, &expected);
    check("0 12 30 12 *", "Pacific/Apia", days, &[]);
    let expected = ["31 00:00+14:00", "31 08:00+14:00", "31 16:00+14:00"];
    check("0 */8 30,31 * *", "Pacific/Apia", days, &expected);
}

#[test]
fn interval_keeps_its_spacing() {
    for (zone, day, minutes) in [
        ("Europe/Berlin", "2026-03-29", 23 * 60),
        ("Europe/Berlin", "2026-10-25", 25 * 60),
        ("America/New_York", "2026-03-08", 23 * 60),
        ("America/New_York", "2026-11-01", 25 * 60),
        ("Australia/Lord_Howe", "2026-10-04", 24 * 60 - 30),
        ("Australia/Lord_Howe", "2026-04-05", 24 * 60 + 30),
        ("America/Sao_Paulo", "2018-11-04", 23 * 60),
        ("America/Sao_Paulo", "2018-02-17", 25 * 60),
        ("Africa/Casablanca", "2026-03-22", 23 * 60),
        ("Pacific/Apia", "2011-12-31", 24 * 60),
        ("UTC", "2026-03-29", 24 * 60),
    ] {
        let cron = five("*/15 * * * *", zone);
        let date: Date = day.parse().unwrap();
        let before = midnight(date, cron.zone()) - NANOSECOND;
        let end = midnight(date.tomorrow().unwrap(), cron.zone()) - NANOSECOND;
        let instants: Vec<Timestamp> = cron.between(before, end).collect();
        assert_eq!(instants.len(), minutes / 15, "{zone} {day}");
        let quarter = SignedDuration::from_mins(15);
        assert!(
            instants
                .windows(2)
                .all(|pair| pair[1].duration_since(pair[0]) == quarter)
        );
    }
}

#[test]
fn interval_of_hours_fires_in_both_passes_and_makes_nothing_up() {
    let days = ["2026-10-25", "2026-10-25"];
    let expected = ["25 02:30+02:00", "25 02:30+01:00"];
    check("30-59/30 2 * * *", "Europe/Berlin", days, &expected);
    let days = ["2026-03-29", "2026-03-29"];
    check("30-59/30 2 * * *", "Europe/Berlin", days, &[]);
}

#[test]
fn second_pass_is_seen_though_the_next_match_of_the_calendar_is_a_year_away() {
    let cron = five("30-59/30 2 25 10 *", "Europe/Berlin");
    let first_pass = instant("2026-10-25T00:30:00Z");
    assert_eq!(cron.next(first_pass), Some(instant("2026-10-25T01:30:00Z")));
}

#[test]
fn sixty_days_with_a_change_of_clocks_have_sixty_instants() {
    for (first, last) in [("2026-03-01", "2026-04-29"), ("2026-10-01", "2026-11-29")] {
        let cron = five("15 4 * * *", "Europe/Berlin");
        let [first, last] = [first, last].map(|day| day.parse::<Date>().unwrap());
        let before = midnight(first, cron.zone());
        let end = midnight(last.tomorrow().unwrap(), cron.zone());
        assert_eq!(cron.between(before, end).count(), 60);
    }
}

#[test]
fn rare_lines_are_found_and_impossible_ones_end() {
    let now = instant("2026-11-21T00:00:00Z");
    let leap_day = five("0 12 29 2 *", "Europe/Berlin");
    assert_eq!(leap_day.next(now), Some(instant("2028-02-29T11:00:00Z")));
    let leap_sunday = five("*/5 2 29 2 +SUN", "Europe/Berlin");
    assert_eq!(leap_sunday.next(now), Some(instant("2032-02-29T01:00:00Z")));
    for zone in ["UTC", "Europe/Berlin"] {
        assert_eq!(five("0 12 30 2 *", zone).next(now), None);
        assert_eq!(five("*/5 * 30 2 *", zone).next(now), None);
        assert_eq!(five("* * * * *", zone).next(Timestamp::MAX), None);
        assert!(five("* * * * *", zone).next(Timestamp::MIN).is_some());
    }
}

#[test]
fn fixed_line_of_every_second_rests_while_an_hour_repeats() {
    let cron = six("0-59 0-59 0-23 * * *", "Europe/Berlin");
    let last = instant("2026-10-25T00:59:59Z");
    assert_eq!(cron.next(last - NANOSECOND), Some(last));
    assert_eq!(cron.next(last), Some(instant("2026-10-25T02:00:00Z")));
    assert_eq!(
        cron.next(instant("2026-10-25T01:30:00.5Z")),
        Some(instant("2026-10-25T02:00:00Z"))
    );
}

#[test]
fn long_downtime_is_counted_without_a_visit_to_each_instant() {
    let until = instant("2026-11-21T00:00:00Z");
    let month = five("* * * * *", "Europe/Berlin").tally(until - SignedDuration::from_hours(720), until);
    assert_eq!(
        month,
        Some(Tally {
            count: 43_200,
            first: instant("2026-10-22T00:01:00Z"),
            last: until,
        })
    );
    let almost = until - SignedDuration::from_millis(500);
    let hour = five("* * * * *", "UTC").tally(until - SignedDuration::from_hours(1), almost);
    assert_eq!(hour.map(|hour| hour.count), Some(59));
    // Two centuries of seconds could not be visited in the time of a test.
    let from = instant("1826-11-21T00:00:00Z");
    let centuries = six("* * * * * *", "UTC").tally(from, until).unwrap();
    assert_eq!(
        i64::try_from(centuries.count),
        Ok(until.as_second() - from.as_second())
    );
    assert_eq!(five("* * * * *", "UTC").tally(until, until), None);
}

#[test]
fn local_day_of_a_change_of_clocks_is_marked() {
    let cron = five("@hourly", "Europe/Berlin");
    for (at, expected) in [
        ("2026-10-24T21:59:59Z", false),
        ("2026-10-24T22:00:00Z", true),
        ("2026-10-25T01:00:00Z", true),
        ("2026-10-25T22:59:59Z", true),
        ("2026-10-25T23:00:00Z", false),
    ] {
        assert_eq!(cron.near_clock_change(instant(at)), expected, "{at}");
    }
    assert!(!five("@hourly", "UTC").near_clock_change(instant("2026-10-25T01:00:00Z")));
}

#[test]
fn warnings_name_times_of_change_and_the_day_or_rule() {
    let now = instant("2026-11-21T00:00:00Z");
    let warnings = |line: &str, zone: &str| five(line, zone).warnings(now);
    let clock_change = |line: &str| CronWarning::ClockChange {
        line: line.to_owned(),
        time_zone: "Europe/Berlin".to_owned(),
    };
    let either_day = |line: &str| CronWarning::EitherDay {
        line: line.to_owned(),
    };

    assert_eq!(
        warnings("30 2 * * *", "Europe/Berlin"),
        [clock_change("30 2 * * *")]
    );
    assert_eq!(
        warnings("0 0-4 1 * MON", "Europe/Berlin"),
        [clock_change("0 0-4 1 * MON"), either_day("0 0-4 1 * MON"),]
    );
    assert_eq!(warnings("0 12 1 * MON", "UTC"), [either_day("0 12 1 * MON")]);
    for (line, zone) in [
        ("30 2 * * *", "UTC"),
        // Clocks changed there in the past only.
        ("30 2 * * *", "America/Sao_Paulo"),
        ("*/30 2 * * *", "Europe/Berlin"),
        ("0 3 * * *", "Europe/Berlin"),
        ("0 12 1 * +MON", "Europe/Berlin"),
    ] {
        assert_eq!(warnings(line, zone), [], "`{line}` in `{zone}`");
    }
}

#[test]
fn line_with_a_field_too_many_or_without_meaning_is_refused() {
    for (line, fields) in [
        ("0 0 * * * *", CronFields::Five),
        ("0 * * * *", CronFields::Six),
        ("0 0 0 * * * 2026", CronFields::Six),
        ("60 * * * *", CronFields::Five),
        (", * * * *", CronFields::Five),
        ("0 1,,2 * * *", CronFields::Five),
    ] {
        assert!(Cron::parse(line, fields, "UTC").is_err(), "`{line}`");
    }
    assert!(Cron::parse("@daily", CronFields::Six, "UTC").is_ok());
}
