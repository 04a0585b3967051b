//! Validates what the operator named: databases, directories and network destinations.

use super::Reading;
use crate::document::{Location, at};
use crate::path;
use crate::raw::HostFile;
use sopwith_core::name::ResourceName;
use sopwith_core::resource::{Database, Destination, Directory, Origin, Resources};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// What a destination may be asked with where nothing is written: nothing that changes.
const METHODS: [&str; 2] = ["GET", "HEAD"];

impl Reading<'_> {
    pub(super) fn resources(&mut self, file: &HostFile) -> Resources {
        Resources {
            // Those have files of their own.
            procedures: BTreeSet::new(),
            databases: self.each(
                "databases",
                file.databases.as_ref(),
                |reading, place, database| {
                    let url = database.url.as_deref()?;
                    reading.sqlite(&place.join("url"), url).map(Database::Sqlite)
                },
            ),
            directories: self.each(
                "directories",
                file.directories.as_ref(),
                |reading, _, directory| {
                    let path = path::from(reading.folder, directory.path.as_deref()?);
                    Some(Directory { path })
                },
            ),
            network: self.each("network", file.network.as_ref(), |reading, place, destination| {
                let allow = reading.origins(&place.join("allow"), destination.allow.as_deref()?);
                let methods = match &destination.methods {
                    Some(methods) => reading.methods(&place.join("methods"), methods),
                    None => METHODS.map(str::to_owned).into(),
                };
                Some(Destination { allow, methods })
            }),
            commands: self.commands(file.commands.as_ref()),
            secrets: self.secrets(file.secrets.as_ref()),
        }
    }

    pub(super) fn each<Raw, Valid>(
        &mut self,
        kind: &str,
        table: Option<&BTreeMap<String, Raw>>,
        mut validate: impl FnMut(&mut Self, &Location, &Raw) -> Option<Valid>,
    ) -> BTreeMap<ResourceName, Valid> {
        let mut valid = BTreeMap::new();
        for (name, raw) in table.into_iter().flatten() {
            let place = at([kind, name]);
            match name.parse::<ResourceName>() {
                Ok(name) => {
                    let resource = validate(self, &place, raw);
                    valid.extend(resource.map(|resource| (name, resource)));
                }
                Err(error) => self.error(&place, error.to_string(), "give it another name"),
            }
        }
        valid
    }

    fn sqlite(&mut self, place: &Location, url: &str) -> Option<PathBuf> {
        let path = url.strip_prefix("sqlite:");
        let is_path = |path: &&str| !path.is_empty() && !path.starts_with("//") && !path.contains([':', '?']);
        if let Some(path) = path.filter(is_path) {
            return Some(path::from(self.folder, path));
        }
        let message = format!("`{}` is not the URL of a database", self.document.written(place));
        let hint = "write `sqlite:` and the path of a file:  url = \"sqlite:/srv/clinic/app.db\"";
        self.error(place, message, hint);
        None
    }

    fn origins(&mut self, place: &Location, written: &[String]) -> Vec<Origin> {
        let mut origins = Vec::new();
        for (index, text) in written.iter().enumerate() {
            let place = place.join(index);
            match text.parse::<Origin>() {
                Ok(origin) => origins.push(origin),
                Err(error) => {
                    let written = self.document.written(&place);
                    let message = format!("`{written}` is not an origin: {}", error.why);
                    let hint = "write scheme, host and port alone:  \"https://clinic.example\", \"http://127.0.0.1:8000\"";
                    self.error(&place, message, hint);
                }
            }
        }
        origins
    }

    fn methods(&mut self, place: &Location, written: &[String]) -> Vec<String> {
        let mut methods = Vec::new();
        for (index, method) in written.iter().enumerate() {
            if method != "CONNECT"
                && !method.is_empty()
                && method.chars().all(|letter| letter.is_ascii_uppercase())
            {
                methods.push(method.clone());
                continue;
            }
            self.no_method(&place.join(index));
        }
        methods
    }

    fn no_method(&mut self, place: &Location) {
        let written = self.document.written(place);
        let (why, hint) = if written.contains("CONNECT") {
            ("makes a tunnel, and there are none", "take it out of the list")
        } else {
            (
                "is not a method of HTTP",
                "write it in capitals:  methods = [\"GET\", \"HEAD\"]",
            )
        };
        self.error(place, format!("`{written}` {why}"), hint);
    }
}
