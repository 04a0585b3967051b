//! What the commands have in common that answer a run.

use crate::asking;
use crate::command::Common;
use crate::connect::Connected;
use crate::exit::{Ended, Exit};
use crate::output;
use sopwith_core::approval::RequestKind;
use sopwith_core::failure::Failure;
use sopwith_core::port::operations::{Operations, Reply};
use sopwith_core::run::Run;

/// The one run of the procedure that asks something, or whichever run is meant.
pub(crate) async fn the_run_that_asks(host: &dyn Operations, text: &str) -> Result<Run, Failure> {
    let unfinished = host.status().await?.unfinished.into_iter();
    let mut asking: Vec<Run> = unfinished
        .filter(|run| run.queued.procedure.as_str() == text && run.open_request().is_some())
        .collect();
    match asking.len() {
        0 => Ok(host.run(text).await?.run),
        1 => Ok(asking.remove(0)),
        _ => {
            let ids: Vec<_> = asking.iter().map(|run| run.id().to_string()).collect();
            let several = Failure::invalid(format!("several runs of `{text}` ask something"));
            Err(several.hint(format!("one of {}", ids.join(", "))))
        }
    }
}

/// Shows what is asked and answers that, and nothing that was asked since.
pub(crate) async fn answer(
    host: &Connected,
    run: &Run,
    kind: RequestKind,
    reply: Reply,
    common: &Common,
) -> anyhow::Result<Exit> {
    let open = run.open_request();
    if let Some(asked) = open.filter(|_| !common.json) {
        asking::print(asked);
    }
    if let Some(other) = open
        .map(|asked| asked.request.kind)
        .filter(|other| *other != kind)
    {
        let answer = asking::how_to_answer(run).unwrap_or_default();
        let wrong = Failure::invalid(format!("run `{}` asks for an {other}", run.id()));
        return Err(Ended::from(wrong.hint(format!("answer it with {answer}"))).into());
    }
    let reply = Reply {
        seen: reply.seen.or_else(|| open.map(|asked| asked.request.digest)),
        ..reply
    };
    let answered = host.operations().answer(run.id(), reply).await;
    let run = answered.map_err(Ended::from)?;
    if common.json {
        output::json(&run)?;
    } else {
        anstream::println!("\n{}", asking::told(&run));
        if !host.is_remote() && !run.state.is_final() && !run.state.is_waiting() {
            anstream::println!("no service is running: the run goes on when one starts");
        }
    }
    Ok(Exit::Passed)
}
