//! `sopwith attest`: says under one's name that a manual step was done, or what was seen.

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
    /// What is attested
    item: GateName,
    /// What was done or seen
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
    /// Say that it was not done, or is not so
    #[arg(long)]
    refuse: bool,
}

pub(crate) async fn run(arguments: Arguments, common: &Common) -> anyhow::Result<Exit> {
    let reply = Reply {
        name: Some(arguments.item),
        approved: !arguments.refuse,
        note: arguments.note,
        breaks_glass: false,
        seen: None,
    };
    answer(&arguments.run, RequestKind::Attestation, reply, common).await
}
