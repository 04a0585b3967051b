//! Turns names into addresses by asking the name servers that the operator named.

use crate::network::resolve::Resolve;
use async_trait::async_trait;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::Name;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OnceCell;

/// How long an answer is waited for before the question is put again, to the others first.
const PATIENCE: Duration = Duration::from_secs(3);
/// How often a question is put again.
const AGAIN_MAX: usize = 2;

/// Name servers in place of the system's resolver.
///
/// They are asked for both families over UDP, and over TCP for what does not fit. Nothing else has
/// a say: no `/etc/hosts`, no search domain, no answer of before. `localhost` and the names beneath
/// it are loopback without a question (RFC 6761).
pub(super) struct NameServers {
    addresses: Arc<[SocketAddr]>,
    /// Made for the first name that is looked up, since most attempts look up none; apart for each
    /// attempt, so that none can keep the name servers busy for another.
    resolver: OnceCell<TokioResolver>,
}

impl NameServers {
    /// Asks the name servers at these addresses.
    pub(super) fn new(addresses: Arc<[SocketAddr]>) -> Self {
        Self {
            addresses,
            resolver: OnceCell::new(),
        }
    }

    fn resolver(&self) -> Result<TokioResolver, NetError> {
        let servers = self.addresses.iter().map(server).collect();
        let config = ResolverConfig::from_parts(None, Vec::new(), servers);
        let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        let options = builder.options_mut();
        options.use_hosts_file = ResolveHosts::Never;
        options.timeout = PATIENCE;
        options.attempts = AGAIN_MAX;
        // Whether a name still leads to where it led before is for each request to find out.
        options.cache_size = 0;
        builder.build()
    }
}

#[async_trait]
impl Resolve for NameServers {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let mut name = Name::from_ascii(host).map_err(io::Error::other)?;
        name.set_fqdn(true);
        let resolver = self.resolver.get_or_try_init(async || self.resolver()).await;
        let found = resolver.map_err(|error| in_words(&error))?.lookup_ip(name).await;
        found
            .map(|found| found.iter().collect())
            .map_err(|error| in_words(&error))
    }
}

fn server(address: &SocketAddr) -> NameServerConfig {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
        connection.port = address.port();
        connection
    });
    NameServerConfig::new(address.ip(), true, connections.into())
}

fn in_words(error: &NetError) -> io::Error {
    match error {
        NetError::Dns(DnsError::NoRecordsFound(none)) => match none.response_code {
            ResponseCode::NXDomain => io::Error::new(io::ErrorKind::NotFound, "there is no such name"),
            _ => io::Error::new(io::ErrorKind::NotFound, "it has no address"),
        },
        NetError::Dns(DnsError::ResponseCode(code)) => {
            io::Error::other(format!("the name server says {code}"))
        }
        NetError::Timeout => io::Error::new(io::ErrorKind::TimedOut, "no name server answers"),
        other => io::Error::other(other.to_string()),
    }
}
