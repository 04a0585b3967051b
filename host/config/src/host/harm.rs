//! Refuses resources through which a procedure could change what the host rests on.

use super::Host;
use crate::diagnostic::Diagnostic;
use crate::document::at;
use crate::inputs::{HOST_FILE, PLUGINS, PROCEDURES};
use crate::path::real;
use sopwith_core::generation::Anchor;
use sopwith_core::name::ResourceName;
use sopwith_core::resource::Database;
use std::fs;
use std::path::{Path, PathBuf};

/// A place of the host's own.
struct Own {
    path: PathBuf,
    name: &'static str,
    /// What a procedure could do that changes it.
    harm: &'static str,
}

/// Tells of directories and databases that overlap with the host's own places.
pub(crate) fn self_harm(host: &Host, folder: &Path, diagnostics: &mut Vec<Diagnostic>) {
    let found = overlaps(host, &own_places(host, folder));
    // That such a place is not there is no news: nobody should make it.
    diagnostics.retain(|one| {
        let mut here = found.iter().map(|harm| (&harm.file, &harm.place));
        !here.any(|harm| harm == (&one.file, &one.place))
    });
    diagnostics.extend(found);
}

fn overlaps(host: &Host, own: &[Own]) -> Vec<Diagnostic> {
    let directories = host.resources.directories.iter().filter_map(|(name, directory)| {
        let path = real(&directory.path);
        let (how, own) = own
            .iter()
            .find_map(|own| Some((overlap(&path, &own.path)?, own)))?;
        let message = format!(
            "the directory `{name}` {how} {}: a procedure could {}",
            own.name, own.harm
        );
        let error = host
            .document
            .error(&at(["directories", name.as_str(), "path"]), message);
        Some(error.hint("name a directory of its own for what procedures work with"))
    });
    let databases = host.resources.databases.iter().filter_map(|(name, database)| {
        let Database::Sqlite(path) = database;
        let path = real(path);
        let own = own.iter().find(|own| path.starts_with(&own.path))?;
        let how = if path == own.path { "is" } else { "lies within" };
        let message = format!(
            "the database `{name}` {how} {}: a procedure could {}",
            own.name, own.harm
        );
        let error = host
            .document
            .error(&at(["databases", name.as_str(), "url"]), message);
        Some(error.hint("name a database that is not the host's own"))
    });
    directories.chain(databases).collect()
}

fn own_places(host: &Host, folder: &Path) -> Vec<Own> {
    let own = |path: &Path, name, harm| Own {
        path: real(path),
        name,
        harm,
    };
    let mut places = vec![
        own(
            &host.settings.data_directory,
            "the data directory",
            "rewrite the record",
        ),
        own(
            &host.settings.scratch_directory,
            "the scratch directory",
            "change what other runs work on",
        ),
        own(
            &folder.join(PROCEDURES),
            "`procedures` of the configuration",
            "rewrite its own grants",
        ),
        own(
            &folder.join(PLUGINS),
            "`plugins` of the configuration",
            "exchange its own plugin",
        ),
        own(
            &folder.join(HOST_FILE),
            "the file of the host",
            "name whatever it likes",
        ),
        own(
            &host.settings.key_file,
            "the key of the host",
            "open every sealed secret, and sign",
        ),
    ];
    for (list, name, harm) in [
        (
            PROCEDURES,
            "a file that `procedures` links to",
            "rewrite its own grants",
        ),
        (
            PLUGINS,
            "a file that `plugins` links to",
            "exchange its own plugin",
        ),
    ] {
        places.extend(links(&folder.join(list)).map(|path| own(&path, name, harm)));
    }
    for anchor in host.settings.audit.anchors.values() {
        if let Anchor::File(path) = anchor {
            places.push(own(
                path,
                "a file that anchors the audit log",
                "hide that the record was rewritten",
            ));
        }
    }
    places
}

/// The links in a folder: what they lead to is read as if it lay there.
fn links(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_symlink())
}

fn overlap(path: &Path, own: &Path) -> Option<&'static str> {
    if path == own {
        Some("is")
    } else if own.starts_with(path) {
        Some("contains")
    } else {
        path.starts_with(own).then_some("lies within")
    }
}

/// What a procedure that may write into a directory could exchange: what a command is made of.
///
/// The name of the command, and what of it lies within the directory.
pub(crate) fn command_within<'h>(
    host: &'h Host,
    directory: &str,
) -> Option<(&'h ResourceName, &'static str)> {
    let directory = directory.parse::<ResourceName>().ok()?;
    let path = real(&host.resources.directories.get(&directory)?.path);
    host.resources.commands.iter().find_map(|(name, command)| {
        let is_within = |place: &Path| real(place).starts_with(&path);
        if is_within(&command.program) {
            return Some((name, "the program"));
        }
        let works_within = command.directory.as_deref().is_some_and(is_within);
        works_within.then_some((name, "the working directory"))
    })
}
