//! How often grants are used: counted in memory, and written with the record of the run.

use super::{Access, Granted, ResourceKind};
use crate::name::ResourceName;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How often one call used a grant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct GrantUse {
    /// The kind of the resource.
    pub kind: ResourceKind,
    /// The operator's name for it.
    pub name: ResourceName,
    /// What was done with it.
    pub access: Access,
    /// The function of the contract: `sql.open`.
    pub call: String,
    /// How often.
    pub times: u64,
}

/// Counts the uses of grants of one attempt, by resource and call.
///
/// Their number is bounded: there are as many as resources that are granted times functions.
#[derive(Debug, Default)]
pub struct Uses {
    counted: BTreeMap<(Granted, String), u64>,
}

impl Uses {
    /// Counts one use.
    pub fn add(&mut self, granted: Granted, call: &str) {
        *self.counted.entry((granted, call.to_owned())).or_default() += 1;
    }

    /// What was counted since the last time, in the order of kinds and names.
    pub fn take(&mut self) -> Vec<GrantUse> {
        let counted = std::mem::take(&mut self.counted).into_iter();
        counted
            .map(|((granted, call), times)| GrantUse {
                kind: granted.kind,
                name: granted.name,
                access: granted.access,
                call,
                times,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uses_are_counted_by_resource_access_and_call_and_handed_over_once() {
        let granted = |name: &str| Granted {
            kind: ResourceKind::Databases,
            name: name.parse().unwrap(),
            access: Access::Read,
        };
        let mut uses = Uses::default();
        for (name, call) in [
            ("b", "sql.open"),
            ("a", "sql.open"),
            ("b", "sql.open"),
            ("b", "sql.verify"),
        ] {
            uses.add(granted(name), call);
        }
        let taken = uses.take();
        let shown: Vec<_> = taken
            .iter()
            .map(|one| format!("{} {} {}", one.name, one.call, one.times))
            .collect();
        assert_eq!(shown, ["a sql.open 1", "b sql.open 2", "b sql.verify 1"]);
        assert!(uses.take().is_empty());
    }
}
