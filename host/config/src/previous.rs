//! What was in force before, as far as a new generation builds on it.

use crate::diagnostic::Diagnostic;
use crate::document::at;
use crate::host::{Host, SCRATCH_DIRECTORY};
use crate::last_good::LastGood;
use sopwith_core::digest::Digest;
use sopwith_core::generation::{Generation, HostSettings};
use sopwith_core::name::ProcedureName;
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

    /// The plugin that carried out this procedure, if its definition is still the same.
    pub(crate) async fn plugin_of(
        self,
        procedure: &ProcedureName,
        revision: Digest,
        loader: &dyn PluginLoader,
    ) -> Option<Arc<dyn Plugin>> {
        match self {
            Self::Nothing => None,
            Self::Generation(generation) => {
                let ready = generation.procedures.get(procedure)?;
                (ready.procedure.revision == revision).then(|| Arc::clone(&ready.plugin))
            }
            Self::Kept(kept) => kept.plugin_of(procedure, revision, loader).await,
        }
    }

    /// Keeps the directories of a host that is running, and says that a change has to wait.
    pub(crate) fn keep_places(self, host: &mut Host) -> Vec<Diagnostic> {
        let Self::Generation(generation) = self else {
            return Vec::new();
        };
        let (new, old) = (&mut host.settings, &generation.host);
        if is_default_scratch(new) && is_default_scratch(old) {
            // It moves with the data directory, and nobody wrote anything of it.
            new.scratch_directory.clone_from(&old.scratch_directory);
        }
        let places = [
            ("data_directory", &mut new.data_directory, &old.data_directory),
            (
                "scratch_directory",
                &mut new.scratch_directory,
                &old.scratch_directory,
            ),
        ];
        let mut warnings = Vec::new();
        for (key, new, old) in places {
            if new != old {
                new.clone_from(old);
                let message = format!("the new `{key}` takes effect when the host is started again");
                warnings.push(host.document.warning(&at(["host", key]), message));
            }
        }
        warnings
    }
}

fn is_default_scratch(settings: &HostSettings) -> bool {
    settings.scratch_directory == settings.data_directory.join(SCRATCH_DIRECTORY)
}
