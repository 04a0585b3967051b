//! `sopwith check`: says what is wrong with the configuration, and what plugins want and will not get.

use super::Common;
use crate::exit::Exit;
use crate::foundation::{Foundation, data_directory};
use crate::output;
use serde_json::json;
use sopwith_config::Severity;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// End with 3 on warnings, too
    #[arg(long)]
    strict: bool,
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
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    if common.json {
        output::json(&json!({ "errors": errors, "warnings": warnings, "diagnostics": loaded.diagnostics }))?;
    } else {
        for diagnostic in &loaded.diagnostics {
            anstream::eprintln!("{diagnostic}\n");
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
