//! Looks whether the programs of commands are there, and who else could exchange them.
//!
//! These are warnings: what is missing today keeps no host from starting, and the runs that need it
//! fail and say why.

use crate::diagnostic::Diagnostic;
use crate::document::{Document, Location, at};
use crate::path::{as_written, real, shell_word};
use sopwith_core::command::Command;
use sopwith_core::resource::Resources;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// Where the programs of a system are, for a hint.
const USUAL: [&str; 6] = [
    "/usr/local/bin",
    "/usr/bin",
    "/bin",
    "/usr/local/sbin",
    "/usr/sbin",
    "/sbin",
];
const EXECUTABLE: u32 = 0o111;
const WRITABLE_BY_OTHERS: u32 = 0o002;
/// In such a directory everybody changes their own files alone.
const STICKY: u32 = 0o1000;

/// Warns of programs and working directories that are not there, or not what they should be.
pub(super) fn check(resources: &Resources, document: &Document, diagnostics: &mut Vec<Diagnostic>) {
    for (name, command) in &resources.commands {
        let program = at(["commands", name.as_str(), "program"]);
        let mut warn = |place: &Location, problem: Option<Problem>, subject: &str| {
            let warning = problem.map(|problem| {
                // What comes from the environment is in no message.
                let hint = Some(problem.hint).filter(|_| !document.written(place).contains("{{"));
                let message = format!("the {subject} of the command `{name}` {}", problem.what);
                document.warning(place, message).hint_if(hint)
            });
            diagnostics.extend(warning);
        };
        let problem = program_problem(command, document.written(&program));
        warn(&program, problem, "program");
        if let Some(directory) = &command.directory {
            let place = at(["commands", name.as_str(), "directory"]);
            warn(&place, directory_problem(directory), "working directory");
        }
    }
}

struct Problem {
    what: String,
    hint: String,
}

impl Problem {
    fn new(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            hint: hint.into(),
        }
    }
}

fn program_problem(command: &Command, written: &str) -> Option<Problem> {
    let path = &command.program;
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) => return Some(missing(&error, path, written)),
    };
    let word = shell_word(&as_written(path));
    if !metadata.is_file() {
        Some(Problem::new("is no file", "name the file of the program"))
    } else if metadata.permissions().mode() & EXECUTABLE == 0 {
        Some(Problem::new("cannot be executed", format!("chmod +x {word}")))
    } else {
        writable_by_others(path)
    }
}

fn missing(error: &io::Error, path: &Path, written: &str) -> Problem {
    let what = match error.kind() {
        io::ErrorKind::NotFound => "does not exist".to_owned(),
        _ => format!("cannot be looked at: {error}"),
    };
    let mut usual = USUAL.iter().map(|directory| Path::new(directory).join(written));
    let found = usual.find(|path| !written.contains('/') && path.is_file());
    let hint = match found {
        Some(path) => format!("it is looked for nowhere else:  program = \"{}\"", path.display()),
        None => format!("it is looked for at  {}", as_written(path).display()),
    };
    Problem::new(what, hint)
}

fn directory_problem(path: &Path) -> Option<Problem> {
    match fs::metadata(path) {
        Err(error) => Some(missing(&error, path, "/")),
        Ok(metadata) if !metadata.is_dir() => Some(Problem::new(
            "is no directory",
            "name the directory that it works in",
        )),
        Ok(_) => writable_by_others(path),
    }
}

/// Whoever can write a file, or a directory on the way to it, can put another in its place.
fn writable_by_others(path: &Path) -> Option<Problem> {
    let path = real(path);
    let mode = |path: &Path| fs::metadata(path).map_or(0, |metadata| metadata.permissions().mode());
    let writable = path.ancestors().find(|ancestor| {
        let is_kept = *ancestor != path && mode(ancestor) & STICKY != 0;
        mode(ancestor) & WRITABLE_BY_OTHERS != 0 && !is_kept
    })?;
    let hint = if mode(writable) & STICKY == 0 {
        format!("chmod o-w {}", shell_word(&as_written(writable)))
    } else {
        "name another one, which only its owner can change".to_owned()
    };
    Some(Problem::new(
        "can be exchanged by every user of this machine",
        hint,
    ))
}
