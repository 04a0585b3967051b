//! The standard input of a command.

use super::Consume;
use crate::commands::{Ready, SinkCommand};
use crate::stop::Watch;
use sopwith_core::port::capabilities::Answer;
use std::sync::Arc;

/// A command that may be run.
pub(in crate::flow) struct CommandGoal(pub(in crate::flow) Ready);

impl CommandGoal {
    pub(super) fn open(self, watch: &Arc<Watch>) -> Answer<CommandSink> {
        SinkCommand::start(self.0, watch).map(CommandSink)
    }
}

/// A command that is being written to. Dropped, it is ended before its input is.
pub(super) struct CommandSink(SinkCommand);

impl Consume for CommandSink {
    fn write(&mut self, chunk: &[u8]) -> Answer<()> {
        self.0.write(chunk)
    }

    fn finish(self: Box<Self>, _: &Arc<Watch>) -> Answer<Vec<String>> {
        self.0.conclude()
    }
}
