//! `sopwith check`: says what is wrong with the configuration, and what plugins want and will not get.

mod difference;

use super::Common;
use crate::exit::Exit;
use crate::foundation::{Foundation, data_directory};
use crate::output::{self, bold};
use serde_json::json;
use sopwith_config::{Severity, Wants, last_good};
use sopwith_core::grant::Asked;

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
