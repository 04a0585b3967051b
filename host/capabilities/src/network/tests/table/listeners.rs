//! A service that may be reached, and a listener that never may.

use crate::network::tests::server::{Seen, Service};
use std::net::{Ipv4Addr, SocketAddr};
use tokio::net::{TcpListener, TcpStream};

/// The two ends of the table.
pub(super) struct Listeners {
    open: Service,
    trap: TcpListener,
    /// What has arrived at the service, and was told.
    told: usize,
}

/// What has arrived since the last row.
#[derive(Debug)]
pub(super) struct Arrived {
    requests: Vec<Seen>,
    /// Connections to the service, with or without a request.
    connections: usize,
    /// Who came to where nobody may.
    strays: Vec<SocketAddr>,
}

impl Arrived {
    /// Whether there were so many requests, each plain and to the host that is granted, and nothing else.
    pub(super) fn are_only(&self, requests: usize) -> bool {
        self.strays.is_empty()
            && (self.connections, self.requests.len()) == (requests, requests)
            && self.requests.iter().all(is_plain)
    }
}

/// Whether a request says one time whose it is, and nothing of the connection or of a second request.
fn is_plain(request: &Seen) -> bool {
    let hosts: Vec<_> = request.headers.get_all("host").iter().collect();
    let is_granted = |host: &str| {
        ["clinic.test:", "127.0.0.1:", "localhost:"]
            .iter()
            .any(|name| host.contains(name))
            || host.starts_with("xn--bcher-kva.test:")
    };
    let own = [
        "connection",
        "upgrade",
        "transfer-encoding",
        "transfer_encoding",
        "proxy-authorization",
        "proxy-connection",
        "http2-settings",
    ];
    matches!(hosts.as_slice(), [host] if host.to_str().is_ok_and(is_granted))
        && own.iter().all(|name| !request.headers.contains_key(*name))
        && request.body.is_empty()
}

impl Listeners {
    pub(super) async fn new() -> Self {
        let everywhere = TcpListener::bind("[::]:0").await;
        let trap = match everywhere {
            Ok(trap) => trap,
            // A machine without IPv6 has no address of it to be reached at either.
            Err(_) => TcpListener::bind("0.0.0.0:0").await.unwrap(),
        };
        Self {
            open: Service::plain().await,
            trap,
            told: 0,
        }
    }

    /// A text of the table with the ports in place of their names.
    pub(super) fn ports_in(&self, text: &str) -> String {
        let trap = self.trap.local_addr().unwrap().port();
        text.replace("OPEN", &self.open.address.port().to_string())
            .replace("TRAP", &trap.to_string())
    }

    /// What has arrived since the last time. A connection of our own comes after all that were made
    /// before it, so nothing is missed.
    pub(super) async fn arrived(&mut self) -> Arrived {
        let strays = self.strays().await;
        let bell = TcpStream::connect(self.open.address).await.unwrap();
        let connections = self.open.connections_until(bell.local_addr().unwrap()).await;
        drop(bell);
        let requests = self.open.seen().split_off(self.told);
        self.told += requests.len();
        Arrived {
            requests,
            connections,
            strays,
        }
    }

    async fn strays(&self) -> Vec<SocketAddr> {
        let port = self.trap.local_addr().unwrap().port();
        let bell = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
        let own = bell.local_addr().unwrap();
        let mut strays = Vec::new();
        loop {
            let (_, peer) = self.trap.accept().await.unwrap();
            let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
            if peer == own {
                return strays;
            }
            strays.push(peer);
        }
    }
}
