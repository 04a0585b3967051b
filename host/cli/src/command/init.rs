//! `sopwith init`: writes a configuration for what lies in this directory.

use super::Common;
use crate::clock::SystemEntropy;
use crate::exit::{Ended, Exit};
use crate::init::{files, survey};
use crate::output;
use anyhow::Context as _;
use serde_json::json;
use sopwith_capabilities::KeyPlace;
use sopwith_core::failure::FailureKind;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// What belongs into no repository: the key, and the record.
const IGNORED: &str = "/key\n/state/\n";

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The directory to look at
    #[arg(default_value = ".")]
    directory: PathBuf,
}

pub(crate) fn run(arguments: &Arguments, common: &Common) -> anyhow::Result<Exit> {
    let directory = absolute(&arguments.directory)?;
    let folder = common
        .named_folder()
        .map_or_else(|| Ok(directory.join("config")), absolute)?;
    if folder.join("sopwith.toml").exists() {
        let message = format!(
            "`{}` is there already, and nothing is overwritten",
            folder.join("sopwith.toml").display()
        );
        return Err(Ended::new(Exit::Usage, message).into());
    }
    let found = survey(&directory, &folder);
    for note in &found.notes {
        anstream::eprintln!("note: {note}");
    }
    for name in ["procedures", "plugins", "backups", "schema"] {
        fs::create_dir_all(folder.join(name))
            .with_context(|| format!("`{}` cannot be made", folder.display()))?;
    }
    let mut wrote = Vec::new();
    let ignored = folder.join(".gitignore");
    if !ignored.exists() {
        write_new(&ignored, IGNORED)?;
        wrote.push(shown(&ignored));
    }
    for (path, text) in files(&found, &directory, &folder) {
        write_new(&folder.join(&path), &text)?;
        wrote.push(shown(&folder.join(&path)));
    }
    wrote.extend(make_key(&folder)?);
    if common.json {
        let (databases, services) = (&found.databases, &found.services);
        output::json(&json!({ "wrote": wrote, "databases": databases, "services": services }))?;
        return Ok(Exit::Passed);
    }
    for path in &wrote {
        anstream::println!("wrote {path}");
    }
    say(&found.databases.keys().cloned().collect::<Vec<_>>(), "database");
    say(&found.services.keys().cloned().collect::<Vec<_>>(), "service");
    anstream::println!("next: `sopwith check`");
    Ok(Exit::Passed)
}

/// Makes the key of the host; one that is there already stays.
fn make_key(folder: &Path) -> anyhow::Result<Option<String>> {
    let path = folder.join(sopwith_config::KEY_FILE);
    match KeyPlace::new(path.clone(), None).make(&SystemEntropy) {
        Ok(_) => Ok(Some(shown(&path))),
        Err(failure) if failure.kind == FailureKind::Conflict => {
            anstream::eprintln!("note: `{}` is there already, and stays", shown(&path));
            Ok(None)
        }
        Err(failure) => Err(Ended::from(failure).into()),
    }
}

fn absolute(path: impl AsRef<Path>) -> anyhow::Result<PathBuf> {
    let path = path.as_ref();
    std::path::absolute(path)
        .map(|path| path.components().collect())
        .with_context(|| format!("`{}` is no path", path.display()))
}

/// Writes a file that is not there yet.
fn write_new(path: &Path, text: &str) -> anyhow::Result<()> {
    let refused = || format!("`{}` cannot be written", path.display());
    let mut file = File::create_new(path).with_context(refused)?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .with_context(refused)
}

/// A path as the operator would write it.
fn shown(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(here).unwrap_or(path).display().to_string()
}

fn say(names: &[String], what: &str) {
    match names {
        [] => anstream::println!("found no {what}"),
        [name] => anstream::println!("found the {what} {name}"),
        names => anstream::println!("found the {what}s {}", names.join(", ")),
    }
}
