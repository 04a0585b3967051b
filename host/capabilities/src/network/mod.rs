//! The network, for `probe` and `wasi:http` alike: one policy, one way to a connection.

mod address;
mod body;
mod certificate;
mod connect;
mod dial;
mod egress;
mod exchange;
mod headers;
mod phase;
mod policy;
mod probe;
mod redirect;
mod resolve;
mod target;
#[cfg(test)]
mod tests;
mod tls;

pub(crate) use tls::Trust;

use crate::gate::{Gate, Proceed};
use connect::Connector;
use http::Method;
use resolve::{Resolve, SystemResolver};
use sopwith_core::failure::Failure;
use sopwith_core::grant::Wanted;
use sopwith_core::port::capabilities::Answer;
use std::sync::Arc;
use target::Target;

/// What one attempt can do on the network.
pub(crate) struct Network {
    gate: Arc<Gate>,
    trust: Arc<Trust>,
    resolver: Arc<dyn Resolve>,
}

impl Network {
    /// The network with the names of the system.
    pub(crate) fn new(gate: Arc<Gate>, trust: Arc<Trust>) -> Self {
        Self::with_resolver(gate, trust, Arc::new(SystemResolver::new()))
    }

    /// The network with names of somebody else.
    pub(crate) fn with_resolver(gate: Arc<Gate>, trust: Arc<Trust>, resolver: Arc<dyn Resolve>) -> Self {
        Self {
            gate,
            trust,
            resolver,
        }
    }

    fn connector(&self) -> Connector<'_> {
        Connector {
            gate: &self.gate,
            trust: &self.trust,
            resolver: &*self.resolver,
        }
    }

    /// Carries out a request that the grants allow; one that may change something is on record
    /// before, and in a dry run it is not carried out.
    async fn permitted<T>(
        &self,
        call: &str,
        target: &Target,
        method: &Method,
        work: impl Future<Output = Answer<T>>,
    ) -> Answer<T> {
        if method == Method::CONNECT {
            return Err(Failure::invalid(
                "the method `CONNECT` makes a tunnel, and there are none",
            ));
        }
        self.gate.allow(&Wanted::Network {
            origin: target.origin.clone(),
            method: method.to_string(),
        })?;
        if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
            return self.gate.bounded(work).await;
        }
        let object = format!("{method} {}", target.shown());
        match self.gate.change(call, &object).await? {
            Proceed::Really => self.gate.changed(call, &object, self.gate.bounded(work).await),
            Proceed::DryRun => Err(Failure::planned(format!("a dry run does not send `{object}`"))),
        }
    }
}
