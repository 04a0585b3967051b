//! `sopwith check`: says what is wrong with the configuration, and what plugins want and will not get.

use super::Common;
use crate::exit::Exit;
use crate::foundation::{Foundation, data_directory};
use crate::output::{self, bold};
use serde::Serialize;
use serde_json::json;
use sopwith_config::Severity;
use sopwith_core::generation::Generation;
use sopwith_core::grant::{Asked, asked};
use sopwith_core::name::{PluginName, ProcedureName};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// End with 3 on warnings, too
    #[arg(long)]
    strict: bool,
}

/// What the actions of one procedure ask for.
#[derive(Debug, Serialize)]
struct OfProcedure {
    procedure: ProcedureName,
    plugin: PluginName,
    asked: Vec<Asked>,
}

pub(crate) async fn run(arguments: &Arguments, common: &Common) -> anyhow::Result<Exit> {
    let folder = common.folder();
    let foundation = Foundation::to_look(&data_directory(&folder)?)?;
    let loaded = sopwith_config::load(&folder, foundation.workshop(), None).await;
    let count = |severity| {
        loaded
            .diagnostics
            .iter()
            .filter(|one| one.severity == severity)
            .count()
    };
    let wanted: Vec<_> = loaded
        .generation
        .iter()
        .flat_map(|generation| wanted_in(generation))
        .collect();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    if common.json {
        output::json(&json!({
            "errors": errors,
            "warnings": warnings,
            "diagnostics": loaded.diagnostics,
            "wanted": wanted,
        }))?;
    } else {
        for diagnostic in &loaded.diagnostics {
            anstream::eprintln!("{diagnostic}\n");
        }
        wanted.iter().for_each(print);
        let procedures = loaded
            .generation
            .as_ref()
            .map_or(0, |generation| generation.procedures.len());
        let warned = if warnings == 0 {
            String::new()
        } else {
            format!(", {}", output::count(warnings, "warning"))
        };
        if errors == 0 {
            anstream::println!(
                "the configuration is good: {}{warned}",
                output::count(procedures, "procedure")
            );
        } else {
            anstream::println!(
                "the configuration is invalid: {}{warned}",
                output::count(errors, "error")
            );
        }
    }
    let invalid = errors > 0 || (arguments.strict && warnings > 0);
    Ok(if invalid {
        Exit::InvalidConfiguration
    } else {
        Exit::Passed
    })
}

fn wanted_in(generation: &Generation) -> Vec<OfProcedure> {
    let procedures = generation.procedures.values();
    let wanted = procedures.map(|ready| {
        let actions = ready.plugin.manifest().actions.iter();
        // A plugin whose requests cannot be read made no generation.
        let asked = actions
            .filter_map(|action| asked(action, &ready.procedure, &generation.resources).ok())
            .flatten();
        OfProcedure {
            procedure: ready.procedure.name.clone(),
            plugin: ready.procedure.plugin.clone(),
            asked: asked.collect(),
        }
    });
    wanted.collect()
}

fn print(wanted: &OfProcedure) {
    let name = bold(wanted.procedure.as_str());
    if wanted.asked.is_empty() {
        anstream::println!("{name} ({}) wants nothing\n", wanted.plugin);
        return;
    }
    anstream::println!("{name} ({})", wanted.plugin);
    let rows = wanted.asked.iter().map(|one| {
        let granted = match (&one.denial, one.required) {
            (None, _) => "yes",
            (Some(_), true) => "no",
            (Some(_), false) => "no, does without",
        };
        vec![
            one.action.to_string(),
            one.wanted.to_string(),
            granted.to_owned(),
            one.reason.clone(),
        ]
    });
    output::table(&["ACTION", "WANTS", "GRANTED", "WHY"], rows.collect());
    anstream::println!();
}
