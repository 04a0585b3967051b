//! What the commands have in common that answer a run.

use crate::asking;
use crate::command::Common;
use crate::connect::connect;
use crate::exit::{Ended, Exit};
use crate::meant::the_run;
use crate::output;
use sopwith_core::approval::RequestKind;
use sopwith_core::failure::Failure;
use sopwith_core::port::operations::Reply;
use sopwith_core::run::Run;

/// Shows what the run asks that is meant, and answers that, and nothing that was asked since.
pub(crate) async fn answer(
    run: &str,
    kind: RequestKind,
    reply: Reply,
    common: &Common,
) -> anyhow::Result<Exit> {
    let host = connect(&common.folder()).await?;
    let asks = |run: &Run| run.open_request().is_some();
    let run = the_run(host.operations(), run, asks, "ask something").await;
    let run = run.map_err(Ended::from)?;
    let open = run.open_request();
    if let Some(asked) = open.filter(|_| !common.json) {
        asking::print(asked);
    }
    if let Some(other) = open
        .map(|asked| asked.request.kind)
        .filter(|other| *other != kind)
    {
        let answer = asking::how_to_answer(&run).unwrap_or_default();
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
