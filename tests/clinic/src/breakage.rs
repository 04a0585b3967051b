//! What can be broken on purpose, and which of it is broken now.

use std::sync::atomic::{AtomicU16, Ordering};

use clap::ValueEnum;
use jiff::Timestamp;
use serde::Serialize;

use crate::{Error, Places, damage};

/// A thing that the clinic promises and can be told to break.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Breakage {
    /// `/health` answers 500
    Health,
    /// `/health/ready` answers 503
    Ready,
    /// `/api/public/tenant-meta` names a wrong tenant
    TenantMeta,
    /// The default tenant is missing from the database
    Tenant,
    /// Answers take two seconds
    Latency,
    /// A journal entry has debits that differ from its credits
    Balance,
    /// Journal lines belong to an entry that does not exist
    ForeignKeys,
    /// An attachment has no file, and a file has no attachment
    Attachments,
    /// Two patients have one record number
    Patients,
    /// Answers are not JSON, though they say so
    Body,
}

/// The switches of a running clinic.
#[derive(Debug)]
pub(crate) struct Switches {
    places: Places,
    /// One bit for each breakage.
    broken: AtomicU16,
}

impl Switches {
    pub(crate) fn new(places: Places) -> Self {
        Self {
            places,
            broken: AtomicU16::new(0),
        }
    }

    pub(crate) fn is_broken(&self, breakage: Breakage) -> bool {
        self.broken.load(Ordering::Relaxed) & bit(breakage) != 0
    }

    /// Breaks it, in the data or in how the service behaves; what is broken already stays as it is.
    pub(crate) fn break_down(&self, breakage: Breakage, now: Timestamp) -> Result<(), Error> {
        damage::inflict(breakage, &self.places, now)?;
        self.broken.fetch_or(bit(breakage), Ordering::Relaxed);
        Ok(())
    }

    /// Mends it, also where an earlier process broke the data.
    pub(crate) fn mend(&self, breakage: Breakage) -> Result<(), Error> {
        damage::repair(breakage, &self.places)?;
        self.broken.fetch_and(!bit(breakage), Ordering::Relaxed);
        Ok(())
    }
}

fn bit(breakage: Breakage) -> u16 {
    1 << breakage as u8
}
