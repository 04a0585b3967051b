//! The one decision whether a plugin may do something.

use super::{Access, GrantSection, Grants, ResourceKind, Wanted, hint};
use crate::failure::{Blame, Failure, FailureKind};
use crate::manifest::CapabilityRequest;
use crate::name::ResourceName;
use crate::resource::{Destination, Origin, Resources};
use crate::secret::SecretUse;
use serde::{Deserialize, Serialize};

/// Why something is not granted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{wanted} is not granted: {why}")]
pub struct Denial {
    /// What was wanted.
    pub wanted: Wanted,
    /// Who said no, and to what.
    pub why: String,
    /// The lines that would grant it.
    pub hint: String,
}

impl From<Denial> for Failure {
    fn from(denial: Denial) -> Self {
        let resource = match &denial.wanted {
            Wanted::Named { kind, name, .. } => format!("{kind}.{name}"),
            Wanted::Network { origin, .. } => origin.to_string(),
            Wanted::Insertion { secret, .. } => format!("secrets.{secret}"),
        };
        Self::new(FailureKind::Denied, Blame::Operator, denial.to_string())
            .hint(denial.hint)
            .with("resource", resource)
    }
}

/// The three things that a decision rests on, and where the second is written.
#[derive(Debug, Clone, Copy)]
pub struct Basis<'a> {
    /// What the plugin's manifest declares for the action.
    pub declared: &'a [CapabilityRequest],
    /// What the procedure's file grants to the action.
    pub grants: &'a Grants,
    /// Where the procedure's file would grant more to the action.
    pub section: &'a GrantSection,
    /// What the operator named.
    pub resources: &'a Resources,
}

/// By which resource something is granted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Granted {
    /// The kind of the resource.
    pub kind: ResourceKind,
    /// The operator's name for it.
    pub name: ResourceName,
    /// What is done with it.
    pub access: Access,
}

/// Decides whether something may be done. This is the only place that does.
pub fn decide(wanted: &Wanted, basis: Basis<'_>) -> Result<Granted, Denial> {
    declared(wanted, basis.declared)?;
    let decided = match wanted {
        Wanted::Named { kind, name, access } => decide_named(*kind, name, access, basis),
        Wanted::Network { origin, method } => decide_network(origin, method, basis),
        Wanted::Insertion {
            secret,
            origin,
            method,
        } => decide_insertion(secret, origin, method, basis),
    };
    let granted = decided.map(|name| Granted {
        kind: wanted.kind(),
        name,
        access: wanted.access(),
    });
    granted.map_err(|(why, hint)| Denial {
        wanted: wanted.clone(),
        why,
        hint,
    })
}

/// The name of the resource by which something is granted; else why not, and what would grant it.
type Decided = Result<ResourceName, (String, String)>;

fn declared(wanted: &Wanted, requests: &[CapabilityRequest]) -> Result<(), Denial> {
    let covered = requests
        .iter()
        .any(|request| request.kind == wanted.kind() && request.access.covers(&wanted.access()));
    if covered {
        return Ok(());
    }
    Err(Denial {
        wanted: wanted.clone(),
        why: "the plugin's manifest does not declare it".to_owned(),
        hint: format!(
            "the plugin has to declare `{}` on {} for this action",
            wanted.access(),
            wanted.kind()
        ),
    })
}

fn decide_named(kind: ResourceKind, name: &str, access: &Access, basis: Basis<'_>) -> Decided {
    let parsed = name
        .parse::<ResourceName>()
        .map_err(|error| (error.to_string(), format!("name one of [{kind}] in sopwith.toml")))?;
    if !basis.resources.has(kind, name) {
        return Err((hint::nameless(kind, name), hint::naming(kind, name)));
    }
    let granted = basis.grants.access(kind, &parsed, access);
    let why = match &granted {
        Some(granted) if granted.covers(access) => return Ok(parsed),
        Some(granted) => format!("the procedure grants `{granted}`"),
        None => "the procedure does not grant it".to_owned(),
    };
    Err((
        why,
        hint::granting(
            basis.section,
            basis.grants,
            granted.as_ref(),
            (kind, name),
            access,
        ),
    ))
}

fn decide_network(origin: &Origin, method: &str, basis: Basis<'_>) -> Decided {
    let destinations = &basis.resources.network;
    let is_granted = |name: &ResourceName| basis.grants.network.contains(name);
    let mut covering = destinations
        .iter()
        .filter(|(_, destination)| destination.covers(origin, method))
        .map(|(name, _)| name);
    if let Some(name) = covering.clone().find(|name| is_granted(name)) {
        return Ok(name.clone());
    }
    if let Some(name) = covering.next() {
        let hint = hint::granting_name(basis.section, ("network", &basis.grants.network), name.as_str());
        return Err(("the procedure does not grant it".to_owned(), hint));
    }
    let granted = destinations.iter().filter(|(name, _)| is_granted(name));
    // A wrong port or scheme is likelier than a wrong host.
    let nearest = granted.max_by_key(|(_, destination)| {
        let same_host = destination
            .allow
            .iter()
            .any(|allowed| allowed.host == origin.host);
        (destination.allows(origin), same_host)
    });
    Err(match nearest {
        Some((name, destination)) => (
            format!("[network.{name}] does not cover it"),
            hint::widening(name, destination, origin, method),
        ),
        None => (
            "no [network] destination of sopwith.toml covers it".to_owned(),
            hint::naming_server(origin, method),
        ),
    })
}

/// A secret goes only where the operator said, through a destination that is granted as well.
fn decide_insertion(secret: &str, origin: &Origin, method: &str, basis: Basis<'_>) -> Decided {
    let name = decide_named(ResourceKind::Secrets, secret, &Access::Insert, basis)?;
    let server = decide_network(origin, method, basis)?;
    let uses = &basis.resources.secrets[&name].uses;
    let may_go = |(destination, covered): (&ResourceName, &Destination)| {
        covered.covers(origin, method)
            && basis.grants.network.contains(destination)
            && uses.contains(&SecretUse::Network(destination.clone()))
    };
    if basis.resources.network.iter().any(may_go) {
        return Ok(name);
    }
    let hint = hint::letting_go(&name, uses, &SecretUse::Network(server));
    Err((format!("[secrets.{name}] does not let it go there"), hint))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grant::DatabaseGrant;
    use crate::resource::Database;

    fn resources() -> Resources {
        Resources {
            databases: [("app".parse().unwrap(), Database::Sqlite("/srv/app.db".into()))].into(),
            network: [(
                "site".parse().unwrap(),
                Destination {
                    allow: vec!["https://clinic.example".parse().unwrap()],
                    methods: vec!["GET".to_owned()],
                },
            )]
            .into(),
            ..Resources::default()
        }
    }

    fn declares(kind: ResourceKind, access: Access) -> CapabilityRequest {
        CapabilityRequest {
            kind,
            access,
            from: "$.x".to_owned(),
            required: true,
            reason: "test".to_owned(),
        }
    }

    fn app(access: &Access) -> Grants {
        Grants {
            databases: [("app".parse().unwrap(), DatabaseGrant::new(access, []))].into(),
            ..Grants::default()
        }
    }

    fn check(wanted: &Wanted, declared: &[CapabilityRequest], grants: &Grants) -> Result<Granted, Denial> {
        check_under(&GrantSection::Procedure, wanted, declared, grants)
    }

    fn check_under(
        section: &GrantSection,
        wanted: &Wanted,
        declared: &[CapabilityRequest],
        grants: &Grants,
    ) -> Result<Granted, Denial> {
        decide(
            wanted,
            Basis {
                declared,
                grants,
                section,
                resources: &resources(),
            },
        )
    }

    #[test]
    fn all_three_have_to_agree() {
        let read = Wanted::database("app", Access::Read);
        let declared = [declares(ResourceKind::Databases, Access::Read)];
        assert!(check(&read, &declared, &app(&Access::Read)).is_ok());
        assert!(check(&read, &[], &app(&Access::Read)).is_err());
        assert!(check(&read, &declared, &Grants::default()).is_err());
        let unknown = Wanted::database("other", Access::Read);
        assert!(check(&unknown, &declared, &app(&Access::Read)).is_err());
    }

    #[test]
    fn a_denial_names_the_line_that_would_allow_it() {
        let wanted = Wanted::database("app", Access::Replace);
        let declared = [declares(ResourceKind::Databases, Access::Replace)];
        let denial = check(&wanted, &declared, &app(&Access::Read)).unwrap_err();
        assert_eq!(
            denial.hint,
            "change under [grants]:  databases = { app = \"replace\" }"
        );
        let denial = check(&wanted, &declared, &Grants::default()).unwrap_err();
        assert_eq!(
            denial.hint,
            "add under [grants]:  databases = { app = \"replace\" }"
        );
        let restore = GrantSection::Action("restore".parse().unwrap());
        let denial = check_under(&restore, &wanted, &declared, &app(&Access::Read)).unwrap_err();
        assert_eq!(
            denial.hint,
            "add under [actions.restore.grants]:  databases = { app = \"replace\" }"
        );
    }

    #[test]
    fn a_destination_is_granted_by_name_with_its_methods() {
        let to = |method: &str, origin: &str| Wanted::Network {
            origin: origin.parse().unwrap(),
            method: method.to_owned(),
        };
        let declared = [
            declares(ResourceKind::Network, Access::Method("GET".to_owned())),
            declares(ResourceKind::Network, Access::Method("POST".to_owned())),
        ];
        let site = Grants {
            network: ["site".parse().unwrap()].into(),
            ..Grants::default()
        };
        assert!(check(&to("GET", "https://clinic.example"), &declared, &site).is_ok());
        assert!(check(&to("POST", "https://clinic.example"), &declared, &site).is_err());
        assert!(check(&to("GET", "https://evil.example"), &declared, &site).is_err());
        let denial = check(
            &to("GET", "https://clinic.example"),
            &declared,
            &Grants::default(),
        )
        .unwrap_err();
        assert_eq!(denial.hint, "add under [grants]:  network = [\"site\"]");
    }

    #[test]
    fn a_destination_that_is_granted_and_too_narrow_is_to_be_widened() {
        let declared = ["GET", "POST"].map(|method| {
            let method = Access::Method(method.to_owned());
            declares(ResourceKind::Network, method)
        });
        let site = Grants {
            network: ["site".parse().unwrap()].into(),
            ..Grants::default()
        };
        let hint = |method: &str, origin: &str| {
            let wanted = Wanted::Network {
                origin: origin.parse().unwrap(),
                method: method.to_owned(),
            };
            check(&wanted, &declared, &site).unwrap_err().hint
        };
        assert_eq!(
            hint("GET", "https://clinic.example:8443"),
            "change under [network.site] in sopwith.toml:  allow = [\"https://clinic.example\", \"https://clinic.example:8443\"]"
        );
        assert_eq!(
            hint("POST", "https://clinic.example"),
            "change under [network.site] in sopwith.toml:  methods = [\"GET\", \"POST\"]"
        );
    }
}
