//! Looks whether what `sopwith.toml` names is there.
//!
//! These are warnings: a disk that is not mounted today keeps no host from starting, and the runs
//! that need it fail and say why.

use crate::diagnostic::Diagnostic;
use crate::document::{Document, Location, at};
use crate::inputs::open_plain;
use crate::path::{as_written, shell_word};
use crate::raw::HostFile;
use sopwith_core::generation::HostSettings;
use sopwith_core::name::ResourceName;
use sopwith_core::resource::{Database, Resources};
use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

/// The first bytes of every SQLite database that is not empty.
const SQLITE_HEADER: &[u8; 16] = b"SQLite format 3\0";

/// Warns of files and directories that are not there or are not what they should be.
pub(super) fn check(
    file: &HostFile,
    settings: &HostSettings,
    resources: &Resources,
    document: &Document,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let mut warn = |place: &Location, problem: Option<Problem>, subject: &str| {
        let warning = problem.map(|problem| {
            // What comes from the environment is in no message.
            let hint = problem.hint.filter(|_| !document.written(place).contains("{{"));
            let warning = document.warning(place, format!("{subject} {}", problem.what));
            warning.hint_if(hint)
        });
        diagnostics.extend(warning);
    };
    for (name, Database::Sqlite(path)) in &resources.databases {
        let place = at(["databases", name.as_str(), "url"]);
        warn(
            &place,
            database_problem(name, path),
            &format!("the database `{name}`"),
        );
    }
    for (name, directory) in &resources.directories {
        let place = at(["directories", name.as_str(), "path"]);
        let problem = directory_problem(&directory.path);
        warn(&place, problem, &format!("the directory `{name}`"));
    }
    let written = file
        .egress
        .iter()
        .flat_map(|egress| egress.ca_files.iter().flatten());
    for (index, (path, _)) in settings.ca_files.iter().zip(written).enumerate() {
        let place = at(["egress", "ca_files"]).join(index);
        let problem = open_plain(path).err().map(|error| Problem::of_file(&error, path));
        warn(&place, problem, "this file");
    }
}

/// What is wrong with a place, and what would mend it.
struct Problem {
    what: String,
    hint: Option<String>,
}

impl Problem {
    fn new(what: impl Into<String>, hint: String) -> Self {
        Self {
            what: what.into(),
            hint: Some(hint),
        }
    }

    fn of_file(error: &io::Error, path: &Path) -> Self {
        Self::new(cannot(error), looked_for_at(path))
    }
}

fn looked_for_at(path: &Path) -> String {
    format!("it is looked for at  {}", as_written(path).display())
}

fn database_problem(name: &ResourceName, path: &Path) -> Option<Problem> {
    let mut header = Vec::new();
    let read = open_plain(path).and_then(|file| file.take(16).read_to_end(&mut header));
    match read {
        Err(error) => Some(Problem::of_file(&error, path)),
        Ok(0) => None,
        Ok(_) if header == SQLITE_HEADER => None,
        Ok(_) => {
            let hint = format!("name the file of the database:  [databases.{name}]  url = \"sqlite:PATH\"");
            Some(Problem::new("is a file that is not an SQLite database", hint))
        }
    }
}

fn directory_problem(path: &Path) -> Option<Problem> {
    let error = fs::read_dir(path).err()?;
    let shown = shell_word(&as_written(path));
    Some(match error.kind() {
        io::ErrorKind::NotADirectory => Problem::new("is not a directory", looked_for_at(path)),
        io::ErrorKind::NotFound => Problem::new(cannot(&error), format!("mkdir -p {shown}")),
        _ => Problem::new(
            cannot(&error),
            format!("see what stands in its way:  namei -l {shown}"),
        ),
    })
}

fn cannot(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "does not exist".to_owned(),
        _ => format!("cannot be read: {error}"),
    }
}
