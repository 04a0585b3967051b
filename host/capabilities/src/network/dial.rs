//! Connects to the first of several addresses that answers.

use crate::network::phase::{Phase, outside};
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use sopwith_core::failure::{Failure, FailureKind};
use sopwith_core::port::Clock;
use sopwith_core::port::capabilities::Answer;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;

/// How long an address has to itself before the next one is tried beside it (RFC 8305).
const HEAD_START: Duration = Duration::from_millis(250);
/// A name with more addresses would open a connection to each of them.
const ADDRESSES_MAX: usize = 16;

/// Connects to the first address that answers; they are tried one after the other, each with a head start.
pub(super) async fn dial(addresses: &[SocketAddr], clock: &dyn Clock) -> Answer<(TcpStream, SocketAddr)> {
    let mut waiting = alternate(addresses).into_iter().take(ADDRESSES_MAX);
    let mut attempts = FuturesUnordered::new();
    let mut failed = Vec::new();
    loop {
        if let Some(address) = waiting.next() {
            attempts.push(async move { (address, TcpStream::connect(address).await) });
        }
        if attempts.is_empty() {
            return Err(unreachable(&failed));
        }
        tokio::select! {
            Some((address, result)) = attempts.next() => match result {
                Ok(stream) => {
                    // Without it small requests wait for an acknowledgement; not vital if it fails.
                    let _ = stream.set_nodelay(true);
                    return Ok((stream, address));
                }
                Err(error) => failed.push(in_words(address, &error)),
            },
            () = clock.sleep(HEAD_START), if waiting.len() > 0 => {}
        }
    }
}

/// The addresses with the two families in turn, so that one that is broken holds up nothing.
fn alternate(addresses: &[SocketAddr]) -> Vec<SocketAddr> {
    let first_family = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) = addresses
        .iter()
        .partition(|address| address.is_ipv6() == first_family);
    let mut rest = second.into_iter();
    let mut order: Vec<SocketAddr> = Vec::with_capacity(addresses.len());
    for address in first {
        order.push(address);
        order.extend(rest.next());
    }
    order.extend(rest);
    order
}

fn in_words(address: SocketAddr, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => format!("connection refused by {address}"),
        io::ErrorKind::ConnectionReset => format!("connection reset by {address}"),
        io::ErrorKind::TimedOut => format!("{address} did not answer"),
        io::ErrorKind::HostUnreachable => format!("there is no way to the host {address}"),
        io::ErrorKind::NetworkUnreachable => format!("there is no way to the network of {address}"),
        _ => format!("no connection to {address}: {error}"),
    }
}

fn unreachable(failed: &[String]) -> Failure {
    outside(FailureKind::Unavailable, Phase::Connect, failed.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_take_turns_and_the_resolvers_first_choice_stays_first() {
        let addresses = [
            "[2001:200::1]:1",
            "[2001:200::2]:1",
            "[2001:200::3]:1",
            "9.9.9.9:1",
        ]
        .map(|text| text.parse().unwrap());
        let order: Vec<String> = alternate(&addresses).iter().map(ToString::to_string).collect();
        assert_eq!(
            order,
            [
                "[2001:200::1]:1",
                "9.9.9.9:1",
                "[2001:200::2]:1",
                "[2001:200::3]:1"
            ]
        );
    }
}
