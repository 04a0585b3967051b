//! Decides which header fields a plugin may set.

use crate::network::target::Target;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http_body::SizeHint;
use sopwith_core::failure::Failure;
use sopwith_core::port::capabilities::{Answer, Pairs};

/// Bytes of all header fields of a request together.
pub(super) const HEAD_BYTES_MAX: usize = 64 << 10;

const USER_AGENT: &str = concat!("sopwith/", env!("CARGO_PKG_VERSION"));

/// Fields that say how this connection is used, or whose server it is; a plugin that set them
/// could speak to another server behind the same address, or smuggle a second request.
const OWN: [&str; 11] = [
    "connection",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Fields that are meant for one server alone.
const CREDENTIALS: [HeaderName; 2] = [header::AUTHORIZATION, header::COOKIE];

/// Fields that describe a body.
const OF_BODY: [HeaderName; 4] = [
    header::CONTENT_ENCODING,
    header::CONTENT_LANGUAGE,
    header::CONTENT_LOCATION,
    header::CONTENT_TYPE,
];

/// Reads the header fields of a plugin.
pub(super) fn read(pairs: &Pairs) -> Answer<HeaderMap> {
    let bytes: usize = pairs.iter().map(|(name, value)| name.len() + value.len()).sum();
    if bytes > HEAD_BYTES_MAX {
        return Err(Failure::invalid(format!(
            "the header has {bytes} bytes, and {HEAD_BYTES_MAX} are allowed"
        )));
    }
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        let field: HeaderName = name.parse().map_err(|_| {
            Failure::invalid(format!("`{}` is no name of a header field", name.escape_debug()))
        })?;
        if is_own(&field) || field == header::CONTENT_LENGTH {
            return Err(Failure::invalid(format!(
                "the header field `{field}` is set by the host alone"
            )));
        }
        let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| {
            Failure::invalid(format!(
                "the header field `{field}` has a value with control characters"
            ))
        })?;
        headers
            .try_append(field, value)
            .map_err(|_| Failure::invalid("the header has too many fields"))?;
    }
    Ok(headers)
}

/// Takes away what only the host sets.
pub(super) fn strip_own(headers: &mut HeaderMap) {
    let own: Vec<HeaderName> = headers.keys().filter(|name| is_own(name)).cloned().collect();
    for name in own {
        headers.remove(name);
    }
}

/// Some servers read `_` as `-`, so that `transfer_encoding` would do for them what the other does.
fn is_own(name: &HeaderName) -> bool {
    let plain = name.as_str().replace('_', "-");
    OWN.contains(&plain.as_str()) || (plain == "content-length" && name != header::CONTENT_LENGTH)
}

/// Refuses a length that is not the body's: what is too much would be another request to some
/// servers, and what is missing would be waited for.
pub(super) fn check_length(headers: &HeaderMap, body: &SizeHint) -> Answer<()> {
    let mut written = headers.get_all(header::CONTENT_LENGTH).iter();
    let Some(value) = written.next() else {
        return Ok(());
    };
    let digits = value
        .to_str()
        .ok()
        .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let length: Option<u64> = digits.and_then(|digits| digits.parse().ok());
    let Some(length) = length.filter(|_| written.next().is_none()) else {
        return Err(Failure::invalid(
            "the header field `content-length` is not one number",
        ));
    };
    match body.exact() {
        Some(bytes) if bytes != length => Err(Failure::invalid(format!(
            "the header field `content-length` says {length}, and the body has {bytes} bytes"
        ))),
        _ => Ok(()),
    }
}

/// Takes away what is for the server before a redirect alone.
pub(super) fn strip_credentials(headers: &mut HeaderMap) {
    for name in CREDENTIALS {
        headers.remove(name);
    }
}

/// Takes away what describes a body that is not sent again.
pub(super) fn strip_body(headers: &mut HeaderMap) {
    for name in OF_BODY {
        headers.remove(name);
    }
}

/// Adds what the host says of itself and of the server.
pub(super) fn complete(headers: &mut HeaderMap, target: &Target) -> Answer<()> {
    let host = HeaderValue::from_str(&target.authority())
        .map_err(|_| Failure::invalid(format!("`{}` cannot stand in a header", target.authority())))?;
    headers.insert(header::HOST, host);
    headers
        .entry(header::USER_AGENT)
        .or_insert(HeaderValue::from_static(USER_AGENT));
    Ok(())
}

/// The header fields as a plugin gets them, in order and with repetitions.
pub(super) fn pairs(headers: &HeaderMap) -> Pairs {
    headers
        .iter()
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.to_string(), value)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_split_a_request_or_name_another_server_is_refused() {
        for (name, value) in [
            ("x-a", "1\r\nx-b: 2"),
            ("x-a", "1\n"),
            ("x-a", "\0"),
            ("x-a: 1\r\nx-b", "2"),
            ("x a", "1"),
            ("", "1"),
            ("Host", "other.example"),
            ("Content-Length", "7"),
            ("Transfer-Encoding", "chunked"),
            ("Connection", "keep-alive"),
            ("Upgrade", "h2c"),
            ("transfer_encoding", "chunked"),
            ("content_length", "7"),
        ] {
            let pairs = vec![(name.to_owned(), value.to_owned())];
            assert!(read(&pairs).is_err(), "{name:?}: {value:?}");
        }
    }

    #[test]
    fn a_length_is_one_number_and_that_of_the_body() {
        for (lengths, body, is_good) in [
            (&["5"][..], SizeHint::with_exact(5), true),
            (&["5"], SizeHint::new(), true),
            (&[], SizeHint::with_exact(5), true),
            (&["5"], SizeHint::with_exact(0), false),
            (&["0"], SizeHint::with_exact(5), false),
            (&["5", "5"], SizeHint::with_exact(5), false),
            (&["5, 5"], SizeHint::with_exact(5), false),
            (&["+5"], SizeHint::with_exact(5), false),
            (&["0x5"], SizeHint::new(), false),
            (&[""], SizeHint::with_exact(0), false),
        ] {
            let lengths = lengths.iter().map(|length| length.parse().unwrap());
            let headers = lengths.map(|length| (header::CONTENT_LENGTH, length)).collect();
            assert_eq!(
                check_length(&headers, &body).is_ok(),
                is_good,
                "{headers:?}, {body:?}"
            );
        }
    }

    #[test]
    fn repetitions_stay() {
        let pairs = ["a", "b"].map(|value| ("x-tag".to_owned(), value.to_owned()));
        let headers = read(&pairs.to_vec()).unwrap();
        assert_eq!(headers.get_all("x-tag").iter().count(), 2);
    }
}
