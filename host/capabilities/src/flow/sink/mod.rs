//! Where bytes go to; what appears there appears whole or not at all.

mod command;
mod database;
mod file;

pub(super) use command::CommandGoal;
pub(super) use database::DatabaseGoal;
pub(super) use file::FileGoal;

use crate::stop::Watch;
use sopwith_core::port::capabilities::Answer;
use std::sync::Arc;

/// Where bytes are to go.
pub(super) enum Goal {
    File(FileGoal),
    Database(DatabaseGoal),
    Command(CommandGoal),
    Nothing,
}

impl Goal {
    /// Looks whether it can take so many bytes, and gets ready; a dry run only looks.
    pub(super) fn open(self, bytes: Option<u64>, dry: bool, watch: &Arc<Watch>) -> Answer<Box<dyn Consume>> {
        Ok(match self {
            Self::Nothing => Box::new(Nothing),
            Self::Command(goal) => Box::new(goal.open(watch)?),
            Self::File(goal) => {
                goal.check(bytes)?;
                if dry {
                    Box::new(Nothing)
                } else {
                    Box::new(goal.open()?)
                }
            }
            Self::Database(goal) => {
                goal.check(bytes)?;
                if dry {
                    Box::new(Nothing)
                } else {
                    Box::new(goal.open()?)
                }
            }
        })
    }
}

/// Takes bytes. Dropped before it has finished, it leaves nothing behind.
pub(super) trait Consume: Send {
    fn write(&mut self, chunk: &[u8]) -> Answer<()>;
    /// Makes what was written appear, durably, unless the attempt has ended, and says what a person
    /// should know of it.
    fn finish(self: Box<Self>, watch: &Arc<Watch>) -> Answer<Vec<String>>;
}

struct Nothing;

impl Consume for Nothing {
    fn write(&mut self, _: &[u8]) -> Answer<()> {
        Ok(())
    }

    fn finish(self: Box<Self>, _: &Arc<Watch>) -> Answer<Vec<String>> {
        Ok(Vec::new())
    }
}
