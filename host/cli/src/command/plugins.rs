//! `sopwith plugins`: lists plugins, or shows one.

use super::Common;
use crate::connect::connect;
use crate::exit::{Ended, Exit};
use crate::output::{self, bold};
use clap::Subcommand;
use serde_json::Value;
use sopwith_core::generation::PluginOrigin;
use sopwith_core::manifest::Action;
use sopwith_core::name::PluginName;
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
}

pub(crate) async fn run(arguments: &Arguments, common: &Common) -> anyhow::Result<Exit> {
    let host = connect(&common.folder()).await?;
    let plugins = host.operations().plugins().await.map_err(Ended::from)?;
    match &arguments.command {
        None => list(&plugins, common)?,
        Some(Command::Show { name }) => {
            let plugin = plugins.iter().find(|plugin| plugin.name == *name);
            let plugin =
                plugin.ok_or_else(|| Ended::new(Exit::Usage, format!("there is no plugin `{name}`")))?;
            show(plugin, common)?;
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
            plugin.digest.short(),
            users.join(", "),
        ]
    });
    output::table(
        &["PLUGIN", "VERSION", "FROM", "SIZE", "DIGEST", "USED BY"],
        rows.collect(),
    );
    Ok(())
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
