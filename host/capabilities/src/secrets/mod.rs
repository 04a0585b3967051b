//! Secrets: where their values are, who may see them, and how those are kept that the host keeps itself.

mod command;
mod file;
mod granted;
mod keeper;
mod key;
mod key_place;
mod outside;
mod reveal;
mod seal;
mod signing;
mod stages;
mod vault;

#[cfg(test)]
pub(crate) mod tests;

pub(crate) use granted::GrantedSecrets;
pub use key::HostKey;
pub use key_place::KeyPlace;
pub use vault::SecretSettings;
pub(crate) use vault::{NamedBy, Vault};
