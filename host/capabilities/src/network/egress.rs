//! `wasi:http`: what a guest sends by itself, under the policy of `probe`.

use crate::gate::Gate;
use crate::masking;
use crate::network::connect::Connection;
use crate::network::exchange::{Exchange, exchange};
use crate::network::insertion::{self, Places};
use crate::network::phase::{Deadline, Phase};
use crate::network::target::Target;
use crate::network::{Network, body, headers, masked};
use async_trait::async_trait;
use http::{Request, Response, Version};
use http_body::Body as _;
use sopwith_core::port::capabilities::{Answer, Body, Egress, EgressTimeouts};
use std::sync::Arc;

/// The call, as the record of a run names it.
const CALL: &str = "wasi:http";

#[async_trait]
impl Egress for Network {
    async fn send(&self, request: Request<Body>, timeouts: EgressTimeouts) -> Answer<Response<Body>> {
        // Whatever goes back to the guest goes back by here: a failure, or head and body of an answer.
        match self.answer(request, timeouts).await {
            Ok((exchange, server)) => {
                let mask = self.gate.mask();
                let gate = Arc::clone(&self.gate);
                let (mut head, body) =
                    body::handed_on(exchange, gate, timeouts.between_bytes, server).into_parts();
                masked::header(&mask, &mut head.headers);
                Ok(Response::from_parts(head, masked::body(&mask, body)))
            }
            Err(failure) => Err(masking::failure(&self.gate.mask(), failure)),
        }
    }
}

impl Network {
    /// The answer to a request that the grants allow, and the server's name.
    async fn answer(&self, request: Request<Body>, timeouts: EgressTimeouts) -> Answer<(Exchange, String)> {
        let url = request.uri().to_string();
        insertion::check_whole_url(&url)?;
        let target = Target::parse(&url)?;
        let method = request.method().clone();
        let mut request = prepare(request, &target, &self.gate)?;
        let places = Places::read(request.headers(), None, &[])?;
        places.allow(&self.gate, &target, method.as_str(), CALL)?;
        let work = async {
            let values = places.values(&self.gate, &self.vault).await?;
            *request.headers_mut() = values.headers(request.headers())?;
            let exchange = self.pass_on(&target, request, timeouts).await?;
            if !places.is_empty() {
                insertion::check_encoding(exchange.response.headers(), &target.origin.to_string())?;
            }
            Ok(exchange)
        };
        let exchange = self.permitted(CALL, &target, &method, work).await?;
        Ok((exchange, target.origin.to_string()))
    }

    async fn pass_on(
        &self,
        target: &Target,
        request: Request<Body>,
        timeouts: EgressTimeouts,
    ) -> Answer<Exchange> {
        let connecting = Deadline::after(self.gate.clock(), timeouts.connect);
        let method = request.method().to_string();
        let Connection { stream, place, .. } = self
            .connector()
            .connect(target, &method, None, &connecting)
            .await?;
        let server = target.origin.to_string();
        let answering = Deadline::after(self.gate.clock(), timeouts.first_byte);
        let (exchange, _) = answering
            .phase(
                Phase::FirstByte,
                &server,
                exchange(stream, place, request, &server),
            )
            .await?;
        Ok(exchange)
    }
}

fn prepare(request: Request<Body>, target: &Target, gate: &Arc<Gate>) -> Answer<Request<Body>> {
    let (mut head, body) = request.into_parts();
    head.version = Version::HTTP_11;
    head.uri = target.uri()?;
    headers::strip_own(&mut head.headers);
    headers::check_length(&head.headers, &body.size_hint())?;
    headers::complete(&mut head.headers, target)?;
    Ok(Request::from_parts(head, body::capped(body, Arc::clone(gate))))
}
