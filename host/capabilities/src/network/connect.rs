//! Makes a connection to a granted server, and only to an address that the policy admits.

use crate::gate::Gate;
use crate::network::phase::{Deadline, Phase, outside};
use crate::network::resolve::Resolve;
use crate::network::target::Target;
use crate::network::tls::Sessions;
use crate::network::{CONNECTIONS_MAX, certificate, dial, policy};
use sopwith_core::failure::{Failure, FailureKind};
use sopwith_core::port::capabilities::{Answer, Certificate, Timing};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The use of a grant that names an address, as it is counted beside that of the name's.
const CALL: &str = "connect";

/// Bytes both ways, through TLS or not.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A connection that stands.
pub(super) struct Connection {
    /// Where requests are written to and answers read from.
    pub(super) stream: Box<dyn Stream>,
    /// Who is at the other end.
    pub(super) peer: SocketAddr,
    /// The server's certificate, where TLS is spoken.
    pub(super) certificate: Option<Certificate>,
    /// How long it took to come so far.
    pub(super) timing: Timing,
    /// Its place among the connections of the attempt.
    pub(super) place: OwnedSemaphorePermit,
}

/// What connecting rests on.
#[derive(Clone, Copy)]
pub(super) struct Connector<'a> {
    pub(super) gate: &'a Gate,
    pub(super) sessions: &'a Sessions,
    pub(super) resolver: &'a dyn Resolve,
    pub(super) places: &'a Arc<Semaphore>,
}

impl Connector<'_> {
    /// Connects to a granted server; `only` is the one of its addresses to take.
    pub(super) async fn connect(
        &self,
        target: &Target,
        method: &str,
        only: Option<IpAddr>,
        deadline: &Deadline<'_>,
    ) -> Answer<Connection> {
        let place = self.place(target, deadline).await?;
        let mut timing = Timing::default();
        let chosen = self.judged(target, method, only, deadline, &mut timing).await?;

        let server = target.origin.to_string();
        let dialling = dial::dial(&chosen, deadline.clock());
        let ((stream, peer), took) = deadline.phase(Phase::Connect, &server, dialling).await?;
        timing.connect = Some(took);

        let (stream, certificate) = self.secure(target, stream, peer, deadline, &mut timing).await?;
        Ok(Connection {
            stream,
            peer,
            certificate,
            timing,
            place,
        })
    }

    /// Waits until the attempt has so few connections that there may be another one.
    async fn place(&self, target: &Target, deadline: &Deadline<'_>) -> Answer<OwnedSemaphorePermit> {
        let free = async {
            let place = Arc::clone(self.places).acquire_owned().await;
            place.map_err(|error| Failure::host(format!("connections are not counted any more: {error}")))
        };
        let waited = deadline
            .phase(Phase::Connect, &target.origin.to_string(), free)
            .await;
        waited.map(|(place, _)| place).map_err(|failure| {
            let message = format!("{failure}; the attempt has {CONNECTIONS_MAX} connections already");
            Failure { message, ..failure }
        })
    }

    /// Looks the name up once and has every address judged. What comes back is what is connected
    /// to: another lookup could have another answer.
    pub(super) async fn judged(
        &self,
        target: &Target,
        method: &str,
        only: Option<IpAddr>,
        deadline: &Deadline<'_>,
        timing: &mut Timing,
    ) -> Answer<Vec<SocketAddr>> {
        let addresses = self.addresses(target, deadline, timing).await?;
        policy::admit(target, method, &addresses, |wanted| self.gate.allow(wanted, CALL))?;
        choose(target, &addresses, only)
    }

    async fn addresses(
        &self,
        target: &Target,
        deadline: &Deadline<'_>,
        timing: &mut Timing,
    ) -> Answer<Vec<IpAddr>> {
        if let Some(address) = target.literal() {
            return Ok(vec![address]);
        }
        let host = &target.origin.host;
        let lookup = async {
            let found = self.resolver.resolve(host).await;
            found.map_err(|error| {
                let message = format!("the name `{host}` does not resolve: {error}");
                outside(FailureKind::Unavailable, Phase::Dns, message)
            })
        };
        let (mut addresses, took) = deadline.phase(Phase::Dns, host, lookup).await?;
        timing.dns = Some(took);
        let mut seen = std::collections::BTreeSet::new();
        addresses.retain(|address| seen.insert(*address));
        if addresses.is_empty() {
            let message = format!("the name `{host}` has no address");
            return Err(outside(FailureKind::Unavailable, Phase::Dns, message));
        }
        Ok(addresses)
    }

    async fn secure(
        &self,
        target: &Target,
        stream: TcpStream,
        peer: SocketAddr,
        deadline: &Deadline<'_>,
        timing: &mut Timing,
    ) -> Answer<(Box<dyn Stream>, Option<Certificate>)> {
        if !target.is_secure() {
            return Ok((Box::new(stream), None));
        }
        let agreeing = self.sessions.handshake(stream, peer, &target.origin.host);
        let server = target.origin.to_string();
        let (stream, took) = deadline.phase(Phase::Tls, &server, agreeing).await?;
        timing.tls = Some(took);
        let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
        let certificate = shown.map(|der| certificate::read(der)).transpose()?;
        Ok((Box::new(stream), certificate))
    }
}

fn choose(target: &Target, addresses: &[IpAddr], only: Option<IpAddr>) -> Answer<Vec<SocketAddr>> {
    let chosen: Vec<SocketAddr> = addresses
        .iter()
        .filter(|address| only.is_none_or(|only| only == **address))
        .map(|address| SocketAddr::new(*address, target.origin.port))
        .collect();
    match only {
        Some(only) if chosen.is_empty() => {
            let known: Vec<String> = addresses.iter().map(ToString::to_string).collect();
            let message = format!(
                "{only} is none of the addresses of `{}`: {}",
                target.origin.host,
                known.join(", ")
            );
            Err(outside(FailureKind::NotFound, Phase::Dns, message))
        }
        _ => Ok(chosen),
    }
}
