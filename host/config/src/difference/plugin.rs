//! What would become of plugins.

use super::Fate;
use serde::Serialize;
use sopwith_core::digest::Digest;
use sopwith_core::generation::{AvailablePlugin, Generation};
use sopwith_core::name::{PluginName, ProcedureName};
use std::collections::BTreeSet;

/// What would become of one plugin.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PluginDifference {
    /// Its name.
    pub name: PluginName,
    /// What would become of it.
    pub fate: Fate,
    /// As it is.
    pub before: Option<PluginSide>,
    /// As it would be.
    pub after: Option<PluginSide>,
    /// What it would import or ask for, and does not.
    pub gained: BTreeSet<String>,
    /// What it imports or asks for, and would not.
    pub lost: BTreeSet<String>,
    /// The procedures that name it then.
    pub used_by: Vec<ProcedureName>,
}

/// A plugin on one of the two sides.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PluginSide {
    /// Its own version.
    pub version: String,
    /// The digest of its bytes.
    pub digest: Digest,
}

/// The plugins that would not stay as they are, by name. Of those at hand that no procedure names, the
/// configuration before has kept nothing.
pub(super) fn differences(before: Option<&Generation>, after: &Generation) -> Vec<PluginDifference> {
    let used_before = before.map(used).unwrap_or_default();
    let used_after = used(after);
    let names = used_before.union(&used_after);
    let differences = names.filter_map(|name| {
        let at_hand = |generation: &Generation, used: &BTreeSet<PluginName>| {
            let plugin = generation.plugins.get(name).cloned();
            plugin.filter(|_| used.contains(name))
        };
        let old = before.and_then(|before| at_hand(before, &used_before));
        let new = at_hand(after, &used_after);
        let fate = match (&old, &new) {
            (None, Some(_)) => Fate::Added,
            (Some(_), None) => Fate::Removed,
            (Some(old), Some(new)) if old.plugin.digest() != new.plugin.digest() => Fate::Changed,
            _ => return None,
        };
        let (had, has) = (wishes(old.as_ref()), wishes(new.as_ref()));
        Some(PluginDifference {
            name: name.clone(),
            fate,
            before: old.as_ref().map(side),
            after: new.as_ref().map(side),
            gained: &has - &had,
            lost: &had - &has,
            used_by: users(after, name),
        })
    });
    differences.collect()
}

fn used(generation: &Generation) -> BTreeSet<PluginName> {
    let procedures = generation.procedures.values();
    procedures.map(|ready| ready.procedure.plugin.clone()).collect()
}

fn users(generation: &Generation, plugin: &PluginName) -> Vec<ProcedureName> {
    let procedures = generation.procedures.values();
    let users = procedures.filter(|ready| ready.procedure.plugin == *plugin);
    users.map(|ready| ready.procedure.name.clone()).collect()
}

fn side(available: &AvailablePlugin) -> PluginSide {
    PluginSide {
        version: available.plugin.manifest().version.clone(),
        digest: available.plugin.digest(),
    }
}

/// Everything that it imports, and that its actions ask for.
fn wishes(available: Option<&AvailablePlugin>) -> BTreeSet<String> {
    let Some(AvailablePlugin { plugin, .. }) = available else {
        return BTreeSet::new();
    };
    let imports = plugin.imports().iter().map(|import| format!("import {import}"));
    let asked = plugin.manifest().actions.iter().flat_map(|action| {
        let requests = action.capabilities.iter();
        requests.map(|request| {
            format!(
                "{}: {} on {} ({})",
                action.name, request.access, request.kind, request.from
            )
        })
    });
    imports.chain(asked).collect()
}
