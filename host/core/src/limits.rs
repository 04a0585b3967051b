//! How much an attempt may use of everything.

use serde::{Deserialize, Serialize};
use std::time::Duration;

const MIB: u64 = 1 << 20;

/// How much one attempt may use at most; every field is enforced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Wall time; the time in host calls counts.
    pub timeout: Duration,
    /// Processor time inside the guest and the calls that it makes on its own thread.
    pub cpu: Duration,
    /// Bytes of all linear memories and tables together.
    pub memory_bytes: u64,
    /// Handles to resources of the contract that are open at once.
    pub handles: u32,
    /// Calls of capabilities.
    pub calls: u64,
    /// Bytes of the report that an action returns.
    pub output_bytes: u64,
    /// Bytes of log entries, standard output and standard error together.
    pub log_bytes: u64,
    /// Findings.
    pub findings: u32,
    /// Bytes of all attachments together.
    pub attachments_bytes: u64,
    /// Bytes of the procedure's state, keys and values together.
    pub state_bytes: u64,
    /// Rows of one query.
    pub rows: u64,
    /// Bytes of the rows of one query.
    pub query_bytes: u64,
    /// Bytes of one body of HTTP, either way.
    pub http_body_bytes: u64,
    /// Bytes of all scratch databases together.
    pub scratch_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            timeout: Duration::from_mins(10),
            cpu: Duration::from_mins(1),
            memory_bytes: 64 * MIB,
            handles: 1_000,
            calls: 100_000,
            output_bytes: MIB,
            log_bytes: MIB,
            findings: 1_000,
            attachments_bytes: 16 * MIB,
            state_bytes: MIB,
            rows: 100_000,
            query_bytes: 64 * MIB,
            http_body_bytes: 8 * MIB,
            scratch_bytes: 10 << 30,
        }
    }
}

/// What an attempt used of its limits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Wall time.
    pub wall: Duration,
    /// Processor time.
    pub cpu: Duration,
    /// The most bytes of memories and tables at once.
    pub memory_bytes: u64,
    /// Calls of capabilities.
    pub calls: u64,
    /// Bytes of log.
    pub log_bytes: u64,
}
