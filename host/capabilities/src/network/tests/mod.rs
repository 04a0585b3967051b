//! The policy of the network as a table, and requests over real connections on loopback.

mod clock;
mod egress;
mod policy;
mod probe;
mod redirects;
mod server;
mod store;
mod tls;
mod world;
