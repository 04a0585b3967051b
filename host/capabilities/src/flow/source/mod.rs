//! Where bytes come from.

mod database;
mod file;
mod header;
mod tree;

use super::pipeline::{Halt, Outlet};
use crate::databases::Databases;
use crate::files::filter::Filter;
use crate::place::{Directories, RelativePath};
use crate::trouble::file_failure;
use sopwith_core::grant::Access;
use sopwith_core::port::capabilities::{Answer, Pairs, Source};

/// What a source tells besides its bytes.
#[derive(Default)]
pub(super) struct Produced {
    pub(super) warnings: Vec<String>,
    pub(super) extra: Pairs,
}

/// A source that may be used.
pub(super) trait Produce: Send {
    /// The number of its bytes, as far as that is known before.
    fn size(&self) -> Option<u64>;
    /// Puts all bytes into the outlet.
    fn run(self: Box<Self>, outlet: &mut Outlet) -> Result<Produced, Halt>;
}

/// Opens a source, if it is granted.
pub(super) fn open(
    source: Source,
    directories: &Directories,
    databases: &Databases,
) -> Answer<Box<dyn Produce>> {
    Ok(match source {
        Source::Bytes(content) => Box::new(file::Content(content)),
        Source::File { directory, path } => {
            let place = directories.open(&directory, Access::Read)?;
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
            let place = directories.open(&directory, Access::Read)?;
            let path = RelativePath::parse(&path)?;
            let filter = Filter::parse(&include, &exclude)?;
            Box::new(tree::TreeSource::open(place, path, filter)?)
        }
        Source::Database(name) => {
            let file = databases.find(&name, Access::Read)?;
            Box::new(database::DatabaseSource::open(file)?)
        }
    })
}
