//! The files that `init` writes for what it found. Editors complete and check them by the schemas.

use super::survey::Survey;
use serde_json::Value;
use sopwith_config::schema;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// The files of a configuration: paths within its folder, and texts.
pub(crate) fn files(survey: &Survey, directory: &Path, folder: &Path) -> Vec<(PathBuf, String)> {
    let mut files = vec![
        (
            PathBuf::from("sopwith.toml"),
            host(survey, &way_back(directory, folder)),
        ),
        (PathBuf::from("schema/sopwith.json"), json(&schema::host())),
        (PathBuf::from("schema/procedure.json"), json(&schema::procedure())),
    ];
    for name in survey.databases.keys() {
        files.push((format!("procedures/{name}-backup.toml").into(), backup(name)));
        files.push((
            format!("procedures/{name}-integrity.toml").into(),
            integrity(name),
        ));
    }
    for (name, port) in &survey.services {
        files.push((format!("procedures/{name}-smoke.toml").into(), smoke(name, *port)));
    }
    files
}

fn json(value: &Value) -> String {
    format!("{value:#}\n")
}

/// The path from the folder of the configuration to the directory that was looked at: relative where
/// one lies in the other, so that both can be moved together.
fn way_back(directory: &Path, folder: &Path) -> PathBuf {
    match folder.strip_prefix(directory) {
        Ok(below) => below.components().map(|_| "..").collect(),
        Err(_) => directory.to_owned(),
    }
}

fn host(survey: &Survey, back: &Path) -> String {
    let mut text = String::from(
        "#:schema schema/sopwith.json
# What Sopwith may work with. Paths are relative to this file; `sopwith check` says what is wrong with it.

[host]
# History, audit log and plugin bytes; one host at a time.
data_directory = \"state\"
# The time zone of schedules that name none.
time_zone = \"UTC\"

# Resources are named once here; procedures are granted them by name.
",
    );
    for (name, path) in &survey.databases {
        let url = toml_text(&format!("sqlite:{}", back.join(path).display()));
        let _ = writeln!(text, "[databases.{name}]\nurl = {url}\n");
    }
    if !survey.databases.is_empty() {
        text += "# Where backups go. Another disk is better; another building is better still.\n[directories.backups]\npath = \"backups\"\n\n";
    }
    for (name, port) in &survey.services {
        let _ = writeln!(
            text,
            "[network.{name}]\nallow = [\"http://127.0.0.1:{port}\"]\nmethods = [\"GET\"]\n"
        );
    }
    if survey.databases.is_empty() && survey.services.is_empty() {
        text += "# [databases.app]\n# url = \"sqlite:/srv/app/app.db\"\n\n# [network.app]\n# allow = [\"https://app.example\"]\n# methods = [\"GET\"]\n";
    }
    text
}

/// A text as TOML writes it, which is how JSON does.
fn toml_text(text: &str) -> String {
    Value::from(text).to_string()
}

fn backup(database: &str) -> String {
    format!(
        r#"#:schema ../schema/procedure.json
summary = "Daily backup of `{database}`, verified"
plugin = "backup"

[[schedule]]
action = "backup"
cron = "15 4 * * *"        # minute, hour, day, month, weekday

[grants]
databases = {{ {database} = "read" }}
directories = {{ backups = "write" }}

# Only the action `restore` may put a backup in the place of the database.
[actions.restore.grants]
databases = {{ {database} = "replace" }}

[settings]
database = "{database}"
to = "backups"
name = "{database}-{{YYYYMMDD}}.db"
compress = "zstd"
keep = {{ daily = 14 }}
"#
    )
}

fn integrity(database: &str) -> String {
    format!(
        r#"#:schema ../schema/procedure.json
summary = "Do the records of `{database}` keep what they promise?"
plugin = "integrity"

[[schedule]]
action = "audit"
cron = "30 5 * * *"

[grants]
databases = {{ {database} = "read" }}

[settings]
database = "{database}"
engine = "full"            # the engine's own checks of pages, indices and foreign keys

# A check is a query that returns the rows that offend.
# [[settings.checks]]
# name = "no-orphans"
# severity = "high"
# query = "SELECT id FROM orders WHERE customer_id NOT IN (SELECT id FROM customers)"
"#
    )
}

fn smoke(name: &str, port: u16) -> String {
    format!(
        r#"#:schema ../schema/procedure.json
summary = "Does `{name}` answer?"
plugin = "smoke"

[[schedule]]
action = "check"
cron = "*/5 * * * *"
catch_up = "none"          # an answer of yesterday is of no use

[grants]
network = ["{name}"]

[[settings.checks]]
name = "home"
url = "http://127.0.0.1:{port}/"
conditions = ["[STATUS] < 400", "[RESPONSE_TIME] < 2s"]
retries = 2
"#
    )
}
