//! Roles: who may do what with a host.

use crate::actor::Actor;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

/// What somebody is to a host, as `[roles]` of `sopwith.toml` names it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Looks at procedures, runs and schedules.
    Viewer,
    /// Starts and ends runs, besides looking.
    Operator,
    /// Answers what runs ask, besides looking.
    Approver,
    /// Reads the audit log, besides looking.
    Auditor,
    /// May do everything.
    Admin,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 5] = [
        Self::Viewer,
        Self::Operator,
        Self::Approver,
        Self::Auditor,
        Self::Admin,
    ];

    /// Whether whoever has this role may do what the other may.
    pub fn includes(self, other: Self) -> bool {
        self == other || self == Self::Admin || other == Self::Viewer
    }

    /// The word of `sopwith.toml`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Approver => "approver",
            Self::Auditor => "auditor",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Somebody whom `[roles]` names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Principal {
    /// `user:NAME`, a user of the operating system.
    User(String),
    /// `group:NAME`, all members of a group of the operating system.
    Group(String),
}

/// A text that names nobody.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names nobody")]
pub struct InvalidPrincipal(String);

impl FromStr for Principal {
    type Err = InvalidPrincipal;

    fn from_str(text: &str) -> Result<Self, InvalidPrincipal> {
        match text.split_once(':') {
            Some(("user", name)) if !name.is_empty() => Ok(Self::User(name.to_owned())),
            Some(("group", name)) if !name.is_empty() => Ok(Self::Group(name.to_owned())),
            _ => Err(InvalidPrincipal(text.to_owned())),
        }
    }
}

impl TryFrom<String> for Principal {
    type Error = InvalidPrincipal;

    fn try_from(text: String) -> Result<Self, InvalidPrincipal> {
        text.parse()
    }
}

impl From<Principal> for String {
    fn from(principal: Principal) -> Self {
        principal.to_string()
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(name) => write!(f, "user:{name}"),
            Self::Group(name) => write!(f, "group:{name}"),
        }
    }
}

/// Who has which role. Until it is written down, whoever can speak to the host may do everything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roles(pub Option<BTreeMap<Role, BTreeSet<Principal>>>);

impl Roles {
    /// Whether this actor, who is in these groups, may do what the role may.
    pub fn allow(&self, actor: &Actor, groups: &[String], wanted: Role) -> bool {
        let Some(roles) = &self.0 else { return true };
        let Actor::User { name, .. } = actor else {
            return true;
        };
        let is_meant = |principal: &Principal| match principal {
            Principal::User(user) => user == name,
            Principal::Group(group) => groups.contains(group),
        };
        let mut having = roles.iter().filter(|(role, _)| role.includes(wanted));
        having.any(|(_, principals)| principals.iter().any(is_meant))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(name: &str) -> Actor {
        Actor::User {
            name: name.to_owned(),
            uid: 1,
        }
    }

    fn check(name: &str, groups: &[&str], may: &[Role]) {
        let roles = Roles(Some(BTreeMap::from([
            (Role::Viewer, ["group:staff".parse().unwrap()].into()),
            (Role::Operator, ["user:otto".parse().unwrap()].into()),
            (Role::Approver, ["user:anna".parse().unwrap()].into()),
            (Role::Admin, ["group:wheel".parse().unwrap()].into()),
        ])));
        let groups: Vec<_> = groups.iter().map(ToString::to_string).collect();
        let allowed = Role::ALL.into_iter();
        let allowed = allowed.filter(|role| roles.allow(&user(name), &groups, *role));
        assert_eq!(allowed.collect::<Vec<_>>(), may, "{name}");
    }

    #[test]
    fn a_role_allows_what_it_says_and_looking() {
        check("otto", &[], &[Role::Viewer, Role::Operator]);
        check("anna", &["staff"], &[Role::Viewer, Role::Approver]);
        check("vera", &["staff"], &[Role::Viewer]);
        check("root", &["wheel"], &Role::ALL);
        check("stranger", &["other"], &[]);
    }

    #[test]
    fn without_roles_everybody_may_do_everything() {
        assert!(Roles::default().allow(&user("stranger"), &[], Role::Admin));
    }

    #[test]
    fn principals_are_written_with_their_kind() {
        assert_eq!("group:ops".parse(), Ok(Principal::Group("ops".to_owned())));
        for text in ["ops", "user:", "role:ops", ""] {
            assert!(text.parse::<Principal>().is_err(), "{text}");
        }
    }
}
