//! `probe.http`: one request, timed by phase; redirects are followed where that is asked for.

use crate::masking;
use crate::network::connect::Connection;
use crate::network::exchange::{Exchange, exchange};
use crate::network::insertion::{self, Places, Values};
use crate::network::phase::{Deadline, Phase};
use crate::network::redirect::{self, Redirect};
use crate::network::target::Target;
use crate::network::{Network, body, headers, masked};
use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Version};
use sopwith_core::failure::Failure;
use sopwith_core::port::capabilities::{Answer, Body, Certificate, HttpRequest, HttpResponse, Probe, Timing};
use std::net::{IpAddr, SocketAddr};

/// The call, as the record of a run names it.
const CALL: &str = "probe.http";
/// More than any browser follows.
const REDIRECTS_MAX: u32 = 20;

#[async_trait]
impl Probe for Network {
    async fn http(&self, request: HttpRequest) -> Answer<HttpResponse> {
        let clock = self.gate.clock();
        let start = clock.monotonic();
        let mut redirects = Vec::new();
        // Whatever goes back to the guest goes back by here: an answer or a failure, and the redirects
        // before it.
        match self.follow(&request, &mut redirects).await {
            Ok(mut response) => {
                response.timing.total = clock.monotonic().saturating_sub(start);
                if !redirects.is_empty() {
                    response.extra.push(("redirects".to_owned(), chain(&redirects)));
                }
                Ok(masked::response(&self.gate.mask(), response))
            }
            Err(failure) => {
                let failure = on_the_way(failure, &redirects);
                Err(masking::failure(&self.gate.mask(), failure))
            }
        }
    }
}

impl Network {
    /// Asks until there is an answer that is no redirect, or one redirect too many.
    async fn follow(&self, request: &HttpRequest, redirects: &mut Vec<String>) -> Answer<HttpResponse> {
        let deadline = Deadline::after(self.gate.clock(), request.timeout);
        let limit = self.gate.attempt().limits.http_body_bytes;
        let keep = request.body_bytes_max.min(limit);
        let mut question = Question::read(request, limit)?;
        self.gate.meter().http_body_bytes.most(request.body.len() as u64);
        let mut inserted = false;
        loop {
            inserted |= !question.places()?.is_empty();
            let reply = self.ask(&question, &deadline).await?;
            if redirects.len() < request.follow_redirects_max as usize
                && let Some(next) = reply.redirect(&question)?
            {
                let mask = self.gate.mask();
                // Before it becomes JSON, in which a value is written in yet another way.
                redirects.push(mask.text(next.target.url()).into_owned());
                if inserted {
                    insertion::check_redirect(&mask, &question.target, &next.target)?;
                }
                question = question.redirected(next);
                continue;
            }
            let reach = self.gate.mask().reach() as u64;
            let read = self
                .gate
                .bounded(reply.read(keep.saturating_add(reach), &question, &deadline));
            return self.kept(read.await?, keep).await;
        }
    }

    /// The answer with as much of its body as is kept, and no secret in that.
    async fn kept(&self, response: HttpResponse, keep: u64) -> Answer<HttpResponse> {
        let keep = usize::try_from(keep).unwrap_or(usize::MAX);
        let (body, truncated) = (response.body, response.body_truncated);
        let most = body.len().min(keep);
        self.gate.meter().http_body_bytes.most(most as u64);
        let masked = masking::mask(&self.gate, body.len(), move |mask| {
            if truncated || body.len() > keep {
                return (mask.beginning(body, keep), true);
            }
            let mut masked = mask.bytes(&body).into_owned();
            let has_grown = masked.len() > keep;
            masked.truncate(keep);
            (masked, has_grown)
        });
        let (body, body_truncated) = masked.await?;
        Ok(HttpResponse {
            body,
            body_truncated,
            ..response
        })
    }

    async fn ask(&self, question: &Question, deadline: &Deadline<'_>) -> Answer<Reply> {
        let target = &question.target;
        let places = question.places()?;
        places.allow(&self.gate, target, question.method.as_str(), CALL)?;
        let work = async {
            let values = places.values(&self.gate, &self.vault).await?;
            let request = question.request(&values, self.gate.attempt().limits.http_body_bytes)?;
            let connection = self
                .connector()
                .connect(target, question.method.as_str(), question.only, deadline)
                .await?;
            let Connection {
                stream,
                peer,
                certificate,
                mut timing,
                place,
            } = connection;
            let server = target.origin.to_string();
            let (exchange, took) = deadline
                .phase(
                    Phase::FirstByte,
                    &server,
                    exchange(stream, place, request, &server),
                )
                .await?;
            timing.first_byte = Some(took);
            if !places.is_empty() {
                insertion::check_encoding(exchange.response.headers(), &server)?;
            }
            Ok(Reply {
                exchange,
                peer,
                certificate,
                timing,
            })
        };
        self.permitted(CALL, target, &question.method, work).await
    }
}

/// What is asked of one server.
struct Question {
    target: Target,
    /// What a server redirects to names no secrets.
    is_redirected: bool,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
    only: Option<IpAddr>,
}

impl Question {
    fn read(request: &HttpRequest, body_bytes_max: u64) -> Answer<Self> {
        if request.timeout.is_zero() {
            return Err(Failure::invalid("a request needs a timeout"));
        }
        if request.follow_redirects_max > REDIRECTS_MAX {
            return Err(Failure::invalid(format!(
                "at most {REDIRECTS_MAX} redirects are followed"
            )));
        }
        if request.body.len() as u64 > body_bytes_max {
            return Err(body::too_large("request", body_bytes_max));
        }
        insertion::check_url(&request.url)?;
        Ok(Self {
            target: Target::parse(&request.url)?,
            is_redirected: false,
            method: method(&request.method)?,
            headers: headers::read(&request.headers)?,
            body: request.body.clone().into(),
            only: only_address(request)?,
        })
    }

    /// Where it names secrets.
    fn places(&self) -> Answer<Places> {
        let query = self.target.query().filter(|_| !self.is_redirected);
        Places::read(&self.headers, query, &self.body)
    }

    fn request(&self, values: &Values<'_>, body_bytes_max: u64) -> Answer<Request<Body>> {
        let body = values.body(&self.headers, body_bytes_max)?;
        let mut request = Request::new(body::whole(body.map_or_else(|| self.body.clone(), Bytes::from)));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = match values.query()? {
            Some(query) => self.target.with_query(&query).uri()?,
            None => self.target.uri()?,
        };
        *request.version_mut() = Version::HTTP_11;
        *request.headers_mut() = values.headers(&self.headers)?;
        headers::complete(request.headers_mut(), &self.target)?;
        Ok(request)
    }

    fn redirected(mut self, next: Redirect) -> Self {
        if next.target.origin != self.target.origin {
            headers::strip_credentials(&mut self.headers);
        }
        if next.target.origin.host != self.target.origin.host {
            self.only = None;
        }
        if !next.keeps_body {
            headers::strip_body(&mut self.headers);
            self.body.clear();
        }
        self.target = next.target;
        self.is_redirected = true;
        self.method = next.method;
        self
    }
}

/// What one server answered.
struct Reply {
    exchange: Exchange,
    peer: SocketAddr,
    certificate: Option<Certificate>,
    timing: Timing,
}

impl Reply {
    fn redirect(&self, question: &Question) -> Answer<Option<Redirect>> {
        let response = &self.exchange.response;
        redirect::read(
            &question.target,
            &question.method,
            response.status(),
            response.headers(),
        )
    }

    async fn read(mut self, keep: u64, question: &Question, deadline: &Deadline<'_>) -> Answer<HttpResponse> {
        let server = question.target.origin.to_string();
        let response = &mut self.exchange.response;
        let extra = vec![("http-version".to_owned(), version(response.version()))];
        let (status, headers) = (response.status().as_u16(), headers::pairs(response.headers()));
        let reading = body::beginning(response.body_mut(), keep, &server);
        let ((body, body_truncated), _) = deadline.phase(Phase::Body, &server, reading).await?;
        Ok(HttpResponse {
            status,
            headers,
            body,
            body_truncated,
            peer_address: self.peer.to_string(),
            certificate: self.certificate,
            timing: self.timing,
            extra,
        })
    }
}

fn method(word: &str) -> Answer<Method> {
    let method = Method::from_bytes(word.as_bytes())
        .map_err(|_| Failure::invalid(format!("`{}` is no method", word.escape_debug())))?;
    if word.bytes().any(|byte| byte.is_ascii_lowercase()) {
        return Err(Failure::invalid(format!(
            "the method `{word}` is not in capitals"
        )));
    }
    Ok(method)
}

fn only_address(request: &HttpRequest) -> Answer<Option<IpAddr>> {
    let mut only = None;
    for (name, value) in &request.options {
        if name != "address" {
            return Err(Failure::invalid(format!(
                "there is no option `{name}`, only `address`"
            )));
        }
        let address = value.trim_matches(['[', ']']).parse();
        only = Some(address.map_err(|_| Failure::invalid(format!("`{value}` is no address")))?);
    }
    Ok(only)
}

fn version(version: Version) -> String {
    format!("{version:?}").trim_start_matches("HTTP/").to_owned()
}

/// The places that a request was sent on to, as JSON.
fn chain(redirects: &[String]) -> String {
    serde_json::Value::from(redirects).to_string()
}

fn on_the_way(failure: Failure, redirects: &[String]) -> Failure {
    if redirects.is_empty() {
        return failure;
    }
    let message = format!("after a redirect: {failure}");
    Failure { message, ..failure }.with("redirects", chain(redirects))
}
