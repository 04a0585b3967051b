//! The lines that would grant what was refused.

use super::{Access, GrantSection, Grants, ResourceKind};
use crate::name::ResourceName;
use crate::resource::{Destination, Origin};
use crate::secret::SecretUse;
use std::collections::BTreeSet;

/// What to write so that `sopwith.toml` names this resource.
pub fn naming(kind: ResourceKind, name: &str) -> String {
    let lines = match kind {
        ResourceKind::Databases => format!("url = \"sqlite:{name}.db\""),
        ResourceKind::Directories => format!("path = \"{name}\""),
        ResourceKind::Network => {
            format!("allow = [\"https://{name}.example\"]  and  methods = [\"GET\"]")
        }
        ResourceKind::Commands => {
            "program = \"/usr/bin/PROGRAM\", arguments = []  and  effects = \"changes\"".to_owned()
        }
        ResourceKind::Secrets => "store = \"sealed\"".to_owned(),
        ResourceKind::Procedures => return format!("write  procedures/{name}.toml"),
    };
    format!("add to sopwith.toml:  [{kind}.{name}] with  {lines}")
}

/// Says that nobody named this resource.
pub fn nameless(kind: ResourceKind, name: &str) -> String {
    match kind {
        ResourceKind::Procedures => format!("there is no procedure `{name}`"),
        _ => format!("sopwith.toml has no [{kind}.{name}]"),
    }
}

/// What to write so that `sopwith.toml` names a server.
pub(super) fn naming_server(origin: &Origin, method: &str) -> String {
    format!(
        "add to sopwith.toml:  [network.NAME] with  allow = [\"{origin}\"]  and  methods = [\"{method}\"]"
    )
}

/// What to write so that a destination that is granted covers a server and a method.
pub(super) fn widening(
    name: &ResourceName,
    destination: &Destination,
    origin: &Origin,
    method: &str,
) -> String {
    let mut lines = Vec::new();
    if !destination.allows(origin) {
        let allow = destination.allow.iter().map(ToString::to_string);
        lines.push(list("allow", allow, &origin.to_string()));
    }
    if !destination.methods.iter().any(|allowed| allowed == method) {
        lines.push(list("methods", destination.methods.iter().cloned(), method));
    }
    let lines = lines.join("  and  ");
    format!("change under [network.{name}] in sopwith.toml:  {lines}")
}

fn list(key: &str, have: impl Iterator<Item = String>, more: &str) -> String {
    let items: Vec<String> = have
        .chain([more.to_owned()])
        .map(|item| format!("\"{item}\""))
        .collect();
    format!("{key} = [{}]", items.join(", "))
}

/// What to write so that a resource is granted of which less is granted, or nothing.
pub(super) fn granting(
    section: &GrantSection,
    grants: &Grants,
    granted: Option<&Access>,
    (kind, name): (ResourceKind, &str),
    access: &Access,
) -> String {
    let line = match (kind, access) {
        (ResourceKind::Network, _) => return granting_name(section, ("network", &grants.network), name),
        (ResourceKind::Commands, _) => return granting_name(section, ("commands", &grants.commands), name),
        (ResourceKind::Procedures, _) => {
            return granting_name(section, ("procedures", &grants.procedures), name);
        }
        (ResourceKind::Secrets, Access::Reveal) => {
            return granting_name(section, ("secret_reveal", &grants.secret_reveal), name);
        }
        (ResourceKind::Secrets, _) => return granting_name(section, ("secrets", &grants.secrets), name),
        (ResourceKind::Databases, Access::Write) => {
            format!("{kind} = {{ {name} = {{ access = \"write\", write_tables = [\"…\"] }} }}")
        }
        _ => format!("{kind} = {{ {name} = \"{access}\" }}"),
    };
    // What is granted less may be granted so to every action; one alone is granted more beside that.
    let verb = match (granted, section) {
        (Some(_), GrantSection::Procedure) => "change",
        _ => "add",
    };
    format!("{verb} under {section}:  {line}")
}

/// What to write so that a resource is granted that is granted by its name alone; what the list has already
/// stays in it.
pub(super) fn granting_name(
    section: &GrantSection,
    (key, granted): (&str, &BTreeSet<ResourceName>),
    name: &str,
) -> String {
    // What one action has beside the others is not told apart here.
    let is_whole = *section == GrantSection::Procedure;
    let have: Vec<_> = granted
        .iter()
        .filter(|_| is_whole)
        .map(ToString::to_string)
        .collect();
    let verb = if have.is_empty() { "add" } else { "change" };
    format!("{verb} under {section}:  {}", list(key, have.into_iter(), name))
}

/// What to write so that a secret may go somewhere.
pub fn letting_go(secret: &ResourceName, uses: &BTreeSet<SecretUse>, place: &SecretUse) -> String {
    let line = list("use", uses.iter().map(ToString::to_string), &place.to_string());
    format!("change under [secrets.{secret}] in sopwith.toml:  {line}")
}
