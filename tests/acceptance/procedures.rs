//! The procedures that tests write.

use crate::place::Place;

/// A backup of the clinic without schedule; `settings` are added to its settings.
pub(crate) fn backup(place: &Place, settings: &str) {
    place.write(
        "config/procedures/clinic-backup.toml",
        format!(
            r#"summary = "The clinic's database"
plugin = "backup"

[grants]
databases = {{ app = "read" }}
directories = {{ backups = "write" }}

[actions.restore.grants]
databases = {{ app = "replace" }}

[settings]
database = "app"
to = "backups"
name = "app-{{YYYYMMDD}}.db"
{settings}
"#
        ),
    );
}

/// A smoke test of the clinic at this URL.
pub(crate) fn smoke(place: &Place, url: &str) {
    place.add_to_host(&format!(
        "[network.clinic]\nallow = [\"{url}\"]\nmethods = [\"GET\"]\n"
    ));
    place.write(
        "config/procedures/clinic-smoke.toml",
        format!(
            r#"summary = "Is the clinic up and right?"
plugin = "smoke"

[grants]
network = ["clinic"]

[[settings.checks]]
name = "health"
url = "{url}/health"
conditions = ["[STATUS] == 200", "[BODY].status == ok"]

[[settings.checks]]
name = "ready"
url = "{url}/health/ready"
conditions = ["[STATUS] == 200", "[RESPONSE_TIME] < 1s"]

[[settings.checks]]
name = "tenant"
url = "{url}/api/public/tenant-meta"
conditions = ["[STATUS] == 200", "[BODY].tenant.id == default"]
"#
        ),
    );
}

/// An audit of the clinic's records.
pub(crate) fn integrity(place: &Place) {
    place.write(
        "config/procedures/clinic-integrity.toml",
        r#"summary = "Do the records keep what they promise?"
plugin = "integrity"

[grants]
databases = { app = "read" }

[settings]
database = "app"
engine = "full"

[[settings.checks]]
name = "balanced-entries"
severity = "critical"
query = "SELECT entry_id FROM journal_lines GROUP BY entry_id HAVING SUM(debit_cents) <> SUM(credit_cents)"

[[settings.checks]]
name = "record-numbers"
severity = "high"
unique = { table = "patients", columns = ["tenant_id", "record_number"] }
"#,
    );
}

/// The fixture `exerciser` under this name, with more of the file's text.
pub(crate) fn exerciser(place: &Place, name: &str, rest: &str) {
    place.drop_in("exerciser", "exerciser");
    place.write(
        &format!("config/procedures/{name}.toml"),
        format!("summary = \"A fixture\"\nplugin = \"exerciser\"\n{rest}\n"),
    );
}
