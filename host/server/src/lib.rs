//! The host's socket: its routes, and the client that speaks to them.
//!
//! HTTP/1.1 and JSON on a Unix socket. Who may open the socket is decided by the modes of the
//! file and its folder; who speaks is known by the credentials of the peer.

mod answer;
mod audit_client;
mod audit_routes;
mod client;
mod peer;
mod routes;
mod socket;

pub use client::Client;
pub use peer::{actor_of, groups_of};
pub use socket::{Socket, SocketProblem, socket_path};

use sopwith_core::actor::Actor;
use sopwith_core::port::operations::Operations;
use std::sync::Arc;

/// Makes the operations of one actor.
pub type ActAs = Arc<dyn Fn(Actor) -> Arc<dyn Operations> + Send + Sync>;

/// Masks secrets in JSON text.
pub type MaskJson = Arc<dyn Fn(Vec<u8>) -> Vec<u8> + Send + Sync>;
