//! What an operator can set.

mod keep;
mod template;
mod zone;

pub(crate) use keep::{Keep, Within};
pub(crate) use template::Template;
pub(crate) use zone::Zone;

use crate::manifest::Compression;
use sopwith::files::Directory;
use sopwith::sql::{Database, Depth};
use std::collections::BTreeMap;

/// Backs up an SQLite database while it is in use, proves each copy, restores it and lets old
/// ones go by rule.
#[sopwith::settings]
pub(crate) struct Settings {
    /// The database to back up.
    pub(crate) database: Database,
    /// The directory that the backups are in.
    pub(crate) to: Directory,
    /// The name of each backup; `{database}`, `{YYYYMMDD}`, `{HHMMSS}`, `{YYYY}`, `{MM}`, `{DD}`,
    /// `{HH}`, `{mm}` and `{ss}` are filled in, and a name that is taken gets `-2`, `-3`, ….
    #[serde(default)]
    pub(crate) name: Template,
    /// The time zone of the names, and of the hours, days, weeks, months and years of `keep`.
    #[serde(default)]
    pub(crate) time_zone: Zone,
    /// How the file of a backup is compressed; with `zstd` its name ends in `.zst`.
    #[serde(default)]
    pub(crate) compress: Compression,
    /// The level of the compression, from 1 (quick) to 19 (small).
    #[serde(default = "compress_level")]
    #[schemars(range(min = 1, max = 19))]
    pub(crate) compress_level: i32,
    /// Whether `backup` verifies what it wrote; a backup that is not verified never counts.
    #[serde(default = "yes")]
    pub(crate) verify: bool,
    /// Whether `backup` lets old backups go after it.
    #[serde(default = "yes")]
    pub(crate) prune: bool,
    /// How thoroughly the engine checks a backup: `full` reads indices and foreign keys too.
    #[serde(default)]
    pub(crate) check: Depth,
    /// Which backups are kept; without a rule all are.
    #[serde(default)]
    pub(crate) keep: Keep,
    /// What the database must look like for older backups to be let go.
    #[serde(default)]
    pub(crate) expect: Expect,
    /// Where restored files go.
    #[serde(default)]
    pub(crate) restore: Restore,
}

fn compress_level() -> i32 {
    3
}

fn yes() -> bool {
    true
}

/// What a database must look like for older backups to be let go.
#[sopwith::settings]
#[derive(Debug, Clone)]
#[serde(default)]
pub(crate) struct Expect {
    /// The share of its rows or bytes that it may have lost since the newest backup that was as
    /// expected; 1 for any.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub(crate) shrink_max: f64,
    /// How many rows a table has at least.
    pub(crate) rows_min: BTreeMap<String, u64>,
}

impl Default for Expect {
    fn default() -> Self {
        Self {
            shrink_max: 0.5,
            rows_min: BTreeMap::new(),
        }
    }
}

/// Where restored files go.
#[sopwith::settings]
#[derive(Default)]
#[serde(default)]
pub(crate) struct Restore {
    /// The directory for a database that is restored beside the old one, under the name of the
    /// input `to`.
    pub(crate) directory: Option<Directory>,
}
