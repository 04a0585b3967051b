//! Judges whether a database is as the operator expects it.

use crate::manifest::Manifest;
use crate::settings::Expect;
use crate::words;

/// In what the database of this new backup is not as expected, `before` being the newest earlier
/// backup that was.
pub(crate) fn surprises(expect: &Expect, now: &Manifest, before: Option<&Manifest>) -> Vec<String> {
    let mut surprises = Vec::new();
    if now.rows_total() == 0 {
        surprises.push("it has no rows at all".to_owned());
    }
    for (table, rows_min) in &expect.rows_min {
        match now.rows.get(table) {
            Some(rows) if rows >= rows_min => {}
            Some(rows) => {
                let (rows, least) = (words::count(*rows, "row"), words::number(*rows_min));
                surprises.push(format!(
                    "table `{table}` has {rows}, and at least {least} were expected"
                ));
            }
            None => surprises.push(format!("it has no table `{table}`")),
        }
    }
    if let Some(before) = before {
        let rows = (before.rows_total(), now.rows_total());
        if shrank(rows, expect.shrink_max) {
            let (from, to) = (words::number(rows.0), words::count(rows.1, "row"));
            surprises.push(format!("it shrank from {from} to {to}"));
        }
        let bytes = (before.source.bytes, now.source.bytes);
        if shrank(bytes, expect.shrink_max) {
            let (from, to) = (words::size(bytes.0), words::size(bytes.1));
            surprises.push(format!("it shrank from {from} to {to}"));
        }
    }
    surprises
}

#[expect(clippy::cast_precision_loss, reason = "a share of a size needs no last digit")]
fn shrank((before, now): (u64, u64), share_max: f64) -> bool {
    (now as f64) < before as f64 * (1.0 - share_max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::manifest_at;

    fn manifest(patients: u64, bytes: u64) -> Manifest {
        let mut manifest = manifest_at("2026-11-21T04:15:00Z");
        manifest.rows = [("patients".to_owned(), patients), ("visits".to_owned(), 0)].into();
        manifest.source.bytes = bytes;
        manifest
    }

    fn check(expect: &Expect, now: (u64, u64), before: Option<(u64, u64)>, expected: &[&str]) {
        let before = before.map(|(rows, bytes)| manifest(rows, bytes));
        let found = surprises(expect, &manifest(now.0, now.1), before.as_ref());
        assert_eq!(found, expected);
    }

    #[test]
    fn shrinking_by_more_than_the_share_is_a_surprise() {
        let expect = Expect::default();
        check(&expect, (50, 1_000_000), Some((100, 2_000_000)), &[]);
        let rows = "it shrank from 100 to 49 rows";
        check(&expect, (49, 2_000_000), Some((100, 2_000_000)), &[rows]);
        let bytes = "it shrank from 1.9 MiB to 975.6 KiB";
        check(&expect, (100, 999_000), Some((100, 2_000_000)), &[bytes]);
        check(&expect, (1, 1), None, &[]);
        let any = Expect {
            shrink_max: 1.0,
            ..expect
        };
        check(&any, (1, 1), Some((100, 2_000_000)), &[]);
    }

    #[test]
    fn emptiness_and_missing_rows_are_surprises_without_a_measure() {
        let empty = "it has no rows at all";
        check(&Expect::default(), (0, 4_096), None, &[empty]);
        let expect = Expect {
            rows_min: [("patients".to_owned(), 10), ("users".to_owned(), 1)].into(),
            ..Expect::default()
        };
        let few = "table `patients` has 9 rows, and at least 10 were expected";
        check(&expect, (9, 4_096), None, &[few, "it has no table `users`"]);
        check(&expect, (10, 4_096), None, &["it has no table `users`"]);
    }
}
