//! Decides what a redirect asks for next; whether that is allowed is decided elsewhere.

use crate::network::target::Target;
use http::{HeaderMap, Method, StatusCode, header};
use sopwith_core::port::capabilities::Answer;

/// What a redirect asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Redirect {
    /// Where it leads to.
    pub(super) target: Target,
    /// How the new place is asked.
    pub(super) method: Method,
    /// Whether the body is sent again.
    pub(super) keeps_body: bool,
}

/// Reads what an answer asks for; none if it is no redirect.
pub(super) fn read(
    from: &Target,
    method: &Method,
    status: StatusCode,
    headers: &HeaderMap,
) -> Answer<Option<Redirect>> {
    let keeps_body = match status.as_u16() {
        301..=303 => false,
        307 | 308 => true,
        _ => return Ok(None),
    };
    let Some(location) = headers.get(header::LOCATION) else {
        return Ok(None);
    };
    let location = String::from_utf8_lossy(location.as_bytes());
    let method = if keeps_body || method == Method::HEAD {
        method.clone()
    } else {
        Method::GET
    };
    Ok(Some(Redirect {
        target: from.redirected(&location)?,
        method,
        keeps_body,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn follow(method: &Method, status: u16, location: &str) -> Answer<Option<Redirect>> {
        let from = Target::parse("https://clinic.example/a/b?x=1").unwrap();
        let headers = [(header::LOCATION, location.parse().unwrap())]
            .into_iter()
            .collect();
        read(&from, method, StatusCode::from_u16(status).unwrap(), &headers)
    }

    fn check(method: &Method, status: u16, location: &str, expected: Option<(&Method, &str, bool)>) {
        let found = follow(method, status, location).unwrap();
        let found = found
            .as_ref()
            .map(|next| (&next.method, next.target.url(), next.keeps_body));
        assert_eq!(found, expected, "{method} {status} {location}");
    }

    #[test]
    fn methods_and_places_follow_the_rules_of_http() {
        let (get, head, post) = (Method::GET, Method::HEAD, Method::POST);
        let moved = "https://clinic.example/new";
        check(&get, 200, "/new", None);
        check(&get, 304, "/new", None);
        check(&get, 301, "/new", Some((&get, moved, false)));
        check(&post, 302, "/new#top", Some((&get, moved, false)));
        check(&post, 303, "/new", Some((&get, moved, false)));
        check(&head, 303, "/new", Some((&head, moved, false)));
        check(&post, 307, "/new", Some((&post, moved, true)));
        check(&post, 308, "../new", Some((&post, moved, true)));
        check(
            &get,
            302,
            "//evil.example/",
            Some((&get, "https://evil.example/", false)),
        );
    }

    #[test]
    fn a_redirect_to_no_web_page_is_a_fault_of_the_server() {
        for location in [
            "file:///etc/passwd",
            "ftp://clinic.example/",
            "https://u:p@clinic.example/",
            "http://",
        ] {
            let failure = follow(&Method::GET, 302, location).unwrap_err();
            assert_eq!(failure.blame.as_str(), "outside", "{location}");
        }
    }
}
