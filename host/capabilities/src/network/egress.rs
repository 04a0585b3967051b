//! `wasi:http`: what a guest sends by itself, under the policy of `probe`.

use crate::network::connect::Connection;
use crate::network::exchange::{Exchange, exchange};
use crate::network::phase::{Deadline, Phase};
use crate::network::target::Target;
use crate::network::{Network, body, headers};
use async_trait::async_trait;
use http::{Request, Response, Version};
use sopwith_core::port::capabilities::{Answer, Body, Egress, EgressTimeouts};
use std::sync::Arc;

/// The call, as the record of a run names it.
const CALL: &str = "wasi:http";

#[async_trait]
impl Egress for Network {
    async fn send(&self, request: Request<Body>, timeouts: EgressTimeouts) -> Answer<Response<Body>> {
        let target = Target::parse(&request.uri().to_string())?;
        let method = request.method().clone();
        let request = prepare(request, &target, self.gate.attempt().limits.http_body_bytes)?;
        let work = self.pass_on(&target, request, timeouts);
        let exchange = self.permitted(CALL, &target, &method, work).await?;
        Ok(body::handed_on(
            exchange,
            Arc::clone(&self.gate),
            timeouts.between_bytes,
            target.origin.to_string(),
        ))
    }
}

impl Network {
    async fn pass_on(
        &self,
        target: &Target,
        request: Request<Body>,
        timeouts: EgressTimeouts,
    ) -> Answer<Exchange> {
        let connecting = Deadline::after(self.gate.clock(), timeouts.connect);
        let method = request.method().to_string();
        let Connection { stream, .. } = self
            .connector()
            .connect(target, &method, None, &connecting)
            .await?;
        let server = target.origin.to_string();
        let answering = Deadline::after(self.gate.clock(), timeouts.first_byte);
        let (exchange, _) = answering
            .phase(Phase::FirstByte, &server, exchange(stream, request, &server))
            .await?;
        Ok(exchange)
    }
}

fn prepare(request: Request<Body>, target: &Target, body_bytes_max: u64) -> Answer<Request<Body>> {
    let (mut head, body) = request.into_parts();
    head.version = Version::HTTP_11;
    head.uri = target.uri()?;
    headers::strip_own(&mut head.headers);
    headers::complete(&mut head.headers, target)?;
    Ok(Request::from_parts(head, body::capped(body, body_bytes_max)))
}
