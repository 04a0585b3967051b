//! Texts in which a secret's value is to stand: `Bearer {{secret:API_TOKEN}}`.

use crate::name::ResourceName;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

const OPEN: &str = "{{";
const CLOSE: &str = "}}";
const SECRET: &str = "secret:";

/// A text with places for secrets. It is kept as it was written and holds no value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Template {
    parts: Vec<Part>,
}

/// A part of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Text that stands as it is.
    Text(String),
    /// The place of a secret's value.
    Secret(SecretReference),
}

/// Which secret is meant, and which version of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretReference {
    /// The operator's name for it.
    pub name: ResourceName,
    /// The id of a version; the current one where there is none.
    pub version: Option<String>,
}

/// A text that is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTemplate {
    /// A `{{` without its `}}`.
    #[error("`{{{{` is not closed")]
    Open,
    /// Something else than a secret between the braces.
    #[error("`{{{{{0}}}}}` is not known")]
    Unknown(String),
}

impl Template {
    /// The parts in order.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The secrets that it names, in order and with repetitions.
    pub fn secrets(&self) -> impl Iterator<Item = &SecretReference> {
        self.parts.iter().filter_map(|part| match part {
            Part::Secret(reference) => Some(reference),
            Part::Text(_) => None,
        })
    }
}

impl Template {
    /// Reads a text whose braces may also stand for something else: only `{{secret:…}}` is a place,
    /// and what was nearly one is refused.
    pub fn within(text: &str) -> Result<Self, InvalidTemplate> {
        Self::read(text, |after| !begins_nearly_a_place(after))
    }

    /// Reads a text; `stands` says of what follows opening braces whether they stand as they are. It
    /// looks at the beginning alone: it is asked at every brace, of texts of many megabytes.
    fn read(text: &str, stands: impl Fn(&str) -> bool) -> Result<Self, InvalidTemplate> {
        let mut parts = Parts::default();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once(OPEN) {
            parts.text(before);
            if stands(after) {
                // Of more than two braces the last two may be the opening ones.
                let further = after.len() - after.trim_start_matches('{').len();
                let standing = if further == 0 { OPEN.len() } else { further };
                let (braces, more) = rest[before.len()..].split_at(standing);
                parts.text(braces);
                rest = more;
                continue;
            }
            let (inner, behind) = after.split_once(CLOSE).ok_or(InvalidTemplate::Open)?;
            let reference = inner.strip_prefix(SECRET).and_then(SecretReference::read);
            let reference = reference.ok_or_else(|| InvalidTemplate::Unknown(inner.to_owned()))?;
            parts.0.push(Part::Secret(reference));
            rest = behind;
        }
        parts.text(rest);
        Ok(Self { parts: parts.0 })
    }
}

/// `secret:`, in whatever case, with spaces around it, or in the plural.
fn begins_nearly_a_place(after: &str) -> bool {
    const WORD: &str = "secret";
    let after = after.trim_start();
    let is_word = after
        .get(..WORD.len())
        .is_some_and(|word| word.eq_ignore_ascii_case(WORD));
    is_word && {
        let behind = after[WORD.len()..].trim_start_matches(['s', 'S']);
        behind.trim_start().starts_with(':')
    }
}

#[derive(Default)]
struct Parts(Vec<Part>);

impl Parts {
    fn text(&mut self, more: &str) {
        match self.0.last_mut() {
            Some(Part::Text(text)) => text.push_str(more),
            _ if more.is_empty() => {}
            _ => self.0.push(Part::Text(more.to_owned())),
        }
    }
}

impl FromStr for Template {
    type Err = InvalidTemplate;

    fn from_str(text: &str) -> Result<Self, InvalidTemplate> {
        Self::read(text, |_| false)
    }
}

impl SecretReference {
    /// Reads `NAME` or `NAME@VERSION`.
    fn read(text: &str) -> Option<Self> {
        let (name, version) = match text.split_once('@') {
            Some((name, version)) => (name, Some(version)),
            None => (text, None),
        };
        if version.is_some_and(str::is_empty) {
            return None;
        }
        Some(Self {
            name: name.parse().ok()?,
            version: version.map(str::to_owned),
        })
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts.iter().try_for_each(|part| match part {
            Part::Text(text) => f.write_str(text),
            Part::Secret(reference) => write!(f, "{OPEN}{SECRET}{reference}{CLOSE}"),
        })
    }
}

impl fmt::Display for SecretReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.version {
            Some(version) => write!(f, "{}@{version}", self.name),
            None => self.name.fmt(f),
        }
    }
}

impl TryFrom<String> for Template {
    type Error = InvalidTemplate;

    fn try_from(text: String) -> Result<Self, InvalidTemplate> {
        text.parse()
    }
}

impl From<Template> for String {
    fn from(template: Template) -> Self {
        template.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_names_its_secrets_and_reads_back_as_it_was_written() {
        let text = "Bearer {{secret:TOKEN}} and {{secret:TOKEN@01k}}.";
        let template: Template = text.parse().unwrap();
        let named: Vec<_> = template.secrets().map(ToString::to_string).collect();
        assert_eq!(named, ["TOKEN", "TOKEN@01k"]);
        assert_eq!(template.to_string(), text);
    }

    #[test]
    fn braces_of_somebody_else_stand_within_a_text_as_they_are() {
        let text = "{{name}}: {{{secret:TOKEN}}, {{secretary}} and {{";
        let template = Template::within(text).unwrap();
        assert_eq!(template.to_string(), text);
        let named: Vec<_> = template.secrets().map(ToString::to_string).collect();
        assert_eq!(named, ["TOKEN"]);
    }

    #[test]
    fn what_is_nearly_a_place_within_a_text_is_told() {
        for text in [
            "{{ secret:A }}",
            "{{Secret:A}}",
            "{{secrets:A}}",
            "{{secret:A",
            "{{secret:A@}}",
        ] {
            assert!(Template::within(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_text_full_of_braces_is_read_in_one_pass() {
        for piece in ["{", "{{ ", "{{secrets", "}}{{", "{{a}"] {
            // At a pass for each brace this would take hours.
            let text = piece.repeat((2 << 20) / piece.len());
            let read = Template::within(&text).expect("no place");
            assert_eq!(read.to_string().len(), text.len(), "{piece}");
        }
    }

    #[test]
    fn braces_that_name_no_secret_are_told() {
        let read = |text: &str| text.parse::<Template>().unwrap_err().to_string();
        assert_eq!(read("{{secret:A"), "`{{` is not closed");
        assert_eq!(read("{{env:A}}"), "`{{env:A}}` is not known");
        assert_eq!(read("{{secret:A@}}"), "`{{secret:A@}}` is not known");
        assert_eq!(read("{{secret:a b}}"), "`{{secret:a b}}` is not known");
    }
}
