//! `sopwith reject`: does not let a run go on that asks for it.

use super::Common;
use crate::answering::answer;
use crate::exit::Exit;
use sopwith_core::approval::RequestKind;
use sopwith_core::name::GateName;
use sopwith_core::port::operations::Reply;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The run's id, the beginning or the end of one, or a procedure (its run that asks)
    run: String,
    /// Which gate [default: the one that is asked]
    gate: Option<GateName>,
    /// Why
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
}

pub(crate) async fn run(arguments: Arguments, common: &Common) -> anyhow::Result<Exit> {
    let reply = Reply {
        name: arguments.gate,
        approved: false,
        note: arguments.note,
        breaks_glass: false,
        seen: None,
    };
    answer(&arguments.run, RequestKind::Approval, reply, common).await
}
