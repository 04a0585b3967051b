//! Reads the record where no host runs; nothing is changed by that.

use crate::foundation::{Foundation, data_directory, desk, myself, refuse};
use crate::lock::DataLock;
use sopwith_config::{Shelf, last_good};
use sopwith_core::generation::Generation;
use sopwith_core::port::operations::{Operations, ReloadStatus};
use sopwith_engine::Desk;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::watch;

/// Reads the record of a data directory of which it holds the lock.
pub(crate) struct Reader {
    desk: Desk,
    _lock: DataLock,
}

impl Reader {
    /// Reads beside the files of a folder, or beside the last good ones where they are broken.
    pub(crate) async fn open(folder: &Path, lock: DataLock) -> anyhow::Result<Self> {
        let data_directory = data_directory(folder)?;
        let foundation = Foundation::to_read(&data_directory)?;
        let (generation, status) = look(folder, &data_directory, &foundation).await?;
        let shelf = Arc::new(Shelf::new(&data_directory, Arc::clone(&foundation.loader)));
        let engine = foundation.engine(&data_directory, shelf, watch::Sender::new(generation).subscribe())?;
        let desk = desk(engine, myself(), watch::Sender::new(status).subscribe());
        Ok(Self { desk, _lock: lock })
    }

    /// What can be asked of it.
    pub(crate) fn operations(&self) -> &dyn Operations {
        &self.desk
    }
}

async fn look(
    folder: &Path,
    data_directory: &Path,
    foundation: &Foundation,
) -> anyhow::Result<(Arc<Generation>, ReloadStatus)> {
    let loaded = last_good::look(folder, data_directory, foundation.workshop()).await;
    let accepted = loaded.generation.is_some();
    let generation = match loaded.generation {
        Some(generation) => Some(generation),
        None => last_good::load(data_directory, foundation.workshop())
            .await?
            .and_then(|kept| kept.generation),
    };
    let status = ReloadStatus {
        at: foundation.clock.now(),
        accepted,
        kept: !accepted,
        diagnostics: loaded.diagnostics.iter().map(ToString::to_string).collect(),
        rolled_back: loaded.inputs.rolled_back().clone(),
    };
    match generation {
        Some(generation) => Ok((generation, status)),
        None => Err(refuse(&loaded.diagnostics)),
    }
}
