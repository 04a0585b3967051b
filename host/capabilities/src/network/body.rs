//! Bodies on their way through the host: counted, and not waited for without end.

use crate::gate::Gate;
use crate::network::exchange::{Exchange, refusal};
use crate::network::phase::{Deadline, Phase};
use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::try_unfold;
use http::Response;
use http_body::{Body as _, Frame};
use http_body_util::{BodyExt as _, BodyStream, Full, StreamBody};
use hyper::body::Incoming;
use sopwith_core::failure::Failure;
use sopwith_core::port::capabilities::{Answer, Body};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::task::AbortOnDropHandle;

/// A body that is there already.
pub(super) fn whole(bytes: Bytes) -> Body {
    Full::new(bytes).map_err(|never| match never {}).boxed_unsync()
}

/// The same body, which is counted, and fails when it has more bytes than the attempt may send.
pub(super) fn capped(body: Body, gate: Arc<Gate>) -> Body {
    let bytes_max = gate.attempt().limits.http_body_bytes;
    // A body of known length keeps it, so that it is sent with its length and not in chunks.
    if let Some(bytes) = body.size_hint().upper().filter(|bytes| *bytes <= bytes_max) {
        gate.meter().http_body_bytes.most(bytes);
        return body;
    }
    let mut left = bytes_max;
    let frames = BodyStream::new(body).map(move |frame| {
        let frame = frame?;
        let rest = take(left, &frame);
        left = rest.unwrap_or_default();
        gate.meter().http_body_bytes.most(bytes_max - left);
        rest.ok_or_else(|| too_large("request", bytes_max))?;
        Ok(frame)
    });
    StreamBody::new(frames).boxed_unsync()
}

/// Reads the beginning of a body, and says whether there was more.
pub(super) async fn beginning(body: &mut Incoming, bytes_max: u64, server: &str) -> Answer<(Vec<u8>, bool)> {
    let bytes_max = usize::try_from(bytes_max).unwrap_or(usize::MAX);
    let mut kept = Vec::new();
    loop {
        let room = bytes_max - kept.len();
        if room == 0 && body.size_hint().lower() > 0 {
            return Ok((kept, true));
        }
        let Some(frame) = body.frame().await else {
            return Ok((kept, false));
        };
        let frame = frame.map_err(|error| refusal(&error, Phase::Body, server))?;
        let Some(data) = frame.data_ref() else { continue };
        kept.extend_from_slice(&data[..data.len().min(room)]);
        if data.len() > room {
            return Ok((kept, true));
        }
    }
}

/// Hands on the body of an answer as it comes; too slow or too large, it ends with a failure.
pub(super) fn handed_on(
    exchange: Exchange,
    gate: Arc<Gate>,
    between: Duration,
    server: String,
) -> Response<Body> {
    let (head, body) = exchange.response.into_parts();
    let coming = Coming {
        body,
        left: gate.attempt().limits.http_body_bytes,
        gate,
        between,
        server,
        _driver: exchange.driver,
    };
    let frames = try_unfold(coming, |mut coming| async move {
        // Each piece of the body, and a failure in the middle of it, goes back to the guest by here.
        let frame = coming.next().await?;
        Ok(frame.map(|frame| (frame, coming)))
    });
    Response::from_parts(head, StreamBody::new(frames).boxed_unsync())
}

struct Coming {
    body: Incoming,
    left: u64,
    gate: Arc<Gate>,
    between: Duration,
    server: String,
    /// Keeps the connection open.
    _driver: AbortOnDropHandle<()>,
}

impl Coming {
    async fn next(&mut self) -> Answer<Option<Frame<Bytes>>> {
        let deadline = Deadline::after(self.gate.clock(), self.between);
        let frame = async { Ok(self.body.frame().await) };
        let waiting = deadline.phase(Phase::Body, &self.server, frame);
        let (frame, _) = self.gate.bounded(waiting).await?;
        let Some(frame) = frame else { return Ok(None) };
        let frame = frame.map_err(|error| refusal(&error, Phase::Body, &self.server))?;
        let bytes_max = self.gate.attempt().limits.http_body_bytes;
        let rest = take(self.left, &frame);
        self.left = rest.unwrap_or_default();
        self.gate.meter().http_body_bytes.most(bytes_max - self.left);
        rest.ok_or_else(|| too_large("answer", bytes_max))?;
        Ok(Some(frame))
    }
}

fn take(left: u64, frame: &Frame<Bytes>) -> Option<u64> {
    let bytes = frame.data_ref().map_or(0, Bytes::len);
    left.checked_sub(bytes as u64)
}

/// A body of the request or the answer has more bytes than the limit allows.
pub(super) fn too_large(which: &str, bytes_max: u64) -> Failure {
    Failure::limit(
        "http_body",
        format!("the body of the {which} has more than {bytes_max} bytes"),
    )
}
