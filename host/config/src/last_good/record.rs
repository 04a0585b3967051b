//! The record of the last good configuration: one file, replaced in one step.

use crate::catalogue::StandardPlugin;
use crate::durable;
use crate::inputs::{Inputs, PluginFile};
use crate::shelf;
use crate::signature::{SignatureFile, SignaturePolicy};
use serde::{Deserialize, Serialize};
use sopwith_core::digest::Digest;
use sopwith_core::generation::{AvailablePlugin, Generation, PluginOrigin, PluginSource};
use sopwith_core::name::{PluginName, ProcedureName};
use sopwith_core::port::PluginLoader;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const FILE: &str = "last-good.json";

/// What an earlier host had in force: the content of its files, and which bytes carried out what.
#[derive(Debug, Clone, PartialEq)]
pub struct LastGood {
    data_directory: PathBuf,
    record: Record,
}

/// Why the kept configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LastGoodProblem {
    /// The record cannot be read.
    #[error("`{}` cannot be read: {error}", file.display())]
    Unreadable {
        /// The record.
        file: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The bytes of a plugin are gone.
    #[error("the plugin `{plugin}` is gone: {why}")]
    PluginGone {
        /// Which plugin.
        plugin: PluginName,
        /// Why.
        why: String,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Record {
    folder: PathBuf,
    host: Option<String>,
    procedures: BTreeMap<String, String>,
    plugins: BTreeMap<PluginName, Kept>,
    in_force: BTreeMap<ProcedureName, InForce>,
    /// The plugins as they were before they became what they are.
    #[serde(default)]
    before: BTreeMap<PluginName, Kept>,
}

/// A plugin that procedures name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Kept {
    digest: Digest,
    origin: PluginOrigin,
    /// The file of its signature, which is verified again when it is used.
    signature: Option<String>,
}

/// What carried out a procedure; another version may have been held back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct InForce {
    revision: Digest,
    /// The operator's own version of it.
    #[serde(default)]
    version: Option<u32>,
    plugin: Digest,
    /// Not told by records from before there were signatures.
    source: Option<PluginSource>,
}

impl LastGood {
    /// What there is to keep of this generation.
    pub(super) fn of(data_directory: &Path, inputs: &Inputs, generation: &Generation) -> Self {
        let used: BTreeSet<_> = generation
            .procedures
            .values()
            .map(|ready| &ready.procedure.plugin)
            .collect();
        let plugins = generation.plugins.iter().filter(|(name, _)| used.contains(name));
        let in_force = generation.procedures.iter().map(|(name, ready)| {
            let in_force = InForce {
                revision: ready.procedure.revision,
                version: ready.procedure.version,
                plugin: ready.plugin.digest(),
                source: Some(ready.source.clone()),
            };
            (name.clone(), in_force)
        });
        let record = Record {
            folder: inputs.folder.clone(),
            host: inputs.host.clone(),
            procedures: inputs.procedures.clone(),
            plugins: plugins
                .map(|(name, available)| {
                    let kept = Kept {
                        digest: available.plugin.digest(),
                        origin: available.source.origin.clone(),
                        signature: inputs.signature_of(name),
                    };
                    (name.clone(), kept)
                })
                .collect(),
            in_force: in_force.collect(),
            before: BTreeMap::new(),
        };
        Self {
            data_directory: data_directory.to_owned(),
            record,
        }
    }

    /// The same, with what plugins were in the one before, or before that where they have not changed.
    pub(super) fn after(mut self, before: Option<Self>) -> Self {
        let Some(Self { record: old, .. }) = before else {
            return self;
        };
        for (plugin, now) in &self.record.plugins {
            let was = old.plugins.get(plugin).filter(|was| was.digest != now.digest);
            let earlier = old.before.get(plugin);
            // Who went back may go back no further: what was gone back from is not what was before.
            let went_back = earlier.is_some_and(|earlier| earlier.digest == now.digest);
            if let Some(before) = was.filter(|_| !went_back).or(earlier) {
                self.record.before.insert(plugin.clone(), before.clone());
            }
        }
        self
    }

    /// The bytes of a plugin that are kept, and their signature: those that it has, or had before where it has
    /// these.
    pub(crate) fn other_than(&self, plugin: &PluginName, these: Digest) -> Option<(Digest, Option<String>)> {
        let kept = [&self.record.plugins, &self.record.before];
        let mut kept = kept.into_iter().filter_map(|kept| kept.get(plugin));
        let other = kept.find(|kept| kept.digest != these)?;
        Some((other.digest, other.signature.clone()))
    }

    /// What was kept in this data directory, if anything was.
    pub fn read(data_directory: &Path) -> Result<Option<Self>, LastGoodProblem> {
        let file = data_directory.join(FILE);
        let unreadable = |error| LastGoodProblem::Unreadable {
            file: file.clone(),
            error,
        };
        let content = match std::fs::read(&file) {
            Ok(content) => content,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(error)),
        };
        let record = serde_json::from_slice(&content).map_err(|error| unreadable(error.into()))?;
        Ok(Some(Self {
            data_directory: data_directory.to_owned(),
            record,
        }))
    }

    /// The digests of all plugins that it needs.
    pub fn plugins(&self) -> BTreeSet<Digest> {
        let at_hand = self.record.plugins.values().map(|kept| kept.digest);
        let in_force = self.record.in_force.values().map(|in_force| in_force.plugin);
        let before = self.record.before.values().map(|kept| kept.digest);
        at_hand.chain(in_force).chain(before).collect()
    }

    pub(super) fn write(&self) -> io::Result<()> {
        let content = serde_json::to_vec_pretty(&self.record)?;
        let file = self.data_directory.join(FILE);
        match std::fs::read(&file) {
            Ok(before) if before == content => Ok(()),
            _ => durable::write(&file, &content),
        }
    }

    /// The files as they were, in the folder in which they were.
    pub(super) fn inputs(&self) -> Result<Inputs, LastGoodProblem> {
        let mut plugins = BTreeMap::new();
        for (name, kept) in &self.record.plugins {
            if let PluginOrigin::File(path) | PluginOrigin::FileInsteadOfStandard(path) = &kept.origin {
                let signature = kept.signature.clone();
                let signature = signature.map_or(SignatureFile::Missing, SignatureFile::Text);
                let file = PluginFile::new(path.clone(), self.bytes(name, kept.digest)?, signature);
                plugins.insert(name.to_string(), file);
            }
        }
        let Record {
            folder,
            host,
            procedures,
            ..
        } = self.record.clone();
        Ok(Inputs::new(folder, host, procedures, plugins, Vec::new()))
    }

    /// The standard plugins as they were; the program may have brought others since.
    pub(super) fn standard(
        &self,
        present: &[StandardPlugin],
    ) -> Result<Vec<StandardPlugin>, LastGoodProblem> {
        let as_it_was = |plugin: &StandardPlugin| match self.record.plugins.get(&plugin.name) {
            Some(kept) if kept.origin == PluginOrigin::Standard => Ok(StandardPlugin {
                name: plugin.name.clone(),
                bytes: self.bytes(&plugin.name, kept.digest)?,
            }),
            _ => Ok(plugin.clone()),
        };
        present.iter().map(as_it_was).collect()
    }

    fn bytes(&self, plugin: &PluginName, digest: Digest) -> Result<Arc<[u8]>, LastGoodProblem> {
        match shelf::take(&shelf::directory_of(&self.data_directory), digest) {
            Ok(bytes) => Ok(bytes.into()),
            Err(problem) => Err(LastGoodProblem::PluginGone {
                plugin: plugin.clone(),
                why: problem.message,
            }),
        }
    }

    /// The procedures that there were.
    pub(crate) fn procedures(&self) -> Vec<ProcedureName> {
        self.record.in_force.keys().cloned().collect()
    }

    /// The definition of this procedure and the version that it said to be.
    pub(crate) fn version_of(&self, procedure: &ProcedureName) -> Option<(Digest, Option<u32>)> {
        let in_force = self.record.in_force.get(procedure)?;
        Some((in_force.revision, in_force.version))
    }

    /// The plugin that carried out this procedure, if its definition is still the same and its
    /// signature is still a good one.
    pub(crate) async fn plugin_of(
        &self,
        procedure: &ProcedureName,
        revision: Digest,
        loader: &dyn PluginLoader,
        policy: &SignaturePolicy,
    ) -> Option<AvailablePlugin> {
        let in_force = self.record.in_force.get(procedure)?;
        if in_force.revision != revision {
            return None;
        }
        let bytes = shelf::take(&shelf::directory_of(&self.data_directory), in_force.plugin).ok()?;
        let source = policy.verify_again(&bytes, in_force.source.as_ref()?)?;
        let plugin = loader.load(bytes.into()).await.ok()?;
        Some(AvailablePlugin { plugin, source })
    }
}
