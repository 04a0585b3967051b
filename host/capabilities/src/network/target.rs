//! Reads where a request goes to, so that nobody reads it differently later.

use crate::network::phase::{Phase, outside};
use http::Uri;
use sopwith_core::failure::{Failure, FailureKind};
use sopwith_core::port::capabilities::Answer;
use sopwith_core::resource::Origin;
use std::net::IpAddr;
use url::{Host, Position, Url};

/// More than any server takes.
const URL_BYTES_MAX: usize = 16 << 10;

/// A URL that can be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    url: Url,
    /// The server, as grants name it.
    pub(super) origin: Origin,
}

impl Target {
    /// Reads the URL of a plugin.
    pub(super) fn parse(text: &str) -> Answer<Self> {
        check_length(text).map_err(Failure::invalid)?;
        let url = Url::parse(text).map_err(|error| {
            let shown = text.split(['?', '#']).next().unwrap_or_default();
            let shown = shown.rsplit('@').next().unwrap_or_default();
            Failure::invalid(format!("`{shown}` is no URL: {error}"))
        })?;
        Self::of(url).map_err(Failure::invalid)
    }

    /// Reads where a redirect of this one leads to.
    pub(super) fn redirected(&self, location: &str) -> Answer<Self> {
        let bad = |why: String| {
            let message = format!("the redirect of `{}` leads nowhere: {why}", self.shown());
            outside(FailureKind::Failed, Phase::FirstByte, message)
        };
        check_length(location).map_err(bad)?;
        let url = self.url.join(location).map_err(|error| bad(error.to_string()))?;
        Self::of(url).map_err(bad)
    }

    fn of(mut url: Url) -> Result<Self, String> {
        if !url.username().is_empty() || url.password().is_some() {
            return Err("a URL names no user; the header `authorization` does".to_owned());
        }
        let origin = Origin::of(&url).map_err(|error| error.to_string())?;
        url.set_fragment(None);
        // Once more: what is escaped becomes longer.
        check_length(url.as_str())?;
        Ok(Self { url, origin })
    }

    /// The address that stands in the URL itself.
    pub(super) fn literal(&self) -> Option<IpAddr> {
        match self.url.host()? {
            Host::Domain(_) => None,
            Host::Ipv4(address) => Some(address.into()),
            Host::Ipv6(address) => Some(address.into()),
        }
    }

    /// The same server, named by one of its addresses.
    pub(super) fn at(&self, address: IpAddr) -> Origin {
        let host: Host<String> = match address {
            IpAddr::V4(address) => Host::Ipv4(address),
            IpAddr::V6(address) => Host::Ipv6(address),
        };
        Origin {
            host: host.to_string(),
            ..self.origin.clone()
        }
    }

    /// Whether TLS is spoken.
    pub(super) fn is_secure(&self) -> bool {
        self.origin.scheme == "https"
    }

    /// Host, and port where it is not the scheme's own, for the header `host`.
    pub(super) fn authority(&self) -> String {
        let written = self.origin.to_string();
        written
            .split_once("://")
            .map_or(written.clone(), |(_, authority)| authority.to_owned())
    }

    /// Path and query, for the first line of a request.
    pub(super) fn uri(&self) -> Answer<Uri> {
        self.url[Position::BeforePath..Position::AfterQuery]
            .parse()
            .map_err(|error| Failure::invalid(format!("`{}` cannot be asked for: {error}", self.shown())))
    }

    /// What stands behind the `?`.
    pub(super) fn query(&self) -> Option<&str> {
        self.url.query()
    }

    /// The same with another query.
    pub(super) fn with_query(&self, query: &str) -> Self {
        let mut other = self.clone();
        other.url.set_query(Some(query));
        other
    }

    /// The whole URL.
    pub(super) fn url(&self) -> &str {
        self.url.as_str()
    }

    /// The URL for people: without its query, where tokens like to stand.
    pub(super) fn shown(&self) -> String {
        format!("{}{}", self.origin, self.url.path())
    }
}

fn check_length(url: &str) -> Result<(), String> {
    if url.len() <= URL_BYTES_MAX {
        return Ok(());
    }
    Err(format!(
        "the URL has {} bytes, and {URL_BYTES_MAX} are allowed",
        url.len()
    ))
}
