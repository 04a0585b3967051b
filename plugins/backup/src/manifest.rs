//! What is written beside each backup, and makes it one.

use jiff::{SignedDuration, Timestamp};
use sopwith::sql::Depth;
use sopwith::{Error, Result, serde_json};
use std::collections::BTreeMap;

/// What the name of a manifest has more than that of its backup.
pub(crate) const SUFFIX: &str = ".manifest.json";

/// A manifest of a later format may mean something else by the same words.
pub(crate) const FORMAT: u32 = 1;

/// The version of the plugin, which is its package's.
pub(crate) const PLUGIN_VERSION: &str = env!("CARGO_PKG_VERSION");

/// What is known of a backup.
#[sopwith::output]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Manifest {
    /// The version of this form.
    pub(crate) format: u32,
    /// What it was made for.
    pub(crate) kind: Kind,
    /// The name of the database.
    pub(crate) database: String,
    /// The engine of the database.
    pub(crate) engine: String,
    /// The version of the engine.
    pub(crate) engine_version: String,
    /// The procedure that made it.
    pub(crate) procedure: String,
    /// The run that made it.
    pub(crate) run: String,
    /// The version of the plugin that made it.
    pub(crate) plugin_version: String,
    /// When the snapshot began; its content is of this instant or shortly after.
    pub(crate) started_at: Timestamp,
    /// When the file was complete.
    pub(crate) ended_at: Timestamp,
    /// The snapshot itself.
    pub(crate) source: Content,
    /// The file that holds it.
    pub(crate) file: Content,
    /// How the file holds it.
    pub(crate) compression: Compression,
    /// The digest of the normalised DDL.
    pub(crate) schema_digest: String,
    /// The rows of each table.
    pub(crate) rows: BTreeMap<String, u64>,
    /// In what the database was not as the settings expect it; nothing is let go after it.
    pub(crate) surprises: Vec<String>,
    /// What the last verification came to.
    pub(crate) verification: Option<Verification>,
    /// The run that began to remove it.
    pub(crate) removed_by: Option<String>,
}

/// What a backup was made for.
#[sopwith::output]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// To be there when it is needed.
    Backup,
    /// To undo a restore.
    Safety,
}

/// Bytes, with what they are known by.
#[sopwith::output]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Content {
    /// How many.
    pub(crate) bytes: u64,
    /// `sha256:…`
    pub(crate) digest: String,
}

/// How the file of a backup is compressed.
#[sopwith::output]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Compression {
    /// Not at all: the file is a database.
    #[default]
    None,
    /// By Zstandard.
    Zstd,
}

/// What a verification came to.
#[sopwith::output]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verification {
    /// When it ended.
    pub(crate) at: Timestamp,
    /// The run that it was part of.
    pub(crate) run: String,
    /// How thoroughly the engine looked.
    pub(crate) depth: Depth,
    /// What is wrong with the backup.
    pub(crate) problems: Vec<String>,
}

impl Manifest {
    /// Reads what [`Manifest::to_text`] wrote.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let manifest: Self = serde_json::from_str(text)?;
        if manifest.format == FORMAT {
            return Ok(manifest);
        }
        let format = manifest.format;
        Err(Error::invalid(format!(
            "its format is {format} where {FORMAT} is known"
        )))
    }

    /// JSON for machines, on lines for people.
    pub(crate) fn to_text(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// Whether the last verification found nothing wrong.
    pub(crate) fn is_verified(&self) -> bool {
        self.verification.as_ref().is_some_and(Verification::passed)
    }

    /// Whether both are of one backup, whatever was noted in them since.
    pub(crate) fn is_of_the_backup_of(&self, other: &Self) -> bool {
        (&self.run, self.started_at, &self.file) == (&other.run, other.started_at, &other.file)
    }

    /// The rows of all tables.
    pub(crate) fn rows_total(&self) -> u64 {
        self.rows.values().sum()
    }

    /// How long it took to make.
    pub(crate) fn elapsed(&self) -> SignedDuration {
        self.ended_at.duration_since(self.started_at)
    }
}

impl Verification {
    /// Whether nothing is wrong.
    pub(crate) fn passed(&self) -> bool {
        self.problems.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use crate::manifest::Manifest;
    use crate::tests::manifest_at;

    fn check_refused(text: &str, message: &str) {
        let error = Manifest::parse(text).expect_err("it is no manifest");
        assert!(error.message.contains(message), "{error}");
    }

    #[test]
    fn manifest_is_read_as_it_was_written() {
        let manifest = manifest_at("2026-11-21T04:15:00Z");
        let text = manifest.to_text().expect("it becomes text");
        assert_eq!(Manifest::parse(&text), Ok(manifest));
    }

    #[test]
    fn what_a_later_version_or_somebody_else_wrote_is_refused() {
        let text = manifest_at("2026-11-21T04:15:00Z").to_text().expect("a text");
        let later = text.replacen("\"format\": 1", "\"format\": 2", 1);
        check_refused(&later, "its format is 2 where 1 is known");
        check_refused("{}", "missing field");
        check_refused(&text[..text.len() / 2], "EOF");
    }
}
