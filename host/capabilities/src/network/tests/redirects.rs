//! Redirects of a real service: each one is decided anew.

use super::server::Service;
use super::world::{World, request};
use sopwith_core::failure::FailureKind;
use sopwith_core::port::capabilities::{HttpRequest, Probe as _};

fn following(url: &str, max: u32) -> HttpRequest {
    HttpRequest {
        follow_redirects_max: max,
        ..request(url)
    }
}

#[tokio::test]
async fn redirects_are_followed_as_far_as_asked_and_listed() {
    let service = Service::plain().await;
    let scene = service.world().build();
    let twice = service.url("/redirect?302&/redirect?301&/ok");
    let answer = scene.network.http(following(&twice, 2)).await.unwrap();
    assert_eq!(
        (answer.status, answer.body.as_slice()),
        (200, b"hello".as_slice())
    );
    let chain = serde_json::json!([service.url("/redirect?301&/ok"), service.url("/ok")]).to_string();
    assert!(answer.extra.contains(&("redirects".to_owned(), chain)));
    assert_eq!(
        scene.network.http(following(&twice, 1)).await.unwrap().status,
        301
    );
    assert_eq!(
        scene.network.http(following(&twice, 0)).await.unwrap().status,
        302
    );
}

#[tokio::test]
async fn a_redirect_to_what_is_not_granted_is_refused() {
    let service = Service::plain().await;
    for place in [
        "http://evil.test/",
        "http://inside.test/",
        "http://169.254.169.254/latest/meta-data/",
        "http://localhost/",
        "//127.0.0.1:1/",
        "http://0x7f000001:1/",
    ] {
        let scene = World::granting([service.url(""), "http://inside.test".to_owned()])
            .with_name("inside.test", &["10.0.0.5"])
            .with_name("localhost", &["127.0.0.1"])
            .build();
        let url = service.url(&format!("/redirect?302&{place}"));
        let failure = scene.network.http(following(&url, 5)).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Denied, "{place}: {failure:?}");
        assert!(failure.message.starts_with("after a redirect: "), "{failure}");
        assert!(
            failure.extra.iter().any(|(name, _)| name == "redirects"),
            "{failure:?}"
        );
        assert_eq!(scene.notes().len(), 1, "{place}: the denial is on record");
    }
}

#[tokio::test]
async fn credentials_stay_with_the_server_they_are_for() {
    let (first, second) = (Service::plain().await, Service::plain().await);
    let scene = World::granting([first.url(""), second.url("")]).build();
    let ask = |place: String| HttpRequest {
        headers: ["authorization", "cookie", "x-trace"]
            .map(|name| (name.to_owned(), "1".to_owned()))
            .to_vec(),
        ..following(&first.url(&format!("/redirect?307&{place}")), 1)
    };
    let kept = |service: &Service| {
        let headers = &service.seen().pop().unwrap().headers;
        ["authorization", "cookie", "x-trace"].map(|name| headers.contains_key(name))
    };
    scene.network.http(ask(second.url("/ok"))).await.unwrap();
    assert_eq!(kept(&second), [false, false, true]);
    scene.network.http(ask("/ok".to_owned())).await.unwrap();
    assert_eq!(kept(&first), [true, true, true]);
}

#[tokio::test]
async fn a_body_is_sent_again_only_where_the_status_says_so() {
    let service = Service::plain().await;
    let scene = service.world().build();
    for (status, line, body) in [(303, "GET /ok", ""), (308, "POST /ok", "{}")] {
        let url = service.url(&format!("/redirect?{status}&/ok"));
        let question = HttpRequest {
            method: "POST".to_owned(),
            body: b"{}".to_vec(),
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            ..following(&url, 1)
        };
        scene.network.http(question).await.unwrap();
        let seen = service.seen().pop().unwrap();
        assert_eq!((seen.line.as_str(), seen.body.as_ref()), (line, body.as_bytes()));
        assert_eq!(seen.headers.contains_key("content-type"), !body.is_empty());
    }
}
