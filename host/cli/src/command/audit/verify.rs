//! `sopwith audit verify`: of the host's own log, or of an export, for which no host is needed.

use super::super::Common;
use super::file;
use crate::connect::connect;
use crate::exit::{Ended, Exit};
use crate::output::{self, instant};
use serde_json::json;
use sopwith_core::audit::{Anchors, Found, Header, PublicKey, Summary, Trust};
use sopwith_core::port::operations::AuditVerdict;
use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The file of an export; the log of this host where none is named
    export: Option<PathBuf>,
    /// A public key whose signatures count, as `sopwith audit key` prints it
    #[arg(long, value_name = "PUBLIC_KEY")]
    key: Vec<PublicKey>,
    /// A file of such keys, one a line
    #[arg(long, value_name = "FILE")]
    key_file: Vec<PathBuf>,
    /// Checkpoints that an anchor has kept, which tell of an end that was cut off before the export
    #[arg(long, value_name = "FILE", requires = "export")]
    anchor: Option<PathBuf>,
}

pub(crate) async fn run(arguments: &Arguments, common: &Common) -> anyhow::Result<Exit> {
    let mut keys: BTreeSet<_> = arguments.key.iter().copied().collect();
    for path in &arguments.key_file {
        keys.extend(read_keys(path)?);
    }
    match &arguments.export {
        Some(export) => of_export(export, &Trust::Keys(keys), arguments.anchor.as_deref(), common),
        None => of_host(keys, common).await,
    }
}

fn read_keys(path: &Path) -> anyhow::Result<Vec<PublicKey>> {
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(path, &error))?;
    let lines = text.lines().map(str::trim).zip(1..);
    let lines = lines.filter(|(line, _)| !line.is_empty() && !line.starts_with('#'));
    let keys = lines.map(|(line, number)| {
        let wrong = |error| Ended::new(Exit::Usage, format!("{}, line {number}: {error}", path.display()));
        line.parse().map_err(|error| wrong(error).into())
    });
    keys.collect()
}

fn unreadable(path: &Path, error: &std::io::Error) -> Ended {
    Ended::new(
        Exit::Usage,
        format!("`{}` cannot be read: {error}", path.display()),
    )
}

fn of_export(export: &Path, trust: &Trust, anchor: Option<&Path>, common: &Common) -> anyhow::Result<Exit> {
    if matches!(trust, Trust::Keys(keys) if keys.is_empty()) {
        return Err(Ended {
            exit: Exit::Usage,
            message: "an export is verified with the public key of its host, and none was named".to_owned(),
            hint: Some("name it with  --key ed25519:…  or  --key-file FILE; `sopwith audit key` prints it on that host".to_owned()),
        }
        .into());
    }
    let anchors = match anchor {
        Some(path) => {
            let text = std::fs::read(path).map_err(|error| unreadable(path, &error))?;
            match Anchors::read(&text, trust) {
                Ok(anchors) => anchors,
                Err(found) => return broken("anchor", &found, common),
            }
        }
        None => Anchors::default(),
    };
    let file = File::open(export).map_err(|error| unreadable(export, &error))?;
    match file::verify(file, trust, anchors).map_err(|error| unreadable(export, &error))? {
        Ok(summary) => {
            tell(&summary, anchor.is_some(), common)?;
            Ok(match anchor {
                Some(path) if summary.anchored == 0 => without_proof(path, &summary),
                _ => Exit::Passed,
            })
        }
        Err(found) => broken("export", &found, common),
    }
}

fn broken(what: &str, found: &Found, common: &Common) -> anyhow::Result<Exit> {
    if common.json {
        output::json(&json!({ "broken": what, "found": found }))?;
    } else {
        anstream::println!("the {what} is broken: {found}");
    }
    Ok(Exit::NotPassed)
}

/// Whoever names an anchor takes it that it says something of the export.
fn without_proof(anchor: &Path, summary: &Summary) -> Exit {
    let Header { first, last, .. } = &summary.header;
    anstream::eprintln!(
        "warning: `{}` proves nothing of this export: it has no checkpoint of an entry from {first} to {last}; \
         verify an export that reaches to what the anchor has kept, or leave `--anchor` out",
        anchor.display()
    );
    Exit::NotPassed
}

fn tell(summary: &Summary, with_anchor: bool, common: &Common) -> anyhow::Result<()> {
    if common.json {
        return output::json(summary);
    }
    let header = &summary.header;
    let end = if header.to_the_end {
        "all up to the end of the log then"
    } else {
        "a part of the log"
    };
    anstream::println!(
        "the export holds: entries {} to {}, which are {end}",
        header.first,
        header.last
    );
    let keys: Vec<_> = summary.keys.iter().map(ToString::to_string).collect();
    anstream::println!(
        "exported {}, signed with {}",
        instant(header.at),
        keys.join(" and ")
    );
    if summary.retired > 0 {
        anstream::println!(
            "{} of them were retired, and signed tombstones stand for them",
            summary.retired
        );
    }
    if summary.redacted > 0 {
        anstream::println!(
            "{} of them were redacted, each by a signed redaction",
            summary.redacted
        );
    }
    if with_anchor && summary.anchored > 0 {
        let checkpoints = usize::try_from(summary.anchored).unwrap_or(usize::MAX);
        anstream::println!(
            "it agrees with {} of the anchor",
            output::count(checkpoints, "checkpoint")
        );
    }
    Ok(())
}

async fn of_host(known: BTreeSet<PublicKey>, common: &Common) -> anyhow::Result<Exit> {
    let host = connect(&common.folder()).await?;
    let verdict = host.operations().verify_audit(known.into_iter().collect()).await;
    let verdict = verdict.map_err(Ended::from)?;
    if common.json {
        output::json(&verdict)?;
    } else if let Some(broken) = &verdict.broken {
        anstream::println!(
            "the audit log is broken after {} good entries: {broken}",
            verdict.entries
        );
    } else {
        tell_verdict(&verdict);
    }
    Ok(if verdict.broken.is_none() && verdict.unknown_keys.is_empty() {
        Exit::Passed
    } else {
        Exit::NotPassed
    })
}

fn tell_verdict(verdict: &AuditVerdict) {
    anstream::println!(
        "the audit log holds: {} entries, head {}",
        verdict.entries,
        verdict.head
    );
    let signed = verdict.signed.unwrap_or_default();
    match verdict.entries.saturating_sub(signed) {
        _ if verdict.entries == 0 => {}
        0 => anstream::println!("all of them are signed"),
        unsigned => anstream::println!("{unsigned} after the last checkpoint are not signed yet"),
    }
    if verdict.retired > 0 {
        anstream::println!(
            "{} of them were retired, and signed tombstones stand for them",
            verdict.retired
        );
    }
    if verdict.redacted > 0 {
        anstream::println!("{} of them were redacted", verdict.redacted);
    }
    for key in &verdict.unknown_keys {
        anstream::println!(
            "some are signed with {key}, which is not the key of this host; if it was, say so with --key {key}"
        );
    }
}
