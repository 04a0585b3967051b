//! `H` in a cron line: a value that differs from schedule to schedule and stays the same for each, so
//! that a hundred procedures that run "once a night" do not start in the same minute.

use super::CronFields;
use crate::digest::Digest;
use regex::Regex;
use std::ops::RangeInclusive;
use std::sync::LazyLock;

/// `H`, `H(9-17)`, `H/15`, `H(0-29)/10`
static ITEM: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^H(?:\((\d{1,2})-(\d{1,2})\))?(?:/(\d{1,2}))?$").expect("a valid expression")
});

/// The values of each field, seconds first. Every month has the first 28 days.
const FIELDS: [(&str, RangeInclusive<u32>); 6] = [
    ("seconds", 0..=59),
    ("minutes", 0..=59),
    ("hours", 0..=23),
    ("days", 1..=28),
    ("months", 1..=12),
    ("weekdays", 0..=6),
];

/// An `H` that cannot be replaced.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSpread {
    /// The range is empty or goes beyond the field.
    #[error("`{item}` is not within the {field}, which go from {first} to {last}")]
    Range {
        /// As it was written.
        item: String,
        /// Of which field.
        field: &'static str,
        /// Its first value.
        first: u32,
        /// Its last value that an `H` may take.
        last: u32,
    },
    /// The step is none, or longer than the range.
    #[error("the step of `{0}` does not fit into its range")]
    Step(String),
}

/// The line with a value in the place of each `H`. The value is decided by `key` (who the schedule is of)
/// and by the field: the first eight bytes of SHA-256 over `key`, a zero byte and the field's name, as a
/// number, modulo the values there are.
///
/// `H` is one value of the field, `H(9-17)` one of this range, `H/15` every fifteenth from one of the first
/// fifteen on.
pub fn spread(line: &str, fields: CronFields, key: &str) -> Result<String, InvalidSpread> {
    let known = match fields {
        CronFields::Five => &FIELDS[1..],
        CronFields::Six => &FIELDS,
    };
    let replaced = line.split_whitespace().enumerate().map(|(place, field)| {
        let Some((name, values)) = known.get(place) else {
            return Ok(field.to_owned());
        };
        let items = field.split(',').map(|item| replace(item, name, values, key));
        Ok(items.collect::<Result<Vec<_>, _>>()?.join(","))
    });
    Ok(replaced.collect::<Result<Vec<_>, _>>()?.join(" "))
}

fn replace(
    item: &str,
    field: &'static str,
    values: &RangeInclusive<u32>,
    key: &str,
) -> Result<String, InvalidSpread> {
    let Some(groups) = ITEM.captures(item) else {
        return Ok(item.to_owned());
    };
    let number = |group| groups.get(group)?.as_str().parse::<u32>().ok();
    let (first, last) = match (number(1), number(2)) {
        (Some(first), Some(last)) => (first, last),
        _ => (*values.start(), *values.end()),
    };
    if first > last || !values.contains(&first) || !values.contains(&last) {
        return Err(InvalidSpread::Range {
            item: item.to_owned(),
            field,
            first: *values.start(),
            last: *values.end(),
        });
    }
    let width = last - first + 1;
    match number(3) {
        None => Ok((first + chosen(key, field, width)).to_string()),
        Some(step) if step == 0 || step > width => Err(InvalidSpread::Step(item.to_owned())),
        Some(step) => Ok(format!("{}-{last}/{step}", first + chosen(key, field, step))),
    }
}

/// A number below `count` for this key and field.
fn chosen(key: &str, field: &str, count: u32) -> u32 {
    let digest = Digest::of(format!("{key}\0{field}"));
    let bytes = digest.as_bytes().first_chunk().expect("a digest has 32 bytes");
    let chosen = u64::from_be_bytes(*bytes) % u64::from(count);
    u32::try_from(chosen).expect("it is below a number of 32 bits")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn five(line: &str, key: &str) -> Result<String, String> {
        spread(line, CronFields::Five, key).map_err(|error| error.to_string())
    }

    #[test]
    fn each_schedule_has_its_own_value_and_keeps_it() {
        // These are for ever: another value would move schedules of operators.
        assert_eq!(five("H H * * *", "clinic-backup/backup").unwrap(), "46 1 * * *");
        let values: BTreeSet<_> = (0..100)
            .map(|number| five("H H * * *", &number.to_string()))
            .collect();
        assert!(values.len() > 90, "{} of 100", values.len());
    }

    #[test]
    fn values_lie_within_field_range_and_step() {
        for number in 0..500 {
            let key = number.to_string();
            let line = spread("H H H(5-7) H * H", CronFields::Six, &key).unwrap();
            let values: Vec<u32> = line.split(' ').filter_map(|field| field.parse().ok()).collect();
            assert!(
                values[0] < 60 && values[1] < 60 && (5..=7).contains(&values[2]),
                "{line}"
            );
            assert!((1..=28).contains(&values[3]) && values[4] < 7, "{line}");
            let stepped = five("H/15,H(30-59)/7 * * * *", &key).unwrap();
            let (first, second) = stepped.split_once(',').unwrap();
            let (start, rest) = first.split_once('-').unwrap();
            assert!(start.parse::<u32>().unwrap() < 15 && rest == "59/15", "{stepped}");
            assert!(second.ends_with("-59/7 * * * *"), "{stepped}");
        }
    }

    #[test]
    fn whatever_is_no_h_stays() {
        for line in [
            "15 4 * * *",
            "@daily",
            "0 0 * * THU",
            "0 0 * MAR H#2",
            "Hx * * * *",
        ] {
            assert_eq!(five(line, "key").unwrap(), line);
        }
    }

    #[test]
    fn what_does_not_fit_is_told() {
        let said = five("H(50-70) * * * *", "key").unwrap_err();
        assert_eq!(
            said,
            "`H(50-70)` is not within the minutes, which go from 0 to 59"
        );
        let said = five("* * H(1-31) * *", "key").unwrap_err();
        assert_eq!(said, "`H(1-31)` is not within the days, which go from 1 to 28");
        assert_eq!(
            five("H/0 * * * *", "key").unwrap_err(),
            "the step of `H/0` does not fit into its range"
        );
        assert!(five("H(9-5) * * * *", "key").is_err());
        assert!(five("* H(1-3)/5 * * *", "key").is_err());
    }
}
