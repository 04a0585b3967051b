//! What conditions look at: the answer to one request.

use sopwith::jiff::{SignedDuration, Timestamp};
use sopwith::probe::Response;
use sopwith::serde_json::Value;
use std::cell::OnceCell;

/// The answer to one request, at the instant at which it is looked at.
pub(crate) struct Answer<'a> {
    response: &'a Response,
    now: Timestamp,
    /// Parsed when the first condition asks for it.
    json: OnceCell<Result<Value, String>>,
}

impl<'a> Answer<'a> {
    /// Looks at a response.
    pub(crate) fn new(response: &'a Response, now: Timestamp) -> Self {
        let json = OnceCell::new();
        Self { response, now, json }
    }

    /// The status.
    pub(crate) fn status(&self) -> u16 {
        self.response.status
    }

    /// How long the whole took.
    pub(crate) fn elapsed(&self) -> Result<SignedDuration, String> {
        SignedDuration::try_from(self.response.elapsed()).map_err(|error| error.to_string())
    }

    /// The values of all headers of this name, as RFC 9110 combines them.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let values = self.response.headers_named(name);
        (!values.is_empty()).then(|| values.join(", "))
    }

    /// How long the server's certificate is still valid; negative where it has expired.
    pub(crate) fn certificate_left(&self) -> Result<SignedDuration, String> {
        let certificate = self.response.certificate.as_ref();
        let certificate = certificate.ok_or("the server showed no certificate")?;
        let until = certificate.valid_until().map_err(|error| error.message)?;
        Ok(until.duration_since(self.now))
    }

    /// The body as text.
    pub(crate) fn text(&self) -> Result<String, String> {
        self.whole_body().map(Response::text)
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Result<&Value, String> {
        let parsed = self.json.get_or_init(|| {
            let body = &self.whole_body()?.body;
            sopwith::serde_json::from_slice(body).map_err(|error| format!("the body is not JSON: {error}"))
        });
        parsed.as_ref().map_err(Clone::clone)
    }

    fn whole_body(&self) -> Result<&'a Response, String> {
        if self.response.body_truncated {
            return Err(format!(
                "the body has more than {} bytes",
                self.response.body.len()
            ));
        }
        Ok(self.response)
    }
}
