//! Which addresses a granted request is let through to; the table says what is not.

use super::world::{Scene, World};
use crate::network::phase::Deadline;
use crate::network::policy::admit;
use crate::network::target::Target;
use sopwith_core::failure::Failure;
use sopwith_core::grant::Wanted;
use sopwith_core::port::capabilities::{Answer, Timing};
use std::net::SocketAddr;
use std::time::Duration;

/// What is granted, what is asked for, what the name leads to, and where that is connected to.
type Case = (&'static str, &'static str, &'static str, &'static [&'static str]);

const CLINIC: &str = "https://clinic.test";
const PUBLIC: &str = "9.9.9.9";
const THERE: &[&str] = &["9.9.9.9:443"];
const HERE: &[&str] = &["127.0.0.1:8000"];

#[rustfmt::skip]
const CASES: &[Case] = &[
    // A name that leads to public addresses needs no other grant, however the request spells it.
    (CLINIC, "https://clinic.test/", PUBLIC, THERE),
    (CLINIC, "https://clinic.test:443/", PUBLIC, THERE),
    (CLINIC, "https://CLINIC.Test/", PUBLIC, THERE),
    (CLINIC, "HTTPS://clinic.test/", PUBLIC, THERE),
    (CLINIC, "https://clinic.test./", PUBLIC, THERE),
    (CLINIC, "https://clinic%2etest/", PUBLIC, THERE),
    (CLINIC, "https://clinic。test/", PUBLIC, THERE),
    (CLINIC, "https://ｃlinic.test/", PUBLIC, THERE),
    (CLINIC, "https:\\\\clinic.test\\x", PUBLIC, THERE),
    (CLINIC, "\thttps://clinic.test/", PUBLIC, THERE),
    (CLINIC, "https://clinic\n.test/", PUBLIC, THERE),
    (CLINIC, "https://clinic.test#@evil.test/", PUBLIC, THERE),
    (CLINIC, "https://clinic.test/", "2620:fe::fe", &["[2620:fe::fe]:443"]),
    (CLINIC, "https://clinic.test/", "9.9.9.9 2620:fe::fe", &["[2620:fe::fe]:443", "9.9.9.9:443"]),
    (CLINIC, "https://clinic.test/", "9.9.9.9 1.1.1.1 9.9.9.9", &["9.9.9.9:443", "1.1.1.1:443"]),
    // International names are compared as DNS writes them.
    ("https://bücher.test", "https://xn--bcher-kva.test/", PUBLIC, THERE),
    ("https://xn--bcher-kva.test", "https://BÜCHER.test/", PUBLIC, THERE),
    // A wildcard stands for one or more labels.
    ("https://*.clinic.test", "https://a.clinic.test/", PUBLIC, THERE),
    ("https://*.clinic.test", "https://a.b.clinic.test./", PUBLIC, THERE),
    // An address is opened by its own grant, however the request spells it.
    ("http://127.0.0.1:8000", "http://127.0.0.1:8000/", "", HERE),
    ("http://127.0.0.1:8000", "http://2130706433:8000/", "", HERE),
    ("http://127.0.0.1:8000", "http://0x7f000001:8000/", "", HERE),
    ("http://127.0.0.1:8000", "http://0177.0.0.1:8000/", "", HERE),
    ("http://127.0.0.1:8000", "http://0x7f.1:8000/", "", HERE),
    ("http://127.0.0.1:8000", "http://127.1:8000/", "", HERE),
    ("http://127.0.0.1:8000", "http://127.0.0.1.:8000/", "", HERE),
    ("http://127.0.0.1:8000", "http://①②⑦.0.0.1:8000/", "", HERE),
    ("http://[::1]:8000", "http://[::1]:8000/", "", &["[::1]:8000"]),
    ("http://[::1]:8000", "http://[0:0:0:0:0:0:0:1]:8000/", "", &["[::1]:8000"]),
    ("http://[::ffff:127.0.0.1]", "http://[::ffff:7f00:1]/", "", &["[::ffff:127.0.0.1]:80"]),
    ("http://169.254.169.254", "http://169.254.169.254/latest", "", &["169.254.169.254:80"]),
    // `localhost` opens loopback, and is asked of nobody (RFC 6761).
    ("http://localhost:8000", "http://localhost:8000/", "", &["[::1]:8000", "127.0.0.1:8000"]),
    ("http://localhost:8000", "http://LOCALHOST.:8000/", "", &["[::1]:8000", "127.0.0.1:8000"]),
];

async fn judge(scene: &Scene, url: &str) -> Answer<Vec<SocketAddr>> {
    let target = Target::parse(url)?;
    let connector = scene.network.connector();
    let wanted = Wanted::Network {
        origin: target.origin.clone(),
        method: "GET".to_owned(),
    };
    connector.gate.allow(&wanted, "probe.http")?;
    let deadline = Deadline::after(&*scene.clock, Duration::from_secs(1));
    let mut timing = Timing::default();
    connector
        .judged(&target, "GET", None, &deadline, &mut timing)
        .await
}

#[tokio::test]
async fn a_granted_request_is_let_through_however_it_is_spelled() {
    for (allow, url, leads_to, expected) in CASES {
        let names = [
            "clinic.test",
            "a.clinic.test",
            "a.b.clinic.test",
            "xn--bcher-kva.test",
        ];
        let world = World::granting([*allow]);
        let scene = names
            .iter()
            .fold(world, |world, name| world.says(name, leads_to))
            .build();
        let answer = judge(&scene, url).await;
        let found: Vec<String> = answer.iter().flatten().map(ToString::to_string).collect();
        assert_eq!(found, *expected, "granted {allow}, asked {url:?}: {answer:?}");
        assert!(leads_to.is_empty() || scene.names.asked().len() == 2, "{url:?}");
        assert!(!leads_to.is_empty() || scene.names.asked().is_empty(), "{url:?}");
    }
}

#[test]
fn localhost_opens_loopback_whatever_the_system_takes_it_for() {
    let localhost = Target::parse("http://localhost:8000/").unwrap();
    let refuse = |_: &Wanted| Err(Failure::invalid("not granted"));
    for (addresses, is_open) in [
        (&["127.0.0.1"][..], true),
        (&["::1", "127.0.0.1"], true),
        (&["127.0.0.1", "10.0.0.5"], false),
        (&["::ffff:127.0.0.1"], false),
        (&["0.0.0.0"], false),
    ] {
        let judged: Vec<_> = addresses.iter().map(|address| address.parse().unwrap()).collect();
        assert_eq!(
            admit(&localhost, "GET", &judged, refuse).is_ok(),
            is_open,
            "{addresses:?}"
        );
    }
}

#[tokio::test]
async fn an_address_opens_for_a_name_once_it_is_granted_itself() {
    let world = || World::granting([CLINIC, "https://10.0.0.5"]);
    let one = world().with_name("clinic.test", &["10.0.0.5", "9.9.9.9"]).build();
    assert_eq!(judge(&one, "https://clinic.test/").await.unwrap().len(), 2);
    let other = world().with_name("clinic.test", &["10.0.0.6"]).build();
    let failure = judge(&other, "https://clinic.test/").await.unwrap_err();
    assert_eq!(
        failure.message,
        "`https://clinic.test` leads to 10.0.0.6, a private address: `GET` to https://10.0.0.6 is not granted: \
         [network.site] does not cover it"
    );
    let hint = failure.hint.unwrap();
    assert!(
        hint.contains("[network.site]") && hint.contains("https://10.0.0.6"),
        "{hint}"
    );
    assert_eq!(other.notes().len(), 1, "the denial is on record");
}
