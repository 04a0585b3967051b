//! The standard output of a command.

use super::{Halt, Outlet, Produce, Produced};
use crate::commands::{Ready, SourceCommand};
use crate::flow::pipeline::CHUNK_BYTES;

/// A command that may be run.
pub(in crate::flow) struct CommandSource(pub(in crate::flow) Ready);

impl Produce for CommandSource {
    fn size(&self) -> Option<u64> {
        None
    }

    fn run(self: Box<Self>, outlet: &mut Outlet) -> Result<Produced, Halt> {
        let mut command = SourceCommand::start(self.0, outlet.watch())?;
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            match command.read(&mut chunk)? {
                0 => break,
                read => outlet.put(&chunk[..read])?,
            }
        }
        // Only now it is certain that what it printed was all.
        Ok(Produced {
            warnings: command.conclude()?,
            ..Produced::default()
        })
    }
}
