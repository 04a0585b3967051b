//! A file in a granted directory as a sink.

use super::Consume;
use crate::flow::room;
use crate::partial::{self, MODE_NEW, Partial};
use crate::place::{Place, RelativePath, Spot};
use crate::stop::Watch;
use crate::trouble::file_failure;
use rustix::fs::{FileType, Stat};
use sopwith_core::failure::{Blame, Failure, FailureKind};
use sopwith_core::port::capabilities::{Answer, IfExists};
use sopwith_core::run::RunId;
use std::io::{self, Write as _};
use std::sync::Arc;

/// Where a file is to be.
pub(in crate::flow) struct FileGoal {
    pub(in crate::flow) place: Place,
    pub(in crate::flow) path: RelativePath,
    pub(in crate::flow) if_exists: IfExists,
    pub(in crate::flow) mode: Option<u32>,
    pub(in crate::flow) run: RunId,
}

impl FileGoal {
    fn failure(&self, error: &io::Error) -> Failure {
        file_failure(error, &self.place.doing("write", &self.path))
    }

    fn resource(&self) -> String {
        format!("directories.{}", self.place.name)
    }

    /// Fails when the name is taken or the disk has no room.
    pub(super) fn check(&self, bytes: Option<u64>) -> Answer<()> {
        let (spot, old) = self.look()?;
        if let Some(old) = old {
            if FileType::from_raw_mode(old.st_mode) == FileType::Directory {
                return Err(self.failure(&io::ErrorKind::IsADirectory.into()));
            }
            if self.if_exists == IfExists::Fail {
                let message = format!("`{}` exists in {}", self.path, self.resource());
                return Err(Failure::new(FailureKind::Conflict, Blame::Plugin, message));
            }
        }
        room::check(&spot.parent, bytes, &self.resource())
    }

    fn look(&self) -> Answer<(Spot, Option<Stat>)> {
        let looked = self.place.spot(&self.path).and_then(|spot| {
            let stat = spot.stat_if_there()?;
            Ok((spot, stat))
        });
        looked.map_err(|error| self.failure(&error))
    }

    pub(super) fn open(self) -> Answer<FileSink> {
        let (spot, old) = self.look()?;
        partial::sweep(&spot.parent, &self.resource());
        let partial = Partial::create(&spot, self.run).map_err(|error| self.failure(&error))?;
        Ok(FileSink {
            goal: self,
            old: old.filter(|old| FileType::from_raw_mode(old.st_mode) == FileType::RegularFile),
            partial,
            bytes: 0,
        })
    }
}

/// A file that is being written.
pub(super) struct FileSink {
    goal: FileGoal,
    old: Option<Stat>,
    partial: Partial,
    bytes: u64,
}

impl FileSink {
    fn dress(&self) -> io::Result<()> {
        match &self.old {
            Some(old) => self.partial.resemble(old)?,
            None => self.partial.set_mode(MODE_NEW)?,
        }
        self.goal.mode.map_or(Ok(()), |mode| self.partial.set_mode(mode))
    }
}

impl Consume for FileSink {
    fn write(&mut self, chunk: &[u8]) -> Answer<()> {
        self.bytes += chunk.len() as u64;
        let written = self.partial.file().write_all(chunk);
        written.map_err(|error| write_failure(&error, &self.goal, self.bytes))
    }

    fn finish(self: Box<Self>, watch: &Arc<Watch>) -> Answer<Vec<String>> {
        let dressed = self.dress();
        let Self {
            goal, partial, bytes, ..
        } = *self;
        let finished = match dressed {
            Ok(()) => partial.finish(goal.if_exists, watch)?,
            Err(error) => Err(error),
        };
        finished
            .map(|()| Vec::new())
            .map_err(|error| write_failure(&error, &goal, bytes))
    }
}

fn write_failure(error: &io::Error, goal: &FileGoal, bytes: u64) -> Failure {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            let why = format!("`{}` came to its end there", goal.path);
            room::full(&goal.resource(), bytes, &why)
        }
        _ => goal.failure(error),
    }
}
