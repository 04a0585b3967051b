//! `sopwith show`: everything about a run.

mod calls;
mod head;
mod next;
mod timeline;
mod usage;

pub(crate) use timeline::note_line;

use super::Common;
use crate::connect::connect;
use crate::exit::{Ended, Exit};
use crate::output::{self, bytes};
use serde_json::json;
use sopwith_core::failure::{Failure, FailureKind};
use sopwith_core::journal::JournalEntry;
use sopwith_core::port::operations::{Operations, RunDetails};
use sopwith_core::run::RunId;

/// What stands before the value of a field.
const FIELD_COLUMNS: usize = 11;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Its id, the beginning or the end of one, or a procedure (its newest run)
    run: String,
}

pub(crate) async fn run(arguments: &Arguments, common: &Common) -> anyhow::Result<Exit> {
    let host = connect(&common.folder()).await?;
    let details = match host.operations().run(&arguments.run).await {
        Ok(details) => details,
        Err(failure) => return Err(not_shown(host.operations(), &arguments.run, failure).await.into()),
    };
    let journal = whole_journal(host.operations(), details.run.id()).await?;
    if common.json {
        output::json(&json!({ "details": details, "journal": journal }))?;
    } else {
        print(&details, &journal);
    }
    Ok(Exit::Passed)
}

/// Why there is nothing to show: a procedure may be meant that has not run yet.
async fn not_shown(operations: &dyn Operations, meant: &str, failure: Failure) -> Ended {
    let is_procedure = match failure.kind {
        FailureKind::NotFound => operations
            .status()
            .await
            .is_ok_and(|status| status.procedures.iter().any(|one| one.name.as_str() == meant)),
        _ => false,
    };
    let ended = Ended::from(failure);
    if !is_procedure {
        return ended;
    }
    Ended {
        message: format!("the procedure `{meant}` has not run yet"),
        hint: Some(format!(
            "`sopwith run {meant}` runs it now; `sopwith schedule next` says when it comes"
        )),
        ..ended
    }
}

/// The whole record of a run, page by page.
async fn whole_journal(operations: &dyn Operations, id: RunId) -> Result<Vec<JournalEntry>, Ended> {
    let mut entries = Vec::new();
    let mut after = 0;
    loop {
        let page = operations.journal(id, after).await?;
        let Some((last, _)) = page.last() else {
            return Ok(entries);
        };
        after = *last;
        entries.extend(page.into_iter().map(|(_, entry)| entry));
    }
}

fn print(details: &RunDetails, journal: &[JournalEntry]) {
    head::print(&details.run);
    timeline::print(details, journal);
    calls::print(journal);
    usage::print(&details.run, details.limits.as_ref());
    for (name, media_type, size) in &details.attachments {
        field("attached", &format!("{name} ({media_type}, {})", bytes(*size)));
    }
    if let Some(report) = &details.run.report {
        output::lists(&report.output);
    }
    next::print(&details.run);
}

fn field(name: &str, value: &str) {
    anstream::println!("{name:<10} {}", output::continued(value, FIELD_COLUMNS));
}
