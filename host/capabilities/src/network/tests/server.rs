//! A service on loopback that answers as its path says.

use super::world::World;
use crate::network::connect::Stream;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use http::{Request, Response};
use http_body::Frame;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::HandshakeKind;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio_rustls::TlsAcceptor;

type Answer = Response<UnsyncBoxBody<Bytes, Infallible>>;

/// A request as the service saw it.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) line: String,
    pub(super) headers: http::HeaderMap,
    pub(super) body: Bytes,
}

/// A service on loopback.
pub(super) struct Service {
    pub(super) address: SocketAddr,
    scheme: &'static str,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    seen: Mutex<Vec<Seen>>,
    peers: watch::Sender<Vec<SocketAddr>>,
    handshakes: Mutex<Vec<(Option<String>, Option<HandshakeKind>)>>,
    stalled: Notify,
}

impl Service {
    /// A service without TLS.
    pub(super) async fn plain() -> Self {
        Self::start("127.0.0.1:0", "http", None).await
    }

    /// A service with TLS at this address.
    pub(super) async fn secure(address: &str, config: rustls::ServerConfig) -> Self {
        Self::start(address, "https", Some(TlsAcceptor::from(Arc::new(config)))).await
    }

    async fn start(address: &str, scheme: &'static str, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        tokio::spawn(accept(listener, tls, Arc::clone(&shared)));
        Self {
            address,
            scheme,
            shared,
        }
    }

    /// A world in which this service is granted by its address.
    pub(super) fn world(&self) -> World {
        World::granting([self.url("")])
    }

    /// The URL of a path, by address.
    pub(super) fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.address)
    }

    /// The URL of a path, by a name.
    pub(super) fn url_at(&self, host: &str, path: &str) -> String {
        format!("{}://{host}:{}{path}", self.scheme, self.address.port())
    }

    /// The requests so far.
    pub(super) fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().unwrap().clone()
    }

    /// For whom TLS was agreed on so far, and how.
    pub(super) fn handshakes(&self) -> Vec<(Option<String>, Option<HandshakeKind>)> {
        self.shared.handshakes.lock().unwrap().clone()
    }

    /// Waits for a connection from this address; how many came before it and were not told of yet.
    pub(super) async fn connections_until(&self, last: SocketAddr) -> usize {
        let mut peers = self.shared.peers.subscribe();
        peers.wait_for(|peers| peers.contains(&last)).await.unwrap();
        self.shared.peers.send_replace(Vec::new()).len() - 1
    }

    /// Comes back when an answer has come to a stop.
    pub(super) async fn stalled(&self) {
        self.shared.stalled.notified().await;
    }
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    loop {
        let (stream, peer) = listener.accept().await.unwrap();
        shared.peers.send_modify(|peers| peers.push(peer));
        tokio::spawn(serve(stream, tls.clone(), Arc::clone(&shared)));
    }
}

async fn serve(stream: TcpStream, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    let stream: Box<dyn Stream> = match tls {
        None => Box::new(stream),
        Some(tls) => match tls.accept(stream).await {
            Ok(stream) => {
                let agreed = stream.get_ref().1;
                let handshake = (agreed.server_name().map(str::to_owned), agreed.handshake_kind());
                shared.handshakes.lock().unwrap().push(handshake);
                Box::new(stream)
            }
            Err(_) => return,
        },
    };
    let service = service_fn(|request| answer(request, Arc::clone(&shared)));
    // A client that goes away in the middle is what some tests are about.
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn answer(request: Request<Incoming>, shared: Arc<Shared>) -> Result<Answer, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes);
    let seen = Seen {
        line: format!("{} {}", head.method, head.uri),
        headers: head.headers,
        body: body.unwrap_or_default(),
    };
    shared.seen.lock().unwrap().push(seen.clone());
    let query = head.uri.query().unwrap_or_default().to_owned();
    Ok(match head.uri.path() {
        "/redirect" => redirect(&query),
        "/loop" => redirect("302&/loop"),
        "/large" => whole(vec![b'x'; query.parse().unwrap()]),
        "/chunked" => chunked(query.parse().unwrap()),
        "/slow-head" => {
            shared.stalled.notify_one();
            std::future::pending().await
        }
        "/slow-body" => slow_body(shared),
        "/echo" => echo(&seen, query.parse().unwrap_or(usize::MAX)),
        "/zipped" => Response::builder()
            .header("content-encoding", "gzip")
            .body(whole(b"hello".to_vec()).into_body())
            .unwrap(),
        "/large-head" => Response::builder()
            .header("x-large", "x".repeat(100 << 10))
            .body(whole(Vec::new()).into_body())
            .unwrap(),
        _ => whole(b"hello".to_vec()),
    })
}

/// `STATUS&URL`
fn redirect(query: &str) -> Answer {
    let (status, location) = query.split_once('&').unwrap();
    Response::builder()
        .status(status)
        .header("location", location)
        .body(whole(Vec::new()).into_body())
        .unwrap()
}

fn whole(bytes: Vec<u8>) -> Answer {
    Response::builder()
        .header("set-cookie", "a=1")
        .header("set-cookie", "b=2")
        .body(Full::new(bytes.into()).boxed_unsync())
        .unwrap()
}

/// Everything that came, in many ways, and in pieces of so many bytes.
fn echo(seen: &Seen, size: usize) -> Answer {
    let token = seen
        .headers
        .get("authorization")
        .map_or(&b""[..], |value| value.as_bytes());
    let mut said = Vec::new();
    for bytes in [seen.line.as_bytes(), token, &seen.body] {
        let text = String::from_utf8_lossy(bytes);
        let digits = |byte: &u8| format!("{byte:02x}");
        let hexadecimal: String = bytes.iter().map(digits).collect();
        said.extend_from_slice(bytes);
        let json = serde_json::json!([text, STANDARD.encode(bytes), hexadecimal]);
        said.extend_from_slice(format!("\n{json}\n").as_bytes());
    }
    let pieces: Vec<_> = said
        .chunks(size.max(1))
        .map(|piece| Ok(Frame::data(Bytes::copy_from_slice(piece))))
        .collect();
    let body = StreamBody::new(stream::iter(pieces)).boxed_unsync();
    Response::builder().header("x-echo", token).body(body).unwrap()
}

fn chunked(pieces: usize) -> Answer {
    let frames = stream::iter((0..pieces).map(|_| Ok(Frame::data(Bytes::from_static(b"0123456789")))));
    Response::new(StreamBody::new(frames).boxed_unsync())
}

fn slow_body(shared: Arc<Shared>) -> Answer {
    let first = stream::iter([Ok(Frame::data(Bytes::from_static(b"first")))]);
    let never = stream::once(async move {
        shared.stalled.notify_one();
        std::future::pending().await
    });
    Response::new(StreamBody::new(first.chain(never)).boxed_unsync())
}
