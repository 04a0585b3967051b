//! The policy of the network as a table, and requests over real connections on loopback.

mod clock;
mod egress;
mod fuzz;
mod insertion;
mod limits;
mod names;
mod policy;
mod probe;
mod raw;
mod redirects;
mod server;
mod store;
mod table;
mod tls;
mod world;
