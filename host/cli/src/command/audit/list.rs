//! `sopwith audit list` and `sopwith audit show`.

use super::super::Common;
use crate::connect::connect;
use crate::exit::{Ended, Exit};
use crate::output::{self, instant};
use crate::when::When;
use serde_json::Value;
use sopwith_core::audit::KeptEntry;
use sopwith_core::port::AuditFilter;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Written at this instant or later: an RFC 3339 instant, a day, or so long ago (`24h`, `7d`)
    #[arg(long, value_name = "TIME")]
    since: Option<When>,
    /// Written before this instant
    #[arg(long, value_name = "TIME")]
    until: Option<When>,
    /// By this actor (`host`, `schedule`, `user:NAME`)
    #[arg(long)]
    actor: Option<String>,
    /// That tell of this (`run.queued`, `configuration.accepted`)
    #[arg(long)]
    action: Option<String>,
    /// That tell of it of this (`run:ID`, `secret:NAME`)
    #[arg(long)]
    object: Option<String>,
    /// At most so many
    #[arg(long, default_value_t = 20)]
    limit: u32,
}

pub(crate) async fn run(arguments: Arguments, common: &Common) -> anyhow::Result<Exit> {
    let host = connect(&common.folder()).await?;
    let filter = AuditFilter {
        since: arguments.since.map(When::instant),
        until: arguments.until.map(When::instant),
        actor: arguments.actor,
        action: arguments.action,
        object: arguments.object,
        limit: Some(arguments.limit),
        seq: None,
    };
    let entries = host
        .operations()
        .audit_entries(filter)
        .await
        .map_err(Ended::from)?;
    if common.json {
        output::json(&entries)?;
    } else if entries.is_empty() {
        anstream::eprintln!("there is no such entry");
    } else {
        let rows = entries.iter().map(|kept| {
            let entry = &kept.entry;
            vec![
                entry.seq.to_string(),
                instant(entry.at),
                entry.actor.to_string(),
                entry.action.clone(),
                entry.object.clone(),
                if kept.redaction.is_some() {
                    "redacted".to_owned()
                } else {
                    String::new()
                },
            ]
        });
        output::table(
            &["ENTRY", "TIME", "ACTOR", "ACTION", "OBJECT", ""],
            rows.collect(),
        );
    }
    Ok(Exit::Passed)
}

pub(crate) async fn show(seq: u64, common: &Common) -> anyhow::Result<Exit> {
    let host = connect(&common.folder()).await?;
    let filter = AuditFilter {
        seq: Some(seq),
        ..AuditFilter::default()
    };
    let found = host
        .operations()
        .audit_entries(filter)
        .await
        .map_err(Ended::from)?;
    let Some(kept) = found.into_iter().next() else {
        return Err(Ended {
            exit: Exit::Usage,
            message: format!("there is no entry {seq}"),
            hint: Some("`sopwith audit list` lists them; old ones may be retired".to_owned()),
        }
        .into());
    };
    if common.json {
        output::json(&kept)?;
    } else {
        print(&kept)?;
    }
    Ok(Exit::Passed)
}

fn print(kept: &KeptEntry) -> anyhow::Result<()> {
    let entry = &kept.entry;
    let line = |name: &str, value: &str| anstream::println!("{name:<9} {value}");
    line("entry", &entry.seq.to_string());
    line("time", &entry.at.to_string());
    line("actor", &entry.actor.to_string());
    line("action", &entry.action);
    line("object", &entry.object);
    if let Some(revision) = entry.revision {
        line("revision", &revision.to_string());
    }
    line("previous", &entry.previous.to_string());
    line("hash", &kept.hash.to_string());
    match (&kept.redaction, &kept.payload) {
        (Some(redaction), _) => {
            let by = &redaction.statement;
            line(
                "details",
                &format!(
                    "redacted by {} at {}: {}",
                    by.actor,
                    instant(by.at),
                    output::one_line(&by.reason)
                ),
            );
        }
        (None, Some(Value::Null)) => {}
        (None, payload) => {
            let text = serde_json::to_string_pretty(payload)?;
            line("details", &text.replace('\n', "\n          "));
        }
    }
    Ok(())
}
