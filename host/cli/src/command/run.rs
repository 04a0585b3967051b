//! `sopwith run`: runs a procedure now, and waits for its end.

use super::Common;
use crate::asking;
use crate::clock::SystemClock;
use crate::connect::{Connected, connect_to_run};
use crate::exit::{Ended, Exit};
use crate::output;
use crate::progress::Progress;
use crate::signals::Signals;
use anyhow::Context as _;
use serde_json::{Map, Value};
use sopwith_core::failure::{Failure, FailureKind};
use sopwith_core::name::{ActionName, ProcedureName};
use sopwith_core::port::Clock as _;
use sopwith_core::port::operations::Submission;
use sopwith_core::run::{Run, RunId};
use std::time::Duration;

/// How often the record of the run is looked at while it is watched.
const LOOK_EVERY: Duration = Duration::from_millis(100);

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Which procedure
    procedure: ProcedureName,
    /// Which action [default: the procedure's]
    action: Option<ActionName>,
    /// Tell the run something; the value is JSON, or text where it is none
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = parse_input)]
    inputs: Vec<(String, Value)>,
    /// Change nothing, and list what would be changed
    #[arg(long)]
    dry_run: bool,
    /// A key of your own, such as the number of a build: whoever asks again under it gets the same run
    #[arg(long, value_name = "TEXT")]
    key: Option<String>,
    /// Run it although it is paused
    #[arg(long)]
    even_paused: bool,
    #[command(flatten)]
    patience: Patience,
}

/// How long somebody waits for a run.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct Patience {
    /// Do not wait for the end
    #[arg(long)]
    detach: bool,
    /// Wait for the end even while the run waits for people or for an instant
    #[arg(long, conflicts_with = "detach")]
    through: bool,
}

/// Reads `NAME=VALUE`.
pub(crate) fn parse_input(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
    Ok((name.to_owned(), value))
}

pub(crate) async fn run(arguments: Arguments, common: &Common) -> anyhow::Result<Exit> {
    let submission = Submission {
        procedure: arguments.procedure,
        action: arguments.action,
        inputs: Value::Object(Map::from_iter(arguments.inputs)),
        dry_run: arguments.dry_run,
        key: arguments.key,
        retry_of: None,
        even_paused: arguments.even_paused,
    };
    submission.check().map_err(Ended::from)?;
    let host = connect_to_run(&common.folder()).await?;
    take_up_files(&host).await?;
    let asked_at = SystemClock::new().now();
    let run = host.operations().submit(submission).await.map_err(not_run)?;
    if run.queued.key.is_some() && run.queued.queued_at < asked_at {
        anstream::eprintln!(
            "this is run {} of {}, which was asked for under this key before",
            run.id(),
            output::instant(run.queued.queued_at)
        );
    }
    follow(&host, run, arguments.patience, common).await
}

/// Watches a run that was queued just now, unless nobody wants to.
pub(super) async fn follow(
    host: &Connected,
    run: Run,
    Patience { detach, through }: Patience,
    common: &Common,
) -> anyhow::Result<Exit> {
    if detach && host.is_remote() {
        if common.json {
            output::json(&run)?;
        } else {
            anstream::println!("{}", run.id());
        }
        return Ok(Exit::Passed);
    }
    if detach {
        anstream::eprintln!("no service is running: this command carries the run out itself");
    }
    if through && !host.is_remote() {
        anstream::eprintln!("no service is running: this command ends where the run waits");
    }
    let result = watch(host, run.id(), through && host.is_remote(), common).await;
    host.close().await;
    let Some(run) = result? else {
        return Ok(Exit::NotPassed);
    };
    tell(&run, common)?;
    Ok(Exit::of(&run))
}

/// Why it was not even queued.
pub(super) fn not_run(failure: Failure) -> Ended {
    let exit = match failure.kind {
        FailureKind::Conflict => Exit::NotRun,
        _ => Exit::of_failure(&failure),
    };
    Ended {
        exit,
        ..Ended::from(failure)
    }
}

/// Whoever has just changed a file takes it that the change is in force.
async fn take_up_files(host: &Connected) -> anyhow::Result<()> {
    if !host.is_remote() {
        return Ok(());
    }
    let reload = host.operations().reload().await.map_err(Ended::from)?;
    if !reload.accepted {
        anstream::eprintln!(
            "note: the files are broken, and their last change was refused; what runs is what was in force \
             before, and `sopwith check` says what is wrong"
        );
    }
    Ok(())
}

/// Watches a run to its end; none when the operator turned away before.
async fn watch(host: &Connected, id: RunId, through: bool, common: &Common) -> anyhow::Result<Option<Run>> {
    let mut progress = Progress::new(!common.json);
    let end = host.operations().wait(id, through);
    tokio::pin!(end);
    let mut asked = Signals::listen().context("signals cannot be received")?;
    let mut after = 0;
    let mut interrupted = false;
    loop {
        tokio::select! {
            run = &mut end => {
                look(host, id, &mut after, &mut progress).await;
                progress.end();
                return Ok(Some(run.map_err(|failure| cut_off(id, failure))?));
            }
            () = tokio::time::sleep(LOOK_EVERY) => look(host, id, &mut after, &mut progress).await,
            () = asked.received() => {
                if host.is_remote() {
                    progress.end();
                    anstream::eprintln!("the run goes on; `sopwith cancel {id}` ends it");
                    return Ok(None);
                }
                if interrupted {
                    continue;
                }
                interrupted = true;
                anstream::eprintln!("asking the run to end");
                // It may have come to its end in this instant.
                let _ = host.operations().cancel(id).await;
            }
        }
    }
}

/// Why nobody can say how the run ended.
fn cut_off(id: RunId, failure: Failure) -> Ended {
    let hint = format!("where the host was cut off, the run goes on when one starts: `sopwith show {id}`");
    match failure.kind {
        FailureKind::Unavailable => Ended::from(failure.hint(hint)),
        _ => Ended::from(failure),
    }
}

async fn look(host: &Connected, id: RunId, after: &mut u64, progress: &mut Progress) {
    // What cannot be read now is read the next time.
    let Ok(page) = host.operations().journal(id, *after).await else {
        return;
    };
    for (number, entry) in page {
        *after = number;
        progress.note(&entry.note);
    }
}

fn tell(run: &Run, common: &Common) -> anyhow::Result<()> {
    if common.json {
        return output::json(run);
    }
    let took = output::run_took(run)
        .map(|took| format!(" in {took}"))
        .unwrap_or_default();
    anstream::println!(
        "{} {}{took}: {}",
        run.queued.procedure,
        output::state(run),
        asking::waits_for(run).unwrap_or_else(|| output::sentence(run))
    );
    if let Some(report) = &run.report {
        output::lists(&report.output);
    }
    if let Some(answer) = asking::how_to_answer(run) {
        anstream::println!("answer it with {answer}");
    }
    if run.state.is_waiting() {
        return Ok(());
    }
    if let Some(hint) = run.failure.as_ref().and_then(|failure| failure.hint.as_ref()) {
        anstream::println!("hint: {}", output::continued(hint, 6));
    }
    if !run.passed() {
        anstream::println!("see `sopwith show {}`", run.id());
    }
    Ok(())
}
