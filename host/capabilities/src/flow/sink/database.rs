//! A whole SQLite database in the place of another.

use super::Consume;
use crate::databases::DatabaseFile;
use crate::flow::{room, users};
use crate::partial::{self, MODE_NEW, Partial};
use crate::place::Spot;
use crate::scratch::{BESIDE, with_suffix};
use crate::sql::{Aside, is_ending, is_session};
use crate::stop::Watch;
use crate::trouble::file_failure;
use rustix::fs::Stat;
use sopwith_core::failure::{Blame, Failure, FailureKind};
use sopwith_core::port::capabilities::{Answer, IfExists};
use sopwith_core::run::RunId;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How long a session that was closed may take to let go of its database: naps of this length,
/// and so many of them.
const NAP: Duration = Duration::from_millis(5);
const NAPS_MAX: u32 = 400;

/// The database that is to be replaced.
pub(in crate::flow) struct DatabaseGoal {
    pub(in crate::flow) file: DatabaseFile,
    pub(in crate::flow) run: RunId,
    pub(in crate::flow) aside: Aside,
}

impl DatabaseGoal {
    fn failure(&self, error: &io::Error) -> Failure {
        file_failure(error, &format!("write the database `{}`", self.file.name))
            .with("resource", self.file.resource())
    }

    /// The file itself where the operator named a link to it.
    fn path(&self) -> Answer<PathBuf> {
        match fs::canonicalize(&self.file.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(self.file.path.clone()),
            path => path.map_err(|error| self.failure(&error)),
        }
    }

    /// Fails when somebody has the database open, or there is no room.
    pub(super) fn check(&self, bytes: Option<u64>) -> Answer<()> {
        let path = self.path()?;
        let spot = Spot::of_file(&path).map_err(|error| self.failure(&error))?;
        if let Some(max) = self.file.bytes_max
            && bytes.is_some_and(|bytes| bytes > max)
        {
            return Err(too_large(max));
        }
        self.check_unused(&path)?;
        room::check(&spot.parent, bytes, &self.file.resource())
    }

    pub(super) fn open(self) -> Answer<DatabaseSink> {
        let path = self.path()?;
        let opened = Spot::of_file(&path).and_then(|spot| {
            partial::sweep(&spot.parent, &self.file.resource());
            Ok((spot.stat_if_there()?, Partial::create(&spot, self.run)?))
        });
        let (old, partial) = opened.map_err(|error| self.failure(&error))?;
        Ok(DatabaseSink {
            goal: self,
            path,
            old,
            partial,
            bytes: 0,
        })
    }

    /// Fails unless the bytes that arrived are a database.
    fn check_arrived(&self, path: PathBuf, watch: &Arc<Watch>) -> Answer<()> {
        let is_empty = fs::metadata(&path).is_ok_and(|metadata| metadata.len() == 0);
        let arrived = DatabaseFile {
            path,
            ..self.file.clone()
        };
        let checked = self.aside.check(&arrived, watch);
        for suffix in BESIDE {
            let _ = remove_if_there(&with_suffix(&arrived.path, suffix));
        }
        match checked {
            Ok(()) if !is_empty => Ok(()),
            Err(failure) if !is_about_content(&failure) => Err(failure),
            _ => {
                let message = "the bytes that arrived are not an SQLite database";
                Err(Failure::new(FailureKind::Invalid, Blame::Operator, message))
            }
        }
    }

    /// Makes the old database whole without its log, in case that the host dies before the new one
    /// is in its place.
    fn settle(&self, path: &Path, watch: &Arc<Watch>) -> Answer<()> {
        let old = DatabaseFile {
            path: path.to_owned(),
            ..self.file.clone()
        };
        let settled = self.aside.settle(&old, watch);
        settled.map_err(|failure| match failure.kind {
            FailureKind::Unavailable => in_use(&self.file, "another connection has it locked"),
            _ => failure,
        })
    }

    /// Looks for a process that has the database open, and returns how many could not be looked
    /// at. SQLite's lock alone is not enough: an idle connection holds none.
    fn check_unused(&self, path: &Path) -> Answer<usize> {
        let paths: Vec<_> = [""]
            .into_iter()
            .chain(BESIDE)
            .map(|suffix| with_suffix(path, suffix))
            .collect();
        for _ in 0..NAPS_MAX {
            let users = users::of(&paths).map_err(|error| {
                Failure::host(format!(
                    "cannot look for processes that have a database open: {error}"
                ))
            })?;
            if users.found.is_empty() {
                return Ok(users.hidden);
            }
            let user = users.found.iter().find(|user| !is_ending(user.process));
            if let Some(user) = user {
                let who = if user.process == std::process::id() || is_session(user.process) {
                    "this host".to_owned()
                } else {
                    format!("process {} (`{}`)", user.process, user.name)
                };
                return Err(in_use(&self.file, &format!("{who} has it open")));
            }
            std::thread::sleep(NAP);
        }
        Err(in_use(
            &self.file,
            "a session of this host does not come to its end",
        ))
    }
}

/// A database that is being written beside the one that it replaces.
pub(super) struct DatabaseSink {
    goal: DatabaseGoal,
    path: PathBuf,
    old: Option<Stat>,
    partial: Partial,
    bytes: u64,
}

impl Consume for DatabaseSink {
    fn write(&mut self, chunk: &[u8]) -> Answer<()> {
        self.bytes += chunk.len() as u64;
        if let Some(max) = self.goal.file.bytes_max
            && self.bytes > max
        {
            return Err(too_large(max));
        }
        self.partial
            .file()
            .write_all(chunk)
            .map_err(|error| match error.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                    room::full(&self.goal.file.resource(), self.bytes, "it came to its end there")
                }
                _ => self.goal.failure(&error),
            })
    }

    fn finish(self: Box<Self>, watch: &Arc<Watch>) -> Answer<Vec<String>> {
        let Self {
            goal,
            path,
            old,
            partial,
            ..
        } = *self;
        goal.check_arrived(path.with_file_name(partial.name()), watch)?;
        let dressed = match &old {
            Some(old) => partial.resemble(old),
            None => partial.set_mode(MODE_NEW),
        };
        dressed.map_err(|error| goal.failure(&error))?;
        if old.is_some() {
            goal.settle(&path, watch)?;
        }
        let hidden = goal.check_unused(&path)?;
        watch.check()?;
        // Only now: a log beside a database that it does not belong to would damage it, and the
        // old database has been settled, so that it needs none.
        for suffix in BESIDE {
            remove_if_there(&with_suffix(&path, suffix)).map_err(|error| goal.failure(&error))?;
        }
        partial
            .finish(IfExists::Replace, watch)?
            .map_err(|error| goal.failure(&error))?;
        let warning =
            format!("{hidden} processes of other users could not be looked at; they may have had it open");
        Ok((hidden > 0).then_some(warning).into_iter().collect())
    }
}

/// Whether a failure says what a file is, and not that nobody could look.
fn is_about_content(failure: &Failure) -> bool {
    failure.blame != Blame::Host && matches!(failure.kind, FailureKind::Invalid | FailureKind::Failed)
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn in_use(file: &DatabaseFile, why: &str) -> Failure {
    let message = format!("the database `{}` cannot be replaced: {why}", file.name);
    Failure::new(FailureKind::Conflict, Blame::Operator, message)
        .hint("stop whatever uses it, and start it again afterwards")
        .with("resource", file.resource())
        .retryable()
}

fn too_large(max: u64) -> Failure {
    Failure::limit(
        "scratch",
        format!("scratch databases may have {max} bytes more, and this one would have more than that"),
    )
}
