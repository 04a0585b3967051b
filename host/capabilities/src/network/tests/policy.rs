//! The table of addresses, names and spellings by which somebody might get out.

use super::world::{Scene, World};
use crate::network::phase::Deadline;
use crate::network::target::Target;
use sopwith_core::grant::Wanted;
use sopwith_core::port::capabilities::{Answer, Timing};
use std::net::SocketAddr;
use std::time::Duration;

/// What a request comes to: where it is connected to, or who says no.
enum Comes {
    To(&'static [&'static str]),
    Denied,
    Invalid,
}
use Comes::{Denied, Invalid, To};

/// What is granted, what is asked for, what the name resolves to, and what it comes to.
type Case = (&'static str, &'static str, &'static [&'static str], Comes);

const PUBLIC: &[&str] = &["9.9.9.9"];
const CLINIC: &str = "https://clinic.test";

#[rustfmt::skip]
const ORIGINS: &[Case] = &[
    // Scheme, host and port have to be the granted ones.
    (CLINIC, "https://clinic.test/", PUBLIC, To(&["9.9.9.9:443"])),
    (CLINIC, "https://clinic.test:443/", PUBLIC, To(&["9.9.9.9:443"])),
    (CLINIC, "https://CLINIC.Test/", PUBLIC, To(&["9.9.9.9:443"])),
    (CLINIC, "HTTPS://clinic.test/", PUBLIC, To(&["9.9.9.9:443"])),
    (CLINIC, "https://clinic.test./", PUBLIC, To(&["9.9.9.9:443"])),
    (CLINIC, "https://clinic%2etest/", PUBLIC, To(&["9.9.9.9:443"])),
    (CLINIC, "https://clinic。test/", PUBLIC, To(&["9.9.9.9:443"])),
    (CLINIC, "https://ｃlinic.test/", PUBLIC, To(&["9.9.9.9:443"])),
    (CLINIC, "https:\\\\clinic.test\\x", PUBLIC, To(&["9.9.9.9:443"])),
    (CLINIC, "\thttps://clinic.test/", PUBLIC, To(&["9.9.9.9:443"])),
    (CLINIC, "https://clinic.test#@evil.test/", PUBLIC, To(&["9.9.9.9:443"])),
    (CLINIC, "https://clinic.test..", PUBLIC, Invalid),
    (CLINIC, "https://clinic..test", PUBLIC, Invalid),
    (CLINIC, "https://./", PUBLIC, Invalid),
    (CLINIC, "http://clinic.test/", PUBLIC, Denied),
    (CLINIC, "https://clinic.test:8443/", PUBLIC, Denied),
    (CLINIC, "https://clinic.test:80/", PUBLIC, Denied),
    (CLINIC, "http://clinic.test:443/", PUBLIC, Denied),
    (CLINIC, "https://clinic.test.evil.test/", PUBLIC, Denied),
    (CLINIC, "https://evil.test/?clinic.test", PUBLIC, Denied),
    (CLINIC, "https://evil.test\\@clinic.test/", PUBLIC, Denied),
    (CLINIC, "https://evil.test#@clinic.test/", PUBLIC, Denied),
    (CLINIC, "https://9.9.9.9/", PUBLIC, Denied),
    (CLINIC, "https://clinic.test@evil.test/", PUBLIC, Invalid),
    (CLINIC, "https://u:p@clinic.test/", PUBLIC, Invalid),
    (CLINIC, "https://u@clinic.test/", PUBLIC, Invalid),
    (CLINIC, "https://:p@clinic.test/", PUBLIC, Invalid),
    (CLINIC, "https://clinic.test:99999/", PUBLIC, Invalid),
    (CLINIC, "https://", PUBLIC, Invalid),
    (CLINIC, "//clinic.test/", PUBLIC, Invalid),
    (CLINIC, "clinic.test", PUBLIC, Invalid),
    (CLINIC, "file:///etc/passwd", PUBLIC, Invalid),
    (CLINIC, "ftp://clinic.test/", PUBLIC, Invalid),
    (CLINIC, "gopher://clinic.test/", PUBLIC, Invalid),
    (CLINIC, "ws://clinic.test/", PUBLIC, Invalid),
    (CLINIC, "unix:///run/x.sock", PUBLIC, Invalid),
    (CLINIC, "data:text/plain,x", PUBLIC, Invalid),
    (CLINIC, "https://cl inic.test/", PUBLIC, Invalid),
    (CLINIC, "https://clinic.test\u{0}.evil.test/", PUBLIC, Invalid),
    // International names are compared as DNS writes them; look-alikes are other names.
    ("https://bücher.test", "https://xn--bcher-kva.test/", PUBLIC, To(&["9.9.9.9:443"])),
    ("https://xn--bcher-kva.test", "https://BÜCHER.test/", PUBLIC, To(&["9.9.9.9:443"])),
    (CLINIC, "https://сlinic.test/", PUBLIC, Denied),
    // A wildcard stands for one or more labels.
    ("https://*.clinic.test", "https://a.clinic.test/", PUBLIC, To(&["9.9.9.9:443"])),
    ("https://*.clinic.test", "https://a.b.clinic.test./", PUBLIC, To(&["9.9.9.9:443"])),
    ("https://*.clinic.test", "https://clinic.test/", PUBLIC, Denied),
    ("https://*.clinic.test", "https://evilclinic.test/", PUBLIC, Denied),
    ("https://*.clinic.test", "https://.clinic.test/", PUBLIC, Invalid),
    ("https://*.clinic.test", "https://a.clinic.test.evil.test/", PUBLIC, Denied),
    ("https://*.clinic.test", "http://a.clinic.test/", PUBLIC, Denied),
    ("http://*.0.0.1", "http://127.0.0.1/", PUBLIC, Denied),
    ("http://*.localhost", "http://localhost/", &["127.0.0.1"], Denied),
];

#[rustfmt::skip]
const ADDRESSES: &[Case] = &[
    // A name opens no address that is not public, whichever way it is wrapped.
    (CLINIC, "https://clinic.test/", &["127.0.0.1"], Denied),
    (CLINIC, "https://clinic.test/", &["127.8.8.8"], Denied),
    (CLINIC, "https://clinic.test/", &["0.0.0.0"], Denied),
    (CLINIC, "https://clinic.test/", &["10.0.0.5"], Denied),
    (CLINIC, "https://clinic.test/", &["172.16.0.1"], Denied),
    (CLINIC, "https://clinic.test/", &["192.168.1.1"], Denied),
    (CLINIC, "https://clinic.test/", &["100.64.0.1"], Denied),
    (CLINIC, "https://clinic.test/", &["169.254.169.254"], Denied),
    (CLINIC, "https://clinic.test/", &["100.100.100.200"], Denied),
    (CLINIC, "https://clinic.test/", &["168.63.129.16"], Denied),
    (CLINIC, "https://clinic.test/", &["224.0.0.1"], Denied),
    (CLINIC, "https://clinic.test/", &["255.255.255.255"], Denied),
    (CLINIC, "https://clinic.test/", &["240.0.0.1"], Denied),
    (CLINIC, "https://clinic.test/", &["192.0.2.1"], Denied),
    (CLINIC, "https://clinic.test/", &["198.18.0.1"], Denied),
    (CLINIC, "https://clinic.test/", &["::"], Denied),
    (CLINIC, "https://clinic.test/", &["::1"], Denied),
    (CLINIC, "https://clinic.test/", &["::ffff:127.0.0.1"], Denied),
    (CLINIC, "https://clinic.test/", &["::ffff:169.254.169.254"], Denied),
    (CLINIC, "https://clinic.test/", &["::ffff:9.9.9.9"], Denied),
    (CLINIC, "https://clinic.test/", &["::127.0.0.1"], Denied),
    (CLINIC, "https://clinic.test/", &["64:ff9b::a00:5"], Denied),
    (CLINIC, "https://clinic.test/", &["64:ff9b::a9fe:a9fe"], Denied),
    (CLINIC, "https://clinic.test/", &["64:ff9b:1::a00:5"], Denied),
    (CLINIC, "https://clinic.test/", &["2002:7f00:1::"], Denied),
    (CLINIC, "https://clinic.test/", &["2001:0:9090:9090::80ff:fffe"], Denied),
    (CLINIC, "https://clinic.test/", &["fd00:ec2::254"], Denied),
    (CLINIC, "https://clinic.test/", &["fc00::1"], Denied),
    (CLINIC, "https://clinic.test/", &["fe80::1"], Denied),
    (CLINIC, "https://clinic.test/", &["ff02::1"], Denied),
    (CLINIC, "https://clinic.test/", &["2001:db8::1"], Denied),
    (CLINIC, "https://clinic.test/", &["4000::1"], Denied),
    (CLINIC, "https://clinic.test/", &["2620:fe::fe"], To(&["[2620:fe::fe]:443"])),
    // Rebinding: every address is judged, and one bad one refuses them all.
    (CLINIC, "https://clinic.test/", &["9.9.9.9", "10.0.0.5"], Denied),
    (CLINIC, "https://clinic.test/", &["10.0.0.5", "9.9.9.9"], Denied),
    (CLINIC, "https://clinic.test/", &["9.9.9.9", "::1"], Denied),
    (CLINIC, "https://clinic.test/", &["9.9.9.9", "1.1.1.1", "9.9.9.9"], To(&["9.9.9.9:443", "1.1.1.1:443"])),
    ("https://*.clinic.test", "https://a.clinic.test/", &["10.0.0.5"], Denied),
    // An address is opened by its own grant alone, however the request spells it.
    ("http://127.0.0.1:8000", "http://127.0.0.1:8000/", &[], To(&["127.0.0.1:8000"])),
    ("http://127.0.0.1:8000", "http://2130706433:8000/", &[], To(&["127.0.0.1:8000"])),
    ("http://127.0.0.1:8000", "http://0x7f000001:8000/", &[], To(&["127.0.0.1:8000"])),
    ("http://127.0.0.1:8000", "http://0177.0.0.1:8000/", &[], To(&["127.0.0.1:8000"])),
    ("http://127.0.0.1:8000", "http://0x7f.1:8000/", &[], To(&["127.0.0.1:8000"])),
    ("http://127.0.0.1:8000", "http://127.1:8000/", &[], To(&["127.0.0.1:8000"])),
    ("http://127.0.0.1:8000", "http://127.0.0.1.:8000/", &[], To(&["127.0.0.1:8000"])),
    ("http://127.0.0.1:8000", "http://①②⑦.0.0.1:8000/", &[], To(&["127.0.0.1:8000"])),
    ("http://127.0.0.1:8000", "http://127.0.0.2:8000/", &[], Denied),
    ("http://127.0.0.1:8000", "http://127.0.0.1:8001/", &[], Denied),
    ("http://127.0.0.1:8000", "http://[::1]:8000/", &[], Denied),
    ("http://127.0.0.1:8000", "http://[::ffff:127.0.0.1]:8000/", &[], Denied),
    ("http://127.0.0.1:8000", "http://localhost:8000/", &["127.0.0.1"], Denied),
    ("http://127.0.0.1:8000", "http://256.0.0.1:8000/", &[], Invalid),
    ("http://127.0.0.1:8000", "http://127.0.0.0.1:8000/", &[], Invalid),
    ("http://127.0.0.1:8000", "http://0x7g.1:8000/", &["127.0.0.1"], Invalid),
    ("http://[::1]:8000", "http://[::1]:8000/", &[], To(&["[::1]:8000"])),
    ("http://[::1]:8000", "http://[0:0:0:0:0:0:0:1]:8000/", &[], To(&["[::1]:8000"])),
    ("http://[::1]:8000", "http://[fe80::1%25eth0]:8000/", &[], Invalid),
    ("http://[::ffff:127.0.0.1]", "http://[::ffff:7f00:1]/", &[], To(&["[::ffff:127.0.0.1]:80"])),
    ("http://169.254.169.254", "http://169.254.169.254/latest", &[], To(&["169.254.169.254:80"])),
    (CLINIC, "http://169.254.169.254/latest/meta-data/", &[], Denied),
    (CLINIC, "http://[fd00:ec2::254]/latest/meta-data/", &[], Denied),
    (CLINIC, "http://0xa9fea9fe/", &[], Denied),
    (CLINIC, "http://metadata.google.internal/", &["169.254.169.254"], Denied),
    // `localhost` opens loopback, and nothing else.
    ("http://localhost:8000", "http://localhost:8000/", &["::1", "127.0.0.1"], To(&["[::1]:8000", "127.0.0.1:8000"])),
    ("http://localhost:8000", "http://LOCALHOST.:8000/", &["127.0.0.1"], To(&["127.0.0.1:8000"])),
    ("http://localhost:8000", "http://localhost:8000/", &["127.0.0.1", "10.0.0.5"], Denied),
    ("http://localhost:8000", "http://localhost:8000/", &["::ffff:127.0.0.1"], Denied),
    ("http://localhost:8000", "http://127.0.0.1:8000/", &[], Denied),
];

async fn judge(scene: &Scene, url: &str) -> Answer<Vec<SocketAddr>> {
    let target = Target::parse(url)?;
    let connector = scene.network.connector();
    connector.gate.allow(&Wanted::Network {
        origin: target.origin.clone(),
        method: "GET".to_owned(),
    })?;
    let deadline = Deadline::after(&*scene.clock, Duration::from_secs(1));
    let mut timing = Timing::default();
    connector
        .judged(&target, "GET", None, &deadline, &mut timing)
        .await
}

/// What is wrong with the answer to this case.
async fn mistake(case: &Case) -> Option<String> {
    let (allow, url, resolved, comes) = case;
    let names = [
        "clinic.test",
        "a.clinic.test",
        "a.b.clinic.test",
        "localhost",
        "xn--bcher-kva.test",
    ];
    let world = names.iter().fold(World::granting([*allow]), |world, name| {
        world.with_name(name, resolved)
    });
    let answer = judge(&world.build(), url).await;
    let found = match &answer {
        Ok(addresses) => addresses.iter().map(ToString::to_string).collect(),
        Err(failure) => vec![failure.kind.as_str().to_owned()],
    };
    let expected: &[&str] = match comes {
        To(addresses) => addresses,
        Denied => &["denied"],
        Invalid => &["invalid"],
    };
    (found != expected).then(|| format!("granted {allow}, asked {url:?}, resolved {resolved:?}: {answer:?}"))
}

async fn check(cases: &[Case]) {
    let mut mistakes = Vec::new();
    for case in cases {
        mistakes.extend(mistake(case).await);
    }
    assert!(mistakes.is_empty(), "{mistakes:#?}");
}

#[tokio::test]
async fn a_request_reaches_the_granted_origin_alone() {
    check(ORIGINS).await;
}

#[tokio::test]
async fn no_name_opens_an_address_that_is_not_public() {
    check(ADDRESSES).await;
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
