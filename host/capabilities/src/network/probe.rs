//! `probe.http`: one request, timed by phase; redirects are followed where that is asked for.

use crate::network::connect::Connection;
use crate::network::exchange::{Exchange, exchange};
use crate::network::phase::{Deadline, Phase};
use crate::network::redirect::{self, Redirect};
use crate::network::target::Target;
use crate::network::{Network, body, headers};
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
        let answer = self.follow(&request, &mut redirects).await;
        let mut response = answer.map_err(|failure| on_the_way(failure, &redirects))?;
        if !redirects.is_empty() {
            response.extra.push(("redirects".to_owned(), chain(&redirects)));
        }
        response.timing.total = clock.monotonic().saturating_sub(start);
        Ok(response)
    }
}

impl Network {
    /// Asks until there is an answer that is no redirect, or one redirect too many.
    async fn follow(&self, request: &HttpRequest, redirects: &mut Vec<String>) -> Answer<HttpResponse> {
        let deadline = Deadline::after(self.gate.clock(), request.timeout);
        let limit = self.gate.attempt().limits.http_body_bytes;
        let keep = request.body_bytes_max.min(limit);
        let mut question = Question::read(request, limit)?;
        loop {
            let reply = self.ask(&question, &deadline).await?;
            if redirects.len() < request.follow_redirects_max as usize
                && let Some(next) = reply.redirect(&question)?
            {
                redirects.push(next.target.url().to_owned());
                question = question.redirected(next);
                continue;
            }
            return self.gate.bounded(reply.read(keep, &question, &deadline)).await;
        }
    }

    async fn ask(&self, question: &Question, deadline: &Deadline<'_>) -> Answer<Reply> {
        let target = &question.target;
        let work = async {
            let request = question.request()?;
            let connection = self
                .connector()
                .connect(target, question.method.as_str(), question.only, deadline)
                .await?;
            let Connection {
                stream,
                peer,
                certificate,
                mut timing,
            } = connection;
            let server = target.origin.to_string();
            let (exchange, took) = deadline
                .phase(Phase::FirstByte, &server, exchange(stream, request, &server))
                .await?;
            timing.first_byte = Some(took);
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
        Ok(Self {
            target: Target::parse(&request.url)?,
            method: method(&request.method)?,
            headers: headers::read(&request.headers)?,
            body: request.body.clone().into(),
            only: only_address(request)?,
        })
    }

    fn request(&self) -> Answer<Request<Body>> {
        let mut request = Request::new(body::whole(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.target.uri()?;
        *request.version_mut() = Version::HTTP_11;
        *request.headers_mut() = self.headers.clone();
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
