//! A service on loopback that answers as its path says.

use super::world::World;
use crate::network::connect::Stream;
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
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
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
    stalled: Notify,
}

impl Service {
    /// A service without TLS.
    pub(super) async fn plain() -> Self {
        Self::start("http", None).await
    }

    /// A service with TLS.
    pub(super) async fn secure(config: rustls::ServerConfig) -> Self {
        Self::start("https", Some(TlsAcceptor::from(Arc::new(config)))).await
    }

    async fn start(scheme: &'static str, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
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

    /// Comes back when an answer has come to a stop.
    pub(super) async fn stalled(&self) {
        self.shared.stalled.notified().await;
    }
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        tokio::spawn(serve(stream, tls.clone(), Arc::clone(&shared)));
    }
}

async fn serve(stream: TcpStream, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    let stream: Box<dyn Stream> = match tls {
        None => Box::new(stream),
        Some(tls) => match tls.accept(stream).await {
            Ok(stream) => Box::new(stream),
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
    shared.seen.lock().unwrap().push(Seen {
        line: format!("{} {}", head.method, head.uri),
        headers: head.headers,
        body: body.unwrap_or_default(),
    });
    let query = head.uri.query().unwrap_or_default().to_owned();
    Ok(match head.uri.path() {
        "/redirect" => redirect(&query),
        "/large" => whole(vec![b'x'; query.parse().unwrap()]),
        "/chunked" => chunked(query.parse().unwrap()),
        "/slow-head" => {
            shared.stalled.notify_one();
            std::future::pending().await
        }
        "/slow-body" => slow_body(shared),
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
