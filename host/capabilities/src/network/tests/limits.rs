//! Whoever is asked may be slow, endless or no server at all: each ends within its time and size.

use super::raw::{Raw, Then};
use super::server::Service;
use super::world::{Scene, World, request};
use crate::network::CONNECTIONS_MAX;
use bytes::Bytes;
use http::Request;
use http_body_util::BodyExt as _;
use sopwith_core::failure::{Failure, FailureKind};
use sopwith_core::port::capabilities::{Answer, Egress as _, EgressTimeouts, HttpRequest, Probe as _};
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::timeout;

/// How long a request may take that is expected to run out of time.
const SHORT: Duration = Duration::from_millis(400);
/// How long everything else may take.
const LONG: Duration = Duration::from_secs(20);
/// The most of a body that a guest may get.
const BODY_BYTES_MAX: u64 = 100_000;

/// What a guest gets: the bytes of the body and whether there were more, or a failure.
type Got = Answer<(usize, bool)>;

fn world(allow: &str) -> World {
    let mut world = World::granting([allow]);
    world.real_time = true;
    world.limits.http_body_bytes = BODY_BYTES_MAX;
    world
}

async fn by_probe(scene: &Scene, url: &str, allowed: Duration) -> Got {
    let question = HttpRequest {
        timeout: allowed,
        body_bytes_max: u64::MAX,
        ..request(url)
    };
    let answer = timeout(LONG + LONG, scene.network.http(question)).await;
    let answer = answer.expect("it ends within its time")?;
    Ok((answer.body.len(), answer.body_truncated))
}

async fn by_wasi_http(scene: &Scene, url: &str, allowed: Duration) -> Got {
    let timeouts = EgressTimeouts {
        connect: allowed,
        first_byte: allowed,
        between_bytes: allowed,
    };
    let mut asked = Request::new(crate::network::body::whole(Bytes::new()));
    *asked.uri_mut() = url.parse().unwrap();
    let answering = async {
        let answer = scene.network.send(asked, timeouts).await?;
        Ok((answer.into_body().collect().await?.to_bytes().len(), false))
    };
    timeout(LONG + LONG, answering)
        .await
        .expect("it ends within its time")
}

/// Whether this is a failure of this kind that says so.
fn is(got: &Got, kind: FailureKind, words: &str) -> bool {
    matches!(got, Err(failure) if failure.kind == kind && failure.message.contains(words))
}

/// Asks by both ways, and expects the same failure.
async fn check(scene: &Scene, url: &str, kind: FailureKind, words: &str) {
    let got = by_probe(scene, url, SHORT).await;
    assert!(is(&got, kind, words), "probe: {got:?}");
    let got = by_wasi_http(scene, url, SHORT).await;
    assert!(is(&got, kind, words), "wasi:http: {got:?}");
}

#[tokio::test]
async fn a_name_server_that_never_answers_is_left_and_nothing_of_it_outlives_the_attempt() {
    let scene = world("http://mute.test").says("mute.test", "silence").build();
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    check(
        &scene,
        "http://mute.test/",
        FailureKind::Timeout,
        "the name was not looked up within 400ms",
    )
    .await;
    assert!(!scene.names.asked().is_empty());
    drop(scene.network);
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(tasks(), before);
}

#[tokio::test]
async fn a_cancelled_attempt_waits_for_no_name_server() {
    let scene = World::granting(["http://mute.test"])
        .says("mute.test", "silence")
        .build();
    let asking = scene.get("http://mute.test/");
    let cancelling = async {
        while scene.names.asked().is_empty() {
            tokio::task::yield_now().await;
        }
        scene.cancel.cancel();
    };
    let (answer, ()) = tokio::join!(asking, cancelling);
    assert_eq!(answer.unwrap_err().kind, FailureKind::Cancelled);
}

#[tokio::test]
async fn a_machine_that_takes_no_connection_is_left() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    // Whoever comes after these finds the queue full, and is not answered at all.
    let mut queue = Vec::new();
    while let Ok(stream) = timeout(SHORT, TcpStream::connect(address)).await {
        queue.push(stream.unwrap());
        assert!(queue.len() < 100, "this machine takes every connection");
    }
    let url = format!("http://{address}");
    let words = "no connection was made within 400ms";
    check(&world(&url).build(), &url, FailureKind::Timeout, words).await;
}

#[tokio::test]
async fn a_server_that_never_agrees_on_tls_is_left() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", silent.local_addr().unwrap());
    let words = "TLS was not agreed on within 400ms";
    check(&world(&url).build(), &url, FailureKind::Timeout, words).await;
}

/// What a server says, how long it is given, and what both ways make of it.
type Case = (&'static str, &'static str, Then, Duration, Comes, Comes);

#[derive(Debug, Clone, Copy)]
enum Comes {
    /// So many bytes of body, and whether there were more.
    Bytes(usize, bool),
    Fails(FailureKind, &'static str),
}
use Comes::{Bytes as Whole, Fails};

const NO_HTTP: Comes = Fails(FailureKind::Failed, "does not speak HTTP/1.1");
const TOO_LARGE_HEAD: Comes = Fails(FailureKind::Failed, "the head of the answer");
const BROKEN_OFF: Comes = Fails(FailureKind::Unavailable, "in the middle of its answer");
const NO_ANSWER: Comes = Fails(FailureKind::Timeout, "no answer came within 400ms");
const NO_END: Comes = Fails(
    FailureKind::Timeout,
    "the answer did not come to its end within 400ms",
);
const TOO_LARGE_BODY: Comes = Fails(FailureKind::Limit, "more than 100000 bytes");
const CUT_OFF: Comes = Fails(
    FailureKind::Unavailable,
    "end of file before message length reached",
);
const BEGINNING: Comes = Whole(100_000, true);

#[rustfmt::skip]
const CASES: &[Case] = &[
    ("an answer", "HTTP/1.1 200 OK\r\n\r\nhello", Then::Ends, LONG, Whole(5, false), Whole(5, false)),
    ("no answer", "", Then::Stalls, SHORT, NO_ANSWER, NO_ANSWER),
    ("half a head", "HTTP/1.1 200 OK\r\nx-a: ", Then::Stalls, SHORT, NO_ANSWER, NO_ANSWER),
    ("half a head and the end", "HTTP/1.1 200 OK\r\nx-a: ", Then::Ends, LONG, BROKEN_OFF, BROKEN_OFF),
    ("nothing and the end", "", Then::Ends, LONG, BROKEN_OFF, BROKEN_OFF),
    ("an answer that is always about to come", "", Then::GoesOn("HTTP/1.1 100 Continue\r\n\r\n"), SHORT, NO_ANSWER, NO_ANSWER),
    ("header fields without an end", "HTTP/1.1 200 OK\r\n", Then::GoesOn("x-a: 0123456789\r\n"), LONG, TOO_LARGE_HEAD, TOO_LARGE_HEAD),
    ("a header field without an end", "HTTP/1.1 200 OK\r\nx-a: ", Then::GoesOn("0123456789"), LONG, TOO_LARGE_HEAD, TOO_LARGE_HEAD),
    ("a status line without an end", "HTTP/1.1 200 ", Then::GoesOn("0123456789"), LONG, TOO_LARGE_HEAD, TOO_LARGE_HEAD),
    ("a body that stalls", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello", Then::Stalls, SHORT, NO_END, NO_END),
    ("a body that breaks off", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello", Then::Ends, LONG, CUT_OFF, CUT_OFF),
    ("a body without an end", "HTTP/1.1 200 OK\r\n\r\n", Then::GoesOn("0123456789"), LONG, BEGINNING, TOO_LARGE_BODY),
    ("a body of pieces without an end", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", Then::GoesOn("a\r\n0123456789\r\n"), LONG, BEGINNING, TOO_LARGE_BODY),
    ("a body that claims to be larger than the world", "HTTP/1.1 200 OK\r\ncontent-length: 18446744073709551615\r\n\r\n", Then::GoesOn("0123456789"), LONG, TOO_LARGE_HEAD, TOO_LARGE_HEAD),
    ("a piece that claims to be larger than the world", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n", Then::Stalls, LONG, NO_HTTP, NO_HTTP),
    ("pieces with comments without an end", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\na;", Then::GoesOn("0123456789"), LONG, NO_HTTP, NO_HTTP),
    ("trailers without an end", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n", Then::GoesOn("x-a: 0123456789\r\n"), LONG, NO_HTTP, NO_HTTP),
    ("two lengths", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 9\r\n\r\nhello", Then::Ends, LONG, NO_HTTP, NO_HTTP),
    ("a header field over two lines", "HTTP/1.1 200 OK\r\nx-a: 1\r\n x-b: 2\r\n\r\nhello", Then::Ends, LONG, NO_HTTP, NO_HTTP),
    ("a space before the colon", "HTTP/1.1 200 OK\r\nx-a : 1\r\n\r\nhello", Then::Ends, LONG, NO_HTTP, NO_HTTP),
    ("a zero byte in a header field", "HTTP/1.1 200 OK\r\nx-a: \0\r\n\r\nhello", Then::Ends, LONG, NO_HTTP, NO_HTTP),
    ("a lone carriage return in a header field", "HTTP/1.1 200 OK\r\nx-a: 1\rx-b: 2\r\n\r\nhello", Then::Ends, LONG, NO_HTTP, NO_HTTP),
    ("no head at all", "hello", Then::Ends, LONG, NO_HTTP, NO_HTTP),
    ("another protocol", "SSH-2.0-OpenSSH_9.9\r\n", Then::Stalls, LONG, NO_HTTP, NO_HTTP),
    ("a new protocol on the same connection", "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\nhello", Then::Stalls, LONG, Whole(0, false), Whole(0, false)),
];

#[tokio::test]
async fn an_answer_ends_within_its_time_and_size_whatever_the_server_says() {
    let mut mistakes = Vec::new();
    for (name, says, then, allowed, probed, passed_on) in CASES {
        let server = Raw::new(says, *then).await;
        let url = format!("http://{}/", server.address);
        let scene = world(&format!("http://{}", server.address)).build();
        let got = [
            (by_probe(&scene, &url, *allowed).await, probed),
            (by_wasi_http(&scene, &url, *allowed).await, passed_on),
        ];
        for (got, expected) in got {
            let is_right = match expected {
                Whole(bytes, more) => matches!(got, Ok(found) if found == (*bytes, *more)),
                Fails(kind, words) => is(&got, *kind, words),
            };
            if !is_right {
                mistakes.push(format!("{name}: expected {expected:?}, got {got:?}"));
            }
        }
    }
    assert!(mistakes.is_empty(), "{mistakes:#?}");
}

#[tokio::test]
async fn an_attempt_has_so_many_connections_at_once() {
    let service = Service::plain().await;
    let scene = world(&service.url("")).build();
    let hold = async || {
        let timeouts = EgressTimeouts {
            connect: SHORT,
            first_byte: LONG,
            between_bytes: LONG,
        };
        let mut asked = Request::new(crate::network::body::whole(Bytes::new()));
        *asked.uri_mut() = service.url("/slow-body").parse().unwrap();
        scene.network.send(asked, timeouts).await
    };
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS_MAX {
        connections.push(hold().await.unwrap());
    }
    let Err(Failure { kind, message, .. }) = hold().await else {
        panic!("one too many")
    };
    assert_eq!(kind, FailureKind::Timeout);
    assert!(
        message.contains("the attempt has 64 connections already"),
        "{message}"
    );
    connections.pop();
    hold().await.unwrap();
}
