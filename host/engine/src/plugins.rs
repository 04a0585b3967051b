//! What is told of plugins, and recorded of going back with one.

use jiff::Timestamp;
use serde_json::json;
use sopwith_core::actor::Actor;
use sopwith_core::audit::AuditRecord;
use sopwith_core::generation::Generation;
use sopwith_core::name::PluginName;
use sopwith_core::port::operations::{PluginDetails, ReloadStatus};
use sopwith_core::port::{Rollback, RolledBack};

/// The plugins that are at hand.
pub(crate) fn details(generation: &Generation, reload: &ReloadStatus) -> Vec<PluginDetails> {
    let used_by = |name: &PluginName| {
        let procedures = generation.procedures.values();
        let users = procedures.filter(|ready| ready.procedure.plugin == *name);
        users.map(|ready| ready.procedure.name.clone()).collect()
    };
    let at_hand = generation.plugins.iter().map(|(name, available)| PluginDetails {
        name: name.clone(),
        origin: available.source.origin.clone(),
        signature: available.source.signature.clone(),
        digest: available.plugin.digest(),
        bytes: available.plugin.size(),
        imports: available.plugin.imports().to_vec(),
        manifest: available.plugin.manifest().clone(),
        used_by: used_by(name),
        rolled_back: reload.rolled_back.get(name).cloned(),
    });
    at_hand.collect()
}

/// The entry of the audit log for a plugin that somebody went back with.
pub(crate) fn rolled_back(
    plugin: &PluginName,
    way: Rollback,
    rolled_back: &RolledBack,
    at: Timestamp,
    by: &Actor,
) -> AuditRecord {
    let action = match way {
        Rollback::Back => "plugin.rolled_back",
        Rollback::Undo => "plugin.rollback_undone",
    };
    AuditRecord {
        at,
        actor: by.clone(),
        action: action.to_owned(),
        object: format!("plugin:{plugin}"),
        revision: None,
        payload: json!({ "from": rolled_back.from, "to": rolled_back.to }),
    }
}
