//! `sopwith runs`: lists runs, newest first.

use super::Common;
use crate::clock::SystemClock;
use crate::connect::connect;
use crate::exit::{Ended, Exit};
use crate::moment::Said;
use crate::output::{self, instant_or_dash};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use sopwith_core::name::{ActionName, ProcedureName};
use sopwith_core::port::{Clock as _, RunFilter};
use sopwith_core::run::{Run, RunState, Verdict};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Of this procedure
    procedure: Option<ProcedureName>,
    /// In this state
    #[arg(long, value_parser = states())]
    state: Vec<RunState>,
    /// With this verdict
    #[arg(long, value_parser = verdicts())]
    verdict: Option<Verdict>,
    /// Of this action
    #[arg(long)]
    action: Option<ActionName>,
    /// Queued at this time or later: RFC 3339, local (`2026-03-29`, `2026-03-29T02:30`), or ago (`24h`)
    #[arg(long, value_name = "TIME")]
    since: Option<Said>,
    /// Queued before this time, or up to the end of this date
    #[arg(long, value_name = "TIME")]
    until: Option<Said>,
    /// At most so many
    #[arg(long, default_value_t = 20)]
    limit: u32,
}

/// The words of the states, which help and errors list.
fn states() -> impl TypedValueParser<Value = RunState> {
    PossibleValuesParser::new(RunState::ALL.map(RunState::as_str)).try_map(|word| {
        RunState::ALL
            .into_iter()
            .find(|state| state.as_str() == word)
            .ok_or("not a state")
    })
}

fn verdicts() -> impl TypedValueParser<Value = Verdict> {
    PossibleValuesParser::new(["ok", "warning", "critical", "nothing-to-do"])
        .try_map(|word| Verdict::from_word(&word))
}

pub(crate) async fn run(arguments: Arguments, common: &Common) -> anyhow::Result<Exit> {
    let host = connect(&common.folder()).await?;
    let (now, zone) = (SystemClock::new().now(), output::zone());
    let filter = RunFilter {
        dry_run: None,
        procedure: arguments.procedure,
        action: arguments.action,
        states: arguments.state,
        verdict: arguments.verdict,
        since: arguments.since.and_then(|since| since.ago(now).start(&zone)),
        until: arguments.until.and_then(|until| until.ago(now).end(&zone)),
        limit: Some(arguments.limit),
    };
    let runs = host.operations().runs(filter).await.map_err(Ended::from)?;
    if common.json {
        output::json(&runs)?;
    } else if runs.is_empty() {
        anstream::eprintln!("there is no such run");
    } else {
        let headings = [
            "RUN",
            "PROCEDURE",
            "ACTION",
            "STATE",
            &output::in_zone("STARTED"),
            "TOOK",
            "SUMMARY",
        ];
        output::table(&headings, runs.iter().map(row).collect());
    }
    Ok(Exit::Passed)
}

fn row(run: &Run) -> Vec<String> {
    let dry = if run.queued.dry_run { " (dry)" } else { "" };
    vec![
        run.id().to_string(),
        run.queued.procedure.to_string(),
        format!("{}{dry}", run.queued.action),
        output::state(run),
        instant_or_dash(run.started_at),
        output::run_took(run).unwrap_or_default(),
        output::sentence(run),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Arguments,
    }

    #[test]
    fn states_and_verdicts_are_listed_where_one_is_wrong_and_all_are_understood() {
        let parse = |words: [&str; 2]| Line::try_parse_from([&["runs"], &words[..]].concat());
        for state in RunState::ALL {
            let line = parse(["--state", state.as_str()]).unwrap();
            assert_eq!(line.arguments.state, [state]);
        }
        for verdict in ["ok", "warning", "critical", "nothing-to-do"] {
            assert!(parse(["--verdict", verdict]).unwrap().arguments.verdict.is_some());
        }
        let wrong = parse(["--state", "done"]).unwrap_err().to_string();
        assert!(
            wrong.contains("waiting_approval") && wrong.contains("suspended"),
            "{wrong}"
        );
        let wrong = parse(["--verdict", "good"]).unwrap_err().to_string();
        assert!(wrong.contains("nothing-to-do"), "{wrong}");
    }
}
