//! A value that nobody else has, and how it may be written. This is not the host's own list.

use aho_corasick::AhoCorasick;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// A secret to look for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Canary {
    /// The name of the secret.
    pub(super) name: String,
    pub(super) value: String,
}

/// Looks for all forms of some canaries at once.
pub(super) struct Search {
    needles: Vec<Needle>,
    automaton: AhoCorasick,
}

/// A form of a canary.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Needle {
    pub(super) name: String,
    pub(super) form: String,
}

impl Search {
    pub(super) fn new(canaries: &[Canary]) -> Self {
        let (mut needles, mut texts) = (Vec::new(), Vec::new());
        for canary in canaries {
            for (form, text) in canary.forms() {
                let name = canary.name.clone();
                needles.push(Needle { name, form });
                texts.push(text);
            }
        }
        Self {
            needles,
            automaton: AhoCorasick::new(texts).expect("few needles"),
        }
    }

    /// What stands in these bytes, each once.
    pub(super) fn in_bytes(&self, bytes: &[u8]) -> BTreeSet<Needle> {
        let found = self.automaton.find_overlapping_iter(bytes);
        found
            .map(|found| self.needles[found.pattern().as_usize()].clone())
            .collect()
    }
}

static NEXT: AtomicU32 = AtomicU32::new(1);

impl Canary {
    /// The value has what every encoding does something to, and a beginning and an end that stand
    /// nowhere else, not even in another test of the same moment.
    pub(super) fn of(name: &str) -> Self {
        let number = NEXT.fetch_add(1, Relaxed);
        let own = format!("{:x}q{number:x}Z", std::process::id());
        Self {
            name: name.to_owned(),
            value: format!("x7{own}kv\"é</+&\\{own}r8w"),
        }
    }

    /// Its name and value on one line.
    pub(super) fn line(&self) -> String {
        format!("{} {}", self.name, self.value)
    }

    /// The same backwards.
    pub(super) fn read(line: &str) -> Self {
        let (name, value) = line.split_once(' ').expect("two words");
        Self {
            name: name.to_owned(),
            value: value.to_owned(),
        }
    }

    /// The value and parts of it, in every encoding.
    pub(super) fn forms(&self) -> Vec<(String, Vec<u8>)> {
        let value = self.value.as_bytes();
        let mut forms = vec![
            ("its beginning".to_owned(), value[..8].to_vec()),
            ("its end".to_owned(), value[value.len() - 8..].to_vec()),
        ];
        let json = serde_json::Value::from(self.value.as_str()).to_string();
        let json = &json[1..json.len() - 1];
        for (what, bytes) in [("itself", value), ("JSON", json.as_bytes())] {
            forms.push((what.to_owned(), bytes.to_vec()));
            for upper in [false, true] {
                forms.push((format!("hexadecimal of {what}"), hexadecimal(bytes, "", upper)));
                forms.push((format!("percent of {what}"), percent(bytes, upper)));
                forms.push((format!("all percent of {what}"), hexadecimal(bytes, "%", upper)));
            }
            for (place, (engine, before)) in [STANDARD, URL_SAFE]
                .into_iter()
                .flat_map(|engine| (0..3).map(move |before| (engine.clone(), before)))
                .enumerate()
            {
                forms.push((
                    format!("base64 of {what}, {place}"),
                    base64(&engine, before, bytes),
                ));
            }
        }
        forms.push(("\\u".to_owned(), by_number(&self.value, |_| true)));
        forms.push((
            "\\u where it must be".to_owned(),
            by_number(json, |c| !c.is_ascii()),
        ));
        let html = self.value.replace('&', "&amp;").replace('<', "&lt;");
        forms.push(("HTML".to_owned(), html.replace('"', "&quot;").into_bytes()));
        forms
    }
}

pub(super) fn hexadecimal(bytes: &[u8], before: &str, upper: bool) -> Vec<u8> {
    let digits = bytes.iter().flat_map(|byte| {
        let digits = if upper {
            format!("{before}{byte:02X}")
        } else {
            format!("{before}{byte:02x}")
        };
        digits.into_bytes()
    });
    digits.collect()
}

fn percent(bytes: &[u8], upper: bool) -> Vec<u8> {
    let escaped = bytes.iter().flat_map(|byte| {
        if byte.is_ascii_alphanumeric() {
            vec![*byte]
        } else {
            hexadecimal(&[*byte], "%", upper)
        }
    });
    escaped.collect()
}

/// What stays the same whatever stands before and behind.
fn base64(engine: &impl base64::Engine, before: usize, bytes: &[u8]) -> Vec<u8> {
    let encoded = engine.encode([&vec![0; before][..], bytes].concat());
    let first = if before == 0 { 0 } else { before + 1 };
    encoded.as_bytes()[first..(before + bytes.len()) * 8 / 6].to_vec()
}

/// With these characters by their numbers.
pub(super) fn by_number(text: &str, which: impl Fn(char) -> bool) -> Vec<u8> {
    let mut escaped = String::new();
    for c in text.chars() {
        if which(c) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        } else {
            escaped.push(c);
        }
    }
    escaped.into_bytes()
}
