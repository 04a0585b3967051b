//! A server on loopback that says what a test tells it to, whatever HTTP makes of that.

use std::net::SocketAddr;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::AbortOnDropHandle;

/// What comes after the first words.
#[derive(Debug, Clone, Copy)]
pub(super) enum Then {
    /// The end.
    Ends,
    /// Nothing, and no end.
    Stalls,
    /// These words, again and again.
    GoesOn(&'static str),
}

/// A server that says the same to everybody, once they have said something.
pub(super) struct Raw {
    pub(super) address: SocketAddr,
    _serving: AbortOnDropHandle<()>,
}

impl Raw {
    pub(super) async fn new(says: &'static str, then: Then) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, says, then));
            }
        });
        Self {
            address,
            _serving: AbortOnDropHandle::new(serving),
        }
    }
}

async fn serve(mut stream: TcpStream, says: &'static str, then: Then) {
    let mut asked = [0; 1024];
    if !stream.read(&mut asked).await.is_ok_and(|bytes| bytes > 0) {
        return;
    }
    let mut said = stream.write_all(says.as_bytes()).await;
    match then {
        Then::Ends => {}
        Then::Stalls => std::future::pending().await,
        Then::GoesOn(again) => {
            while said.is_ok() {
                said = stream.write_all(again.as_bytes()).await;
            }
        }
    }
}
