//! URLs of every spelling: the server that is decided about is the one that would be connected to.

use super::clock::PatientClock;
use super::store::RecordingStore;
use super::world::World;
use crate::gate::Gate;
use crate::network::address::special;
use crate::network::connect::Connector;
use crate::network::phase::Deadline;
use crate::network::resolve::Resolve;
use crate::network::target::Target;
use crate::network::tls::{Sessions, Trust};
use async_trait::async_trait;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use rustls::pki_types::ServerName;
use sopwith_core::failure::{Failure, FailureKind};
use sopwith_core::grant::Wanted;
use sopwith_core::port::Clock as _;
use sopwith_core::port::capabilities::{Answer, Timing};
use sopwith_core::resource::Origin;
use sopwith_fuzz::{Parts, Target as Fuzz, edited, origins_and_urls};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

#[rustfmt::skip]
const WORDS: &[&str] = &[
    "http", "https", "://", ":", "/", "//", "\\", "@", "#", "?", ".", "..", "*", "*.", "[", "]", "%", "%00", "%2e", "%40", "\t", "\r\n",
    "\u{0}", "\u{ad}", "。", "xn--", "0x7f", "127", "0177", "443", "8000", "clinic", "test", "evil", "localhost", "::1", "::ffff:",
    "u:p@", "{{secret:X}}", "_", "-", "~", "!", "&", "=",
];

#[rustfmt::skip]
const ADDRESSES: &[&str] = &[
    "9.9.9.9", "1.1.1.1", "2620:fe::fe", "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.5", "169.254.169.254", "192.168.1.1", "100.64.0.1",
    "::1", "::", "::ffff:127.0.0.1", "::ffff:9.9.9.9", "64:ff9b::a00:5", "2002:7f00:1::", "fe80::1", "fd00:ec2::254", "ff02::1", "4000::1",
];

fn cases(kept: &[Parts]) -> impl Strategy<Value = Parts> + use<> {
    let texts = |name: &str| {
        kept.iter()
            .map(|case| case.part(name).to_owned())
            .collect::<Vec<_>>()
    };
    let edited_pairs = (edited(texts("grant"), WORDS), edited(texts("url"), WORDS));
    let pairs = prop_oneof![8 => origins_and_urls(), 2 => edited_pairs];
    let address = prop_oneof![
        4 => select(ADDRESSES).prop_map(str::to_owned),
        1 => any::<u32>().prop_map(|bits| Ipv4Addr::from(bits).to_string()),
        1 => any::<u128>().prop_map(|bits| Ipv6Addr::from(bits).to_string()),
    ];
    let addresses = prop_oneof![3 => Just(vec!["9.9.9.9".to_owned()]), 2 => vec(address, 0..4)];
    let locations = prop_oneof![
        1 => origins_and_urls().prop_map(|(_, url)| url),
        1 => edited(texts("location"), WORDS),
    ];
    (pairs, addresses, locations).prop_map(|((grant, url), addresses, location)| {
        let parts = [
            ("grant", grant),
            ("url", url),
            ("addresses", addresses.join(" ")),
            ("location", location),
        ];
        Parts(parts.map(|(name, text)| (name.to_owned(), text)).into())
    })
}

/// Answers every name with the same addresses, and remembers which names were asked.
struct Names {
    answer: Vec<IpAddr>,
    asked: Mutex<Vec<String>>,
}

#[async_trait]
impl Resolve for Names {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        self.asked.lock().unwrap().push(host.to_owned());
        Ok(self.answer.clone())
    }
}

/// What all cases share.
struct Bench {
    runtime: Runtime,
    sessions: Sessions,
    places: Arc<Semaphore>,
    clock: Arc<PatientClock>,
}

impl Bench {
    fn new() -> Self {
        Self {
            runtime: Builder::new_current_thread().build().unwrap(),
            sessions: Sessions::new(Arc::new(Trust::new(&[]).unwrap())),
            places: Arc::new(Semaphore::new(1)),
            clock: Arc::new(PatientClock::new(false)),
        }
    }

    fn holds(&self, case: &Parts) -> &'static str {
        let Ok(grant) = case.part("grant").parse::<Origin>() else {
            return "no origin";
        };
        let answer: Vec<IpAddr> = case.part("addresses").split(' ').flat_map(str::parse).collect();
        let target = match Target::parse(case.part("url")) {
            Ok(target) => target,
            Err(failure) => {
                check_failure(&failure);
                return "no URL";
            }
        };
        check_written(&target);
        // What a redirect leads to is decided about in the same way.
        match target.redirected(case.part("location")) {
            Ok(next) => {
                check_written(&next);
                self.judge(&grant, &next, &answer);
            }
            Err(failure) => check_failure(&failure),
        }
        self.judge(&grant, &target, &answer)
    }

    fn judge(&self, grant: &Origin, target: &Target, answer: &[IpAddr]) -> &'static str {
        let names = Names {
            answer: answer.to_vec(),
            asked: Mutex::default(),
        };
        let judged = self.runtime.block_on(self.judged(grant, target, &names));
        let asked = names.asked.into_inner().unwrap();
        match judged {
            Ok(addresses) => {
                check_admitted(grant, target, &asked, answer, &addresses);
                "let through"
            }
            Err(failure) => {
                check_failure(&failure);
                // Nobody is told of a name that is not granted.
                assert!(asked.is_empty() || is_covered(grant, &target.origin), "{asked:?}");
                if failure.kind == FailureKind::Denied {
                    "denied"
                } else {
                    "not reachable"
                }
            }
        }
    }

    /// As a request comes to be connected to.
    async fn judged(&self, grant: &Origin, target: &Target, names: &Names) -> Answer<Vec<SocketAddr>> {
        let cancel = CancellationToken::new();
        let deadline = self.clock.monotonic() + Duration::from_hours(1);
        let attempt = World::granting([grant.to_string()]).attempt(cancel, deadline, Path::new("/nowhere"));
        let store = Arc::new(RecordingStore::default());
        let gate = Gate::new(attempt, store, self.clock.clone(), Arc::default());
        let wanted = Wanted::Network {
            origin: target.origin.clone(),
            method: "GET".to_owned(),
        };
        gate.allow(&wanted, "probe.http")?;
        let connector = Connector {
            gate: &gate,
            sessions: &self.sessions,
            resolver: names,
            places: &self.places,
        };
        let deadline = Deadline::after(&*self.clock, Duration::from_secs(1));
        connector
            .judged(target, "GET", None, &deadline, &mut Timing::default())
            .await
    }
}

/// What goes to the server names it and no other, and is one line.
fn check_written(target: &Target) {
    let again = Target::parse(target.url()).expect("what was read is read again");
    assert_eq!(again.origin, target.origin);
    let authority = target.authority();
    let plain = |text: &str| text.chars().all(|one| one.is_ascii_graphic());
    assert!(
        plain(&authority) && !authority.contains(['/', '@', '?', '#', '\\']),
        "{authority}"
    );
    let whole: http::Uri = format!("{}://{authority}/", target.origin.scheme)
        .parse()
        .expect("a URI");
    let host = whole.host().unwrap_or_default();
    assert_eq!(host, target.origin.host, "the header `host` names the server");
    if let Ok(uri) = target.uri() {
        assert_eq!(uri.authority(), None);
        let line = uri.to_string();
        assert!(line.starts_with('/') && plain(&line), "{line:?}");
    }
    assert!(!target.shown().contains('?'), "{}", target.shown());
}

fn check_failure(failure: &Failure) {
    let known = [
        FailureKind::Denied,
        FailureKind::Invalid,
        FailureKind::Unavailable,
        FailureKind::Failed,
    ];
    assert!(known.contains(&failure.kind), "{failure:?}");
    assert!(!failure.message.is_empty());
    // What could not be read may have a password in it.
    let is_unread = failure.kind == FailureKind::Invalid;
    assert!(!is_unread || !failure.message.contains("u:p@"), "{failure:?}");
}

fn check_admitted(
    grant: &Origin,
    target: &Target,
    asked: &[String],
    answer: &[IpAddr],
    admitted: &[SocketAddr],
) {
    assert!(
        is_covered(grant, &target.origin),
        "{} is not {grant}",
        target.origin
    );
    assert!(!admitted.is_empty());
    let literal = target.origin.host.trim_matches(['[', ']']).parse::<IpAddr>().ok();
    if let Some(address) = literal {
        assert!(asked.is_empty(), "an address was looked up: {asked:?}");
        assert_eq!(admitted, [SocketAddr::new(address, target.origin.port)]);
    } else {
        assert_eq!(
            asked,
            [target.origin.host.as_str()],
            "the name that is granted is asked for, once"
        );
        assert!(
            admitted.iter().all(|one| answer.contains(&one.ip())),
            "{admitted:?}"
        );
        assert!(
            answer
                .iter()
                .all(|one| admitted.iter().any(|other| other.ip() == *one)),
            "{admitted:?}"
        );
    }
    for address in admitted {
        assert_eq!(address.port(), target.origin.port);
        let is_granted = grant.host == target.at(address.ip()).host;
        let is_own = target.origin.host == "localhost" && address.ip().is_loopback();
        assert!(
            is_granted || is_own || special(address.ip()).is_none(),
            "{address} is let through"
        );
    }
    if target.is_secure() {
        let name = ServerName::try_from(target.origin.host.trim_matches(['[', ']']).to_owned());
        match name {
            Ok(ServerName::DnsName(name)) => assert_eq!(name.as_ref(), target.origin.host),
            Ok(_) => assert!(
                literal.is_some(),
                "{} is an address to TLS alone",
                target.origin.host
            ),
            // What no certificate can be for is not connected to in the end.
            Err(_) => {}
        }
    }
}

/// The rule of grants once more, by labels.
fn is_covered(grant: &Origin, origin: &Origin) -> bool {
    let labels = |host: &str| host.split('.').map(str::to_owned).collect::<Vec<_>>();
    let is_host = match grant.host.strip_prefix("*.") {
        None => grant.host == origin.host,
        Some(parent) => {
            let (host, parent) = (labels(&origin.host), labels(parent));
            host.len() > parent.len() && host.ends_with(&parent)
        }
    };
    is_host && grant.scheme == origin.scheme && grant.port == origin.port
}

#[test]
fn whatever_a_url_says_the_server_decided_about_is_the_one_connected_to() {
    let target = Fuzz::new(
        "egress",
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/egress"),
    );
    let bench = Bench::new();
    target.run(&cases(&target.corpus()).boxed(), |case| bench.holds(case));
}
