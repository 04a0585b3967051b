//! `wasi:http/outgoing-handler`, sent through the host's own egress.

use crate::guest::Guest;
use crate::http_request;
use http_body_util::BodyExt as _;
use sopwith_core::failure::{Failure, FailureKind};
use sopwith_core::port::capabilities::{Body, Capabilities, EgressTimeouts};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use wasmtime::component::Linker;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

/// How long a phase may take that the guest sets no time for.
const PHASE_TIMEOUT: Duration = Duration::from_secs(30);

/// Requests of one guest that are under way at once; each has a connection, and is under way until
/// the body of its answer is dropped.
const REQUESTS_AT_ONCE_MAX: usize = 16;
/// What the host keeps of a body that the guest writes until it is sent: two pieces.
const PIECE_BYTES_MAX: usize = 16 << 10;

/// Links `wasi:http`.
pub(crate) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(linker)?;
    http_request::bound(linker)
}

/// Sends what a guest asks for.
pub(crate) struct Outgoing {
    capabilities: Arc<dyn Capabilities>,
    under_way: Arc<Semaphore>,
}

impl Outgoing {
    pub(crate) fn new(capabilities: Arc<dyn Capabilities>) -> Self {
        Self {
            capabilities,
            under_way: Arc::new(Semaphore::new(REQUESTS_AT_ONCE_MAX)),
        }
    }
}

/// What the response's connection still has to do: nothing, since the egress sees to it itself.
type Rest = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Sent = Result<(http::Response<WasiBody>, Rest), Error>;

impl WasiHttpHooks for Outgoing {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Rest,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        let capabilities = Arc::clone(&self.capabilities);
        let turn = Arc::clone(&self.under_way).try_acquire_owned();
        Box::new(async move {
            let turn = turn.map_err(|_| Error::ConnectionLimitReached)?;
            let response = send(&*capabilities, request, options).await;
            let response = response.map_err(refusal)?;
            // The turn lives as long as the body.
            let response = response.map(|body| {
                let refuse = move |failure| {
                    let _turn = &turn;
                    refusal(failure)
                };
                body.map_err(refuse).boxed_unsync()
            });
            Ok((response, Box::new(async { Ok(()) }) as Rest))
        })
    }

    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        PIECE_BYTES_MAX
    }
}

async fn send(
    capabilities: &dyn Capabilities,
    request: http::Request<WasiBody>,
    options: Option<RequestOptions>,
) -> Result<http::Response<Body>, Failure> {
    let left = capabilities.run().time_left();
    let phase = |wanted: Option<Duration>| wanted.unwrap_or(PHASE_TIMEOUT).min(left);
    let options = options.unwrap_or_default();
    let timeouts = EgressTimeouts {
        connect: phase(options.connect_timeout),
        first_byte: phase(options.first_byte_timeout),
        between_bytes: phase(options.between_bytes_timeout),
    };
    let broken = |error: Error| Failure::invalid(format!("the body of the request is broken: {error}"));
    let request = request.map(|body| body.map_err(broken).boxed_unsync());
    capabilities.egress().send(request, timeouts).await
}

/// The failure in the words of `wasi:http`. What has no word of its own keeps its message.
fn refusal(failure: Failure) -> Error {
    match failure.kind {
        FailureKind::Denied => Error::HttpRequestDenied,
        FailureKind::NotFound => Error::DestinationNotFound,
        FailureKind::Timeout => Error::HttpResponseTimeout,
        FailureKind::Limit => Error::HttpResponseBodySize(None),
        _ => Error::InternalError(Some(failure.message)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::no_capabilities::NoCapabilities;
    use http_body_util::Empty;
    use std::pin::Pin;

    #[tokio::test]
    async fn request_is_the_egress_to_decide() {
        let mut outgoing = Outgoing::new(Arc::new(NoCapabilities::default()));
        let body = Empty::new().map_err(Error::from).boxed_unsync();
        let request = http::Request::get("http://localhost/").body(body);
        let request = request.expect("a request");
        let sent = outgoing.send_request(request, None, Box::new(async { Ok(()) }));
        let refused = Pin::from(sent).await.err();
        assert!(matches!(refused, Some(Error::HttpRequestDenied)), "{refused:?}");
    }

    #[test]
    fn failure_without_a_word_of_its_own_keeps_its_message() {
        let error = refusal(Failure::host("the network is down"));
        assert!(matches!(error, Error::InternalError(Some(message)) if message == "the network is down"));
    }
}
