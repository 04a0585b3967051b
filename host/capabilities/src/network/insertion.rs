//! Puts the values of secrets where a request names them: `{{secret:NAME}}`.
//!
//! A request is kept as the plugin wrote it, and written out anew for each server that it goes to,
//! after it was decided that each secret may go there.

use crate::gate::Gate;
use crate::network::headers::HEAD_BYTES_MAX;
use crate::network::phase::{Phase, outside};
use crate::network::target::Target;
use crate::redaction::Mask;
use crate::secrets::{NamedBy, Vault};
use http::header::{self, HeaderMap, HeaderValue};
use sopwith_core::failure::{Blame, Failure, FailureKind};
use sopwith_core::grant::Wanted;
use sopwith_core::port::capabilities::Answer;
use sopwith_core::secret::SecretValue;
use sopwith_core::template::{Part, SecretReference, Template};
use std::collections::{BTreeMap, BTreeSet};
use url::form_urlencoded;

/// More than any server takes.
const QUERY_BYTES_MAX: usize = 64 << 10;
/// Where secrets may stand, for whoever wrote one elsewhere.
const HINT: &str =
    "`{{secret:NAME}}` stands in header values, and with `probe` in the body and in the query of a URL, too";

/// Where secrets stand in a request.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// For each field of the header, in its order.
    headers: Vec<Option<Template>>,
    query: Option<Template>,
    body: Option<Template>,
}

/// The values of all secrets that a request names.
pub(super) struct Values<'p> {
    places: &'p Places,
    values: BTreeMap<&'p SecretReference, SecretValue>,
}

impl Places {
    /// Reads where secrets stand; a query or a body that names none is none.
    pub(super) fn read(headers: &HeaderMap, query: Option<&str>, body: &[u8]) -> Answer<Self> {
        let fields = headers.iter().map(|(name, value)| {
            // A value that is no text names nothing.
            let text = std::str::from_utf8(value.as_bytes()).unwrap_or_default();
            places_in(text, || format!("the header field `{name}`"))
        });
        let places = Self {
            headers: fields.collect::<Answer<_>>()?,
            query: places_in(query.unwrap_or_default(), || "the query".to_owned())?,
            body: places_in(text_of(body)?, || "the body".to_owned())?,
        };
        if !places.is_empty() && headers.contains_key(header::RANGE) {
            return Err(Failure::invalid(
                "a request with secrets asks for the whole answer, so that they can be masked in it",
            )
            .hint("leave out the header field `range`"));
        }
        Ok(places)
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.templates().next().is_none()
    }

    /// Decides whether each secret may go to this server.
    pub(super) fn allow(&self, gate: &Gate, target: &Target, method: &str, call: &str) -> Answer<()> {
        let names: BTreeSet<_> = self.references().map(|reference| &reference.name).collect();
        names.into_iter().try_for_each(|name| {
            let wanted = Wanted::Insertion {
                secret: name.to_string(),
                origin: target.origin.clone(),
                method: method.to_owned(),
            };
            gate.allow(&wanted, call)
        })
    }

    /// Reads the values.
    pub(super) async fn values(&self, gate: &Gate, vault: &Vault) -> Answer<Values<'_>> {
        let mut values = BTreeMap::new();
        let references: BTreeSet<_> = self.references().collect();
        let named_by = NamedBy::Run(gate.record().redaction());
        for reference in references {
            let value = vault
                .value(&gate.attempt().resources, reference, named_by)
                .await?;
            values.insert(reference, value);
        }
        Ok(Values { places: self, values })
    }

    fn templates(&self) -> impl Iterator<Item = &Template> {
        let headers = self.headers.iter().flatten();
        headers.chain(&self.query).chain(&self.body)
    }

    fn references(&self) -> impl Iterator<Item = &SecretReference> {
        self.templates().flat_map(Template::secrets)
    }
}

impl Values<'_> {
    /// The header with each value in its place. An answer has to come as it is, since nothing can be
    /// masked in what is compressed.
    pub(super) fn headers(&self, written: &HeaderMap) -> Answer<HeaderMap> {
        if self.places.is_empty() {
            return Ok(written.clone());
        }
        let mut headers = HeaderMap::new();
        let mut left = HEAD_BYTES_MAX;
        for ((name, value), template) in written.iter().zip(&self.places.headers) {
            let value = match template {
                Some(template) => {
                    let what = format!("the header field `{name}`");
                    let bytes = self.expand(template, &what, left, in_header)?;
                    left -= bytes.len();
                    sensitive(&bytes)
                }
                None => value.clone(),
            };
            headers.append(name, value);
        }
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        Ok(headers)
    }

    /// The query with each value in its place; none where it names no secret.
    pub(super) fn query(&self) -> Answer<Option<String>> {
        let Some(template) = &self.places.query else {
            return Ok(None);
        };
        let query = self.expand(template, "the query", QUERY_BYTES_MAX, |bytes| {
            Ok(in_query(bytes))
        })?;
        Ok(Some(
            String::from_utf8(query).expect("a query and its escapes are ASCII"),
        ))
    }

    /// The body with each value in its place, escaped as its type needs; none where it names no secret.
    pub(super) fn body(&self, headers: &HeaderMap, bytes_max: u64) -> Answer<Option<Vec<u8>>> {
        let Some(template) = &self.places.body else {
            return Ok(None);
        };
        let bytes_max = usize::try_from(bytes_max).unwrap_or(usize::MAX);
        let escape = escape_of(headers);
        self.expand(template, "the body", bytes_max, escape).map(Some)
    }

    fn expand(
        &self,
        template: &Template,
        what: &str,
        bytes_max: usize,
        escape: impl Fn(&[u8]) -> Result<Vec<u8>, &'static str>,
    ) -> Answer<Vec<u8>> {
        let mut text = Vec::new();
        for part in template.parts() {
            match part {
                Part::Text(plain) => text.extend_from_slice(plain.as_bytes()),
                Part::Secret(reference) => {
                    let value = escape(self.values[reference].expose());
                    text.extend_from_slice(&value.map_err(|why| misplaced(reference, what, why))?);
                }
            }
            if text.len() > bytes_max {
                let message = format!("{what} has more than {bytes_max} bytes with its secrets");
                return Err(Failure::invalid(message));
            }
        }
        Ok(text)
    }
}

/// Fails where a secret stands in a URL elsewhere than in its query.
pub(super) fn check_url(url: &str) -> Answer<()> {
    let (before, fragment) = url.split_once('#').unwrap_or((url, ""));
    let (before, _) = before.split_once('?').unwrap_or((before, ""));
    for (text, what) in [
        (before, "the host or the path of the URL"),
        (fragment, "the fragment"),
    ] {
        if places_in(text, || what.to_owned())?.is_some() {
            return Err(Failure::invalid(format!("a secret cannot stand in {what}")).hint(HINT));
        }
    }
    Ok(())
}

/// Fails where a secret stands in a URL at all.
pub(super) fn check_whole_url(url: &str) -> Answer<()> {
    match places_in(url, || "the URL".to_owned())? {
        Some(_) => Err(Failure::invalid("a secret cannot stand in the URL").hint(HINT)),
        None => Ok(()),
    }
}

/// Fails where a server sends the value of a secret on to another one.
pub(super) fn check_redirect(mask: &Mask, from: &Target, to: &Target) -> Answer<()> {
    if from.origin == to.origin || mask.text(to.url()) == to.url() {
        return Ok(());
    }
    let message = format!(
        "`{}` redirects to `{}` with the value of a secret in the URL",
        from.origin, to.origin
    );
    Err(outside(FailureKind::Failed, Phase::FirstByte, message))
}

/// Fails where an answer to a request with secrets is compressed, so that they cannot be masked in it.
pub(super) fn check_encoding(headers: &HeaderMap, server: &str) -> Answer<()> {
    let encodings = headers.get_all(header::CONTENT_ENCODING).iter();
    let mut other = encodings.filter(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity"));
    let Some(encoding) = other.next() else {
        return Ok(());
    };
    let encoding = String::from_utf8_lossy(encoding.as_bytes()).into_owned();
    let message = format!(
        "`{server}` answered a request with secrets in the encoding `{encoding}`, in which they cannot be masked"
    );
    Err(outside(FailureKind::Failed, Phase::FirstByte, message)
        .hint("the host asks for `identity`; the server has to heed it"))
}

fn places_in(text: &str, what: impl Fn() -> String) -> Answer<Option<Template>> {
    if !text.contains("{{") {
        return Ok(None);
    }
    let template = Template::within(text)
        .map_err(|error| Failure::invalid(format!("{}: {error}", what())).hint(HINT))?;
    let names_any = template.secrets().next().is_some();
    Ok(names_any.then_some(template))
}

/// A body that is no text holds no places.
fn text_of(body: &[u8]) -> Answer<&str> {
    match std::str::from_utf8(body) {
        Ok(text) => Ok(text),
        Err(_) if body.windows(9).any(|window| window == b"{{secret:") => {
            Err(Failure::invalid("a body with secrets has to be text in UTF-8"))
        }
        Err(_) => Ok(""),
    }
}

/// How a value is written into a body of this type.
fn escape_of(headers: &HeaderMap) -> impl Fn(&[u8]) -> Result<Vec<u8>, &'static str> {
    let written = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let essence = written.unwrap_or_default().split(';').next().unwrap_or_default();
    let media_type = essence.trim().to_ascii_lowercase();
    move |bytes| {
        if media_type == "application/json" || media_type.ends_with("+json") {
            in_json(bytes)
        } else if media_type == "application/x-www-form-urlencoded" {
            Ok(in_form(bytes).into_bytes())
        } else {
            Ok(bytes.to_vec())
        }
    }
}

fn in_header(bytes: &[u8]) -> Result<Vec<u8>, &'static str> {
    match HeaderValue::from_bytes(bytes) {
        Ok(_) => Ok(bytes.to_vec()),
        Err(_) => Err("its value has control characters, such as a newline"),
    }
}

fn in_json(bytes: &[u8]) -> Result<Vec<u8>, &'static str> {
    let text = std::str::from_utf8(bytes).map_err(|_| "its value is no text")?;
    let quoted = serde_json::Value::from(text).to_string();
    Ok(quoted.as_bytes()[1..quoted.len() - 1].to_vec())
}

/// As the redactor knows it.
fn in_form(bytes: &[u8]) -> String {
    form_urlencoded::byte_serialize(bytes).collect()
}

/// A `+` is a space in forms alone.
fn in_query(bytes: &[u8]) -> Vec<u8> {
    in_form(bytes).replace('+', "%20").into_bytes()
}

fn sensitive(bytes: &[u8]) -> HeaderValue {
    let mut value = HeaderValue::from_bytes(bytes).expect("each part of it can stand in a header");
    value.set_sensitive(true);
    value
}

fn misplaced(reference: &SecretReference, what: &str, why: &str) -> Failure {
    let message = format!("secrets.{} cannot stand in {what}: {why}", reference.name);
    Failure::new(FailureKind::Invalid, Blame::Operator, message)
        .with("resource", format!("secrets.{}", reference.name))
}
