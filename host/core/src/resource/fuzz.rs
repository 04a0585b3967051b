//! Origins and URLs of every spelling: what one covers is read the same way by the labels of its name.

use super::Origin;
use proptest::prelude::*;
use sopwith_fuzz::{Parts, Target, edited, origins_and_urls};
use url::{Host, Url};

#[rustfmt::skip]
const WORDS: &[&str] = &[
    "*", "*.", ".", "..", ":", "://", "/", "@", "#", "?", "[", "]", "%", "http", "https", "443", "80", "test",
    "::1", "0x7f.1", "\u{ad}", "。", "xn--",
];

fn cases(kept: &[Parts]) -> impl Strategy<Value = Parts> + use<> {
    let texts: Vec<String> = kept
        .iter()
        .flat_map(|case| case.0.clone())
        .map(|(_, text)| text)
        .collect();
    let edited = (edited(texts.clone(), WORDS), edited(texts, WORDS));
    let pairs = prop_oneof![8 => origins_and_urls(), 1 => edited];
    pairs.prop_map(|(pattern, url)| Parts(vec![("pattern".into(), pattern), ("url".into(), url)]))
}

fn holds(case: &Parts) -> &'static str {
    let pattern = case.part("pattern").parse::<Origin>();
    if let Ok(pattern) = &pattern {
        check_written(pattern);
    }
    let url = Url::parse(case.part("url"));
    let Some((url, asked)) = url
        .ok()
        .and_then(|url| Origin::of(&url).ok().map(|asked| (url, asked)))
    else {
        return "no URL";
    };
    check_written(&asked);
    assert!(asked.covers(&asked));
    match pattern {
        Err(_) => "no origin",
        Ok(pattern) if pattern.covers(&asked) => {
            check_covered(&pattern, &url, &asked);
            "covered"
        }
        Ok(_) => "not covered",
    }
}

/// What is written of an origin is read as the same origin, in the record and in a file.
fn check_written(origin: &Origin) {
    assert_eq!(origin.to_string().parse().as_ref(), Ok(origin));
    let json = serde_json::to_string(origin).unwrap();
    assert_eq!(serde_json::from_str::<Origin>(&json).unwrap(), *origin);
}

/// The same rule once more, by the labels of the URL's own host.
fn check_covered(pattern: &Origin, url: &Url, asked: &Origin) {
    assert_eq!(pattern.scheme, url.scheme());
    assert_eq!(Some(pattern.port), url.port_or_known_default());
    let labels = |host: &str| host.split('.').map(str::to_owned).collect::<Vec<_>>();
    let Some(parent) = pattern.host.strip_prefix("*.") else {
        assert_eq!(pattern.host, asked.host);
        return;
    };
    let Some(Host::Domain(name)) = url.host() else {
        panic!("a wildcard covers an address: {url}");
    };
    let (name, parent) = (labels(name.strip_suffix('.').unwrap_or(name)), labels(parent));
    assert!(
        name.len() > parent.len() && name.ends_with(&parent),
        "{name:?} is not beneath {parent:?}"
    );
}

#[test]
fn whatever_an_origin_covers_is_its_own_or_beneath_its_name() {
    let target = Target::new(
        "origin",
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/origin"),
    );
    target.run(&cases(&target.corpus()).boxed(), holds);
}
