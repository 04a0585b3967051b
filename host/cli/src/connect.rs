//! Finds the host that a command speaks to: the one that holds the data directory's lock, over
//! its socket, or this very process where there is none.

use crate::exit::{Ended, Exit};
use crate::foundation::data_directory;
use crate::host::Host;
use crate::lock::{DataLock, Role};
use crate::reader::Reader;
use sopwith_core::port::operations::Operations;
use sopwith_server::{Client, socket_path};
use std::path::Path;
use std::time::Duration;

/// How often the lock and the socket are tried while another command is about to end.
const TRY_EVERY: Duration = Duration::from_millis(50);
/// How often they are tried at most: ten seconds.
const TRIES_MAX: u32 = 200;

/// The host that a command speaks to.
pub(crate) enum Connected {
    /// Another process.
    Remote(Client),
    /// This one, which runs something.
    Local(Box<Host>),
    /// This one, which only reads.
    Reading(Box<Reader>),
}

/// What a command wants of a host in its own process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Read,
    Run,
    Mend,
}

impl Connected {
    /// What can be asked of it.
    pub(crate) fn operations(&self) -> &dyn Operations {
        match self {
            Self::Remote(client) => client,
            Self::Local(host) => host.operations(),
            Self::Reading(reader) => reader.operations(),
        }
    }

    /// Whether it is another process, which goes on when this one ends.
    pub(crate) fn is_remote(&self) -> bool {
        matches!(self, Self::Remote(_))
    }

    /// Lets what runs in this process come to its end.
    pub(crate) async fn close(&self) {
        if let Self::Local(host) = self {
            host.close().await;
        }
    }
}

/// The host to ask something of.
pub(crate) async fn connect(folder: &Path) -> anyhow::Result<Connected> {
    find(folder, Purpose::Read).await
}

/// The host that is to run something.
pub(crate) async fn connect_to_run(folder: &Path) -> anyhow::Result<Connected> {
    find(folder, Purpose::Run).await
}

/// The host that is to change what is in force, also where the files are broken.
pub(crate) async fn connect_to_mend(folder: &Path) -> anyhow::Result<Connected> {
    find(folder, Purpose::Mend).await
}

async fn find(folder: &Path, purpose: Purpose) -> anyhow::Result<Connected> {
    let data_directory = data_directory(folder)?;
    for _ in 0..TRIES_MAX {
        let lock = take_lock(&data_directory);
        if let Ok(Some(lock)) = lock {
            return Ok(match purpose {
                Purpose::Read => Connected::Reading(Box::new(Reader::open(folder, lock).await?)),
                Purpose::Run => Connected::Local(Box::new(Host::open(folder, lock).await?)),
                Purpose::Mend => Connected::Local(Box::new(Host::open_to_mend(folder, lock).await?)),
            });
        }
        let client = Client::new(&socket_path(&data_directory)).map_err(Ended::from)?;
        if client.is_answered().await {
            return Ok(Connected::Remote(client));
        }
        // Whoever may not touch the lock may still be let in at the socket.
        lock?;
        tokio::time::sleep(TRY_EVERY).await;
    }
    let holder = DataLock::holder(&data_directory)
        .map_or_else(String::new, |holder| format!(" (process {})", holder.pid));
    let message = format!(
        "the host{holder} holds `{}` and does not answer",
        data_directory.display()
    );
    Err(Ended::new(Exit::Unreachable, message).into())
}

/// Takes the lock; where it is somebody else's, says who may read the record.
fn take_lock(data_directory: &Path) -> anyhow::Result<Option<DataLock>> {
    DataLock::take(data_directory, Role::Command).map_err(|error| {
        let denied = error.chain().any(|cause| {
            cause
                .downcast_ref::<std::io::Error>()
                .is_some_and(|error| error.kind() == std::io::ErrorKind::PermissionDenied)
        });
        if !denied {
            return error;
        }
        let hint = "run it as the user who owns the data directory: `sudo -u USER sopwith …`";
        Ended {
            exit: Exit::Unreachable,
            message: format!("{error:#}"),
            hint: Some(hint.to_owned()),
        }
        .into()
    })
}
