//! How much an attempt may still write into its record.

use sopwith_core::attempt::FinishedSteps;
use sopwith_core::failure::Failure;
use sopwith_core::limits::Limits;
use sopwith_core::port::capabilities::{Answer, Finding, Pairs};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// Steps of a run; each is a line that every later attempt reads.
const STEPS_MAX: u64 = 10_000;
/// Bytes of one finding.
const FINDING_BYTES_MAX: u64 = 64 << 10;
/// What a line of the record takes besides its text, so that empty lines count too.
const LINE_BYTES: u64 = 32;
/// What a name with a value takes besides its texts.
const PAIR_BYTES: u64 = 8;
/// Names with values of one line or finding; nobody reads more.
pub(super) const PAIRS_MAX: usize = 64;
/// What an escape takes that stands for a control character.
const ESCAPE_BYTES: u64 = 6;

/// Whether a line of the log has room.
pub(crate) enum Room {
    Enough,
    /// This is the first line that has none.
    JustFull,
    None,
}

/// Counts what an attempt writes.
pub(crate) struct Budget {
    limits: Limits,
    log_bytes: AtomicU64,
    log_is_full: AtomicBool,
    steps: AtomicU64,
    output_bytes: AtomicU64,
    findings: AtomicU64,
    checks: AtomicU64,
    attachments_bytes: AtomicU64,
}

impl Budget {
    /// What earlier attempts finished counts, since each attempt is given all of it.
    pub(crate) fn new(limits: Limits, finished: &FinishedSteps) -> Self {
        let outputs = finished.values().map(|output| output.len() as u64);
        Self {
            limits,
            log_bytes: AtomicU64::default(),
            log_is_full: AtomicBool::default(),
            steps: AtomicU64::new(finished.len() as u64),
            output_bytes: AtomicU64::new(outputs.sum()),
            findings: AtomicU64::default(),
            checks: AtomicU64::default(),
            attachments_bytes: AtomicU64::default(),
        }
    }

    pub(crate) fn log(&self, bytes: u64) -> Room {
        let bytes = bytes + LINE_BYTES;
        if self.log_bytes.fetch_add(bytes, Relaxed) + bytes <= self.limits.log_bytes {
            Room::Enough
        } else if self.log_is_full.swap(true, Relaxed) {
            Room::None
        } else {
            Room::JustFull
        }
    }

    /// What the plugin wanted to log, whether or not it was kept.
    pub(crate) fn log_bytes(&self) -> u64 {
        self.log_bytes.load(Relaxed)
    }

    /// Of the outputs of steps together, those of earlier attempts too.
    pub(crate) fn output_bytes(&self) -> u64 {
        self.output_bytes.load(Relaxed)
    }

    /// Findings, or checks where there are more of them: the limit is one for each.
    pub(crate) fn findings(&self) -> u64 {
        self.findings.load(Relaxed).max(self.checks.load(Relaxed))
    }

    pub(crate) fn attachments_bytes(&self) -> u64 {
        self.attachments_bytes.load(Relaxed)
    }

    /// A step that no earlier attempt finished.
    pub(crate) fn step(&self) -> Answer<()> {
        take(&self.steps, 1, STEPS_MAX, "steps", "steps")
    }

    pub(crate) fn step_output(&self, bytes: u64) -> Answer<()> {
        let what = "bytes of the output of steps";
        take(
            &self.output_bytes,
            bytes,
            self.limits.output_bytes,
            "output",
            what,
        )
    }

    pub(crate) fn finding(&self, finding: &Finding) -> Answer<()> {
        let pairs = finding.extra.len();
        if pairs > PAIRS_MAX {
            let message = format!("a finding may have {PAIRS_MAX} further names, and this one has {pairs}");
            return Err(Failure::limit("findings", message));
        }
        let bytes = finding_bytes(finding);
        if bytes > FINDING_BYTES_MAX {
            return Err(Failure::limit(
                "findings",
                format!("a finding may have {FINDING_BYTES_MAX} bytes, and this one has {bytes}"),
            ));
        }
        let max = u64::from(self.limits.findings);
        take(&self.findings, 1, max, "findings", "findings")
    }

    pub(crate) fn checked(&self) -> Answer<()> {
        let max = u64::from(self.limits.findings);
        take(&self.checks, 1, max, "findings", "checks")
    }

    pub(crate) fn attachment(&self, bytes: u64) -> Answer<()> {
        let max = self.limits.attachments_bytes;
        let bytes = bytes + LINE_BYTES;
        take(
            &self.attachments_bytes,
            bytes,
            max,
            "attachments",
            "bytes of attachments",
        )
    }
}

/// The bytes that a text takes once it is escaped.
pub(crate) fn kept_bytes(text: &str) -> u64 {
    let bytes = |c: char| {
        if c.is_control() {
            ESCAPE_BYTES
        } else {
            c.len_utf8() as u64
        }
    };
    text.chars().map(bytes).sum()
}

/// The same of names with values.
pub(crate) fn pairs_bytes(pairs: &Pairs) -> u64 {
    let bytes = |(name, value): &(String, String)| PAIR_BYTES + kept_bytes(name) + kept_bytes(value);
    pairs.iter().map(bytes).sum()
}

pub(super) fn finding_bytes(finding: &Finding) -> u64 {
    let fix = finding.fix.as_deref().unwrap_or_default();
    let texts = [
        &finding.check,
        &finding.severity,
        &finding.subject,
        &finding.title,
    ];
    texts.map(|text| kept_bytes(text)).iter().sum::<u64>()
        + kept_bytes(&finding.detail)
        + kept_bytes(fix)
        + pairs_bytes(&finding.extra)
}

fn take(used: &AtomicU64, more: u64, max: u64, limit: &str, what: &str) -> Answer<()> {
    let took = used.fetch_update(Relaxed, Relaxed, |used| {
        used.checked_add(more).filter(|sum| *sum <= max)
    });
    match took {
        Ok(_) => Ok(()),
        Err(_) => Err(Failure::limit(limit, format!("an attempt may have {max} {what}"))),
    }
}
