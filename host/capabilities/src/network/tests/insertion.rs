//! Secrets in requests: put in where they are named, nowhere else, and masked when they come back.

use super::server::Service;
use super::world::{Scene, request};
use bytes::Bytes;
use http::Request;
use http_body_util::BodyExt as _;
use sopwith_core::failure::{Blame, Failure, FailureKind};
use sopwith_core::journal::Note;
use sopwith_core::port::capabilities::{
    Answer, Egress as _, EgressTimeouts, HttpRequest, HttpResponse, Pairs, Probe as _,
};
use std::time::Duration;

const VALUE: &str = "s3cr\"t+/ value";
const TIMEOUTS: EgressTimeouts = EgressTimeouts {
    connect: Duration::from_secs(1),
    first_byte: Duration::from_secs(1),
    between_bytes: Duration::from_secs(1),
};

fn pair(name: &str, value: &str) -> Pairs {
    vec![(name.to_owned(), value.to_owned())]
}

fn with_token(url: &str) -> HttpRequest {
    HttpRequest {
        headers: pair("authorization", "Bearer {{secret:TOKEN}}"),
        follow_redirects_max: 5,
        ..request(url)
    }
}

async fn ask(scene: &Scene, request: HttpRequest) -> Answer<HttpResponse> {
    scene.network.http(request).await
}

/// What is wrong with a request, in words that do not hold the value.
async fn refused(scene: &Scene, request: HttpRequest) -> Failure {
    let failure = ask(scene, request).await.unwrap_err();
    assert!(!format!("{failure:?}").contains("s3cr"), "{failure:?}");
    failure
}

#[tokio::test]
async fn a_value_is_put_in_as_its_place_needs_it() {
    let service = Service::plain().await;
    let scene = service.world().with_secret("TOKEN", VALUE).build();
    for (media_type, body) in [
        ("application/json; charset=utf-8", "{{name}} <s3cr\\\"t+/ value>"),
        ("application/problem+json", "{{name}} <s3cr\\\"t+/ value>"),
        (
            "application/x-www-form-urlencoded",
            "{{name}} <s3cr%22t%2B%2F+value>",
        ),
        ("text/plain", "{{name}} <s3cr\"t+/ value>"),
    ] {
        let mut question = HttpRequest {
            method: "POST".to_owned(),
            body: b"{{name}} <{{secret:TOKEN}}>".to_vec(),
            ..with_token(&service.url("/ok?a=1&key={{secret:TOKEN}}"))
        };
        question.headers.extend(pair("content-type", media_type));
        question.headers.extend(pair("accept-encoding", "gzip"));
        ask(&scene, question).await.unwrap();
        let seen = service.seen().pop().unwrap();
        assert_eq!(seen.line, "POST /ok?a=1&key=s3cr%22t%2B%2F%20value");
        assert_eq!(seen.headers["authorization"], "Bearer s3cr\"t+/ value");
        assert_eq!(seen.headers["accept-encoding"], "identity");
        assert_eq!(String::from_utf8_lossy(&seen.body), body, "{media_type}");
    }
    let object = format!("POST {}", service.url("/ok"));
    let changes = scene.notes().into_iter();
    let objects: Vec<_> = changes
        .filter_map(|note| match note {
            Note::Change { object, .. } => Some(object),
            _ => None,
        })
        .collect();
    assert_eq!(objects, vec![object; 4]);
}

#[tokio::test]
async fn a_server_that_echoes_gives_a_mask_wherever_its_answer_is_cut() {
    let service = Service::plain().await;
    let scene = service.world().with_secret("TOKEN", VALUE).build();
    let question = HttpRequest {
        method: "POST".to_owned(),
        body: b"token={{secret:TOKEN}}".to_vec(),
        ..with_token(&service.url("/echo?{{secret:TOKEN}}"))
    };
    let whole = ask(&scene, question.clone()).await.unwrap();
    let text = String::from_utf8(whole.body).unwrap();
    assert_eq!(text.matches("[redacted]").count(), 12, "{text}");
    assert!(
        text.starts_with("POST /echo?[redacted]\n[\"POST /echo?[redacted]\",\""),
        "{text}"
    );
    assert!(
        whole
            .headers
            .contains(&("x-echo".to_owned(), "Bearer [redacted]".to_owned()))
    );
    for keep in 0..text.len() {
        let cut = HttpRequest {
            body_bytes_max: keep as u64,
            ..question.clone()
        };
        let answer = ask(&scene, cut).await.unwrap();
        let body = String::from_utf8(answer.body).unwrap();
        assert!(body.len() <= keep && answer.body_truncated, "{keep}: {body}");
        assert!(!body.contains("s3c") && !body.contains("czN"), "{keep}: {body}");
    }
}

#[tokio::test]
async fn each_server_on_the_way_is_decided_anew() {
    let (first, second) = (Service::plain().await, Service::plain().await);
    let mut world = first.world().with_secret("TOKEN", VALUE);
    world.elsewhere = vec![second.url("")];
    let scene = world.build();

    let here = with_token(&first.url("/redirect?307&/ok"));
    ask(&scene, here).await.unwrap();
    assert_eq!(
        first.seen().pop().unwrap().headers["authorization"],
        "Bearer s3cr\"t+/ value"
    );

    let there = HttpRequest {
        headers: pair("x-key", "{{secret:TOKEN}}"),
        ..with_token(&first.url(&format!("/redirect?307&{}", second.url("/ok"))))
    };
    let failure = refused(&scene, there).await;
    assert_eq!(failure.kind, FailureKind::Denied);
    assert_eq!(
        failure.hint.as_deref(),
        Some(
            "change under [secrets.TOKEN] in sopwith.toml:  use = [\"network.site\", \"network.elsewhere\"]"
        )
    );
    // `authorization` is not sent on in any case, so nothing has to be decided.
    let there = with_token(&first.url(&format!("/redirect?307&{}", second.url("/ok"))));
    ask(&scene, there).await.unwrap();
    assert!(!second.seen()[0].headers.contains_key("authorization"));
    assert_eq!(second.seen().len(), 1);
}

#[tokio::test]
async fn a_server_cannot_name_a_secret_or_hand_one_on() {
    let (first, second) = (Service::plain().await, Service::plain().await);
    let mut world = first.world().with_secret("TOKEN", VALUE);
    world.elsewhere = vec![second.url("")];
    let scene = world.build();
    ask(
        &scene,
        with_token(&first.url("/redirect?302&/ok?{{secret:TOKEN}}")),
    )
    .await
    .unwrap();
    // What stands in the query was the plugin's own, so it went out with its value; behind the redirect
    // it is the server's.
    let lines: Vec<_> = first.seen().into_iter().map(|seen| seen.line).collect();
    assert_eq!(lines[0], "GET /redirect?302&/ok?s3cr%22t%2B%2F%20value");

    let there = format!("/redirect?302&{}?{{{{secret:TOKEN}}}}", second.url("/ok"));
    let failure = refused(&scene, with_token(&first.url(&there))).await;
    assert!(
        failure.message.contains("with the value of a secret in the URL"),
        "{failure}"
    );
    assert!(second.seen().is_empty());
}

#[tokio::test]
async fn a_place_in_the_answer_of_a_server_stays_as_it_is() {
    let service = Service::plain().await;
    let scene = service.world().with_secret("TOKEN", VALUE).build();
    // Escaped, it names nothing in the plugin's own URL, and the server's is never read.
    let url = service.url("/redirect?302&/ok?%7B%7Bsecret:TOKEN%7D%7D");
    ask(&scene, with_token(&url)).await.unwrap();
    assert_eq!(service.seen()[1].line, "GET /ok?%7B%7Bsecret:TOKEN%7D%7D");
}

#[tokio::test]
async fn what_cannot_be_sent_is_told_without_the_value() {
    let service = Service::plain().await;
    let scene = service
        .world()
        .with_secret("TOKEN", VALUE)
        .with_secret("LINES", "s3cr1\ns3cr2")
        .with_secret("LONG", "s3cr".repeat(25))
        .with_secret("BYTES", b"s3cr\xff\xfe".to_vec())
        .build();
    let url = service.url("/ok");
    let post = |headers: Pairs, body: &[u8]| HttpRequest {
        method: "POST".to_owned(),
        headers,
        body: body.to_vec(),
        ..request(&url)
    };
    let failure = refused(&scene, post(pair("x-key", "{{secret:LINES}}"), b"")).await;
    assert_eq!(
        failure.message,
        "secrets.LINES cannot stand in the header field `x-key`: its value has control characters, such as a newline"
    );
    assert_eq!(failure.blame, Blame::Operator);
    let json = pair("content-type", "application/json");
    let failure = refused(&scene, post(json, b"{{secret:BYTES}}")).await;
    assert_eq!(
        failure.message,
        "secrets.BYTES cannot stand in the body: its value is no text"
    );
    ask(&scene, post(Vec::new(), b"{{secret:BYTES}}")).await.unwrap();
    assert_eq!(service.seen()[0].body.as_ref(), b"s3cr\xff\xfe");

    for question in [
        request("http://{{secret:TOKEN}}.test/"),
        request(&service.url("/{{secret:TOKEN}}")),
        request(&service.url("/?a#{{secret:TOKEN}}")),
        HttpRequest {
            method: "{{secret:TOKEN}}".to_owned(),
            ..request(&url)
        },
        post(pair("{{secret:TOKEN}}", "a"), b""),
        post(pair("x-key", "{{secret:TOKEN"), b""),
        post(pair("x-key", "{{ secret:TOKEN }}"), b""),
        post(Vec::new(), b"\xff{{secret:TOKEN}}"),
        HttpRequest {
            headers: [pair("x-key", "{{secret:TOKEN}}"), pair("range", "bytes=0-3")].concat(),
            ..request(&url)
        },
        post(pair("x-key", &"{{secret:LONG}}".repeat(1_000)), b""),
    ] {
        let failure = refused(&scene, question).await;
        assert_eq!(failure.kind, FailureKind::Invalid, "{failure:?}");
    }
    assert_eq!(service.seen().len(), 1);
}

#[tokio::test]
async fn what_is_not_granted_is_not_read() {
    let service = Service::plain().await;
    let scene = service.world().with_secret("TOKEN", VALUE).build();
    let question = HttpRequest {
        headers: pair("x-key", "{{secret:OTHER}}"),
        ..request(&service.url("/ok"))
    };
    let failure = refused(&scene, question).await;
    assert_eq!(failure.kind, FailureKind::Denied);
    assert!(matches!(scene.notes().as_slice(), [Note::Denied(_)]));

    let mut world = service.world();
    world.secrets = vec![("GONE", Vec::new())];
    world.dry_run = true;
    let scene = world.build();
    let question = HttpRequest {
        method: "POST".to_owned(),
        headers: pair("x-key", "{{secret:GONE}}"),
        ..request(&service.url("/ok"))
    };
    // The value is empty, which is an error where it is read.
    assert_eq!(refused(&scene, question.clone()).await.kind, FailureKind::Planned);
    let question = HttpRequest {
        method: "GET".to_owned(),
        ..question
    };
    assert_ne!(refused(&scene, question).await.kind, FailureKind::Planned);
    assert!(service.seen().is_empty());
}

#[tokio::test]
async fn an_answer_in_which_nothing_can_be_masked_is_refused() {
    let service = Service::plain().await;
    let scene = service.world().with_secret("TOKEN", VALUE).build();
    let url = service.url("/zipped");
    assert!(scene.get(&url).await.is_ok());
    let failure = refused(&scene, with_token(&url)).await;
    assert_eq!(
        (failure.kind, failure.blame),
        (FailureKind::Failed, Blame::Outside)
    );
    let failure = send(&scene, &url, "{{secret:TOKEN}}").await.unwrap_err();
    assert!(failure.message.contains("in the encoding `gzip`"), "{failure}");
}

#[tokio::test]
async fn a_guest_that_sends_by_itself_has_values_in_headers_alone_and_gets_them_covered() {
    let service = Service::plain().await;
    let scene = service.world().with_secret("TOKEN", VALUE).build();
    for size in [1, 2, 7, 1000] {
        let url = service.url(&format!("/echo?{size}"));
        let answer = send(&scene, &url, "Bearer {{secret:TOKEN}}").await.unwrap();
        let (header, body) = answer;
        assert_eq!(header, "Bearer [redacted]");
        assert!(body.contains("Bearer **************\n"), "{size}: {body}");
        for told in ["s3c", "czN", "733363"] {
            assert!(!body.contains(told), "{size}: {body}");
        }
    }
    let seen = service.seen().pop().unwrap();
    assert_eq!(seen.headers["authorization"], "Bearer s3cr\"t+/ value");
    assert_eq!(seen.headers["accept-encoding"], "identity");
    let failure = send(&scene, &service.url("/ok?{{secret:TOKEN}}"), "a")
        .await
        .unwrap_err();
    assert_eq!(failure.kind, FailureKind::Invalid);
}

/// Asks as a guest does; the header that comes back, and the body.
async fn send(scene: &Scene, url: &str, token: &str) -> Answer<(String, String)> {
    let request = Request::get(url)
        .header("authorization", token)
        .body(crate::network::body::whole(Bytes::new()))
        .unwrap();
    let (head, body) = scene.network.send(request, TIMEOUTS).await?.into_parts();
    let body = body.collect().await?.to_bytes();
    let header = head
        .headers
        .get("x-echo")
        .map_or("", |value| value.to_str().unwrap());
    Ok((header.to_owned(), String::from_utf8(body.to_vec()).unwrap()))
}
