//! Random grants and requests, held against a slow reading of the same rule: a list of everything
//! that each side permits, one thing at a time, of which only what stands in all three may be done.

use super::{Access, Basis, DatabaseGrant, GrantSection, Grants, ResourceKind, Wanted, decide};
use crate::command::{Command, Effects};
use crate::manifest::CapabilityRequest;
use crate::resource::{Database, Destination, Directory, Resources};
use crate::secret::{Secret, SecretStore, SecretUse};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use std::collections::{BTreeMap, BTreeSet};

const NAMES: [&str; 3] = ["app", "ledger", "other"];
const METHODS: [&str; 3] = ["GET", "POST", "DELETE"];
/// Patterns of servers, and servers; the pattern of the last one is none.
const PATTERNS: [&str; 3] = [
    "https://a.example",
    "https://*.b.example",
    "http://127.0.0.1:8000",
];
const SERVERS: [&str; 5] = [
    "https://a.example",
    "https://x.b.example",
    "http://127.0.0.1:8000",
    "https://b.example",
    "http://a.example",
];

/// One thing, spelt out: kind, name or server, access or method, and the secret that goes with it.
type Thing = (ResourceKind, String, Access, Option<String>);

fn accesses(kind: ResourceKind) -> Vec<Access> {
    match kind {
        ResourceKind::Databases => vec![Access::Read, Access::Write, Access::Replace],
        ResourceKind::Directories => vec![Access::Read, Access::Write],
        ResourceKind::Network => METHODS.map(|method| Access::Method(method.to_owned())).into(),
        ResourceKind::Commands => vec![Access::Run],
        ResourceKind::Secrets => vec![Access::Use, Access::Insert, Access::Reveal],
        ResourceKind::Procedures => vec![Access::Call],
    }
}

/// What may be done by somebody who may do this.
fn includes(access: &Access) -> Vec<Access> {
    match access {
        Access::Write | Access::Replace => vec![access.clone(), Access::Read],
        _ => vec![access.clone()],
    }
}

fn names() -> impl Strategy<Value = Vec<&'static str>> {
    subsequence(NAMES.to_vec(), 0..=NAMES.len())
}

fn kinds() -> impl Strategy<Value = ResourceKind> {
    select(vec![
        ResourceKind::Databases,
        ResourceKind::Directories,
        ResourceKind::Network,
        ResourceKind::Commands,
        ResourceKind::Secrets,
        ResourceKind::Procedures,
    ])
}

fn declared() -> impl Strategy<Value = Vec<CapabilityRequest>> {
    let request = kinds().prop_flat_map(|kind| {
        select(accesses(kind)).prop_map(move |access| CapabilityRequest {
            kind,
            access,
            from: "$.x".to_owned(),
            required: true,
            reason: "test".to_owned(),
        })
    });
    prop::collection::vec(request, 0..12)
}

fn grants() -> impl Strategy<Value = Grants> {
    let accessed = |kind| prop::collection::btree_map(select(NAMES.to_vec()), select(accesses(kind)), 0..3);
    let databases = accessed(ResourceKind::Databases);
    let directories = accessed(ResourceKind::Directories);
    let lists = (names(), names(), names(), names(), names());
    (databases, directories, lists).prop_map(
        |(databases, directories, (network, commands, secrets, secret_reveal, procedures))| Grants {
            databases: databases
                .into_iter()
                .map(|(name, access)| {
                    let grant = DatabaseGrant::new(&access, ["notes".to_owned()]);
                    (name.parse().unwrap(), grant)
                })
                .collect(),
            directories: directories
                .into_iter()
                .map(|(name, access)| (name.parse().unwrap(), access))
                .collect(),
            network: network.iter().map(|name| name.parse().unwrap()).collect(),
            commands: commands.iter().map(|name| name.parse().unwrap()).collect(),
            secrets: secrets.iter().map(|name| name.parse().unwrap()).collect(),
            secret_reveal: secret_reveal.iter().map(|name| name.parse().unwrap()).collect(),
            procedures: procedures.iter().map(|name| name.parse().unwrap()).collect(),
        },
    )
}

fn resources() -> impl Strategy<Value = Resources> {
    let destination = (
        subsequence(PATTERNS.to_vec(), 0..=PATTERNS.len()),
        subsequence(METHODS.to_vec(), 0..=METHODS.len()),
    );
    let network = prop::collection::btree_map(select(NAMES.to_vec()), destination, 0..3);
    let secrets = prop::collection::btree_map(select(NAMES.to_vec()), names(), 0..3);
    (names(), names(), network, names(), secrets, names()).prop_map(
        |(databases, directories, network, commands, secrets, procedures)| Resources {
            procedures: procedures.iter().map(|name| name.parse().unwrap()).collect(),
            databases: named(databases, |_| Database::Sqlite("/srv/app.db".into())),
            directories: named(directories, |_| Directory { path: "/srv".into() }),
            network: network
                .into_iter()
                .map(|(name, (allow, methods))| {
                    let allow = allow.iter().map(|origin| origin.parse().unwrap()).collect();
                    let methods = methods.into_iter().map(str::to_owned).collect();
                    (name.parse().unwrap(), Destination { allow, methods })
                })
                .collect(),
            commands: named(commands, |_| command()),
            secrets: secrets
                .into_iter()
                .map(|(name, places)| {
                    let uses = places
                        .iter()
                        .map(|place| SecretUse::Network(place.parse().unwrap()));
                    let secret = Secret {
                        store: SecretStore::Sealed,
                        uses: uses.collect(),
                    };
                    (name.parse().unwrap(), secret)
                })
                .collect(),
        },
    )
}

fn named<T>(names: Vec<&str>, make: impl Fn(&str) -> T) -> BTreeMap<crate::name::ResourceName, T> {
    names
        .into_iter()
        .map(|name| (name.parse().unwrap(), make(name)))
        .collect()
}

fn command() -> Command {
    Command {
        program: "/bin/true".into(),
        sha256: None,
        arguments: Vec::new(),
        directory: None,
        environment: BTreeMap::new(),
        effects: Effects::None,
        timeout: None,
        blanks: BTreeMap::new(),
    }
}

fn wanted() -> impl Strategy<Value = Wanted> {
    let named = kinds().prop_flat_map(|kind| {
        (select(NAMES.to_vec()), select(accesses(kind))).prop_map(move |(name, access)| Wanted::Named {
            kind,
            name: name.to_owned(),
            access,
        })
    });
    let server = || (select(SERVERS.to_vec()), select(METHODS.to_vec()));
    let network = server().prop_map(|(origin, method)| Wanted::Network {
        origin: origin.parse().unwrap(),
        method: method.to_owned(),
    });
    let insertion =
        (select(NAMES.to_vec()), server()).prop_map(|(secret, (origin, method))| Wanted::Insertion {
            secret: secret.to_owned(),
            origin: origin.parse().unwrap(),
            method: method.to_owned(),
        });
    prop_oneof![4 => named, 2 => network, 2 => insertion]
}

fn thing(wanted: &Wanted) -> Thing {
    match wanted {
        Wanted::Named { kind, name, access } => (*kind, name.clone(), access.clone(), None),
        Wanted::Network { origin, method } => (
            ResourceKind::Network,
            origin.to_string(),
            Access::Method(method.clone()),
            None,
        ),
        Wanted::Insertion {
            secret,
            origin,
            method,
        } => (
            ResourceKind::Network,
            origin.to_string(),
            Access::Method(method.clone()),
            Some(secret.clone()),
        ),
    }
}

/// Everything that all three permit, spelt out.
fn intersection(
    declared: &[CapabilityRequest],
    grants: &[&Grants],
    resources: &Resources,
) -> BTreeSet<Thing> {
    let is_declared = |kind, access: &Access| {
        let of_kind = declared.iter().filter(|request| request.kind == kind);
        of_kind
            .flat_map(|request| includes(&request.access))
            .any(|included| included == *access)
    };
    let mut granted: BTreeSet<(ResourceKind, String, Access)> = BTreeSet::new();
    let mut destinations = BTreeSet::new();
    for grants in grants {
        // Before they are added up, a grant is for one access.
        for (name, grant) in &grants.databases {
            let all = includes(&grant.access()).into_iter();
            granted.extend(all.map(|access| (ResourceKind::Databases, name.to_string(), access)));
        }
        for (name, access) in &grants.directories {
            let all = includes(access).into_iter();
            granted.extend(all.map(|access| (ResourceKind::Directories, name.to_string(), access)));
        }
        let mut list = |kind, names: &BTreeSet<crate::name::ResourceName>, accesses: &[Access]| {
            for access in accesses {
                granted.extend(names.iter().map(|name| (kind, name.to_string(), access.clone())));
            }
        };
        list(ResourceKind::Commands, &grants.commands, &[Access::Run]);
        list(ResourceKind::Procedures, &grants.procedures, &[Access::Call]);
        list(
            ResourceKind::Secrets,
            &grants.secrets,
            &[Access::Use, Access::Insert],
        );
        list(ResourceKind::Secrets, &grants.secret_reveal, &[Access::Reveal]);
        destinations.extend(grants.network.iter().cloned());
    }
    let mut things: BTreeSet<Thing> = granted
        .iter()
        .filter(|(kind, name, access)| resources.has(*kind, name) && is_declared(*kind, access))
        .map(|(kind, name, access)| (*kind, name.clone(), access.clone(), None))
        .collect();
    for destination in &destinations {
        let Some(reached) = resources.network.get(destination) else {
            continue;
        };
        for server in SERVERS {
            for method in METHODS {
                let covered = reached
                    .allow
                    .iter()
                    .any(|origin| origin.covers(&server.parse().unwrap()))
                    && reached.methods.iter().any(|allowed| allowed == method);
                let access = Access::Method(method.to_owned());
                if !covered {
                    continue;
                }
                if is_declared(ResourceKind::Network, &access) {
                    things.insert((ResourceKind::Network, server.to_owned(), access.clone(), None));
                }
                for (name, secret) in &resources.secrets {
                    let may_go = secret.uses.contains(&SecretUse::Network(destination.clone()))
                        && granted.contains(&(ResourceKind::Secrets, name.to_string(), Access::Insert))
                        && is_declared(ResourceKind::Secrets, &Access::Insert);
                    if may_go {
                        let secret = Some(name.to_string());
                        things.insert((ResourceKind::Network, server.to_owned(), access.clone(), secret));
                    }
                }
            }
        }
    }
    things
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_sequence_of_requests_yields_more_or_less_than_the_intersection(
        declared in declared(),
        of_all in grants(),
        of_action in grants(),
        resources in resources(),
        sequence in prop::collection::vec(wanted(), 1..20),
    ) {
        let section = GrantSection::Procedure;
        let sum = of_all.with(&of_action);
        let basis = Basis { declared: &declared, grants: &sum, section: &section, resources: &resources };
        let permitted = intersection(&declared, &[&of_all, &of_action], &resources);
        for wanted in sequence {
            let decided = decide(&wanted, basis);
            prop_assert_eq!(decided.is_ok(), permitted.contains(&thing(&wanted)), "{:?}: {:?}", wanted, decided);
            if let Err(denial) = decided {
                prop_assert!(!denial.hint.is_empty());
            }
        }
    }
}
