//! Where bytes come from.

mod command;
mod database;
mod file;
mod header;
mod tree;

pub(super) use command::CommandSource;

use super::pipeline::{Halt, Outlet};
use crate::commands::{HostCommands, Permitted};
use crate::databases::Databases;
use crate::files::filter::Filter;
use crate::place::{Directories, RelativePath};
use crate::sql::Aside;
use crate::trouble::file_failure;
use sopwith_core::grant::Access;
use sopwith_core::port::capabilities::{Answer, Pairs, Source};

/// The function of the contract for a command.
pub(super) const FROM_COMMAND: &str = "flow.from-command";

/// What a source tells besides its bytes.
#[derive(Default)]
pub(super) struct Produced {
    pub(super) warnings: Vec<String>,
    pub(super) extra: Pairs,
}

/// Where bytes come from.
pub(super) trait Produce: Send {
    /// The number of its bytes, as far as that is known before.
    fn size(&self) -> Option<u64>;
    /// Puts all bytes into the outlet.
    fn run(self: Box<Self>, outlet: &mut Outlet) -> Result<Produced, Halt>;
}

/// A source that may be used.
pub(super) enum Opened {
    /// What is there already.
    Ready(Box<dyn Produce>),
    /// What has to be begun first, on record.
    Command(Box<Permitted>),
}

/// Opens a source, if it is granted.
pub(super) fn open(
    source: Source,
    directories: &Directories,
    databases: &Databases,
    commands: &HostCommands,
) -> Answer<Opened> {
    let ready: Box<dyn Produce> = match source {
        Source::Command { command, arguments } => {
            let permitted = commands.permit(&command, &arguments, FROM_COMMAND)?;
            return Ok(Opened::Command(Box::new(permitted)));
        }
        Source::Bytes(content) => Box::new(file::Content(content)),
        Source::File { directory, path } => {
            let place = directories.open(&directory, Access::Read, "flow.from-file")?;
            let path = RelativePath::parse_inner(&path)?;
            directories.check_real(&directory, &path)?;
            let opened = file::FileSource::open(&place, &path);
            Box::new(opened.map_err(|error| file_failure(&error, &place.doing("read", &path)))?)
        }
        Source::Tree {
            directory,
            path,
            include,
            exclude,
        } => {
            let place = directories.open(&directory, Access::Read, "flow.from-tree")?;
            let path = RelativePath::parse(&path)?;
            let filter = Filter::parse(&include, &exclude)?;
            Box::new(tree::TreeSource::open(
                place,
                path,
                filter,
                directories.walks.admit()?,
            )?)
        }
        Source::Database(name) => {
            let file = databases.find(&name, Access::Read, "flow.from-database")?;
            Box::new(database::DatabaseSource::open(file, Aside::new(databases))?)
        }
    };
    Ok(Opened::Ready(ready))
}
