//! What runs must not do at the same time.

use crate::grant::{Access, Grants};
use crate::name::InvalidName;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

/// The name of a lock: a resource (`databases.app`) or a name of the operator's own (`deploy`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LockName(String);

impl FromStr for LockName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        for part in text.split('.') {
            part.parse::<crate::name::ResourceName>()?;
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for LockName {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        text.parse()
    }
}

impl From<LockName> for String {
    fn from(name: LockName) -> String {
        name.0
    }
}

impl fmt::Display for LockName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How a lock is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LockMode {
    /// Beside others that share it.
    Shared,
    /// Alone.
    Exclusive,
}

/// What an attempt holds while it runs.
pub type Locks = BTreeMap<LockName, LockMode>;

/// The locks of an action: those that the procedure names, or the databases of its grants,
/// shared where they are only read.
pub fn locks_of(named: Option<&BTreeSet<LockName>>, grants: &Grants) -> Locks {
    if let Some(named) = named {
        return named
            .iter()
            .map(|name| (name.clone(), LockMode::Exclusive))
            .collect();
    }
    let databases = grants.databases.iter();
    databases
        .map(|(name, grant)| {
            let mode = if grant.access() == Access::Read {
                LockMode::Shared
            } else {
                LockMode::Exclusive
            };
            (LockName(format!("databases.{name}")), mode)
        })
        .collect()
}

/// Adds locks to others; what one of them holds alone is held alone.
pub fn add_locks(locks: &mut Locks, more: &Locks) {
    for (name, mode) in more {
        let held = locks.entry(name.clone()).or_insert(*mode);
        *held = (*held).max(*mode);
    }
}

/// Whether two sets of locks can be held at the same time.
pub fn compatible(one: &Locks, other: &Locks) -> bool {
    one.iter().all(|(name, mode)| {
        other
            .get(name)
            .is_none_or(|held| (*mode, *held) == (LockMode::Shared, LockMode::Shared))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grant::DatabaseGrant;

    fn app(access: &Access) -> Locks {
        let grant = DatabaseGrant::new(access, ["account".to_owned()]);
        let grants = Grants {
            databases: [("app".parse().unwrap(), grant)].into(),
            ..Grants::default()
        };
        locks_of(None, &grants)
    }

    #[test]
    fn readers_share_and_a_restore_is_alone() {
        assert!(compatible(&app(&Access::Read), &app(&Access::Read)));
        assert!(!compatible(&app(&Access::Read), &app(&Access::Replace)));
        assert!(!compatible(&app(&Access::Replace), &app(&Access::Replace)));
        assert!(compatible(&app(&Access::Replace), &Locks::new()));
    }

    #[test]
    fn named_locks_take_the_place_of_the_default_ones() {
        let named = [LockName::from_str("deploy").unwrap()].into();
        let locks = locks_of(Some(&named), &Grants::default());
        assert_eq!(locks.values().copied().collect::<Vec<_>>(), [LockMode::Exclusive]);
    }
}
