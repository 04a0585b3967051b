//! `sopwith audit export`: writes the log for somebody else to verify.

use super::super::Common;
use crate::connect::connect;
use crate::exit::{Ended, Exit};
use crate::output;
use crate::secrecy;
use crate::when::When;
use anyhow::Context as _;
use serde_json::json;
use sopwith_core::audit::{Anchors, ExportVerifier, Found, Line, Summary, Trust, check_line, entry_line};
use sopwith_core::port::operations::{AuditExport, ExportRange, Operations};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// From the entry of this number on
    #[arg(long, value_name = "ENTRY")]
    from: Option<u64>,
    /// Up to the entry of this number
    #[arg(long, value_name = "ENTRY")]
    to: Option<u64>,
    /// From the first that was written at this instant or later: RFC 3339, a day, or so long ago (`24h`, `7d`)
    #[arg(long, value_name = "TIME")]
    since: Option<When>,
    /// Up to the last that was written before this instant
    #[arg(long, value_name = "TIME")]
    until: Option<When>,
    /// A file that is not there yet; standard output where none is named
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(crate) async fn run(arguments: &Arguments, common: &Common) -> anyhow::Result<Exit> {
    let range = ExportRange {
        from: arguments.from,
        to: arguments.to,
        since: arguments.since.map(When::instant),
        until: arguments.until.map(When::instant),
    };
    // Before there is an entry about it.
    let file = arguments.output.as_deref().map(begin).transpose()?;
    let host = connect(&common.folder()).await?;
    let export = host.operations().export_audit(range).await.map_err(Ended::from)?;
    let (Some(path), Some(mut file)) = (&arguments.output, file) else {
        write(
            host.operations(),
            export,
            &mut BufWriter::new(io::stdout().lock()),
        )
        .await?;
        return Ok(Exit::Passed);
    };
    let summary = write(host.operations(), export, &mut BufWriter::new(file.as_file_mut())).await?;
    finish(file, path)?;
    let header = &summary.header;
    if common.json {
        output::json(&json!({ "file": path, "summary": summary }))?;
    } else {
        anstream::println!(
            "wrote {}: entries {} to {}",
            path.display(),
            header.first,
            header.last
        );
        anstream::println!("whoever has the public key can verify it:");
        let keys = summary.keys.iter().map(|key| format!(" --key {key}"));
        let keys: String = keys.collect();
        anstream::println!("  sopwith audit verify {}{keys}", path.display());
    }
    Ok(Exit::Passed)
}

fn begin(path: &Path) -> anyhow::Result<NamedTempFile> {
    if path.exists() {
        return Err(taken(path).into());
    }
    let folder = folder(path);
    NamedTempFile::new_in(folder).map_err(|error| {
        Ended::new(
            Exit::Usage,
            format!("nothing can be written into `{}`: {error}", folder.display()),
        )
        .into()
    })
}

fn folder(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

fn taken(path: &Path) -> Ended {
    Ended {
        exit: Exit::Usage,
        message: format!("`{}` is there already", path.display()),
        hint: Some("an export never takes the place of another file; name another one".to_owned()),
    }
}

/// Gives the file its name, once it is on the disk.
fn finish(file: NamedTempFile, path: &Path) -> anyhow::Result<()> {
    file.as_file()
        .sync_all()
        .context("the export cannot be made durable")?;
    file.persist_noclobber(path)
        .map_err(|error| match error.error.kind() {
            io::ErrorKind::AlreadyExists => anyhow::Error::from(taken(path)),
            _ => anyhow::Error::from(error.error).context(format!("`{}` cannot be written", path.display())),
        })?;
    File::open(folder(path))?
        .sync_all()
        .context("the export cannot be made durable")
}

/// Writes all lines, and verifies each as whoever gets them will.
async fn write(
    operations: &dyn Operations,
    export: AuditExport,
    out: &mut impl Write,
) -> anyhow::Result<Summary> {
    let AuditExport { header, tombstones } = export;
    let (first, last) = (header.statement.first, header.statement.last);
    let mut lines = Lines {
        verifier: ExportVerifier::new(Anchors::default()),
        out,
    };
    let mut after = tombstones
        .last()
        .map_or(first - 1, |tombstone| tombstone.statement.last);
    lines.add(&Line::Header(header).written())?;
    for tombstone in tombstones {
        lines.add(&Line::Tombstone(tombstone).written())?;
    }
    while after < last {
        let page = operations.audit_page(after).await.map_err(Ended::from)?;
        let mut checkpoints = page.checkpoints.into_iter().peekable();
        for kept in page.entries.iter().take_while(|kept| kept.entry.seq <= last) {
            after = kept.entry.seq;
            lines.add(&entry_line(kept))?;
            while let Some(checkpoint) = checkpoints.next_if(|one| one.statement.seq <= after) {
                lines.add(&Line::Checkpoint(checkpoint).written())?;
            }
        }
        if page.entries.is_empty() {
            break;
        }
    }
    let summary = lines.verifier.finish().map_err(|found| broken(&found))?;
    lines.out.flush().context("the export cannot be written")?;
    Ok(summary)
}

struct Lines<'w, W> {
    verifier: ExportVerifier,
    out: &'w mut W,
}

impl<W: Write> Lines<'_, W> {
    fn add(&mut self, line: &[u8]) -> anyhow::Result<()> {
        // What holds what has become a secret since is not written; the service masks it, which shows, too.
        let masked = secrecy::redactor().mask_bytes(line);
        let masked = masked.strip_suffix(b"\n").unwrap_or(&masked);
        let checked = check_line(masked, &Trust::Any);
        self.verifier.take(checked).map_err(|found| broken(&found))?;
        self.out.write_all(line).context("the export cannot be written")
    }
}

fn broken(found: &Found) -> Ended {
    let seq = found.seq.unwrap_or_default();
    Ended {
        exit: Exit::NotPassed,
        message: format!("nobody could verify this export: {found}"),
        hint: Some(format!(
            "`sopwith audit verify` says whether the log itself is broken; where the value of a secret stands in it, \
             `sopwith audit redact {seq} --reason \"…\"` takes it away"
        )),
    }
}
