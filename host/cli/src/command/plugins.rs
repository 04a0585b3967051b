//! `sopwith plugins`: lists plugins, or shows one.

use super::Common;
use crate::connect::{connect, connect_to_mend};
use crate::exit::{Ended, Exit};
use crate::output::{self, bold};
use clap::Subcommand;
use serde_json::Value;
use sopwith_config::nearest_name;
use sopwith_core::generation::PluginOrigin;
use sopwith_core::manifest::Action;
use sopwith_core::name::PluginName;
use sopwith_core::port::Rollback;
use sopwith_core::port::operations::PluginDetails;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show the actions, settings and wishes of one
    Show {
        /// Its name
        name: PluginName,
    },
    /// Go back to the bytes that one had before its file changed, until another file lies there
    Rollback {
        /// Its name
        name: PluginName,
        /// Go by the file in the folder again
        #[arg(long)]
        undo: bool,
    },
}

pub(crate) async fn run(arguments: &Arguments, common: &Common) -> anyhow::Result<Exit> {
    if let Some(Command::Rollback { name, undo }) = &arguments.command {
        let way = if *undo { Rollback::Undo } else { Rollback::Back };
        return roll_back(name, way, common).await;
    }
    let host = connect(&common.folder()).await?;
    let plugins = host.operations().plugins().await.map_err(Ended::from)?;
    match &arguments.command {
        None | Some(Command::Rollback { .. }) => list(&plugins, common)?,
        Some(Command::Show { name }) => {
            let plugin = plugins.iter().find(|plugin| plugin.name == *name);
            let names = plugins.iter().map(|plugin| plugin.name.as_str());
            let unknown = || Ended {
                exit: Exit::Usage,
                message: format!("there is no plugin `{name}`"),
                hint: nearest_name(name.as_str(), names),
            };
            show(plugin.ok_or_else(unknown)?, common)?;
        }
    }
    Ok(Exit::Passed)
}

async fn roll_back(name: &PluginName, way: Rollback, common: &Common) -> anyhow::Result<Exit> {
    let host = connect_to_mend(&common.folder()).await?;
    let rolled_back = host.operations().roll_back(name.clone(), way).await;
    host.close().await;
    let rolled_back = rolled_back.map_err(Ended::from)?;
    if common.json {
        output::json(&rolled_back)?;
        return Ok(Exit::Passed);
    }
    let (file, before) = (rolled_back.from.short(), rolled_back.to.short());
    match way {
        Rollback::Back => anstream::println!(
            "the plugin `{name}` went back from {file}, the file in the folder, to {before}\nthis holds over \
             restarts, until another file lies there or `sopwith plugins rollback {name} --undo`"
        ),
        Rollback::Undo => {
            anstream::println!("the plugin `{name}` is {file} again, the file in the folder");
        }
    }
    Ok(Exit::Passed)
}

fn list(plugins: &[PluginDetails], common: &Common) -> anyhow::Result<()> {
    if common.json {
        return output::json(&plugins);
    }
    let rows = plugins.iter().map(|plugin| {
        let users: Vec<_> = plugin.used_by.iter().map(ToString::to_string).collect();
        vec![
            plugin.name.to_string(),
            plugin.manifest.version.clone(),
            origin(&plugin.origin),
            output::bytes(plugin.bytes),
            digest(plugin),
            users.join(", "),
        ]
    });
    output::table(
        &["PLUGIN", "VERSION", "FROM", "SIZE", "DIGEST", "USED BY"],
        rows.collect(),
    );
    Ok(())
}

fn digest(plugin: &PluginDetails) -> String {
    let mark = if plugin.rolled_back.is_some() {
        " (rolled back)"
    } else {
        ""
    };
    format!("{}{mark}", plugin.digest.short())
}

fn origin(origin: &PluginOrigin) -> String {
    match origin {
        PluginOrigin::Standard => "standard".to_owned(),
        PluginOrigin::File(path) => path.display().to_string(),
        PluginOrigin::FileInsteadOfStandard(path) => {
            format!("{} (instead of the standard one)", path.display())
        }
    }
}

fn show(plugin: &PluginDetails, common: &Common) -> anyhow::Result<()> {
    if common.json {
        return output::json(plugin);
    }
    let manifest = &plugin.manifest;
    anstream::println!(
        "{} {}: {}",
        bold(plugin.name.as_str()),
        manifest.version,
        manifest.summary
    );
    anstream::println!("from      {}", origin(&plugin.origin));
    anstream::println!("digest    {}", plugin.digest);
    if let Some(rolled_back) = &plugin.rolled_back {
        anstream::println!(
            "rolled back from {}, the file in the folder, by {} at {}",
            rolled_back.from.short(),
            rolled_back.by,
            output::instant(rolled_back.at)
        );
    }
    if let Some(signature) = &plugin.signature {
        let comment = printable(&signature.trusted_comment);
        anstream::println!("signed by {}: {comment}", signature.key_id);
    }
    anstream::println!("size      {}", output::bytes(plugin.bytes));
    anstream::println!("imports   {}", plugin.imports.join("\n          "));
    anstream::println!("\n{}", bold("Settings"));
    for line in properties(&manifest.settings) {
        anstream::println!("  {line}");
    }
    for action in &manifest.actions {
        show_action(action);
    }
    Ok(())
}

/// Words of somebody else, without what would move the cursor or turn the text around.
fn printable(text: &str) -> String {
    text.replace('\t', "  ")
        .chars()
        .flat_map(char::escape_debug)
        .collect()
}

fn show_action(action: &Action) {
    let changes = if action.changes { " It changes things." } else { "" };
    let repeatable = if action.idempotent {
        " It may be repeated."
    } else {
        ""
    };
    anstream::println!(
        "\n{} {}{changes}{repeatable}",
        bold(&format!("Action {}:", action.name)),
        action.summary
    );
    for line in properties(&action.inputs) {
        anstream::println!("  input {line}");
    }
    for request in &action.capabilities {
        let need = if request.required { "needs" } else { "can use" };
        anstream::println!(
            "  {need} `{}` on {} ({}): {}",
            request.access,
            request.kind,
            request.from,
            request.reason
        );
    }
}

/// One line for each property of a JSON Schema's object.
fn properties(schema: &Value) -> Vec<String> {
    let required: Vec<&str> = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let properties = schema["properties"].as_object().into_iter().flatten();
    properties
        .map(|(name, property)| {
            let description = property["description"]
                .as_str()
                .unwrap_or_default()
                .replace('\n', " ");
            let default = match &property["default"] {
                Value::Null if required.contains(&name.as_str()) => " (required)".to_owned(),
                Value::Null => String::new(),
                default => format!(" [default: {default}]"),
            };
            format!("{name:<16} {description}{default}")
        })
        .collect()
}
