//! Validates the name servers that are asked in place of the system's resolver.

use super::Reading;
use crate::document::{Location, at};
use crate::raw::Egress;
use std::net::{IpAddr, SocketAddr};

/// Where name servers serve.
const PORT: u16 = 53;

impl Reading<'_> {
    /// The name servers of `[egress]`; what is wrong with one is told.
    pub(super) fn resolver(&mut self, egress: Option<&Egress>) -> Vec<SocketAddr> {
        let written = egress.and_then(|egress| egress.resolver.as_deref());
        let mut servers = Vec::new();
        for (index, text) in written.unwrap_or_default().iter().enumerate() {
            let place = at(["egress", "resolver"]).join(index);
            match server(text) {
                Ok(server) => servers.push(server),
                Err(why) => self.no_server(&place, why),
            }
        }
        servers
    }

    fn no_server(&mut self, place: &Location, why: &str) {
        let message = format!(
            "`{}` is not the address of a name server: {why}",
            self.document.written(place)
        );
        let hint = "write an address, and the port unless it is 53:  resolver = [\"127.0.0.1:5353\", \"[::1]:5353\"]";
        self.error(place, message, hint);
    }
}

fn server(text: &str) -> Result<SocketAddr, &'static str> {
    let with_port = text.parse::<SocketAddr>();
    let bare = || text.trim_matches(['[', ']']).parse::<IpAddr>();
    let server = with_port.or_else(|_| bare().map(|address| SocketAddr::new(address, PORT)));
    let server = server.map_err(|_| "it is neither an address nor an address with a port")?;
    let address = server.ip();
    if server.port() == 0 {
        return Err("there is no port 0");
    }
    if address.is_unspecified() || address.is_multicast() {
        return Err("no single machine has this address");
    }
    match server {
        SocketAddr::V6(server) if server.scope_id() != 0 => {
            Err("an address with a zone is not to be had here")
        }
        _ => Ok(server),
    }
}
