//! Looks at a directory: which databases lie in it, and where its services listen.

use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use walkdir::{DirEntry, WalkDir};

/// How deep databases are looked for.
const DEPTH_MAX: usize = 4;
/// What every SQLite file begins with (<https://sqlite.org/fileformat2.html>).
const SQLITE_HEADER: &[u8; 16] = b"SQLite format 3\0";
/// Folders that hold what others made.
const NOT_OURS: [&str; 5] = ["node_modules", "target", "venv", "vendor", "__pycache__"];
/// The names that `docker compose` looks for.
const COMPOSE_FILES: [&str; 4] = [
    "compose.yaml",
    "compose.yml",
    "docker-compose.yaml",
    "docker-compose.yml",
];

/// What was found in a directory.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Survey {
    /// SQLite files by the name that they get, relative to the directory.
    pub(crate) databases: BTreeMap<String, PathBuf>,
    /// Ports of services by the name that they get.
    pub(crate) services: BTreeMap<String, u16>,
    /// What could not be read, as sentences.
    pub(crate) notes: Vec<String>,
}

/// Looks at a directory, and not at what others made in it.
pub(crate) fn survey(directory: &Path, leave_out: &Path) -> Survey {
    let mut survey = Survey::default();
    find_databases(directory, leave_out, &mut survey);
    find_compose_ports(directory, &mut survey);
    find_environment(directory, &mut survey);
    survey
}

fn find_databases(directory: &Path, leave_out: &Path, survey: &mut Survey) {
    let ours = |entry: &DirEntry| {
        let name = entry.file_name().to_string_lossy();
        entry.depth() == 0
            || !(name.starts_with('.') || NOT_OURS.contains(&&*name) || entry.path() == leave_out)
    };
    let entries = WalkDir::new(directory)
        .max_depth(DEPTH_MAX)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(ours);
    for entry in entries
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file())
    {
        if is_sqlite(entry.path()) {
            let path = entry.path().strip_prefix(directory).unwrap_or(entry.path());
            add_database(survey, path);
        }
    }
}

fn is_sqlite(path: &Path) -> bool {
    let mut header = [0; SQLITE_HEADER.len()];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut header));
    read.is_ok() && header == *SQLITE_HEADER
}

fn add_database(survey: &mut Survey, path: &Path) {
    let nameable = |path: &str| !path.contains([':', '?']) && !path.contains("{{");
    if !path.to_str().is_some_and(nameable) {
        let note = format!(
            "`{}` is left out: the URL of a database cannot hold such a path",
            path.display()
        );
        return survey.notes.push(note);
    }
    let known = survey.databases.values().any(|known| known == path);
    let stem = path
        .file_stem()
        .map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    if !known {
        let name = free_name(&stem, "database", &survey.databases.keys().cloned().collect());
        survey.databases.insert(name, path.to_owned());
    }
}

/// A name that is allowed and not taken.
fn free_name(wish: &str, otherwise: &str, taken: &BTreeSet<String>) -> String {
    let plain: String = wish
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '-'
            }
        })
        .collect();
    let plain = plain.trim_matches('-');
    let plain = if plain.is_empty() {
        otherwise
    } else {
        &plain[..plain.len().min(40)]
    };
    let numbered = (2..).map(|number| format!("{plain}-{number}"));
    std::iter::once(plain.to_owned())
        .chain(numbered)
        .find(|name| !taken.contains(name))
        .expect("there are endlessly many numbers")
}

#[derive(Deserialize)]
struct Compose {
    #[serde(default)]
    services: BTreeMap<String, ComposeService>,
}

#[derive(Deserialize)]
struct ComposeService {
    #[serde(default)]
    ports: Vec<ComposePort>,
}

/// The forms that a port takes in a compose file.
#[derive(Deserialize)]
#[serde(untagged)]
enum ComposePort {
    Short(String),
    Long {
        published: Option<PublishedPort>,
    },
    /// A number alone is the port in the container; the system chooses the one outside.
    Inner(serde::de::IgnoredAny),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum PublishedPort {
    Number(u16),
    Text(String),
}

impl ComposePort {
    /// The port on this machine; `8000:80`, `127.0.0.1:8000:80/tcp`; none where the system chooses it.
    fn published(&self) -> Option<u16> {
        match self {
            Self::Short(text) => {
                let (address, _container) = text.rsplit_once(':')?;
                address.rsplit(':').next()?.parse().ok()
            }
            Self::Long {
                published: Some(PublishedPort::Number(port)),
            } => Some(*port),
            Self::Long {
                published: Some(PublishedPort::Text(text)),
            } => text.parse().ok(),
            Self::Inner(_) | Self::Long { published: None } => None,
        }
    }
}

fn find_compose_ports(directory: &Path, survey: &mut Survey) {
    let Some(path) = COMPOSE_FILES
        .iter()
        .map(|name| directory.join(name))
        .find(|path| path.exists())
    else {
        return;
    };
    let compose: Compose = match std::fs::read_to_string(&path).map(|text| serde_saphyr::from_str(&text)) {
        Ok(Ok(compose)) => compose,
        Ok(Err(error)) => {
            return survey
                .notes
                .push(format!("`{}` cannot be read: {error}", path.display()));
        }
        Err(error) => {
            return survey
                .notes
                .push(format!("`{}` cannot be read: {error}", path.display()));
        }
    };
    for (name, service) in compose.services {
        for port in service.ports.iter().filter_map(ComposePort::published) {
            add_service(survey, &name, port);
        }
    }
}

fn add_service(survey: &mut Survey, wish: &str, port: u16) {
    if !survey.services.values().any(|known| *known == port) {
        let name = free_name(wish, "service", &survey.services.keys().cloned().collect());
        survey.services.insert(name, port);
    }
}

/// Takes `PORT`, and databases of SQLite in URLs, from `.env`; nothing else of it is looked at or kept.
fn find_environment(directory: &Path, survey: &mut Survey) {
    let path = directory.join(".env");
    let Ok(entries) = dotenvy::from_path_iter(&path) else {
        return;
    };
    for entry in entries {
        let Ok((name, value)) = entry else {
            survey
                .notes
                .push(format!("a line of `{}` cannot be read", path.display()));
            continue;
        };
        if name == "PORT"
            && let Ok(port) = value.parse()
        {
            add_service(survey, "app", port);
        }
        if let Some(file) = value
            .strip_prefix("sqlite:///")
            .or_else(|| value.strip_prefix("sqlite:"))
        {
            let file = Path::new(file);
            let file = file.strip_prefix(directory).unwrap_or(file);
            if is_sqlite(&directory.join(file)) {
                add_database(survey, file);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &[u8])]) -> Survey {
        let directory = tempfile::tempdir().unwrap();
        for (path, content) in files {
            let path = directory.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        survey(directory.path(), &directory.path().join("config"))
    }

    #[test]
    fn databases_are_known_by_their_content_and_not_by_their_name() {
        let survey = found(&[
            ("data/app.db", SQLITE_HEADER),
            ("other/app.db", SQLITE_HEADER),
            ("fake.db", b"not a database at all"),
            ("a:b?.db", SQLITE_HEADER),
            ("node_modules/x/cache.db", SQLITE_HEADER),
            (".git/index.db", SQLITE_HEADER),
            ("config/state/history.db", SQLITE_HEADER),
        ]);
        let expected = [("app", "data/app.db"), ("app-2", "other/app.db")];
        assert_eq!(
            survey.databases,
            expected.map(|(name, path)| (name.to_owned(), path.into())).into()
        );
        assert_eq!(survey.notes.len(), 1);
    }

    #[test]
    fn ports_of_a_compose_file_are_those_on_this_machine() {
        let compose = b"services:\n  web:\n    ports: ['127.0.0.1:8000:80/tcp', 9000]\n  api:\n    ports:\n      - published: 8080\n        target: 80\n";
        let survey = found(&[("compose.yaml", compose)]);
        assert_eq!(
            survey.services,
            [("web".to_owned(), 8000), ("api".to_owned(), 8080)].into()
        );
        assert!(survey.notes.is_empty());
    }

    #[test]
    fn a_compose_file_that_is_none_is_told_and_not_fatal() {
        assert_eq!(found(&[("compose.yaml", b"services: [")]).notes.len(), 1);
    }

    #[test]
    fn of_an_environment_file_only_ports_and_databases_are_taken() {
        let survey = found(&[
            (
                ".env",
                b"PORT=8000\nSECRET_KEY=hush\nDATABASE_URL=sqlite:///app.db\n",
            ),
            ("app.db", SQLITE_HEADER),
        ]);
        assert_eq!(survey.services, [("app".to_owned(), 8000)].into());
        assert_eq!(survey.databases.len(), 1);
        assert!(!format!("{survey:?}").contains("hush"));
    }
}
