//! Reads where in an answer to look.

use crate::condition::Fault;
use crate::condition::look::{Function, Look, Place, Query};
use crate::condition::text::Part;

const PLACES: &str =
    "`[STATUS]`, `[RESPONSE_TIME]`, `[CERTIFICATE_EXPIRATION]`, `[HEADER].NAME`, `[BODY]` or `[BODY].PATH`";

/// Reads where to look, and what to make of what is found there.
pub(super) fn read(part: Part<'_>) -> Result<Look, Fault> {
    if let Some(inner) = part.call("len") {
        let place = place(inner)?;
        return match place {
            Place::Header(_) | Place::Body | Place::Json(_) => Ok(Look {
                function: Function::Length,
                place,
            }),
            _ => Err(inner.fault("`len` takes `[HEADER].NAME`, `[BODY]` or `[BODY].PATH`")),
        };
    }
    if let Some(inner) = part.call("has") {
        let place = place(inner)?;
        return match place {
            Place::Header(_) | Place::Json(_) => Ok(Look {
                function: Function::Presence,
                place,
            }),
            _ => Err(inner.fault("`has` takes `[HEADER].NAME` or `[BODY].PATH`")),
        };
    }
    let place = place(part)?;
    Ok(Look {
        function: Function::Itself,
        place,
    })
}

fn place(part: Part<'_>) -> Result<Place, Fault> {
    let end = part.text.find(']').filter(|_| part.text.starts_with('['));
    let (name, rest) = part.split_at(end.map_or(0, |end| end + 1));
    let place = match name.text {
        "[STATUS]" => Place::Status,
        "[RESPONSE_TIME]" => Place::ResponseTime,
        "[CERTIFICATE_EXPIRATION]" => Place::CertificateExpiration,
        "[HEADER]" => return header(rest),
        "[BODY]" if rest.text.is_empty() => Place::Body,
        "[BODY]" => return path(rest),
        _ => return Err(part.fault(format!("expected {PLACES}"))),
    };
    match rest.text {
        "" => Ok(place),
        _ => Err(rest.fault(format!("nothing can follow `{}`", name.text))),
    }
}

fn header(rest: Part<'_>) -> Result<Place, Fault> {
    let name = rest.after(".").filter(|name| is_header_name(name.text));
    let name =
        name.ok_or_else(|| rest.fault("expected the name of a header, as in `[HEADER].content-type`"))?;
    Ok(Place::Header(name.text.to_owned()))
}

/// A token of RFC 9110.
fn is_header_name(name: &str) -> bool {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(is_token)
}

fn path(rest: Part<'_>) -> Result<Place, Fault> {
    let query = Query::parse(&format!("${}", rest.text));
    // The library counts from 1, and its first character is the `$`.
    let wrong = |error: &serde_json_path::ParseError| {
        let characters = error.position().saturating_sub(2);
        rest.fault_at(characters, "this is no JSONPath (RFC 9535)")
    };
    query.map(Place::Json).map_err(|error| wrong(&error))
}
