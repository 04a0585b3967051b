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
    /// Bytes that are kept of each of the two outputs of a command.
    pub command_output_bytes: u64,
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
            command_output_bytes: MIB,
            scratch_bytes: 10 << 30,
        }
    }
}

/// What an attempt used of its limits. What nobody counted when it was written down is zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// Wall time.
    pub wall: Duration,
    /// Processor time.
    pub cpu: Duration,
    /// The most bytes of memories and tables at once.
    pub memory_bytes: u64,
    /// The most handles that were open at once.
    pub handles: u64,
    /// Calls of capabilities.
    pub calls: u64,
    /// Bytes of the report or, where that is more, of the outputs of steps together.
    pub output_bytes: u64,
    /// Bytes of log.
    pub log_bytes: u64,
    /// Findings or, where that is more, checks.
    pub findings: u64,
    /// Bytes of attachments.
    pub attachments_bytes: u64,
    /// The most bytes that the state had after a change.
    pub state_bytes: u64,
    /// The most rows of one query.
    pub rows: u64,
    /// The most bytes of one query.
    pub query_bytes: u64,
    /// The most bytes of one body of HTTP.
    pub http_body_bytes: u64,
    /// The most bytes of one output of a command.
    pub command_output_bytes: u64,
    /// The most bytes of scratch databases and temporary files at once.
    pub scratch_bytes: u64,
}

/// A figure of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Figure {
    /// A time.
    Time(Duration),
    /// A number of bytes.
    Bytes(u64),
    /// A number of things.
    Count(u64),
}

/// One limit, and what was used of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// As it is written under `[limits]`.
    pub limit: &'static str,
    /// What was used.
    pub used: Figure,
    /// What is allowed.
    pub allowed: Figure,
}

impl Share {
    /// How much of it was used, in hundredths, rounded down.
    pub fn percent(&self) -> u64 {
        let number = |figure| match figure {
            Figure::Time(time) => time.as_nanos(),
            Figure::Bytes(number) | Figure::Count(number) => u128::from(number),
        };
        let percent = number(self.used).saturating_mul(100) / number(self.allowed).max(1);
        u64::try_from(percent).unwrap_or(u64::MAX)
    }
}

impl Limits {
    /// Every limit with what was used of it.
    pub fn shares(&self, usage: &Usage) -> [Share; 15] {
        let time = |limit, used, allowed| Share {
            limit,
            used: Figure::Time(used),
            allowed: Figure::Time(allowed),
        };
        let bytes = |limit, used, allowed| Share {
            limit,
            used: Figure::Bytes(used),
            allowed: Figure::Bytes(allowed),
        };
        let count = |limit, used, allowed| Share {
            limit,
            used: Figure::Count(used),
            allowed: Figure::Count(allowed),
        };
        [
            time("timeout", usage.wall, self.timeout),
            time("cpu", usage.cpu, self.cpu),
            bytes("memory", usage.memory_bytes, self.memory_bytes),
            count("handles", usage.handles, self.handles.into()),
            count("calls", usage.calls, self.calls),
            bytes("output", usage.output_bytes, self.output_bytes),
            bytes("log", usage.log_bytes, self.log_bytes),
            count("findings", usage.findings, self.findings.into()),
            bytes("attachments", usage.attachments_bytes, self.attachments_bytes),
            bytes("state", usage.state_bytes, self.state_bytes),
            count("rows", usage.rows, self.rows),
            bytes("query_bytes", usage.query_bytes, self.query_bytes),
            bytes("http_body", usage.http_body_bytes, self.http_body_bytes),
            bytes(
                "command_output",
                usage.command_output_bytes,
                self.command_output_bytes,
            ),
            bytes("scratch", usage.scratch_bytes, self.scratch_bytes),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn every_limit_has_a_share_of_its_own() {
        let fields = |value: Value| value.as_object().map_or(0, serde_json::Map::len);
        let limits = serde_json::to_value(Limits::default()).unwrap();
        let shares = Limits::default().shares(&Usage::default());
        assert_eq!(shares.len(), fields(limits));
        assert_eq!(
            shares.len(),
            fields(serde_json::to_value(Usage::default()).unwrap())
        );
        let mut names: Vec<_> = shares.iter().map(|share| share.limit).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), shares.len());
    }

    #[test]
    fn share_is_a_percentage_of_what_is_allowed() {
        let limits = Limits::default();
        let usage = Usage {
            wall: limits.timeout * 4 / 5,
            rows: 2 * limits.rows,
            ..Usage::default()
        };
        let percent = |name: &str| {
            let shares = limits.shares(&usage);
            shares
                .iter()
                .find(|share| share.limit == name)
                .map(Share::percent)
        };
        assert_eq!(percent("timeout"), Some(80));
        assert_eq!(percent("rows"), Some(200));
        assert_eq!(percent("cpu"), Some(0));
    }

    #[test]
    fn usage_of_a_host_that_counted_less_is_read() {
        let time = json!({ "secs": 1, "nanos": 0 });
        let old = json!({ "wall": time, "cpu": time, "memory_bytes": 1, "calls": 2, "log_bytes": 3 });
        let usage: Usage = serde_json::from_value(old).unwrap();
        assert_eq!((usage.log_bytes, usage.scratch_bytes), (3, 0));
    }
}
