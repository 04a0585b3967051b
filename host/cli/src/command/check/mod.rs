//! `sopwith check`: says what is wrong with the configuration, and what plugins want and will not get.

mod difference;

use super::Common;
use crate::exit::Exit;
use crate::foundation::{Foundation, data_directory};
use crate::output::{self, bold};
use serde_json::json;
use sopwith_config::{Loaded, Severity, Wants, last_good};
use sopwith_core::digest::Digest;
use sopwith_core::grant::Asked;
use sopwith_core::port::operations::Operations as _;
use sopwith_server::{Client, socket_path};
use std::path::Path;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// End with 3 on warnings, too
    #[arg(long)]
    strict: bool,
    /// Tell what a reload would change against what is in force, coming instants included
    #[arg(long)]
    diff: bool,
}

pub(crate) async fn run(arguments: &Arguments, common: &Common) -> anyhow::Result<Exit> {
    let folder = common.folder();
    let data = data_directory(&folder)?;
    let foundation = Foundation::to_look(&data)?;
    let loaded = last_good::look(&folder, &data, foundation.workshop()).await;
    let count = |severity| {
        loaded
            .diagnostics
            .iter()
            .filter(|one| one.severity == severity)
            .count()
    };
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let in_force = match &loaded.generation {
        Some(generation) if !arguments.diff => is_in_force(&data, generation.digest).await,
        _ => None,
    };
    let difference = if arguments.diff {
        sopwith_config::difference::difference(&data, &loaded, foundation.workshop()).await?
    } else {
        None
    };
    if common.json {
        let mut answer = json!({
            "errors": errors,
            "warnings": warnings,
            "diagnostics": loaded.diagnostics,
            "wanted": loaded.wants,
            "in_force": in_force,
        });
        if arguments.diff {
            answer["difference"] = serde_json::to_value(&difference)?;
        }
        output::json(&answer)?;
    } else {
        for diagnostic in &loaded.diagnostics {
            anstream::eprintln!("{diagnostic}\n");
        }
        match &difference {
            Some(difference) => difference::print(difference),
            None if arguments.diff => anstream::println!("a reload would be refused, and change nothing"),
            None => loaded.wants.iter().for_each(print),
        }
        print_result(&loaded, errors, warnings, in_force);
    }
    let invalid = errors > 0 || (arguments.strict && warnings > 0);
    Ok(if invalid {
        Exit::InvalidConfiguration
    } else {
        Exit::Passed
    })
}

fn print_result(loaded: &Loaded, errors: usize, warnings: usize, in_force: Option<bool>) {
    let warned = if warnings == 0 {
        String::new()
    } else {
        format!(", {}", output::count(warnings, "warning"))
    };
    let Some(generation) = loaded.generation.as_ref().filter(|_| errors == 0) else {
        let errors = output::count(errors, "error");
        anstream::println!("the configuration is invalid: {errors}{warned}");
        return;
    };
    let procedures = output::count(generation.procedures.len(), "procedure");
    anstream::println!("the configuration is good: {procedures}{warned}");
    match in_force {
        Some(true) => anstream::println!("the service has it in force"),
        Some(false) => anstream::println!("the service of this data directory goes by other files"),
        None => {}
    }
}

/// Whether the service has this generation in force, once it has looked at its files; none where there is no
/// service, or none that answers this user.
async fn is_in_force(data: &Path, generation: Digest) -> Option<bool> {
    let socket = socket_path(data);
    if !socket.exists() {
        return None;
    }
    let service = Client::new(&socket).ok()?;
    if !service.is_answered().await {
        return None;
    }
    service.reload().await.ok()?;
    Some(service.status().await.ok()?.generation == generation)
}

fn print(wants: &Wants) {
    let name = bold(wants.procedure.as_str());
    if wants.asked.is_empty() {
        anstream::println!("{name} ({}) wants nothing\n", wants.plugin);
        return;
    }
    anstream::println!("{name} ({})", wants.plugin);
    let mut rows: Vec<Vec<String>> = Vec::new();
    for one in &wants.asked {
        let row = row(one);
        // Many settings may name the same thing.
        if !rows.contains(&row) {
            rows.push(row);
        }
    }
    output::table(&["ACTION", "WANTS", "GRANTED", "WHY"], rows);
    anstream::println!();
}

fn row(asked: &Asked) -> Vec<String> {
    let granted = match (&asked.denial, asked.required) {
        (None, _) => "yes",
        (Some(_), true) => "no",
        (Some(_), false) => "no, does without",
    };
    vec![
        asked.action.to_string(),
        asked.wanted.to_string(),
        granted.to_owned(),
        asked.reason.clone(),
    ]
}
