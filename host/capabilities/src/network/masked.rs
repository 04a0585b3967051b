//! Masks secrets in what a server answers, before a guest gets it.

use crate::masking;
use crate::redaction::{Mask, Stream};
use bytes::Bytes;
use futures::StreamExt as _;
use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};
use http_body::Frame;
use http_body_util::{BodyExt as _, BodyStream, StreamBody};
use sopwith_core::port::capabilities::{Answer, Body, HttpResponse};

/// The answer of `probe.http`; its body was masked when it was read.
pub(super) fn response(mask: &Mask, response: HttpResponse) -> HttpResponse {
    HttpResponse {
        headers: masking::pairs(mask, response.headers),
        extra: masking::pairs(mask, response.extra),
        ..response
    }
}

/// The header of an answer. A field whose name holds a value is left out.
pub(super) fn header(mask: &Mask, headers: &mut HeaderMap) {
    if mask.is_idle() {
        return;
    }
    let holds_a_value = |name: &&HeaderName| mask.text(name.as_str()) != name.as_str();
    let left_out: Vec<HeaderName> = headers.keys().filter(holds_a_value).cloned().collect();
    for name in left_out {
        headers.remove(name);
    }
    for value in headers.values_mut() {
        let masked = mask.bytes(value.as_bytes());
        if *masked != *value.as_bytes() {
            *value = HeaderValue::from_bytes(&masked).expect("a mask can stand in a header");
        }
    }
}

/// A body as it comes. Nothing is moved in it, since its length was announced.
pub(super) fn body(mask: &Mask, body: Body) -> Body {
    if mask.is_idle() {
        return body;
    }
    let masking = Masking {
        mask: mask.clone(),
        stream: Some(mask.stream()),
        body: BodyStream::new(body),
        trailers: None,
    };
    let frames = futures::stream::try_unfold(masking, |mut masking| async move {
        let frame = masking.next().await?;
        Ok(frame.map(|frame| (frame, masking)))
    });
    StreamBody::new(frames).boxed_unsync()
}

struct Masking {
    mask: Mask,
    /// None once the body has come to its end.
    stream: Option<Stream>,
    body: BodyStream<Body>,
    trailers: Option<HeaderMap>,
}

impl Masking {
    async fn next(&mut self) -> Answer<Option<Frame<Bytes>>> {
        while let Some(stream) = &mut self.stream {
            let frame = self.body.next().await.transpose()?;
            let given = match frame.map(Frame::into_data) {
                Some(Ok(data)) => stream.next(&data),
                Some(Err(frame)) => {
                    self.trailers = frame.into_trailers().ok();
                    self.end()
                }
                None => self.end(),
            };
            if !given.is_empty() {
                return Ok(Some(Frame::data(given.into())));
            }
        }
        Ok(self.trailers.take().map(|mut trailers| {
            header(&self.mask, &mut trailers);
            Frame::trailers(trailers)
        }))
    }

    fn end(&mut self) -> Vec<u8> {
        let stream = self.stream.take();
        stream.map(|mut stream| stream.end()).unwrap_or_default()
    }
}
