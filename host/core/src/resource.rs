//! What the operator named once: databases, directories, network destinations, commands and secrets.

#[cfg(test)]
mod fuzz;

use crate::command::Command;
use crate::grant::ResourceKind;
use crate::name::ResourceName;
use crate::secret::Secret;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// All resources of `sopwith.toml`, by kind and name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Resources {
    /// `[databases.NAME]`
    pub databases: BTreeMap<ResourceName, Database>,
    /// `[directories.NAME]`
    pub directories: BTreeMap<ResourceName, Directory>,
    /// `[network.NAME]`
    pub network: BTreeMap<ResourceName, Destination>,
    /// `[commands.NAME]`
    pub commands: BTreeMap<ResourceName, Command>,
    /// `[secrets.NAME]`
    pub secrets: BTreeMap<ResourceName, Secret>,
    /// The names of the files in `procedures/`.
    pub procedures: BTreeSet<ResourceName>,
}

impl Resources {
    /// Whether there is a resource of this kind and name.
    pub fn has(&self, kind: ResourceKind, name: &str) -> bool {
        let Ok(name) = name.parse::<ResourceName>() else {
            return false;
        };
        match kind {
            ResourceKind::Databases => self.databases.contains_key(&name),
            ResourceKind::Directories => self.directories.contains_key(&name),
            ResourceKind::Network => self.network.contains_key(&name),
            ResourceKind::Commands => self.commands.contains_key(&name),
            ResourceKind::Secrets => self.secrets.contains_key(&name),
            ResourceKind::Procedures => self.procedures.contains(&name),
        }
    }
}

/// A database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Database {
    /// The absolute path of an SQLite file.
    Sqlite(PathBuf),
}

/// A directory of files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Directory {
    /// Its absolute path.
    pub path: PathBuf,
}

/// Where a procedure may speak to, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destination {
    /// Which servers.
    pub allow: Vec<Origin>,
    /// Which methods of HTTP, in capitals.
    pub methods: Vec<String>,
}

impl Destination {
    /// Whether this server may be spoken to, by whichever method.
    pub fn allows(&self, origin: &Origin) -> bool {
        self.allow.iter().any(|allowed| allowed.covers(origin))
    }

    /// Whether this server may be spoken to by this method, in capitals.
    pub fn covers(&self, origin: &Origin, method: &str) -> bool {
        self.allows(origin) && self.methods.iter().any(|allowed| allowed == method)
    }
}

/// A scheme, a host and a port: `https://clinic.example`, `http://127.0.0.1:8000`, `https://*.example`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Origin {
    /// `http` or `https`.
    pub scheme: String,
    /// A name in lower case without a trailing dot, `*.` and a name, or an address.
    pub host: String,
    /// The port, the scheme's own where none was written.
    pub port: u16,
}

/// A text that is no origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an origin: {why}")]
pub struct InvalidOrigin {
    text: String,
    /// What is wrong with it, without a word of the text.
    pub why: &'static str,
}

impl Origin {
    /// Whether it covers this one. `*.example` covers one or more labels before `.example`.
    pub fn covers(&self, other: &Self) -> bool {
        self.scheme == other.scheme && self.port == other.port && covers_host(&self.host, &other.host)
    }

    /// The origin of a URL.
    pub fn of(url: &url::Url) -> Result<Self, InvalidOrigin> {
        // What else a URL says is nobody's business: tokens like to stand there.
        let invalid = |why| InvalidOrigin {
            text: format!("{}://{}", url.scheme(), url.host_str().unwrap_or_default()),
            why,
        };
        if !matches!(url.scheme(), "http" | "https") {
            return Err(invalid("the scheme has to be `http` or `https`"));
        }
        let host = url.host_str().ok_or_else(|| invalid("there is no host"))?;
        // A trailing dot says that nothing follows, which nothing does in a URL.
        let host = host.strip_suffix('.').unwrap_or(host);
        if host.split('.').any(str::is_empty) {
            return Err(invalid("the host has an empty label"));
        }
        if host.contains('*') {
            return Err(invalid("`*` stands at the beginning alone: `https://*.example`"));
        }
        // URLs allow more, and who else reads the name does not.
        let odd = |one: char| !one.is_ascii_alphanumeric() && !matches!(one, '.' | '-' | '_');
        if matches!(url.host(), Some(url::Host::Domain(_))) && host.contains(odd) {
            return Err(invalid("the host has a character that no name of a server has"));
        }
        match url.port_or_known_default() {
            None => Err(invalid("there is no port")),
            Some(0) => Err(invalid("there is no port 0")),
            Some(port) => Ok(Self {
                scheme: url.scheme().to_owned(),
                host: host.to_ascii_lowercase(),
                port,
            }),
        }
    }
}

fn covers_host(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix("*.") {
        Some(parent) => host
            .strip_suffix(parent)
            .is_some_and(|labels| labels.len() > 1 && labels.ends_with('.')),
        None => pattern == host,
    }
}

impl std::str::FromStr for Origin {
    type Err = InvalidOrigin;

    fn from_str(text: &str) -> Result<Self, InvalidOrigin> {
        let invalid = |why| InvalidOrigin {
            text: text.to_owned(),
            why,
        };
        // No URL has `*` in its host, so the wildcard is read apart.
        let (plain, wildcard) = match text.split_once("://*.") {
            Some((scheme, rest)) => (format!("{scheme}://{rest}"), true),
            None => (text.to_owned(), false),
        };
        let url = url::Url::parse(&plain)
            .map_err(|_| invalid("expected `scheme://host` or `scheme://host:port`"))?;
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(invalid("an origin ends after the port"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(invalid("an origin names no user"));
        }
        let mut origin = Self::of(&url).map_err(|error| invalid(error.why))?;
        if wildcard {
            if !matches!(url.host(), Some(url::Host::Domain(_))) {
                return Err(invalid(
                    "an address has nothing beneath it that `*` could stand for",
                ));
            }
            origin.host = format!("*.{}", origin.host);
        }
        Ok(origin)
    }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let own = if self.scheme == "https" { 443 } else { 80 };
        write!(f, "{}://{}", self.scheme, self.host)?;
        if self.port == own {
            Ok(())
        } else {
            write!(f, ":{}", self.port)
        }
    }
}

impl TryFrom<String> for Origin {
    type Error = InvalidOrigin;

    fn try_from(text: String) -> Result<Self, InvalidOrigin> {
        text.parse()
    }
}

impl From<Origin> for String {
    fn from(origin: Origin) -> String {
        origin.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(pattern: &str, url: &str) -> bool {
        let pattern: Origin = pattern.parse().unwrap();
        pattern.covers(&Origin::of(&url.parse().unwrap()).unwrap())
    }

    #[test]
    fn an_origin_covers_its_scheme_host_and_port_alone() {
        assert!(covers("https://clinic.example", "https://clinic.example/health"));
        assert!(covers("https://clinic.example", "https://CLINIC.example.:443/"));
        assert!(covers("http://127.0.0.1:8000", "http://127.0.0.1:8000/"));
        assert!(!covers("https://clinic.example", "http://clinic.example/"));
        assert!(!covers("https://clinic.example", "https://clinic.example:8443/"));
        assert!(!covers("https://clinic.example", "https://clinic.example.evil/"));
    }

    #[test]
    fn a_wildcard_covers_names_beneath_and_not_the_name_itself() {
        assert!(covers("https://*.example", "https://a.b.example/"));
        assert!(!covers("https://*.example", "https://example/"));
        assert!(!covers("https://*.example", "https://evilexample/"));
    }

    #[test]
    fn what_is_no_origin_says_why() {
        for bad in [
            "clinic.example",
            "ftp://x",
            "https://x/path",
            "https://u@x",
            "https://x?q",
            "https://x:0",
            "https://x..",
            "https://x}y",
            "https://{{secret:X}}.example",
            "https://*",
            "https://*.",
            "https://a.*.example",
            "https://*.*.example",
            "https://*.127.0.0.1",
            "https://*.[::1]",
        ] {
            assert!(bad.parse::<Origin>().is_err(), "{bad}");
        }
        assert_eq!(
            "http://127.0.0.1:80".parse::<Origin>().unwrap().to_string(),
            "http://127.0.0.1"
        );
    }
}
