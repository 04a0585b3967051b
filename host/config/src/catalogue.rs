//! The plugins that are at hand: the standard ones and the files of `plugins/`.

use crate::diagnostic::{Diagnostic, Severity};
use crate::inputs::{Inputs, PluginFile};
use crate::path::as_written;
use sopwith_core::digest::Digest;
use sopwith_core::generation::{AvailablePlugin, PluginOrigin};
use sopwith_core::name::PluginName;
use sopwith_core::port::{Plugin, PluginLoader, PluginProblem};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

/// A plugin that is part of the program.
#[derive(Debug, Clone)]
pub struct StandardPlugin {
    /// The name by which procedures ask for it.
    pub name: PluginName,
    /// The component.
    pub bytes: Arc<[u8]>,
}

/// The plugins that are at hand, also those that cannot be loaded.
pub(crate) struct Catalogue {
    pub(crate) entries: BTreeMap<PluginName, Entry>,
}

/// One plugin, or why its bytes are none.
pub(crate) struct Entry {
    pub(crate) origin: PluginOrigin,
    pub(crate) digest: Digest,
    pub(crate) bytes: Arc<[u8]>,
    pub(crate) plugin: Result<Arc<dyn Plugin>, PluginProblem>,
}

/// Bytes that are not loaded yet.
struct Candidate {
    origin: PluginOrigin,
    digest: Digest,
    bytes: Arc<[u8]>,
}

impl Catalogue {
    /// Loads every plugin once; those that are loaded already are kept.
    pub(crate) async fn load(
        inputs: &Inputs,
        standard: &[StandardPlugin],
        loader: &dyn PluginLoader,
        mut at_hand: BTreeMap<Digest, Arc<dyn Plugin>>,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Self {
        let mut entries = BTreeMap::new();
        for (name, candidate) in candidates(inputs, standard, diagnostics) {
            let Candidate {
                origin,
                digest,
                bytes,
            } = candidate;
            let plugin = match at_hand.get(&digest) {
                Some(plugin) => Ok(Arc::clone(plugin)),
                None => loader.load(Arc::clone(&bytes)).await,
            };
            if let Ok(plugin) = &plugin {
                at_hand.insert(digest, Arc::clone(plugin));
            }
            let entry = Entry {
                origin,
                digest,
                bytes,
                plugin,
            };
            entries.insert(name, entry);
        }
        Self { entries }
    }

    /// The plugins that can be used.
    pub(crate) fn available(&self) -> BTreeMap<PluginName, AvailablePlugin> {
        let usable = self.entries.iter().filter_map(|(name, entry)| {
            let plugin = Arc::clone(entry.plugin.as_ref().ok()?);
            let origin = entry.origin.clone();
            Some((name.clone(), AvailablePlugin { plugin, origin }))
        });
        usable.collect()
    }

    /// Warns of broken plugins that no procedure names; the others are told where they are named.
    pub(crate) fn unused_and_broken(&self, used: &BTreeSet<PluginName>) -> Vec<Diagnostic> {
        let unused = self.entries.iter().filter(|(name, _)| !used.contains(name));
        unused
            .filter_map(|(name, entry)| {
                let problem = entry.plugin.as_ref().err()?;
                let message = format!("the plugin `{name}` cannot be loaded: {problem}");
                let warning = Diagnostic {
                    file: file_of(&entry.origin).map(|path| as_written(path)),
                    ..Diagnostic::new(Severity::Warning, message)
                };
                Some(warning.hint_if(problem.hint.clone()))
            })
            .collect()
    }
}

fn file_of(origin: &PluginOrigin) -> Option<&PathBuf> {
    match origin {
        PluginOrigin::Standard => None,
        PluginOrigin::File(path) | PluginOrigin::FileInsteadOfStandard(path) => Some(path),
    }
}

fn candidates(
    inputs: &Inputs,
    standard: &[StandardPlugin],
    diagnostics: &mut Vec<Diagnostic>,
) -> BTreeMap<PluginName, Candidate> {
    let mut candidates = BTreeMap::new();
    for plugin in standard {
        let candidate = Candidate {
            origin: PluginOrigin::Standard,
            digest: Digest::of(&plugin.bytes),
            bytes: Arc::clone(&plugin.bytes),
        };
        candidates.insert(plugin.name.clone(), candidate);
    }
    for (stem, file) in &inputs.plugins {
        match stem.parse::<PluginName>() {
            Ok(name) => {
                let candidate = from_file(file, candidates.contains_key(&name));
                candidates.insert(name, candidate);
            }
            Err(error) => diagnostics.push(Diagnostic {
                severity: Severity::Warning,
                ..Diagnostic::about(as_written(&file.path), error.to_string())
            }),
        }
    }
    candidates
}

fn from_file(file: &PluginFile, is_standard: bool) -> Candidate {
    let path = file.path.clone();
    Candidate {
        origin: if is_standard {
            PluginOrigin::FileInsteadOfStandard(path)
        } else {
            PluginOrigin::File(path)
        },
        digest: file.digest,
        bytes: Arc::clone(&file.bytes),
    }
}
