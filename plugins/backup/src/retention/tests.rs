//! What the rules keep, by examples from restic and by laws that hold for any backups.

use super::*;
use jiff::ToSpan;
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;

/// Days with no regular distance, so that each is told by its reasons.
const DAYS: [&str; 6] = [
    "2026-11-21T04:15:00Z",
    "2026-11-20T16:00:00Z",
    "2026-11-20T04:15:00Z",
    "2026-11-15T04:15:00Z",
    "2026-10-31T23:30:00Z",
    "2025-12-31T04:15:00Z",
];

fn span(text: &str) -> Within {
    text.parse().expect("a span")
}

fn check(keep: &Keep, zone: &str, expected: [&str; 6]) {
    let times = DAYS.map(|day| day.parse().expect("a time"));
    let reasons = reasons(&times, keep, &zone.parse().expect("a time zone"));
    let reasons: Vec<_> = reasons.iter().map(|reasons| reasons.join(", ")).collect();
    assert_eq!(reasons, expected, "{keep:?}");
}

#[test]
fn each_rule_counts_apart_and_says_what_it_keeps() {
    let keep = Keep {
        last: 1,
        daily: 2,
        monthly: 2,
        ..Keep::default()
    };
    let newest = "last snapshot, daily snapshot, monthly snapshot";
    check(
        &keep,
        "UTC",
        [newest, "daily snapshot", "", "", "monthly snapshot", ""],
    );
    // In Berlin it was November already.
    let oldest = "monthly snapshot";
    check(
        &keep,
        "Europe/Berlin",
        [newest, "daily snapshot", "", "", "", oldest],
    );
}

#[test]
fn oldest_stays_while_a_rule_has_count_left() {
    let weekly = Keep {
        weekly: 9,
        ..Keep::default()
    };
    let week = "weekly snapshot";
    check(&weekly, "UTC", [week, "", "", week, week, week]);
    let yearly = Keep {
        yearly: 9,
        ..Keep::default()
    };
    let year = "yearly snapshot";
    check(&yearly, "UTC", [year, "", "", "", "", year]);
    let hours = [
        "2026-11-21T05:00:00Z",
        "2026-11-21T04:15:00Z",
        "2026-11-21T04:00:00Z",
    ];
    let hours = hours.map(|hour| hour.parse().expect("a time"));
    let daily = Keep {
        daily: 3,
        ..Keep::default()
    };
    let found = reasons(&hours, &daily, &Zone::default());
    assert_eq!(
        found,
        [vec!["daily snapshot"], vec![], vec!["oldest daily snapshot"]]
    );
}

#[test]
fn spans_lead_back_from_the_newest() {
    let keep = Keep {
        within: Some(span("1d")),
        within_daily: Some(span("1w")),
        within_yearly: Some(span("1y")),
        ..Keep::default()
    };
    let newest = "within 1d, daily within 1w, yearly within 1y";
    let second = "within 1d, daily within 1w";
    check(
        &keep,
        "UTC",
        [newest, second, "", "daily within 1w", "", "yearly within 1y"],
    );
}

#[test]
fn empty_policy_keeps_all_and_one_without_end_too() {
    check(&Keep::default(), "UTC", ["policy is empty"; 6]);
    let all = Keep {
        last: -1,
        ..Keep::default()
    };
    check(&all, "UTC", ["last snapshot"; 6]);
}

#[test]
fn of_twenty_daily_backups_the_newest_fourteen_stay() {
    let newest: Timestamp = "2026-11-21T04:15:00Z".parse().expect("a time");
    let days: Vec<_> = (0..20).map(|day| newest - (24 * day).hours()).collect();
    let keep = Keep {
        daily: 14,
        ..Keep::default()
    };
    let kept = reasons(&days, &keep, &Zone::default());
    let kept: Vec<_> = kept.iter().map(|reasons| !reasons.is_empty()).collect();
    assert_eq!(kept, [[true; 14].as_slice(), &[false; 6]].concat());
}

#[test]
fn safety_copies_stay_unless_a_number_is_set() {
    let of = |safety| {
        let keep = Keep {
            safety,
            ..Keep::default()
        };
        let reasons = reasons_of_safety_copies(3, &keep);
        reasons.iter().filter(|reasons| !reasons.is_empty()).count()
    };
    assert_eq!([-1, 0, 1, 2, 9].map(of), [3, 3, 1, 2, 3]);
}

/// Sets of places, so that they can be compared.
fn kept(times: &[Timestamp], keep: &Keep) -> Vec<bool> {
    let zone = "Europe/Berlin".parse().expect("a time zone");
    let reasons = reasons(times, keep, &zone);
    reasons.iter().map(|reasons| !reasons.is_empty()).collect()
}

/// Some hours of three years, so that buckets of all sizes are shared and skipped.
fn times() -> impl Strategy<Value = Vec<Timestamp>> {
    let hours = btree_set(0_i64..26_280, 1..60);
    hours.prop_map(|hours| {
        let start: Timestamp = "2024-01-01T00:30:00Z".parse().expect("a time");
        hours.into_iter().rev().map(|hour| start + hour.hours()).collect()
    })
}

fn counts() -> impl Strategy<Value = Vec<i32>> {
    vec(-1..8, 6)
}

fn counted(counts: &[i32]) -> Keep {
    Keep {
        last: counts[0],
        hourly: counts[1],
        daily: counts[2],
        weekly: counts[3],
        monthly: counts[4],
        yearly: counts[5],
        ..Keep::default()
    }
}

/// One rule by its definition: the newest of each bucket as far as the number goes, and the
/// oldest of all where it goes further.
fn by_definition(times: &[Timestamp], bucket: Bucket, count: i32) -> Vec<bool> {
    let zone: Zone = "Europe/Berlin".parse().expect("a time zone");
    let bucket_of = |place: usize| bucket.of(&zone.at(times[place]), place);
    let mut first: Vec<usize> = (0..times.len()).collect();
    first.dedup_by_key(|place| bucket_of(*place));
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let oldest = (first.len() < count).then_some(times.len() - 1);
    let kept: Vec<_> = first.into_iter().take(count).chain(oldest).collect();
    (0..times.len()).map(|place| kept.contains(&place)).collect()
}

proptest! {
    #[test]
    fn each_rule_keeps_what_its_definition_says(times in times(), count in prop_oneof![Just(-1), 1..8]) {
        let buckets = [Bucket::Each, Bucket::Hour, Bucket::Day, Bucket::Week, Bucket::Month, Bucket::Year];
        for (place, bucket) in buckets.into_iter().enumerate() {
            let mut counts = [0; 6];
            counts[place] = count;
            prop_assert_eq!(kept(&times, &counted(&counts)), by_definition(&times, bucket, count));
        }
    }

    #[test]
    fn rules_together_keep_what_one_of_them_keeps(times in times(), counts in counts()) {
        prop_assume!(counts.iter().any(|count| *count != 0));
        let mut any = vec![false; times.len()];
        for place in (0..counts.len()).filter(|place| counts[*place] != 0) {
            let mut alone = [0; 6];
            alone[place] = counts[place];
            let alone = kept(&times, &counted(&alone));
            any.iter_mut().zip(alone).for_each(|(any, alone)| *any |= alone);
        }
        prop_assert_eq!(kept(&times, &counted(&counts)), any);
    }

    #[test]
    fn what_was_cut_off_amid_its_removals_goes_on_to_the_same_end(
        times in times(), counts in counts(), gone in 0_usize..60,
    ) {
        let keep = counted(&counts);
        let all = kept(&times, &keep);
        let going = all.iter().filter(|kept| !**kept).count();
        // The oldest go first.
        let stays_yet = going.saturating_sub(gone);
        let mut seen = 0;
        let left: Vec<_> = times.iter().zip(&all).filter(|(_, kept)| {
            seen += usize::from(!**kept);
            **kept || seen <= stays_yet
        }).collect();
        let times: Vec<_> = left.iter().map(|(time, _)| **time).collect();
        let expected: Vec<_> = left.iter().map(|(_, kept)| **kept).collect();
        prop_assert_eq!(kept(&times, &keep), expected);
    }

    #[test]
    fn newest_stays_and_a_second_look_lets_nothing_go(times in times(), counts in counts()) {
        let keep = counted(&counts);
        let first = kept(&times, &keep);
        prop_assert!(first[0]);
        let left = times.iter().zip(first).filter_map(|(time, kept)| kept.then_some(*time));
        let left: Vec<_> = left.collect();
        prop_assert!(kept(&left, &keep).into_iter().all(|kept| kept));
    }
}
