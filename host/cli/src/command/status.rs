//! `sopwith status`: what is in force, what runs and what comes next.

use super::{Common, audit, pause};
use crate::asking;
use crate::clock::SystemClock;
use crate::connect::connect;
use crate::exit::{Ended, Exit};
use crate::output::{self, away, bold, instant};
use anstyle::AnsiColor;
use jiff::Timestamp;
use sopwith_config::Severity;
use sopwith_core::port::operations::{ActionStatus, AuditStatus, ProcedureStatus, Status};
use sopwith_core::port::{Clock as _, Pause};

pub(crate) async fn run(common: &Common) -> anyhow::Result<Exit> {
    let host = connect(&common.folder()).await?;
    let status = host.operations().status().await.map_err(Ended::from)?;
    if common.json {
        output::json(&status)?;
        return Ok(Exit::Passed);
    }
    let now = SystemClock::new().now();
    if host.is_remote() {
        anstream::println!(
            "sopwith {} has been up since {}",
            status.version,
            instant(status.up_since)
        );
    } else {
        anstream::println!("no service is running; this is what the files and the record say");
    }
    print_reload(&status);
    print_audit(&host.operations().audit_status().await.map_err(Ended::from)?);
    for pause in &status.pauses {
        anstream::println!(
            "{}",
            output::painted(AnsiColor::Yellow.on_default(), &pause::sentence(pause))
        );
    }
    print_procedures(&status, now);
    print_unfinished(&status, now, host.is_remote());
    if let Some(told) = passed_over(&status.reload.diagnostics) {
        anstream::println!("\n{told}; `sopwith check` tells them");
    }
    Ok(Exit::Passed)
}

fn print_reload(status: &Status) {
    let reload = &status.reload;
    anstream::println!("generation {}", status.generation.short());
    if reload.kept {
        anstream::println!("the files are broken: the last good configuration is in force");
    }
    if !reload.accepted {
        anstream::println!(
            "the change of {} was refused; nothing that runs was disturbed:",
            instant(reload.at)
        );
    }
    for diagnostic in reload.diagnostics.iter().filter(|one| is_error(one)) {
        anstream::println!("{}", diagnostic.trim_end());
    }
}

fn is_error(diagnostic: &str) -> bool {
    diagnostic.starts_with(&format!("{}:", Severity::Error))
}

/// How many warnings and notes there are, which would only stand in the way of what is asked for.
fn passed_over(diagnostics: &[String]) -> Option<String> {
    let of = |severity: Severity| {
        let begins = format!("{severity}:");
        let count = diagnostics.iter().filter(|one| one.starts_with(&begins)).count();
        (count > 0).then(|| output::count(count, &severity.to_string()))
    };
    let counted: Vec<_> = [Severity::Warning, Severity::Note]
        .into_iter()
        .filter_map(of)
        .collect();
    (!counted.is_empty()).then(|| counted.join(" and "))
}

/// Says what is wrong with the audit log; that all is well goes without saying.
fn print_audit(status: &AuditStatus) {
    if let Some(problem) = &status.problem {
        anstream::println!("the audit log is in trouble: {problem}");
    }
    for anchor in status.anchors.iter().filter(|anchor| anchor.problem.is_some()) {
        anstream::println!("{}", audit::told(anchor));
    }
}

fn print_procedures(status: &Status, now: Timestamp) {
    let mut rows = Vec::new();
    for procedure in &status.procedures {
        for action in &procedure.actions {
            rows.push(row(procedure, action, &status.pauses, now));
        }
    }
    if rows.is_empty() {
        anstream::println!("\nthere are no procedures yet");
        return;
    }
    anstream::println!();
    output::table(
        &[
            "PROCEDURE",
            "ACTION",
            "LAST RUN",
            "",
            "PASSED",
            "NEXT",
            "FINDINGS",
            "VERSION",
            "OWNER",
        ],
        rows,
    );
    for procedure in &status.procedures {
        print_notes(procedure);
    }
}

fn row(procedure: &ProcedureStatus, action: &ActionStatus, pauses: &[Pause], now: Timestamp) -> Vec<String> {
    let mut pauses = pauses.iter();
    let is_paused = pauses.any(|pause| pause.scope.covers(&procedure.name, &action.action));
    let ago = |at: Option<Timestamp>| at.map_or_else(|| "–".to_owned(), |at| away(now, at));
    let last = action.last_run.as_ref();
    vec![
        procedure.name.to_string(),
        action.action.to_string(),
        last.map_or_else(|| "–".to_owned(), output::state),
        last.map(|run| away(now, run.queued.queued_at))
            .unwrap_or_default(),
        ago(action.last_passed_at),
        if is_paused {
            "paused".to_owned()
        } else {
            ago(action.next_at)
        },
        if procedure.open_findings == 0 {
            String::new()
        } else {
            procedure.open_findings.to_string()
        },
        procedure
            .version
            .map_or_else(String::new, |version| version.to_string()),
        procedure.owner.clone().unwrap_or_default(),
    ]
}

fn print_notes(procedure: &ProcedureStatus) {
    if let Some(held) = &procedure.held {
        let short = held.digest.short();
        anstream::println!(
            "\n{}: version {short} of plugin `{}` is held, the old one goes on:",
            procedure.name,
            procedure.plugin
        );
        for denial in &held.lacks {
            anstream::println!("  {denial}\n  {}", denial.hint);
        }
    }
    for (action, denials) in &procedure.unavailable {
        anstream::println!("\n{}: `{action}` cannot run:", procedure.name);
        for denial in denials {
            anstream::println!("  {denial}\n  {}", denial.hint);
        }
    }
}

fn print_unfinished(status: &Status, now: Timestamp, served: bool) {
    if status.unfinished.is_empty() {
        return;
    }
    let heading = if served {
        "Under way"
    } else {
        "Cut off or waiting; they go on when a host starts"
    };
    anstream::println!("\n{}", bold(heading));
    for run in &status.unfinished {
        let since = away(now, run.started_at.unwrap_or(run.queued.queued_at));
        let (procedure, action) = (&run.queued.procedure, &run.queued.action);
        anstream::println!(
            "  {}  {procedure} {action}  {}  {since}",
            run.id(),
            output::state(run)
        );
        if let Some(sentence) = asking::waits_for(run) {
            let answer = asking::how_to_answer(run);
            let answer = answer.map_or_else(String::new, |answer| format!("; answer with {answer}"));
            anstream::println!("      it {sentence}{answer}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_and_notes_are_counted_and_errors_are_not() {
        let said = |texts: &[&str]| {
            let texts: Vec<_> = texts.iter().map(|text| (*text).to_owned()).collect();
            passed_over(&texts)
        };
        assert_eq!(said(&["error: it is broken"]), None);
        assert_eq!(
            said(&["warning: a", "note: b", "warning: c"]).unwrap(),
            "2 warnings and 1 note"
        );
        assert_eq!(said(&["note: b"]).unwrap(), "1 note");
    }
}
