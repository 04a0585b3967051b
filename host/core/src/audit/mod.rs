//! The audit log: its chain, what is signed over it, and how an export of it is verified.

mod chain;
mod export;
mod follow;
mod signed;
mod statement;
mod verify;

pub use chain::{AuditEntry, AuditHead, AuditRecord, BrokenChain, KeptEntry, canonical};
pub use export::{Header, Line, Unsound, entry_line};
pub use follow::Follower;
pub use signed::{InvalidKey, PublicKey, Signature, Signed, Signer, Statement};
pub use statement::{CHECKPOINT_EVERY, Checkpoint, FORMAT, Redaction, Tombstone, checkpoint_due};
pub use verify::{Anchors, Checked, ExportVerifier, Found, Summary, Trust, check_line};

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tampering;
