//! `sopwith approve`: lets a run go on that asks for it.

use super::Common;
use crate::answering::answer;
use crate::exit::Exit;
use sopwith_core::approval::RequestKind;
use sopwith_core::digest::Digest;
use sopwith_core::name::GateName;
use sopwith_core::port::operations::Reply;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The run's id, the beginning or the end of one, or a procedure (its run that asks)
    run: String,
    /// Which gate [default: the one that is asked]
    gate: Option<GateName>,
    /// What to say of it
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
    /// The digest of what you looked at, from `sopwith show`: anything else is refused
    #[arg(long, value_name = "DIGEST")]
    digest: Option<Digest>,
    /// Let the run go on alone, in spite of who may answer and how many; needs `--reason`, and is told loudly
    #[arg(long, requires = "reason")]
    break_glass: bool,
    /// Why the glass is broken
    #[arg(long, value_name = "TEXT", requires = "break_glass", conflicts_with = "note")]
    reason: Option<String>,
}

pub(crate) async fn run(arguments: Arguments, common: &Common) -> anyhow::Result<Exit> {
    let reply = Reply {
        name: arguments.gate,
        approved: true,
        note: arguments.reason.unwrap_or(arguments.note),
        breaks_glass: arguments.break_glass,
        seen: arguments.digest,
    };
    answer(&arguments.run, RequestKind::Approval, reply, common).await
}
