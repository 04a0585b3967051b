//! `probe.http` against a real service.

use super::server::Service;
use super::world::{World, request};
use sopwith_core::failure::{Failure, FailureKind};
use sopwith_core::journal::Note;
use sopwith_core::port::capabilities::{HttpRequest, Probe as _};
use tokio::net::TcpListener;

#[track_caller]
fn check(failure: &Failure, kind: FailureKind, phase: &str, words: &str) {
    assert_eq!(failure.kind, kind, "{failure:?}");
    assert!(
        failure.extra.contains(&("phase".to_owned(), phase.to_owned())),
        "{failure:?}"
    );
    assert!(failure.message.contains(words), "{failure:?}");
}

#[tokio::test]
async fn an_answer_comes_with_headers_body_peer_and_phases() {
    let service = Service::plain().await;
    let answer = service
        .world()
        .build()
        .get(&service.url("/ok?x=1#top"))
        .await
        .unwrap();
    assert_eq!(
        (answer.status, answer.body.as_slice()),
        (200, b"hello".as_slice())
    );
    assert!(!answer.body_truncated);
    assert_eq!(answer.peer_address, service.address.to_string());
    assert_eq!(
        answer
            .headers
            .iter()
            .filter(|(name, _)| name == "set-cookie")
            .count(),
        2
    );
    assert_eq!(answer.extra, [("http-version".to_owned(), "1.1".to_owned())]);
    let timing = answer.timing;
    assert!(timing.dns.is_none() && timing.tls.is_none());
    assert!(timing.connect.unwrap() + timing.first_byte.unwrap() <= timing.total);
    let seen = &service.seen()[0];
    assert_eq!(seen.line, "GET /ok?x=1");
    assert_eq!(seen.headers["host"], service.address.to_string());
    assert_eq!(
        seen.headers["user-agent"],
        concat!("sopwith/", env!("CARGO_PKG_VERSION"))
    );
}

#[tokio::test]
async fn a_name_is_looked_up_once_and_one_of_its_addresses_can_be_chosen() {
    let service = Service::plain().await;
    let here = service.url_at("clinic.test", "");
    let there = here.replace("clinic.test", "127.0.0.2");
    let scene = World::granting([here.clone(), service.url(""), there])
        .with_name("clinic.test", &["127.0.0.2", "127.0.0.1"])
        .build();
    let ask = |address: &str| HttpRequest {
        options: vec![("address".to_owned(), address.to_owned())],
        ..request(&here)
    };
    let answer = scene.network.http(ask("127.0.0.1")).await.unwrap();
    assert_eq!(answer.peer_address, service.address.to_string());
    assert!(answer.timing.dns.is_some());
    assert_eq!(
        service.seen()[0].headers["host"],
        service.url_at("clinic.test", "")["http://".len()..]
    );
    // The first address refuses, so the second is taken.
    assert_eq!(
        scene.get(&here).await.unwrap().peer_address,
        service.address.to_string()
    );
    let failure = scene.network.http(ask("9.9.9.9")).await.unwrap_err();
    check(
        &failure,
        FailureKind::NotFound,
        "dns",
        "9.9.9.9 is none of the addresses of `clinic.test`",
    );
}

#[tokio::test]
async fn an_address_is_not_chosen_around_the_others_that_are_judged() {
    let service = Service::plain().await;
    let url = service.url_at("clinic.test", "/ok");
    let scene = World::granting([service.url_at("clinic.test", ""), service.url("")])
        .with_name("clinic.test", &["127.0.0.1", "127.0.0.2"])
        .build();
    for address in ["127.0.0.1", "127.0.0.2"] {
        let question = HttpRequest {
            options: vec![("address".to_owned(), address.to_owned())],
            ..request(&url)
        };
        let failure = scene.network.http(question).await.unwrap_err();
        check(
            &failure,
            FailureKind::Denied,
            "dns",
            "leads to 127.0.0.2, a loopback address",
        );
    }
    assert!(service.seen().is_empty());
}

#[tokio::test]
async fn what_stops_a_request_is_said_in_words() {
    let closed = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let scene = World::granting([format!("http://{closed}"), "http://gone.test".to_owned()]).build();
    let failure = scene.get(&format!("http://{closed}/")).await.unwrap_err();
    let words = format!("connection refused by {closed}");
    check(&failure, FailureKind::Unavailable, "connect", &words);
    assert!(failure.retryable);
    let failure = scene.get("http://gone.test/").await.unwrap_err();
    check(
        &failure,
        FailureKind::Unavailable,
        "dns",
        "the name `gone.test` does not resolve: there is no such name",
    );

    let service = Service::plain().await;
    let failure = service
        .world()
        .build()
        .get(&service.url("/large-head"))
        .await
        .unwrap_err();
    check(
        &failure,
        FailureKind::Failed,
        "first-byte",
        "more than 65536 bytes",
    );
}

#[tokio::test]
async fn a_server_that_stalls_is_left_and_the_phase_is_named() {
    for (path, phase, words) in [
        ("/slow-head", "first-byte", "no answer came within 5s"),
        (
            "/slow-body",
            "body",
            "the answer did not come to its end within 5s",
        ),
    ] {
        let service = Service::plain().await;
        let scene = service.world().build();
        let url = service.url(path);
        let waiting = async {
            service.stalled().await;
            scene.clock.run_out();
        };
        let (answer, ()) = tokio::join!(scene.get(&url), waiting);
        check(&answer.unwrap_err(), FailureKind::Timeout, phase, words);
    }
}

#[tokio::test]
async fn a_cancelled_run_waits_for_no_server() {
    let service = Service::plain().await;
    let scene = service.world().build();
    let url = service.url("/slow-body");
    let cancelling = async {
        service.stalled().await;
        scene.cancel.cancel();
    };
    let (answer, ()) = tokio::join!(scene.get(&url), cancelling);
    assert_eq!(answer.unwrap_err().kind, FailureKind::Cancelled);
}

#[tokio::test]
async fn a_body_is_kept_up_to_what_is_asked_for_and_allowed() {
    let service = Service::plain().await;
    let mut world = service.world();
    world.limits.http_body_bytes = 100;
    let scene = world.build();
    for (path, asked, kept, truncated) in [
        ("/large?100", 1000, 100, false),
        ("/large?101", 1000, 100, true),
        ("/large?10000000", 1000, 100, true),
        ("/large?100", 10, 10, true),
        ("/large?10", 10, 10, false),
        ("/large?10", 0, 0, true),
        ("/large?0", 0, 0, false),
        ("/chunked?10", 1000, 100, false),
        ("/chunked?11", 1000, 100, true),
        ("/chunked?3", 25, 25, true),
    ] {
        let question = HttpRequest {
            body_bytes_max: asked,
            ..request(&service.url(path))
        };
        let answer = scene.network.http(question).await.unwrap();
        assert_eq!(
            (answer.body.len(), answer.body_truncated),
            (kept, truncated),
            "{path} {asked}"
        );
    }
    let question = HttpRequest {
        method: "POST".to_owned(),
        body: vec![0; 101],
        ..request(&service.url("/ok"))
    };
    assert_eq!(
        scene.network.http(question).await.unwrap_err().kind,
        FailureKind::Limit
    );
}

#[tokio::test]
async fn a_method_that_changes_is_on_record_before_and_left_out_of_a_dry_run() {
    let service = Service::plain().await;
    let post = || HttpRequest {
        method: "POST".to_owned(),
        body: b"{}".to_vec(),
        ..request(&service.url("/orders?token=t"))
    };
    let object = format!("POST {}", service.url("/orders"));
    let scene = service.world().build();
    scene.network.http(post()).await.unwrap();
    let call = "probe.http".to_owned();
    assert_eq!(
        scene.notes(),
        [Note::Change {
            call: call.clone(),
            object: object.clone()
        }]
    );
    assert_eq!(service.seen()[0].body.as_ref(), b"{}");

    let mut world = service.world();
    world.dry_run = true;
    let scene = world.build();
    let failure = scene.network.http(post()).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Planned);
    assert_eq!(scene.notes(), [Note::Planned { call, object }]);
    assert!(scene.get(&service.url("/ok")).await.is_ok());
    assert_eq!(service.seen().len(), 2);
}

#[tokio::test]
async fn a_call_that_makes_no_sense_is_invalid() {
    let service = Service::plain().await;
    let scene = service.world().build();
    let plain = || request(&service.url("/ok"));
    let pair = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
    for question in [
        HttpRequest {
            method: "get".to_owned(),
            ..plain()
        },
        HttpRequest {
            method: "GET /".to_owned(),
            ..plain()
        },
        HttpRequest {
            method: "CONNECT".to_owned(),
            ..plain()
        },
        HttpRequest {
            timeout: std::time::Duration::ZERO,
            ..plain()
        },
        HttpRequest {
            follow_redirects_max: 1000,
            ..plain()
        },
        HttpRequest {
            options: pair("proxy", "x"),
            ..plain()
        },
        HttpRequest {
            options: pair("address", "clinic.test"),
            ..plain()
        },
        HttpRequest {
            headers: pair("x-a", "1\r\nx-b: 2"),
            ..plain()
        },
        HttpRequest {
            headers: pair("x-a", &"x".repeat(100 << 10)),
            ..plain()
        },
        HttpRequest {
            url: "x".repeat(100 << 10),
            ..plain()
        },
    ] {
        let failure = scene.network.http(question).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Invalid, "{failure:?}");
    }
    assert!(service.seen().is_empty());
}
