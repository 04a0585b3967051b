//! Carries out the table of egress, row by row, through `probe` and through `wasi:http`.

mod cases;
mod listeners;

use super::world::{Scene, World, request};
use cases::{CASES, Case, Comes};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};
use http_body_util::BodyExt as _;
use listeners::Listeners;
use sopwith_core::failure::Failure;
use sopwith_core::journal::Note;
use sopwith_core::port::capabilities::{Answer, Egress as _, EgressTimeouts, HttpRequest, Probe as _};
use std::time::Duration;
use url::Url;

/// How many redirects are followed.
const FOLLOWED_MAX: u32 = 5;
/// So long does nothing take on this machine, unless it waits where it should have been refused.
const PATIENCE: Duration = Duration::from_secs(10);

/// The two ways in which a guest sends a request.
#[derive(Debug, Clone, Copy)]
enum Way {
    Probe,
    WasiHttp,
}

/// A request as it stands in the table.
struct Asked {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
}

impl Asked {
    fn read(text: &str) -> Self {
        let mut lines = text.split('\n');
        let (method, url) = lines.next().unwrap().split_once(' ').unwrap();
        let spelled = |text: &str| text.replace("CRLF", "\r\n").replace("SPACE", " ");
        let headers = lines.map(|line| match line.split_once(": ") {
            Some((name, value)) if !name.contains("CRLF") => (name.to_owned(), spelled(value)),
            _ => (spelled(line), "x".to_owned()),
        });
        Self {
            method: spelled(method),
            url: url.to_owned(),
            headers: headers.collect(),
        }
    }

    /// By `probe`, which follows redirects itself.
    async fn by_probe(&self, scene: &Scene) -> Answer<u16> {
        let question = HttpRequest {
            method: self.method.clone(),
            headers: self.headers.clone(),
            follow_redirects_max: FOLLOWED_MAX,
            ..request(&self.url)
        };
        Ok(scene.network.http(question).await?.status)
    }

    /// By `wasi:http`, where a guest follows redirects itself.
    async fn by_wasi_http(&self, scene: &Scene) -> Answer<u16> {
        let mut url = self.url.clone();
        for followed in 0.. {
            let answer = scene.network.send(self.sent(&url)?, TIMEOUTS).await?;
            let next = answer.headers().get("location").cloned();
            let status = answer.status().as_u16();
            answer.into_body().collect().await?;
            match next {
                Some(next) if followed < FOLLOWED_MAX => {
                    let base = Url::parse(&url).unwrap();
                    let next = base.join(next.to_str().unwrap());
                    url = next.map_err(unwritable)?.to_string();
                }
                _ => return Ok(status),
            }
        }
        unreachable!("it ends with the last redirect")
    }

    /// What the guest cannot write, the sandbox refuses with the types of `http`, as here.
    fn sent(&self, url: &str) -> Answer<Request<sopwith_core::port::capabilities::Body>> {
        let mut sent = Request::new(crate::network::body::whole(bytes::Bytes::new()));
        *sent.method_mut() = Method::from_bytes(self.method.as_bytes()).map_err(unwritable)?;
        *sent.uri_mut() = Uri::try_from(url).map_err(unwritable)?;
        let headers: Answer<HeaderMap> = self.headers.iter().map(field).collect();
        *sent.headers_mut() = headers?;
        Ok(sent)
    }
}

const TIMEOUTS: EgressTimeouts = EgressTimeouts {
    connect: PATIENCE,
    first_byte: PATIENCE,
    between_bytes: PATIENCE,
};

fn field((name, value): &(String, String)) -> Answer<(HeaderName, HeaderValue)> {
    Ok((
        name.parse().map_err(unwritable)?,
        value.parse().map_err(unwritable)?,
    ))
}

fn unwritable(error: impl std::fmt::Display) -> Failure {
    Failure::invalid(error.to_string())
}

fn world(allow: &str, names: &str) -> World {
    let world = World::granting(allow.split(' '));
    let names = names.split("; ").filter_map(|name| name.split_once(" = "));
    names.fold(world, |world, (name, says)| world.says(name, says))
}

/// What is wrong with how this row goes.
async fn mistake(listeners: &mut Listeners, way: Way, case: &Case) -> Option<String> {
    let (name, allow, names, asked, Comes(by_probe, by_wasi_http)) = case;
    let asked = Asked::read(&listeners.ports_in(asked));
    let scene = world(&listeners.ports_in(allow), names).build();
    let (requests, expected) = match way {
        Way::Probe => by_probe,
        Way::WasiHttp => by_wasi_http,
    };
    let going = async {
        match way {
            Way::Probe => asked.by_probe(&scene).await,
            Way::WasiHttp => asked.by_wasi_http(&scene).await,
        }
    };
    let answer = tokio::time::timeout(PATIENCE, going).await;
    let found = match &answer {
        Ok(Ok(status)) => status.to_string(),
        Ok(Err(failure)) => failure.kind.as_str().to_owned(),
        Err(_) => "it waits, so it went out".to_owned(),
    };
    let arrived = listeners.arrived().await;
    let on_record = scene.notes().iter().any(|note| matches!(note, Note::Denied(_)));
    let is_right = found == *expected && arrived.are_only(*requests) && on_record == (found == "denied");
    (!is_right).then(|| format!("{way:?}: {name}: {answer:?}, {arrived:?}, a denial on record: {on_record}"))
}

#[tokio::test]
async fn nothing_gets_out_that_is_not_granted_and_what_is_granted_does() {
    let mut listeners = Listeners::new().await;
    let mut mistakes = Vec::new();
    for case in CASES {
        for way in [Way::Probe, Way::WasiHttp] {
            mistakes.extend(mistake(&mut listeners, way, case).await);
        }
    }
    assert!(mistakes.is_empty(), "{mistakes:#?}");
}

#[test]
fn the_table_is_long_and_each_row_has_its_own_name() {
    let refused = CASES
        .iter()
        .filter(|(.., Comes((_, by_probe), _))| *by_probe != "200");
    assert!(refused.count() >= 60);
    let mut names: Vec<&str> = CASES.iter().map(|(name, ..)| *name).collect();
    names.sort_unstable();
    let repeated = names.windows(2).find(|pair| pair[0] == pair[1]);
    assert_eq!(repeated, None);
}
