//! Which calls of the host used which grants, over all attempts of a run.

use crate::output::{self, bold};
use sopwith_core::grant::GrantUse;
use sopwith_core::journal::{JournalEntry, Note};
use std::collections::BTreeMap;

pub(super) fn print(journal: &[JournalEntry]) {
    let sums = sums(journal);
    if sums.is_empty() {
        return;
    }
    anstream::println!("{}", bold("Calls of the host"));
    let rows = sums
        .into_iter()
        .map(|((resource, call, access), times)| vec![resource, call, access, format!("{times}×")]);
    output::table(&["GRANT", "CALL", "ACCESS", "TIMES"], rows.collect());
    anstream::println!();
}

/// How often each call used each grant.
fn sums(journal: &[JournalEntry]) -> BTreeMap<(String, String, String), u64> {
    let mut sums = BTreeMap::new();
    let uses = journal.iter().flat_map(|entry| match &entry.note {
        Note::Used { uses } => uses.as_slice(),
        _ => &[],
    });
    for GrantUse {
        kind,
        name,
        access,
        call,
        times,
    } in uses
    {
        let key = (format!("{kind}.{name}"), call.clone(), access.to_string());
        *sums.entry(key).or_insert(0) += times;
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use sopwith_core::grant::{Access, ResourceKind};

    #[test]
    fn calls_of_all_attempts_are_summed_up() {
        let used = |attempt, call: &str, times| JournalEntry {
            at: Timestamp::UNIX_EPOCH,
            attempt,
            note: Note::Used {
                uses: vec![GrantUse {
                    kind: ResourceKind::Databases,
                    name: "app".parse().expect("a name"),
                    access: Access::Read,
                    call: call.to_owned(),
                    times,
                }],
            },
        };
        let sums = sums(&[
            used(1, "sql.open", 1),
            used(2, "sql.open", 2),
            used(2, "sql.query", 7),
        ]);
        let of = |call: &str| ("databases.app".to_owned(), call.to_owned(), "read".to_owned());
        assert_eq!(sums.len(), 2);
        assert_eq!((sums[&of("sql.open")], sums[&of("sql.query")]), (3, 7));
    }
}
