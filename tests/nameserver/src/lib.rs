//! A name server for tests: real DNS over UDP and TCP on loopback, with the answers that a test wrote.

mod zone;

use hickory_proto::op::Message;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::task::JoinSet;
use zone::Zone;

/// What fits into a datagram; a longer answer is cut off there and asked for again over TCP.
const DATAGRAM_BYTES_MAX: usize = 512;
/// How often a port is looked for that is free for UDP and TCP alike.
const PORTS_TRIED_MAX: usize = 100;

/// A name server that is serving; it ends when it is dropped.
pub struct NameServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    _serving: JoinSet<()>,
}

struct Shared {
    zone: Mutex<Zone>,
    asked: Mutex<Vec<String>>,
}

impl NameServer {
    /// Serves these names, each with what is said of it, on the runtime that this is called in.
    ///
    /// That is a list of addresses of both families (`127.0.0.1 ::1`), perhaps none; several such
    /// lists, where the first lookup gets the first one and the last stays (`9.9.9.9 | 127.0.0.1`);
    /// another name (`-> other.test`); or `silence`, and no answer ever comes.
    pub fn start<N: Into<String>, S: AsRef<str>>(
        names: impl IntoIterator<Item = (N, S)>,
    ) -> io::Result<Self> {
        let (datagrams, connections) = bind()?;
        let address = connections.local_addr()?;
        let shared = Arc::new(Shared {
            zone: Mutex::new(Zone::new(names)),
            asked: Mutex::default(),
        });
        let mut serving = JoinSet::new();
        serving.spawn(serve_datagrams(datagrams, Arc::clone(&shared)));
        serving.spawn(serve_connections(connections, Arc::clone(&shared)));
        Ok(Self {
            address,
            shared,
            _serving: serving,
        })
    }

    /// Where it serves, over UDP and TCP.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it was asked so far, in order: `UDP A clinic.test.`
    pub fn asked(&self) -> Vec<String> {
        let asked = self.shared.asked.lock();
        asked.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Shared {
    /// The answer to a message; none where nothing is to be said.
    fn answer(&self, transport: &str, message: &[u8]) -> Option<Message> {
        let question = Message::from_vec(message).ok()?;
        let query = question.queries.first()?;
        let noted = format!("{transport} {} {}", query.query_type(), query.name());
        self.asked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(noted);
        let mut zone = self.zone.lock().unwrap_or_else(PoisonError::into_inner);
        zone.answer(&question, query)
    }
}

fn bind() -> io::Result<(UdpSocket, TcpListener)> {
    let mut refused = None;
    for _ in 0..PORTS_TRIED_MAX {
        let datagrams = std::net::UdpSocket::bind("127.0.0.1:0")?;
        match std::net::TcpListener::bind(datagrams.local_addr()?) {
            Ok(connections) => {
                datagrams.set_nonblocking(true)?;
                connections.set_nonblocking(true)?;
                return Ok((
                    UdpSocket::from_std(datagrams)?,
                    TcpListener::from_std(connections)?,
                ));
            }
            Err(error) => refused = Some(error),
        }
    }
    Err(refused.unwrap_or_else(|| io::Error::other("no port was tried")))
}

async fn serve_datagrams(socket: UdpSocket, shared: Arc<Shared>) {
    let mut buffer = vec![0; 4096];
    while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
        let Some(answer) = shared.answer("UDP", &buffer[..length]) else {
            continue;
        };
        let whole = answer.to_vec().unwrap_or_default();
        let sent = if whole.len() > DATAGRAM_BYTES_MAX {
            answer.truncate().to_vec().unwrap_or_default()
        } else {
            whole
        };
        // Who asked may be gone by now.
        let _ = socket.send_to(&sent, from).await;
    }
}

async fn serve_connections(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            // Who asked may be gone by now.
            let _ = serve_connection(stream, &shared).await;
        });
    }
}

async fn serve_connection(mut stream: TcpStream, shared: &Shared) -> io::Result<()> {
    loop {
        let mut message = vec![0; usize::from(stream.read_u16().await?)];
        stream.read_exact(&mut message).await?;
        let Some(answer) = shared.answer("TCP", &message) else {
            continue;
        };
        let bytes = answer.to_vec().map_err(io::Error::other)?;
        let length = u16::try_from(bytes.len()).map_err(io::Error::other)?;
        stream.write_u16(length).await?;
        stream.write_all(&bytes).await?;
    }
}
