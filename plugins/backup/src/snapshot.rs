//! Makes a backup: the snapshot into its file, and the manifest beside it.

use crate::claim::{self, Held};
use crate::manifest::{Compression, Content, FORMAT, Kind, Manifest, PLUGIN_VERSION};
use crate::settings::Settings;
use crate::shelf::{Backup, MODE, Shelf};
use jiff::Timestamp;
use sopwith::flow::{Flow, IfExists, Receipt};
use sopwith::sql::DatabaseInfo;
use sopwith::{Context, Error, ErrorKind, Result, run};

/// Makes a backup under this name, which it holds meanwhile, or takes over the one that an attempt
/// of this run made that was cut off. `judge` says in what the database is not as expected.
pub(crate) fn take(
    settings: &Settings,
    shelf: &Shelf,
    name: &str,
    kind: Kind,
    judge: impl FnOnce(&Manifest) -> Vec<String>,
) -> Result<Backup> {
    if let Some(made) = shelf.backup(name).filter(|made| made.manifest.run == run::id()) {
        return Ok(made.clone());
    }
    let held = claim::hold(name)?.ok_or_else(|| {
        let message = format!("another run is making a backup under the name `{name}`");
        Error::new(ErrorKind::Conflict, message).retryable()
    })?;
    let if_exists = match held {
        // A file without a manifest: rows and schema of the snapshot are lost, so it is made anew.
        Held::Before if shelf.has_file(name) && !shelf.has_manifest(name) => IfExists::Replace,
        Held::Before | Held::Anew => IfExists::Fail,
    };
    let snapshot = match copy(settings, name, if_exists) {
        Ok(snapshot) => snapshot,
        Err(error) => {
            if if_exists == IfExists::Fail {
                // Nothing bears the name. Should this fail too, the claim runs out by itself.
                let _ = claim::release(name);
            }
            return Err(error);
        }
    };
    for warning in &snapshot.receipt.warnings {
        // It is about whoever else uses the database, and the backup is none the worse for it.
        sopwith::info!("{warning}");
    }
    let mut backup = Backup {
        name: name.to_owned(),
        manifest: manifest(settings, kind, snapshot)?,
        intact: true,
    };
    backup.manifest.surprises = judge(&backup.manifest);
    backup.write(&settings.to)?;
    Ok(backup)
}

struct Snapshot {
    engine: DatabaseInfo,
    started_at: Timestamp,
    receipt: Receipt,
}

fn copy(settings: &Settings, name: &str, if_exists: IfExists) -> Result<Snapshot> {
    let engine = settings.database.describe()?;
    let started_at = run::now();
    let flow = Flow::from_database(&settings.database)?;
    let flow = match settings.compress {
        Compression::None => flow,
        Compression::Zstd => flow.compress_zstd(settings.compress_level)?,
    };
    let receipt = flow.with_mode(MODE).to_file(&settings.to, name, if_exists)?;
    Ok(Snapshot {
        engine,
        started_at,
        receipt,
    })
}

fn manifest(settings: &Settings, kind: Kind, snapshot: Snapshot) -> Result<Manifest> {
    let Snapshot {
        engine,
        started_at,
        receipt,
    } = snapshot;
    let schema_digest = receipt.schema_digest();
    let schema_digest = schema_digest.context("the receipt of the snapshot lacks `schema-digest`")?;
    Ok(Manifest {
        format: FORMAT,
        kind,
        database: settings.database.name().to_owned(),
        engine: engine.engine,
        engine_version: engine.version,
        procedure: run::procedure(),
        run: run::id(),
        plugin_version: PLUGIN_VERSION.to_owned(),
        started_at,
        ended_at: run::now(),
        source: Content {
            bytes: receipt.bytes_read,
            digest: receipt.source_digest.clone(),
        },
        file: Content {
            bytes: receipt.bytes_written,
            digest: receipt.sink_digest.clone(),
        },
        compression: settings.compress,
        schema_digest: schema_digest.to_owned(),
        rows: receipt
            .rows()?
            .context("the receipt of the snapshot lacks `rows`")?,
        surprises: Vec::new(),
        verification: None,
        removed_by: None,
    })
}
