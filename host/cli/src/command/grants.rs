//! `sopwith grants`: shows which grants were used over the recorded runs, and what was denied.

use super::Common;
use crate::connect::connect;
use crate::exit::{Ended, Exit};
use crate::output::{self, bold, instant, instant_or_dash};
use sopwith_core::name::ProcedureName;
use sopwith_core::port::operations::{GrantLine, ProcedureGrants};
use std::fmt::Write as _;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Of this procedure alone
    procedure: Option<ProcedureName>,
}

pub(crate) async fn run(arguments: Arguments, common: &Common) -> anyhow::Result<Exit> {
    let host = connect(&common.folder()).await?;
    let procedures = host
        .operations()
        .grants(arguments.procedure)
        .await
        .map_err(Ended::from)?;
    if common.json {
        output::json(&procedures)?;
        return Ok(Exit::Passed);
    }
    for (place, procedure) in procedures.iter().enumerate() {
        if place > 0 {
            anstream::println!();
        }
        print(procedure);
    }
    Ok(Exit::Passed)
}

fn print(procedure: &ProcedureGrants) {
    let since = procedure
        .since
        .map_or_else(|| "no run yet".to_owned(), |at| format!("since {}", instant(at)));
    anstream::println!("{}, {since}", bold(procedure.procedure.as_str()));
    if procedure.grants.is_empty() {
        anstream::println!("nothing is granted");
    }
    let rows = procedure.grants.iter().map(row).collect();
    output::table(&["GRANT", "UNDER", "USED", &output::in_zone("LAST"), "BY"], rows);
    let unused = procedure.grants.iter().filter(|line| line.times == 0).count();
    if unused > 0 && procedure.since.is_some() {
        let (grants, them) = match unused {
            1 => ("1 grant was".to_owned(), "it"),
            _ => (format!("{unused} grants were"), "them"),
        };
        anstream::println!(
            "{grants} never used; to withdraw {them}, take {them} out of {}",
            procedure.file.display()
        );
    }
    for denied in &procedure.denials {
        anstream::println!(
            "denied to `{}` {} (last {}): {}\n  {}",
            denied.action,
            times(denied.times),
            instant(denied.last_at),
            denied.denial,
            denied.denial.hint
        );
    }
}

fn row(line: &GrantLine) -> Vec<String> {
    let mut grant = format!("{}.{}", line.kind, line.name);
    if let Some(access) = &line.access {
        let _ = write!(grant, " {access}");
    }
    let used = match line.times {
        0 => "never".to_owned(),
        times => format!("{times}×"),
    };
    let calls = line.calls.iter().map(|count| match &line.access {
        Some(access) if access.to_string() == count.access => count.call.clone(),
        _ => format!("{} ({})", count.call, count.access),
    });
    let calls: Vec<_> = calls.collect();
    vec![
        grant,
        line.section.clone(),
        used,
        instant_or_dash(line.last_at),
        calls.join(", "),
    ]
}

fn times(times: u64) -> String {
    match times {
        1 => "once".to_owned(),
        times => format!("{times} times"),
    }
}
