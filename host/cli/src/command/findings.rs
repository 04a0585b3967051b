//! `sopwith findings`: lists what checks have found and not found mended since.

use super::Common;
use crate::connect::connect;
use crate::exit::{Ended, Exit};
use crate::output::{self, instant_in_column};
use serde::Serialize;
use sopwith_core::name::ProcedureName;
use sopwith_core::port::capabilities::OpenFinding;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Of this procedure alone
    procedure: Option<ProcedureName>,
}

/// A finding that stands open, and for which procedure.
#[derive(Serialize)]
struct Row {
    procedure: ProcedureName,
    #[serde(flatten)]
    open: OpenFinding,
}

pub(crate) async fn run(arguments: Arguments, common: &Common) -> anyhow::Result<Exit> {
    let host = connect(&common.folder()).await?;
    let names = if let Some(name) = arguments.procedure {
        vec![name]
    } else {
        let status = host.operations().status().await.map_err(Ended::from)?;
        status.procedures.into_iter().map(|one| one.name).collect()
    };
    let mut rows = Vec::new();
    for procedure in names {
        let open = host.operations().findings(procedure.clone()).await;
        rows.extend(open.map_err(Ended::from)?.into_iter().map(|open| Row {
            procedure: procedure.clone(),
            open,
        }));
    }
    if common.json {
        output::json(&rows)?;
    } else if rows.is_empty() {
        anstream::println!("no finding stands open");
    } else {
        let cells = rows.iter().map(cells).collect();
        output::table(
            &[
                "PROCEDURE",
                "SEVERITY",
                &output::in_zone("SINCE"),
                "RUNS",
                "FINDING",
                "FIX",
            ],
            cells,
        );
    }
    Ok(Exit::Passed)
}

fn cells(row: &Row) -> Vec<String> {
    let finding = &row.open.finding;
    let said = if finding.detail.is_empty() {
        finding.title.clone()
    } else {
        format!("{}: {}", finding.title, finding.detail)
    };
    vec![
        row.procedure.to_string(),
        finding.severity.clone(),
        instant_in_column(row.open.first_seen_at),
        row.open.times_seen.to_string(),
        said,
        finding.fix.clone().unwrap_or_default(),
    ]
}
