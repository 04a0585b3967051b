//! `sopwith doctor`: looks for trouble in the host's surroundings.

use super::{Common, audit};
use crate::connect::connect;
use crate::exit::Exit;
use crate::foundation::{Foundation, data_directory, key_place};
use crate::lock::{DataLock, Role};
use crate::output::{self, bytes, painted};
use anstyle::AnsiColor;
use rustix::fs::{Access, access, statvfs};
use serde::Serialize;
use sopwith_config::{Severity, has_errors, last_good};
use sopwith_core::generation::{Anchor, Generation};
use sopwith_core::grant::Access as Granted;
use sopwith_core::port::operations::AuditVerdict;
use sopwith_core::resource::{Database, Resources};
use sopwith_core::secret::SecretStore;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

/// With less room than this, a record cannot be kept for long.
const ROOM_MIN: u64 = 256 << 20;

/// How one thing was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Health {
    Good,
    Warning,
    Bad,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Examination {
    subject: String,
    health: Health,
    detail: String,
}

impl Examination {
    fn new(subject: impl Into<String>, health: Health, detail: impl Into<String>) -> Self {
        Self {
            subject: subject.into(),
            health,
            detail: detail.into(),
        }
    }
}

pub(crate) async fn run(common: &Common) -> anyhow::Result<Exit> {
    let folder = common.folder();
    let data = data_directory(&folder)?;
    let mut found = vec![examine_lock(&data)?];
    found.extend(examine_data_directory(&data));
    found.push(examine_record(&folder).await);
    found.extend(examine_signing(&folder, &data).await);
    let foundation = Foundation::to_look(&data)?;
    let loaded = last_good::look(&folder, &data, foundation.workshop()).await;
    let warnings = loaded
        .diagnostics
        .iter()
        .filter(|one| one.severity == Severity::Warning)
        .count();
    found.push(match (has_errors(&loaded.diagnostics), warnings) {
        (true, _) => Examination::new("configuration", Health::Bad, "invalid; `sopwith check` says why"),
        (false, 0) => Examination::new("configuration", Health::Good, "valid"),
        (false, count) => Examination::new(
            "configuration",
            Health::Warning,
            format!("{}; see `sopwith check`", output::count(count, "warning")),
        ),
    });
    if let Some(generation) = &loaded.generation {
        found.push(examine_key(generation));
        found.extend(examine_secrets(&folder).await);
        found.extend(examine_resources(generation));
    }
    tell(&found, common)?;
    let bad = found.iter().any(|one| one.health == Health::Bad);
    Ok(if bad { Exit::NotPassed } else { Exit::Passed })
}

fn tell(found: &[Examination], common: &Common) -> anyhow::Result<()> {
    if common.json {
        return output::json(&found);
    }
    for one in found {
        let (colour, mark) = match one.health {
            Health::Good => (AnsiColor::Green, "✓"),
            Health::Warning => (AnsiColor::Yellow, "!"),
            Health::Bad => (AnsiColor::Red, "✗"),
        };
        anstream::println!(
            "{} {}: {}",
            painted(colour.on_default(), mark),
            one.subject,
            one.detail
        );
    }
    Ok(())
}

fn examine_lock(data: &Path) -> anyhow::Result<Examination> {
    if DataLock::take(data, Role::Command)?.is_some() {
        return Ok(Examination::new(
            "service",
            Health::Warning,
            "none is running: nothing runs on schedule",
        ));
    }
    let process =
        DataLock::holder(data).map_or_else(String::new, |holder| format!(" as process {}", holder.pid));
    Ok(Examination::new(
        "service",
        Health::Good,
        format!("a host is running{process}"),
    ))
}

/// Asks whoever answers for the record, which shows that somebody does, to follow its chain.
async fn examine_record(folder: &Path) -> Examination {
    let verdict = match connect(folder).await {
        Ok(host) => host
            .operations()
            .verify_audit(Vec::new())
            .await
            .map_err(|failure| failure.to_string()),
        Err(error) => Err(format!("{error:#}")),
    };
    let (health, detail) = match verdict {
        Ok(AuditVerdict {
            broken: None,
            entries,
            unknown_keys,
            ..
        }) if unknown_keys.is_empty() => (Health::Good, format!("its chain of {entries} entries holds")),
        Ok(AuditVerdict {
            broken: None,
            unknown_keys,
            ..
        }) => {
            let keys: Vec<_> = unknown_keys.iter().map(ToString::to_string).collect();
            let detail = format!(
                "its chain holds, and was signed with other keys than the host's: {}; if they were its own, keep them",
                keys.join(", ")
            );
            (Health::Warning, detail)
        }
        Ok(AuditVerdict {
            broken: Some(broken), ..
        }) => (Health::Bad, broken),
        Err(why) => (Health::Bad, why),
    };
    Examination::new("record", health, detail)
}

/// Asks whether the record is signed, and whether its anchors have heard of it.
async fn examine_signing(folder: &Path, data: &Path) -> Vec<Examination> {
    let status = match connect(folder).await {
        Ok(host) => host.operations().audit_status().await.ok(),
        // What is wrong there was told with the record.
        Err(_) => None,
    };
    let Some(status) = status else {
        return Vec::new();
    };
    let signing = status
        .problem
        .map(|problem| Examination::new("audit log", Health::Bad, problem));
    let anchors = status.anchors.iter().map(|anchor| {
        let health = if anchor.is_current {
            Health::Good
        } else {
            Health::Warning
        };
        Examination::new("audit log", health, audit::told(anchor))
    });
    let beside = status
        .anchors
        .iter()
        .filter_map(|anchor| lies_beside(&anchor.anchor, data).then_some(&anchor.name));
    let beside = beside.map(|name| {
        let detail = format!("anchor {name} lies on the disk of the record: what takes one takes both");
        Examination::new("audit log", Health::Warning, detail)
    });
    signing.into_iter().chain(anchors).chain(beside).collect()
}

/// Whether an anchor is on the disk of the record that it is to outlast.
fn lies_beside(anchor: &Anchor, data: &Path) -> bool {
    let device = |path: &Path| std::fs::metadata(path).map(|metadata| metadata.dev()).ok();
    let Anchor::File(path) = anchor else {
        return false;
    };
    device(path).is_some() && device(path) == device(data)
}

fn examine_data_directory(data: &Path) -> Vec<Examination> {
    let subject = format!("data directory {}", data.display());
    let mut found = Vec::new();
    match std::fs::metadata(data) {
        Ok(metadata) if is_private(metadata.permissions().mode()) => {
            found.push(Examination::new(
                &subject,
                Health::Good,
                "open to its owner alone",
            ));
        }
        Ok(metadata) if lets_a_group_in(metadata.permissions().mode()) => {
            let detail = "open to its owner, and to its group for the socket";
            found.push(Examination::new(&subject, Health::Good, detail));
        }
        Ok(metadata) => {
            let mode = metadata.permissions().mode() & 0o777;
            let detail =
                format!("its mode is {mode:o}, so others can read the record; `chmod 700` closes it");
            found.push(Examination::new(&subject, Health::Warning, detail));
        }
        Err(error) => found.push(Examination::new(&subject, Health::Bad, error.to_string())),
    }
    found.push(match statvfs(data) {
        Ok(space) => {
            let free = space.f_bavail.saturating_mul(space.f_frsize);
            let health = if free < ROOM_MIN {
                Health::Bad
            } else {
                Health::Good
            };
            Examination::new(&subject, health, format!("{} free", bytes(free)))
        }
        Err(error) => Examination::new(&subject, Health::Bad, error.to_string()),
    });
    found
}

/// Whether neither group nor others may do anything.
fn is_private(mode: u32) -> bool {
    mode.trailing_zeros() >= 6
}

/// Whether the group may look and enter, and do no more, as the manual says: the record has a mode of its own.
fn lets_a_group_in(mode: u32) -> bool {
    mode & 0o027 == 0
}

/// Shows the public parts of the host's key, which others seal for and check signatures with.
fn examine_key(generation: &Generation) -> Examination {
    let place = key_place(generation.host.key_file.clone());
    let subject = format!("key {}", place.path().display());
    let mut secrets = generation.resources.secrets.values();
    let is_needed = secrets.any(|secret| secret.store == SecretStore::Sealed);
    match place.read() {
        Ok(Some(key)) => {
            let detail = format!(
                "seals for {}, signs as {}",
                key.sealing_public(),
                key.signing_public()
            );
            Examination::new(subject, Health::Good, detail)
        }
        Ok(None) => {
            let health = if is_needed { Health::Bad } else { Health::Warning };
            let detail = "there is none; `sopwith secrets init-key` makes one";
            Examination::new(subject, health, detail)
        }
        Err(failure) => {
            let hint = failure.hint.map_or_else(String::new, |hint| format!("; {hint}"));
            Examination::new(subject, Health::Bad, format!("{}{hint}", failure.message))
        }
    }
}

/// Asks whoever looks after the secrets whether each of them has a value.
async fn examine_secrets(folder: &Path) -> Vec<Examination> {
    let looked = match connect(folder).await {
        Ok(host) => host.operations().look_at_secrets().await,
        // What is wrong there was told with the record.
        Err(_) => return Vec::new(),
    };
    let secrets = match looked {
        Ok(secrets) => secrets,
        Err(failure) => return vec![Examination::new("secrets", Health::Bad, failure.message)],
    };
    let examined = secrets.into_iter().map(|secret| {
        let subject = format!("secret {}", secret.name);
        match secret.problem {
            None => Examination::new(subject, Health::Good, "set"),
            Some(problem) if secret.is_set => Examination::new(subject, Health::Warning, problem.message),
            Some(problem) => Examination::new(subject, Health::Bad, problem.message),
        }
    });
    examined.collect()
}

fn examine_resources(generation: &Generation) -> Vec<Examination> {
    let resources = &*generation.resources;
    let mut found: Vec<_> = resources
        .databases
        .iter()
        .map(|(name, Database::Sqlite(path))| {
            examine_access(&format!("database {name}"), path, Access::READ_OK)
        })
        .collect();
    for (name, directory) in &resources.directories {
        let written = generation.procedures.values().any(|ready| {
            let grants =
                std::iter::once(&ready.procedure.grants).chain(ready.procedure.action_grants.values());
            grants.into_iter().any(|grants| {
                grants
                    .directories
                    .get(name)
                    .is_some_and(|access| access.covers(&Granted::Write))
            })
        });
        let wanted = if written {
            Access::READ_OK | Access::WRITE_OK
        } else {
            Access::READ_OK
        };
        found.push(examine_access(
            &format!("directory {name}"),
            &directory.path,
            wanted,
        ));
    }
    found.extend(examine_disks(resources));
    found
}

fn examine_access(subject: &str, path: &Path, wanted: Access) -> Examination {
    match access(path, wanted) {
        Ok(()) => Examination::new(subject, Health::Good, path.display().to_string()),
        Err(error) => Examination::new(subject, Health::Bad, format!("{}: {error}", path.display())),
    }
}

/// A backup on the disk of its database is lost with it.
fn examine_disks(resources: &Resources) -> Vec<Examination> {
    let device = |path: &Path| std::fs::metadata(path).map(|metadata| metadata.dev()).ok();
    let mut found = Vec::new();
    for (directory_name, directory) in &resources.directories {
        for (database_name, Database::Sqlite(path)) in &resources.databases {
            if device(path).is_some() && device(path) == device(&directory.path) {
                let detail =
                    format!("on the same disk as the database {database_name}: what takes one takes both");
                found.push(Examination::new(
                    format!("directory {directory_name}"),
                    Health::Warning,
                    detail,
                ));
            }
        }
    }
    found
}
