//! The socket in the data directory.

use crate::answer::masked;
use crate::peer::Peer;
use crate::routes::routes;
use crate::{ActAs, MaskJson};
use axum::middleware::map_response_with_state;
use rustix::fs::{Mode, chmod};
use std::io;
use std::path::{Path, PathBuf};
use tokio::net::UnixListener;
use tokio_util::sync::CancellationToken;

/// Where the socket of a data directory is.
pub fn socket_path(data_directory: &Path) -> PathBuf {
    data_directory.join("sopwith.sock")
}

/// Why there is no socket.
#[derive(Debug, thiserror::Error)]
#[error("the socket `{}` cannot be made: {error}", .path.display())]
pub struct SocketProblem {
    path: PathBuf,
    error: io::Error,
}

/// A socket on which nobody is answered yet.
pub struct Socket {
    listener: UnixListener,
    path: PathBuf,
}

impl Socket {
    /// Makes the socket anew. Only who holds the lock of the data directory may do so: a socket
    /// that is there already is then what a host left that was killed.
    pub fn bind(data_directory: &Path) -> Result<Self, SocketProblem> {
        let path = socket_path(data_directory);
        let problem = |error| SocketProblem {
            path: path.clone(),
            error,
        };
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(problem(error)),
            _ => {}
        }
        let listener = UnixListener::bind(&path).map_err(problem)?;
        chmod(&path, Mode::from_raw_mode(0o660)).map_err(|error| problem(error.into()))?;
        Ok(Self { listener, path })
    }

    /// Answers, with `mask` over every answer, until told to stop; then lets the questions that are open be answered.
    pub async fn serve(self, act_as: ActAs, mask: MaskJson, stop: CancellationToken) -> io::Result<()> {
        let routes = routes(act_as).layer(map_response_with_state(mask, masked));
        let service = routes.into_make_service_with_connect_info::<Peer>();
        let served = axum::serve(self.listener, service)
            .with_graceful_shutdown(stop.cancelled_owned())
            .await;
        // The next host would remove it as well.
        let _ = std::fs::remove_file(&self.path);
        served
    }
}
