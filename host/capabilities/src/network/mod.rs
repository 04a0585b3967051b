//! The network, for `probe` and `wasi:http` alike: one policy, one way to a connection.

mod address;
mod body;
mod certificate;
mod connect;
mod dial;
mod egress;
mod exchange;
mod headers;
mod insertion;
mod masked;
mod name_servers;
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
use crate::secrets::Vault;
use connect::Connector;
use http::Method;
use name_servers::NameServers;
use resolve::{Resolve, SystemResolver};
use sopwith_core::failure::Failure;
use sopwith_core::grant::Wanted;
use sopwith_core::port::capabilities::Answer;
use std::net::SocketAddr;
use std::sync::Arc;
use target::Target;
use tls::Sessions;
use tokio::sync::Semaphore;

/// Connections of one attempt at once; each holds a socket and buffers of the host.
const CONNECTIONS_MAX: usize = 64;

/// What one attempt can do on the network.
pub(crate) struct Network {
    gate: Arc<Gate>,
    sessions: Sessions,
    resolver: Arc<dyn Resolve>,
    places: Arc<Semaphore>,
    vault: Arc<Vault>,
}

impl Network {
    /// The network with the names that these name servers know, or else the system.
    pub(crate) fn new(
        gate: Arc<Gate>,
        trust: Arc<Trust>,
        name_servers: &Arc<[SocketAddr]>,
        vault: Arc<Vault>,
    ) -> Self {
        let resolver: Arc<dyn Resolve> = if name_servers.is_empty() {
            Arc::new(SystemResolver::new())
        } else {
            Arc::new(NameServers::new(Arc::clone(name_servers)))
        };
        Self {
            gate,
            sessions: Sessions::new(trust),
            resolver,
            places: Arc::new(Semaphore::new(CONNECTIONS_MAX)),
            vault,
        }
    }

    fn connector(&self) -> Connector<'_> {
        Connector {
            gate: &self.gate,
            sessions: &self.sessions,
            resolver: &*self.resolver,
            places: &self.places,
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
        let wanted = Wanted::Network {
            origin: target.origin.clone(),
            method: method.to_string(),
        };
        self.gate.allow(&wanted, call)?;
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
