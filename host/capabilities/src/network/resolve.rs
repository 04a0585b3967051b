//! Turns names into addresses.

use async_trait::async_trait;
use std::io;
use std::net::{IpAddr, ToSocketAddrs};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// A lookup that nobody waits for any more still holds its thread, so their number is bounded.
const LOOKUPS_AT_ONCE_MAX: usize = 4;

/// Turns a name into addresses.
#[async_trait]
pub(crate) trait Resolve: Send + Sync {
    /// The addresses of a host, in the order in which they should be tried.
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// The system's own resolver.
pub(super) struct SystemResolver {
    lookups: Arc<Semaphore>,
}

impl SystemResolver {
    /// A resolver with its own bound on lookups at once.
    pub(super) fn new() -> Self {
        Self {
            lookups: Arc::new(Semaphore::new(LOOKUPS_AT_ONCE_MAX)),
        }
    }
}

#[async_trait]
impl Resolve for SystemResolver {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let permit = Arc::clone(&self.lookups)
            .acquire_owned()
            .await
            .map_err(io::Error::other)?;
        let host = host.to_owned();
        let lookup = tokio::task::spawn_blocking(move || {
            let found = (host.as_str(), 0).to_socket_addrs();
            drop(permit);
            found.map(|addresses| addresses.map(|address| address.ip()).collect())
        });
        lookup.await.map_err(io::Error::other)?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_system_knows_its_own_name_and_no_more_lookups_run_than_may() {
        let resolver = SystemResolver::new();
        let addresses = resolver.resolve("localhost").await.unwrap();
        assert!(
            !addresses.is_empty() && addresses.iter().all(IpAddr::is_loopback),
            "{addresses:?}"
        );

        let stuck = resolver.lookups.acquire_many(4).await.unwrap();
        let mut waiting = resolver.resolve("localhost");
        assert!(futures::poll!(&mut waiting).is_pending());
        drop(stuck);
        waiting.await.unwrap();
    }
}
