//! `sopwith trigger`: tells of an event, on which schedules start.

use super::Common;
use super::run::parse_input;
use crate::connect::connect_to_run;
use crate::exit::{Ended, Exit};
use crate::output;
use serde_json::{Map, Value};
use sopwith_core::name::EventName;
use sopwith_core::port::operations::Triggered;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// What has happened, as schedules name it: `event = "NAME"`
    event: EventName,
    /// Tell the runs something; the value is JSON, or text where it is none
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = parse_input)]
    inputs: Vec<(String, Value)>,
}

pub(crate) async fn run(arguments: Arguments, common: &Common) -> anyhow::Result<Exit> {
    let host = connect_to_run(&common.folder()).await?;
    let inputs = Value::Object(Map::from_iter(arguments.inputs));
    let triggered = host.operations().trigger(arguments.event, inputs).await;
    let mut triggered = triggered.map_err(Ended::from)?;
    if !host.is_remote() {
        anstream::eprintln!("no service is running: this command carries the runs out itself");
        for run in triggered.iter_mut().filter_map(|one| one.run.as_mut()) {
            *run = host
                .operations()
                .wait(run.id(), false)
                .await
                .map_err(Ended::from)?;
        }
        host.close().await;
    }
    if common.json {
        output::json(&triggered)?;
    } else {
        triggered.iter().for_each(print);
    }
    Ok(exit(&triggered))
}

fn print(triggered: &Triggered) {
    let (procedure, schedule) = (&triggered.procedure, &triggered.schedule);
    match (&triggered.run, triggered.skipped) {
        (Some(run), _) => anstream::println!("{procedure} {schedule}: {}  {}", run.id(), output::state(run)),
        (None, Some(reason)) => anstream::println!("{procedure} {schedule}: {}", reason.as_str()),
        (None, None) => {}
    }
}

/// The runs that a service carries out are its own affair; those that ended here are not.
fn exit(triggered: &[Triggered]) -> Exit {
    let runs = || triggered.iter().filter_map(|one| one.run.as_ref());
    if runs().any(|run| run.state.is_final() && !run.passed()) {
        return Exit::NotPassed;
    }
    if runs().next().is_none() {
        return Exit::NotRun;
    }
    Exit::Passed
}
