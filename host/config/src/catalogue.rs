//! The plugins that are at hand: the standard ones and the files of `plugins/`.

use crate::diagnostic::{Diagnostic, Severity};
use crate::inputs::{Inputs, PluginFile};
use crate::path::{as_written, shell_word};
use crate::signature::{SignatureFile, SignaturePolicy, Unverified};
use sopwith_core::digest::Digest;
use sopwith_core::generation::{AvailablePlugin, PluginOrigin, PluginSource};
use sopwith_core::name::PluginName;
use sopwith_core::port::{Plugin, PluginLoader, PluginProblem};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
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
    origin: PluginOrigin,
    pub(crate) digest: Digest,
    pub(crate) bytes: Arc<[u8]>,
    pub(crate) plugin: Result<AvailablePlugin, Unusable>,
}

/// Why bytes cannot be used.
pub(crate) enum Unusable {
    /// They are no plugin.
    Broken(PluginProblem),
    /// Nobody whom the operator trusts has signed them.
    Unverified(Unverified),
    /// Whether they have to be signed cannot be made out. What is wrong there is told there.
    Undecided,
}

/// Bytes that are not loaded yet.
struct Candidate {
    origin: PluginOrigin,
    digest: Digest,
    bytes: Arc<[u8]>,
    /// What lies beside a file.
    signature: SignatureFile,
}

impl Catalogue {
    /// Loads every plugin once; those that are loaded already are kept. Bytes that lack a signature
    /// are not even compiled.
    pub(crate) async fn load(
        inputs: &Inputs,
        standard: &[StandardPlugin],
        loader: &dyn PluginLoader,
        signatures: Option<&SignaturePolicy>,
        mut at_hand: BTreeMap<Digest, Arc<dyn Plugin>>,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Self {
        let mut entries = BTreeMap::new();
        for (name, candidate) in candidates(inputs, standard, diagnostics) {
            diagnostics.extend(candidate.signed_for_nobody(signatures));
            let plugin = match candidate.source(signatures).await {
                Ok(source) => candidate.load(source, loader, &mut at_hand).await,
                Err(unusable) => Err(unusable),
            };
            let entry = Entry {
                origin: candidate.origin,
                digest: candidate.digest,
                bytes: candidate.bytes,
                plugin,
            };
            entries.insert(name, entry);
        }
        Self { entries }
    }

    /// The plugins that can be used.
    pub(crate) fn available(&self) -> BTreeMap<PluginName, AvailablePlugin> {
        let usable = self
            .entries
            .iter()
            .filter_map(|(name, entry)| Some((name.clone(), entry.plugin.as_ref().ok()?.clone())));
        usable.collect()
    }

    /// Tells of plugins that cannot be used and that no procedure names; the others are told where
    /// they are named.
    pub(crate) fn unused_and_unusable(&self, used: &BTreeSet<PluginName>) -> Vec<Diagnostic> {
        let unused = self.entries.iter().filter(|(name, _)| !used.contains(name));
        unused
            .filter_map(|(name, entry)| {
                let unusable = entry.plugin.as_ref().err()?;
                let (what, hint) = entry.told(unusable)?;
                let told = Diagnostic {
                    file: file_of(&entry.origin).map(|path| as_written(path)),
                    ..Diagnostic::new(unusable.severity(), format!("the plugin `{name}` {what}"))
                };
                Some(told.hint_if(hint))
            })
            .collect()
    }
}

impl Candidate {
    /// Who sees a signature beside a plugin believes that somebody looks at it.
    fn signed_for_nobody(&self, signatures: Option<&SignaturePolicy>) -> Option<Diagnostic> {
        let is_asked_for = signatures?.required || !signatures?.keys.is_empty();
        let is_signed = matches!(self.signature, SignatureFile::Text(_));
        let file = file_of(&self.origin).filter(|_| is_signed && !is_asked_for)?;
        let message = "this plugin is signed, and there is no key with which that could be verified";
        let note = Diagnostic {
            severity: Severity::Note,
            ..Diagnostic::about(as_written(file), message)
        };
        Some(note.hint("add the signer's public key to `sopwith.toml`:  [plugins] with  keys = [\"RW…\"]"))
    }

    /// Where the bytes are from, where they may be used.
    async fn source(&self, signatures: Option<&SignaturePolicy>) -> Result<PluginSource, Unusable> {
        if self.origin == PluginOrigin::Standard {
            return Ok(PluginSource::STANDARD);
        }
        let policy = signatures.ok_or(Unusable::Undecided)?.clone();
        let (bytes, file) = (Arc::clone(&self.bytes), self.signature.clone());
        let verifying = tokio::task::spawn_blocking(move || policy.verify(&bytes, &file));
        let verified = verifying.await.expect("verifying does not panic");
        Ok(PluginSource {
            origin: self.origin.clone(),
            signature: verified.map_err(Unusable::Unverified)?,
        })
    }

    async fn load(
        &self,
        source: PluginSource,
        loader: &dyn PluginLoader,
        at_hand: &mut BTreeMap<Digest, Arc<dyn Plugin>>,
    ) -> Result<AvailablePlugin, Unusable> {
        let plugin = match at_hand.get(&self.digest) {
            Some(plugin) => Arc::clone(plugin),
            None => loader
                .load(Arc::clone(&self.bytes))
                .await
                .map_err(Unusable::Broken)?,
        };
        at_hand.insert(self.digest, Arc::clone(&plugin));
        Ok(AvailablePlugin { plugin, source })
    }
}

impl Entry {
    /// What is the matter with the plugin, as the end of a sentence, and what would mend it.
    pub(crate) fn told(&self, unusable: &Unusable) -> Option<(String, Option<String>)> {
        match unusable {
            Unusable::Broken(problem) => Some((format!("cannot be loaded: {problem}"), problem.hint.clone())),
            Unusable::Unverified(why) => {
                let file = as_written(file_of(&self.origin).map_or(Path::new(""), |path| path));
                let what = why.told_of(&file.display().to_string());
                Some((format!("is refused: {what}"), Some(why.hint(&shell_word(&file)))))
            }
            Unusable::Undecided => None,
        }
    }
}

impl Unusable {
    /// How much it weighs where no procedure names the plugin. A signature that is wrong is never
    /// passed over: somebody may have put another plugin in the place of the signed one.
    fn severity(&self) -> Severity {
        match self {
            Self::Unverified(Unverified::Missing | Unverified::NoKeys)
            | Self::Broken(_)
            | Self::Undecided => Severity::Warning,
            Self::Unverified(_) => Severity::Error,
        }
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
            signature: SignatureFile::Missing,
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
        signature: file.signature.clone(),
    }
}
