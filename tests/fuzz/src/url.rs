//! Origins and URLs whose hosts are spelled in the ways that programs read differently.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use std::net::{Ipv4Addr, Ipv6Addr};

/// Names and addresses that a grant may be about, and neighbours of theirs.
const NAMES: &[&str] = &[
    "clinic.test",
    "a.clinic.test",
    "a.b.clinic.test",
    "clinic.test.evil.test",
    "evilclinic.test",
    "evil.test",
    "test",
    "localhost",
    "a.localhost",
    "metadata.google.internal",
    "bücher.test",
    "xn--bcher-kva.test",
    "xn--clinic.test",
    "faß.test",
    "сlinic.test",
    "clinic_a.test",
    "-clinic.test",
    "1",
    "0x7f",
    "a.1",
];

const ADDRESSES: &[Ipv4Addr] = &[
    Ipv4Addr::LOCALHOST,
    Ipv4Addr::UNSPECIFIED,
    Ipv4Addr::BROADCAST,
    Ipv4Addr::new(9, 9, 9, 9),
    Ipv4Addr::new(10, 0, 0, 5),
    Ipv4Addr::new(127, 8, 8, 8),
    Ipv4Addr::new(169, 254, 169, 254),
    Ipv4Addr::new(192, 168, 1, 1),
];

/// An origin as an operator may have granted it, and a URL that is often about it in another spelling.
pub fn origins_and_urls() -> impl Strategy<Value = (String, String)> {
    let schemes = prop_oneof![
        10 => select(vec!["https", "http"]).prop_map(|scheme| (scheme, scheme)),
        1 => Just(("https", "http")),
        2 => select(ODD_SCHEMES).prop_map(|odd| ("https", odd)),
    ];
    let ports = prop_oneof![
        10 => select(vec!["", ":8000", ":443", ":80"]).prop_map(|port| (port, port)),
        1 => Just(("", ":443")),
        1 => Just((":80", "")),
        2 => select(ODD_PORTS).prop_map(|odd| ("", odd)),
    ];
    let names = prop_oneof![
        4 => select(NAMES).prop_map(|name| (name.to_owned(), name.to_owned())),
        2 => (select(BENEATH), select(NAMES)).prop_map(|(labels, name)| (format!("*.{name}"), format!("{labels}{name}"))),
        2 => (select(ADDRESSES), 0..9_u8).prop_map(|(address, way)| (address.to_string(), spelled(address, way))),
        1 => sixes().prop_map(|host| (host.clone(), host)),
        1 => (select(vec!["", "*."]), hosts(), hosts()).prop_map(|(wild, one, other)| (format!("{wild}{one}"), other)),
    ];
    let respelled = prop_oneof![4 => vec(spelling(), 0..3), 1 => vec(spelling(), 3..6)];
    (schemes, names, respelled, ports, between(), tails()).prop_map(
        |(schemes, names, respelled, ports, between, tail)| {
            let origin = format!("{}://{}{}", schemes.0, names.0, ports.0);
            let host = respelled
                .iter()
                .fold(names.1, |host, spelling| spelling.of(&host));
            (origin, format!("{}{between}{host}{}{tail}", schemes.1, ports.1))
        },
    )
}

const ODD_SCHEMES: &[&str] = &[
    "HTTPS",
    "hTTp",
    "ftp",
    "ws",
    "file",
    "unix",
    "data",
    "https:http",
    " https",
    "",
];
const ODD_PORTS: &[&str] = &[
    ":",
    ":0",
    ":0443",
    ":65536",
    ":-1",
    ":4 43",
    ":443:80",
    ":%34",
    ":４４３",
    ":443#@evil.test",
];
const BENEATH: &[&str] = &["a.", "a.b.", "", ".", "evil", "xn--", "*."];

/// What stands between the scheme and the host.
fn between() -> impl Strategy<Value = String> {
    let slashes =
        prop_oneof![20 => Just("://"), 1 => select(vec![":", ":/", ":///", ":\\\\", ":/\\", "//", ":////"])];
    let user = prop_oneof![
        20 => Just(""),
        1 => select(vec!["u@", "u:p@", ":@", "@", "clinic.test@", "clinic.test:443@", "a@b@", "clinic.test%40", "\\@"]),
    ];
    (slashes, user).prop_map(|(slashes, user)| format!("{slashes}{user}"))
}

/// What stands behind the port.
fn tails() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        4 => Just("/"),
        2 => Just(""),
        4 => select(vec![
            "/a/b?x=1#top", "/../..//x", "?q", "#@evil.test/", "\\@evil.test/", "/%2e%2e/", "//evil.test/", "/@evil.test",
            "/a b", "/\u{e9}\u{0}", "/\r\nHost: evil.test", "?\"<>`{}|^", "/{{secret:X}}", "/%0d%0a", "/%", ";a=b",
        ]),
    ]
}

/// Hosts in every spelling.
fn hosts() -> impl Strategy<Value = String> {
    let name = (select(NAMES), vec(spelling(), 0..3)).prop_map(|(name, spellings)| {
        spellings
            .iter()
            .fold(name.to_owned(), |host, spelling| spelling.of(&host))
    });
    let one = prop_oneof![3 => select(ADDRESSES), 1 => any::<u32>().prop_map(Ipv4Addr::from)];
    let address = (one, 0..9_u8).prop_map(|(address, way)| spelled(address, way));
    let respelled = (address.clone(), spelling()).prop_map(|(host, spelling)| spelling.of(&host));
    prop_oneof![6 => name, 4 => address, 1 => respelled, 2 => sixes()]
}

fn sixes() -> impl Strategy<Value = String> {
    let known = select(vec![
        "::1",
        "::",
        "fe80::1",
        "fd00:ec2::254",
        "2001:db8::1",
        "2620:fe::fe",
        "64:ff9b::a00:5",
    ]);
    let any = any::<u128>().prop_map(|bits| Ipv6Addr::from(bits).to_string());
    let mapped = select(ADDRESSES).prop_map(|address| format!("::ffff:{address}"));
    let address = prop_oneof![3 => known.prop_map(str::to_owned), 1 => any, 2 => mapped];
    let frame = prop_oneof![
        10 => Just(("[", "]")),
        1 => select(vec![("[", "%25eth0]"), ("[", "%eth0]"), ("[0:", "]"), ("", ""), ("[", "].clinic.test"), ("[", ".]")]),
    ];
    (address, frame).prop_map(|(address, (before, after))| format!("{before}{address}{after}"))
}

/// An address as somebody would write it who wants to be misread.
fn spelled(address: Ipv4Addr, way: u8) -> String {
    let ([a, b, c, d], bits) = (address.octets(), u32::from(address));
    match way {
        0..3 => address.to_string(),
        3 => bits.to_string(),
        4 => format!("{bits:#x}"),
        5 => format!("0{a:o}.0{b:o}.0{c:o}.0{d:o}"),
        6 => format!("{a}.{}", bits & 0x00ff_ffff),
        7 => format!("{a:#x}.{b}.0{:o}", bits & 0xffff),
        _ => format!("{}", u64::from(bits) + (1 << 32)),
    }
}

/// A change of a host that some programs take back and others do not.
#[derive(Debug, Clone)]
enum Spelling {
    Upper(Index),
    Encoded(Index),
    Wide(Index),
    Inserted(Index, &'static str),
    Ended(&'static str),
    Begun(&'static str),
}

fn spelling() -> impl Strategy<Value = Spelling> {
    let inserted = vec![
        "\t", "\n", "\u{ad}", "\u{200d}", "\u{0}", ".", "。", "\u{301}", " ", "@", ":", "/", "\\", "%00", "#",
    ];
    let ended = vec![".", "..", "。", "%2e", ".evil.test", "\u{ad}", " "];
    let begun = vec![".", "a.", "*.", "www.", "evil.test.", "xn--", "%2e"];
    prop_oneof![
        any::<Index>().prop_map(Spelling::Upper),
        any::<Index>().prop_map(Spelling::Encoded),
        any::<Index>().prop_map(Spelling::Wide),
        (any::<Index>(), select(inserted)).prop_map(|(at, what)| Spelling::Inserted(at, what)),
        select(ended).prop_map(Spelling::Ended),
        select(begun).prop_map(Spelling::Begun),
    ]
}

impl Spelling {
    fn of(&self, host: &str) -> String {
        let at = |index: &Index, change: &dyn Fn(char) -> String| {
            let place = index.index(host.chars().count().max(1));
            let written = host.chars().enumerate();
            let written = written.map(|(number, one)| {
                if number == place {
                    change(one)
                } else {
                    one.to_string()
                }
            });
            written.collect::<String>()
        };
        match self {
            Self::Upper(index) => at(index, &|one| one.to_uppercase().to_string()),
            Self::Encoded(index) => at(index, &|one| {
                let mut bytes = [0; 4];
                let bytes = one.encode_utf8(&mut bytes).bytes();
                bytes.fold(String::new(), |text, byte| format!("{text}%{byte:02x}"))
            }),
            Self::Wide(index) => at(index, &|one| match u32::from(one) {
                ascii @ 0x21..0x7f => char::from_u32(ascii + 0xfee0).unwrap_or(one).to_string(),
                _ => one.to_string(),
            }),
            Self::Inserted(index, what) => at(index, &|one| format!("{what}{one}")),
            Self::Ended(what) => format!("{host}{what}"),
            Self::Begun(what) => format!("{what}{host}"),
        }
    }
}
