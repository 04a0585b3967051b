//! `wasi:http` against a real service.

use super::server::Service;
use super::world::{Scene, World};
use bytes::Bytes;
use futures::stream;
use http::{Method, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use sopwith_core::failure::{Failure, FailureKind};
use sopwith_core::journal::Note;
use sopwith_core::port::capabilities::{Answer, Body, Egress as _, EgressTimeouts};
use std::time::Duration;

const TIMEOUTS: EgressTimeouts = EgressTimeouts {
    connect: Duration::from_secs(1),
    first_byte: Duration::from_secs(2),
    between_bytes: Duration::from_secs(3),
};

/// A body that comes in pieces of ten bytes.
fn pieces(number: usize) -> Body {
    let frames = (0..number).map(|_| Ok(Frame::data(Bytes::from_static(b"0123456789"))));
    StreamBody::new(stream::iter(frames)).boxed_unsync()
}

async fn send(scene: &Scene, method: Method, url: &str, body: Body) -> Answer<Response<Body>> {
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = url.parse().unwrap();
    request
        .headers_mut()
        .insert("host", "other.test".parse().unwrap());
    scene.network.send(request, TIMEOUTS).await
}

async fn get(scene: &Scene, url: &str) -> Answer<Response<Body>> {
    send(scene, Method::GET, url, crate::network::body::whole(Bytes::new())).await
}

async fn read(answer: Answer<Response<Body>>) -> Result<Bytes, Failure> {
    Ok(answer?.into_body().collect().await?.to_bytes())
}

#[tokio::test]
async fn bodies_stream_both_ways_and_the_host_is_the_granted_one() {
    let service = Service::plain().await;
    let scene = service.world().build();
    let answer = send(&scene, Method::POST, &service.url("/chunked?1000"), pieces(500)).await;
    assert_eq!(read(answer).await.unwrap().len(), 10_000);
    let seen = &service.seen()[0];
    assert_eq!(
        (seen.line.as_str(), seen.body.len()),
        ("POST /chunked?1000", 5_000)
    );
    assert_eq!(seen.headers["host"], service.address.to_string());
    assert!(matches!(scene.notes().as_slice(), [Note::Change { call, .. }] if call == "wasi:http"));
    let answer = get(&scene, &service.url("/ok")).await;
    assert_eq!(read(answer).await.unwrap().as_ref(), b"hello");
    assert!(!service.seen()[1].headers.contains_key("transfer-encoding"));
}

#[tokio::test]
async fn bodies_end_at_the_limit_both_ways() {
    let service = Service::plain().await;
    let mut world = service.world();
    world.limits.http_body_bytes = 100;
    let scene = world.build();
    for path in ["/large?101", "/chunked?11"] {
        let failure = read(get(&scene, &service.url(path)).await).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Limit, "{path}");
    }
    for path in ["/large?100", "/chunked?10"] {
        assert_eq!(
            read(get(&scene, &service.url(path)).await).await.unwrap().len(),
            100
        );
    }
    let sent = |number| send(&scene, Method::POST, service.url("/ok").leak(), pieces(number));
    assert_eq!(sent(11).await.unwrap_err().kind, FailureKind::Limit);
    assert!(sent(10).await.is_ok());
}

#[tokio::test]
async fn no_redirect_is_followed_and_nothing_that_is_not_granted_is_reached() {
    let service = Service::plain().await;
    let scene = World::granting([service.url(""), "http://inside.test".to_owned()])
        .with_name("inside.test", &["192.168.0.1"])
        .build();
    let answer = get(&scene, &service.url("/redirect?302&/ok")).await.unwrap();
    assert_eq!(answer.status(), 302);
    for url in ["http://evil.test/", "http://inside.test/", "http://127.0.0.1:1/"] {
        let failure = get(&scene, url).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Denied, "{url}");
    }
    assert_eq!(service.seen().len(), 1);
}

#[tokio::test]
async fn a_server_that_stalls_is_left_after_the_time_of_its_phase() {
    let service = Service::plain().await;
    let scene = service.world().build();
    let url = service.url("/slow-head");
    let waiting = async {
        service.stalled().await;
        scene.clock.run_out();
    };
    let (answer, ()) = tokio::join!(get(&scene, &url), waiting);
    let failure = answer.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Timeout);
    assert!(failure.message.contains("no answer came within 2s"), "{failure}");

    let scene = service.world().build();
    let mut body = get(&scene, &service.url("/slow-body")).await.unwrap().into_body();
    let first = body.frame().await.unwrap().unwrap();
    assert_eq!(first.data_ref().unwrap().as_ref(), b"first");
    let waiting = async {
        service.stalled().await;
        scene.clock.run_out();
    };
    let (frame, ()) = tokio::join!(body.frame(), waiting);
    let failure = frame.unwrap().unwrap_err();
    assert_eq!(failure.kind, FailureKind::Timeout);
    assert!(failure.message.contains("within 3s"), "{failure}");
    assert!(body.frame().await.is_none());
}

#[tokio::test]
async fn a_dry_run_sends_nothing_that_changes() {
    let service = Service::plain().await;
    let mut world = service.world();
    world.dry_run = true;
    let scene = world.build();
    let answer = send(&scene, Method::PUT, &service.url("/ok"), pieces(1)).await;
    assert_eq!(answer.unwrap_err().kind, FailureKind::Planned);
    assert!(service.seen().is_empty());
}
