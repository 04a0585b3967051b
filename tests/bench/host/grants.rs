//! What a decision about a grant costs, with its entry in memory.

use sopwith_bench::{Figure, Quantity, Samples, Target, timed};
use sopwith_core::grant::{
    Access, Basis, DatabaseGrant, GrantSection, Grants, ResourceKind, Uses, Wanted, decide,
};
use sopwith_core::manifest::CapabilityRequest;
use sopwith_core::resource::{Database, Destination, Directory, Resources};
use std::hint::black_box;
use std::time::Duration;

/// Resources of each kind that the operator named.
const RESOURCES: usize = 50;
const ROUNDS: usize = 200;
const DECISIONS: u32 = 1_000;

pub(crate) fn measure() {
    let resources = resources();
    let grants = grants();
    let declared = declared();
    let basis = Basis {
        declared: &declared,
        grants: &grants,
        section: &GrantSection::Procedure,
        resources: &resources,
    };
    let database = Wanted::database(&name(RESOURCES - 1), Access::Read);
    let server = Wanted::Network {
        origin: server(RESOURCES - 1).parse().expect("an origin"),
        method: "GET".to_owned(),
    };
    let denied = Wanted::database("unknown", Access::Replace);
    tell("decision on a database, with its entry", &database, basis);
    tell("decision on one of 50 destinations", &server, basis);
    tell("a denial with its hint", &denied, basis);
}

fn tell(figure: &str, wanted: &Wanted, basis: Basis<'_>) {
    let (mut decided, mut baseline) = <(Samples, Samples)>::default();
    for _ in 0..ROUNDS {
        let mut uses = Uses::default();
        let ((), time) = timed(|| {
            for _ in 0..DECISIONS {
                if let Ok(granted) = black_box(decide(black_box(wanted), basis)) {
                    uses.add(granted, "sql.open");
                }
            }
        });
        decided.add(time / DECISIONS);
        black_box(uses.take());
        let ((), time) = timed(|| {
            for _ in 0..DECISIONS {
                black_box(rustix::process::getppid());
            }
        });
        baseline.add(time / DECISIONS);
    }
    let figure = Figure {
        name: figure,
        measured: Quantity::Time(decided.median()),
        baseline: ("a system call", Quantity::Time(baseline.median())),
        target: Target::AtMost(Quantity::Time(Duration::from_micros(5))),
    };
    figure.tell();
}

fn name(number: usize) -> String {
    format!("resource-{number}")
}

fn server(number: usize) -> String {
    format!("https://server-{number}.example")
}

fn resources() -> Resources {
    let names = || (0..RESOURCES).map(|number| name(number).parse().expect("a name"));
    Resources {
        databases: names()
            .map(|name| (name, Database::Sqlite("/srv/app.db".into())))
            .collect(),
        directories: names()
            .map(|name| (name, Directory { path: "/srv".into() }))
            .collect(),
        network: names()
            .enumerate()
            .map(|(number, name)| {
                let allow = vec![server(number).parse().expect("an origin")];
                let methods = vec!["GET".to_owned(), "HEAD".to_owned()];
                (name, Destination { allow, methods })
            })
            .collect(),
        ..Resources::default()
    }
}

fn grants() -> Grants {
    let names = || (0..RESOURCES).map(|number| name(number).parse().expect("a name"));
    Grants {
        databases: names()
            .map(|name| (name, DatabaseGrant::new(&Access::Read, [])))
            .collect(),
        directories: names().map(|name| (name, Access::Read)).collect(),
        network: names().collect(),
        ..Grants::default()
    }
}

fn declared() -> Vec<CapabilityRequest> {
    let request = |kind, access: &str| CapabilityRequest {
        kind,
        access: access.to_owned().into(),
        from: "$.x".to_owned(),
        required: true,
        reason: "measured".to_owned(),
    };
    vec![
        request(ResourceKind::Directories, "write"),
        request(ResourceKind::Network, "GET"),
        request(ResourceKind::Databases, "read"),
        request(ResourceKind::Databases, "replace"),
    ]
}
