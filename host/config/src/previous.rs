//! What was in force before, as far as a new generation builds on it.

use crate::diagnostic::Diagnostic;
use crate::document::at;
use crate::host::{Host, SCRATCH_DIRECTORY};
use crate::last_good::LastGood;
use crate::signature::SignaturePolicy;
use sopwith_core::digest::Digest;
use sopwith_core::generation::{AvailablePlugin, Generation, HostSettings};
use sopwith_core::name::{PluginName, ProcedureName};
use sopwith_core::port::{Plugin, PluginLoader};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What was in force before.
#[derive(Clone, Copy)]
pub(crate) enum Previous<'a> {
    /// Nothing, or nothing that is known.
    Nothing,
    /// This generation, until now.
    Generation(&'a Generation),
    /// What an earlier host kept.
    Kept(&'a LastGood),
}

impl Previous<'_> {
    /// The plugins that are loaded already.
    pub(crate) fn loaded(self) -> BTreeMap<Digest, Arc<dyn Plugin>> {
        let Self::Generation(generation) = self else {
            return BTreeMap::new();
        };
        let in_use = generation.procedures.values().map(|ready| &ready.plugin);
        let at_hand = generation.plugins.values().map(|available| &available.plugin);
        in_use
            .chain(at_hand)
            .map(|plugin| (plugin.digest(), Arc::clone(plugin)))
            .collect()
    }

    /// The plugin that carried out this procedure, if its definition is still the same and its
    /// signature is still a good one.
    pub(crate) async fn plugin_of(
        self,
        procedure: &ProcedureName,
        revision: Digest,
        loader: &dyn PluginLoader,
        policy: &SignaturePolicy,
    ) -> Option<AvailablePlugin> {
        match self {
            Self::Nothing => None,
            Self::Generation(generation) => {
                let ready = generation.procedures.get(procedure)?;
                let is_good = ready.procedure.revision == revision && policy.still_admits(&ready.source);
                is_good.then(|| AvailablePlugin {
                    plugin: Arc::clone(&ready.plugin),
                    source: ready.source.clone(),
                })
            }
            Self::Kept(kept) => kept.plugin_of(procedure, revision, loader, policy).await,
        }
    }

    /// Whether a procedure was carried out by other bytes of this plugin, which are kept.
    pub(crate) fn has_other(self, plugin: &PluginName, these: Digest) -> bool {
        match self {
            Self::Nothing => false,
            Self::Generation(generation) => {
                let ready = generation.procedures.values();
                let mut of_plugin = ready.filter(|ready| ready.procedure.plugin == *plugin);
                of_plugin.any(|ready| ready.plugin.digest() != these)
            }
            Self::Kept(kept) => kept.other_than(plugin, these).is_some(),
        }
    }

    /// The procedures that there were.
    pub(crate) fn procedures(self) -> Vec<ProcedureName> {
        match self {
            Self::Nothing => Vec::new(),
            Self::Generation(generation) => generation.procedures.keys().cloned().collect(),
            Self::Kept(kept) => kept.procedures(),
        }
    }

    /// The definition of this procedure and the version that it said to be.
    pub(crate) fn version_of(self, procedure: &ProcedureName) -> Option<(Digest, Option<u32>)> {
        match self {
            Self::Nothing => None,
            Self::Generation(generation) => {
                let before = &generation.procedures.get(procedure)?.procedure;
                Some((before.revision, before.version))
            }
            Self::Kept(kept) => kept.version_of(procedure),
        }
    }

    /// Keeps what a running host was started with, and says that a change has to wait.
    pub(crate) fn keep_places(self, host: &mut Host) -> Vec<Diagnostic> {
        let Self::Generation(generation) = self else {
            return Vec::new();
        };
        let (new, old) = (&mut host.settings, &generation.host);
        if is_default_scratch(new) && is_default_scratch(old) {
            // It moves with the data directory, and nobody wrote anything of it.
            new.scratch_directory.clone_from(&old.scratch_directory);
        }
        let changed = [
            (
                ["host", "data_directory"],
                keep(&mut new.data_directory, &old.data_directory),
            ),
            (
                ["host", "scratch_directory"],
                keep(&mut new.scratch_directory, &old.scratch_directory),
            ),
            (["host", "key_file"], keep(&mut new.key_file, &old.key_file)),
            (["egress", "ca_files"], keep(&mut new.ca_files, &old.ca_files)),
            (["egress", "resolver"], keep(&mut new.resolver, &old.resolver)),
        ];
        let waiting = changed.iter().filter(|(_, changed)| *changed);
        let warnings = waiting.map(|([table, key], _)| {
            let message = format!("the new `{key}` takes effect when the host is started again");
            host.document.warning(&at([table, key]), message)
        });
        warnings.collect()
    }
}

/// Puts the old value in the place of another one, and says whether it was another one.
fn keep<T: Clone + PartialEq>(new: &mut T, old: &T) -> bool {
    let changed = new != old;
    if changed {
        new.clone_from(old);
    }
    changed
}

fn is_default_scratch(settings: &HostSettings) -> bool {
    settings.scratch_directory == settings.data_directory.join(SCRATCH_DIRECTORY)
}
