//! Puts validated procedures and plugins together into a generation.

use crate::after;
use crate::attach::{Attached, Lack, attach};
use crate::calls;
use crate::catalogue::{Catalogue, Entry, Unusable};
use crate::diagnostic::{Diagnostic, Severity, has_errors};
use crate::document::{Part, at};
use crate::host::Host;
use crate::inputs::{Inputs, PROCEDURES};
use crate::load::Wants;
use crate::of_plugins::OfPlugins;
use crate::path::as_written;
use crate::previous::Previous;
use crate::procedure::{self, Definition};
use crate::secrets;
use crate::shape::nearest;
use crate::source::Source;
use jiff::Timestamp;
use serde_json::json;
use sopwith_core::digest::Digest;
use sopwith_core::generation::{AvailablePlugin, Generation, HeldPlugin, ReadyProcedure};
use sopwith_core::grant::Denial;
use sopwith_core::name::{PluginName, ProcedureName};
use sopwith_core::port::PluginLoader;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Everything that goes into a generation.
pub(crate) struct Assembling<'a> {
    pub(crate) inputs: &'a Inputs,
    pub(crate) catalogue: &'a Catalogue,
    pub(crate) host: Host,
    pub(crate) now: Timestamp,
    pub(crate) loader: &'a dyn PluginLoader,
    pub(crate) previous: Previous<'a>,
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// What the procedures' actions ask for, as far as that could be read.
    pub(crate) wants: Vec<Wants>,
    /// What is wrong with plugins, as each procedure that names one would tell it.
    pub(crate) of_plugins: OfPlugins,
}

/// What came of it all.
pub(crate) struct Assembled {
    /// There is one if nothing is wrong.
    pub(crate) generation: Option<Generation>,
    /// What is wrong or worth a look.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// What the procedures' actions ask for, whether or not that is granted.
    pub(crate) wants: Vec<Wants>,
}

impl Assembling<'_> {
    /// Takes one procedure after the other, and puts those that are ready together.
    pub(crate) async fn finish(mut self) -> Assembled {
        self.names_that_differ_in_case();
        let mut procedures = BTreeMap::new();
        let mut used = BTreeSet::new();
        let definitions = self.definitions();
        for definition in &definitions {
            used.insert(definition.plugin.clone());
            if let Some(ready) = self.ready(definition).await {
                procedures.insert(definition.name.clone(), Arc::new(ready));
            }
        }
        self.diagnostics.extend(self.of_plugins.told_once());
        self.diagnostics.extend(calls::check(&definitions));
        let names: Vec<_> = self.inputs.procedures.keys().map(String::as_str).collect();
        self.diagnostics
            .extend(after::check(&definitions, &procedures, &names));
        self.tell_of_gone();
        let all_are_known = definitions.len() == self.inputs.procedures.len();
        let warnings = secrets::warn(&self.host, &definitions, all_are_known);
        self.diagnostics.extend(warnings);
        self.diagnostics.extend(self.catalogue.unused_and_unusable(&used));
        let digest = self.digest();
        let is_good = !has_errors(&self.diagnostics);
        let generation = is_good.then(|| Generation {
            digest,
            host: self.host.settings,
            resources: Arc::new(self.host.resources),
            procedures,
            plugins: self.catalogue.available(),
        });
        Assembled {
            generation,
            diagnostics: self.diagnostics,
            wants: self.wants,
        }
    }

    fn definitions(&mut self) -> Vec<Definition> {
        let (inputs, host, now) = (self.inputs, &self.host, self.now);
        let mut diagnostics = Vec::new();
        let texts = inputs.procedures.iter();
        let definitions = texts.filter_map(|(stem, text)| {
            procedure::read(
                stem,
                &inputs.procedure_file(stem),
                text,
                host,
                now,
                &mut diagnostics,
            )
        });
        let definitions = definitions.collect();
        self.diagnostics.extend(diagnostics);
        definitions
    }

    /// On some file systems, and to people who speak, these are the same.
    fn names_that_differ_in_case(&mut self) {
        let mut seen: BTreeMap<String, &String> = BTreeMap::new();
        for (stem, text) in &self.inputs.procedures {
            if let Some(other) = seen.insert(stem.to_lowercase(), stem) {
                let source = Source::new(as_written(&self.inputs.procedure_file(stem)), text);
                let message = format!("two procedures of one name: `{other}.toml` and `{stem}.toml`");
                // What is wrong with it stands nowhere in the file.
                let error = source.diagnostic(Severity::Error, &(0..0), message);
                self.diagnostics.push(error.hint("rename one of them"));
            }
        }
    }

    async fn ready(&mut self, definition: &Definition) -> Option<ReadyProcedure> {
        let available = self.plugin(definition)?;
        let mut attached = attach(definition, &available, &self.host);
        self.wants.push(Wants {
            procedure: definition.name.clone(),
            plugin: definition.plugin.clone(),
            asked: std::mem::take(&mut attached.asked),
        });
        self.tell_of_same_version(definition);
        if has_errors(&attached.diagnostics) && self.is_another_plugin(definition, &available).await {
            return None;
        }
        if attached.lacks.is_empty() {
            return self.accept(definition, attached);
        }
        let digest = available.plugin.digest();
        let Some(before) = self.before(definition, digest).await else {
            self.refuse(definition, attached);
            return None;
        };
        let with_before = attach(definition, &before, &self.host);
        if !with_before.lacks.is_empty() {
            self.refuse(definition, with_before);
            return None;
        }
        self.warn_of_held(definition, &attached.lacks);
        let mut ready = self.accept(definition, with_before)?;
        ready.held = Some(HeldPlugin {
            digest,
            lacks: attached.lacks.into_iter().map(|lack| lack.denial).collect(),
        });
        Some(ready)
    }

    /// Nothing is silently not run any more: a file that was removed by mistake is told like one that was
    /// removed on purpose, and a folder that is gone was hardly meant.
    fn tell_of_gone(&mut self) {
        let folder = self.inputs.folder.join(PROCEDURES);
        let gone: Vec<_> = self
            .previous
            .procedures()
            .into_iter()
            .filter(|name| !self.inputs.procedures.contains_key(name.as_str()))
            .collect();
        if gone.is_empty() {
            return;
        }
        let quoted = nearest::list(&gone.iter().map(ProcedureName::as_str).collect::<Vec<_>>());
        if !folder.is_dir() {
            let message = format!("the folder is gone, and with it the procedures {quoted}");
            let error = Diagnostic::about(as_written(&folder), message);
            self.diagnostics
                .push(error.hint("bring it back; an empty folder means that there are none"));
            return;
        }
        for name in gone {
            let file = as_written(&self.inputs.procedure_file(name.as_str()));
            let message = format!("the file is gone: the procedure `{name}` is not run any more");
            let mut note = Diagnostic::about(file, message);
            note.severity = Severity::Note;
            self.diagnostics.push(note);
        }
    }

    /// Who counts the versions of a procedure wants to know which one ran.
    fn tell_of_same_version(&mut self, definition: &Definition) {
        let Some((revision, Some(version))) = self.previous.version_of(&definition.name) else {
            return;
        };
        if definition.version == Some(version) && definition.revision != revision {
            let name = &definition.name;
            let message = format!("the procedure `{name}` has changed and is version {version} as before");
            let place = at(["version"]);
            let note = definition
                .document
                .diagnostic(Severity::Note, &place, Part::Value, message);
            let next = version.saturating_add(1);
            self.diagnostics.push(note.hint(format!("version = {next}")));
        }
    }

    /// Whether a plugin of another name lies there than the one that the settings were written for: all that
    /// does not fit is one mistake.
    async fn is_another_plugin(&mut self, definition: &Definition, available: &AvailablePlugin) -> bool {
        let (plugin, manifest) = (&definition.plugin, available.plugin.manifest());
        let before = self.before(definition, available.plugin.digest()).await;
        let Some(before) = before.filter(|before| before.plugin.manifest().name != manifest.name) else {
            return false;
        };
        let message = format!(
            "the plugin `{plugin}` of the procedure `{}` is another one than before: its file is `{}` {}, and was `{}` {}",
            definition.name,
            manifest.name,
            manifest.version,
            before.plugin.manifest().name,
            before.plugin.manifest().version
        );
        let error = definition.document.error(&at(["plugin"]), message);
        let hint = format!(
            "put the right file there; `sopwith plugins rollback {plugin}` goes back to the one before"
        );
        self.of_plugins.add(definition, error.hint(hint));
        true
    }

    /// The other version of the plugin that carried the procedure out until now, if it still may.
    async fn before(&self, definition: &Definition, other_than: Digest) -> Option<AvailablePlugin> {
        let policy = self.host.signatures.as_ref()?;
        let (name, revision) = (&definition.name, definition.revision);
        let before = self.previous.plugin_of(name, revision, self.loader, policy).await;
        before.filter(|before| before.plugin.digest() != other_than)
    }

    fn accept(&mut self, definition: &Definition, attached: Attached) -> Option<ReadyProcedure> {
        self.diagnostics.extend(attached.diagnostics);
        let ready = attached.ready?;
        for (action, denials) in &ready.unavailable {
            let lacks: Vec<String> = denials.iter().map(|denial| denial.wanted.to_string()).collect();
            let message = format!(
                "`{action}` of the procedure `{}` is not available: it needs {}",
                definition.name,
                lacks.join(", ")
            );
            let hint = denials.first().map(|denial| denial.hint.clone());
            let note = definition
                .document
                .diagnostic(Severity::Note, &at(["grants"]), Part::Value, message);
            self.diagnostics.push(note.hint_if(hint));
        }
        Some(ready)
    }

    /// The plugin that the procedure names; that there is none is told.
    fn plugin(&mut self, definition: &Definition) -> Option<AvailablePlugin> {
        let document = &definition.document;
        let Some(entry) = self.catalogue.entries.get(&definition.plugin) else {
            let known = self.catalogue.entries.keys().map(PluginName::as_str);
            let hint = nearest::hint(definition.plugin.as_str(), known);
            let message = format!("there is no plugin `{}`", definition.plugin);
            let put = || format!("put  {}.wasm  into the folder `plugins`", definition.plugin);
            let error = document.error(&at(["plugin"]), message);
            self.diagnostics.push(error.hint(hint.unwrap_or_else(put)));
            return None;
        };
        self.diagnostics.extend(other_than_pinned(definition, entry));
        match &entry.plugin {
            Ok(available) => Some(available.clone()),
            Err(unusable) => {
                if let Some((what, hint)) = entry.told(unusable) {
                    let (plugin, procedure) = (&definition.plugin, &definition.name);
                    let message = format!("the plugin `{plugin}` of the procedure `{procedure}` {what}");
                    let is_broken = matches!(unusable, Unusable::Broken(_));
                    let back = (is_broken && self.previous.has_other(plugin, entry.digest))
                        .then(|| format!("`sopwith plugins rollback {plugin}` goes back to the file before"));
                    let hints: Vec<_> = hint.into_iter().chain(back).collect();
                    let hint = (!hints.is_empty()).then(|| hints.join("; "));
                    let error = document.error(&at(["plugin"]), message);
                    self.of_plugins.add(definition, error.hint_if(hint));
                }
                None
            }
        }
    }

    fn refuse(&mut self, definition: &Definition, attached: Attached) {
        self.diagnostics.extend(attached.diagnostics);
        let mut told: Vec<&Denial> = Vec::new();
        for Lack {
            action,
            denial,
            reason,
        } in &attached.lacks
        {
            if told.contains(&denial) {
                continue;
            }
            told.push(denial);
            let message = format!(
                "procedure `{}` cannot start: `{action}` of the plugin `{}` needs {} ({reason}): {}",
                definition.name, definition.plugin, denial.wanted, denial.why
            );
            let error = definition.document.error(&at(["grants"]), message);
            self.diagnostics.push(error.hint(&denial.hint));
        }
    }

    fn warn_of_held(&mut self, definition: &Definition, lacks: &[Lack]) {
        let Some(Lack { action, denial, .. }) = lacks.first() else {
            return;
        };
        let message = format!(
            "the new version of the plugin `{}` is held back from the procedure `{}`: `{action}` needs {}: {}",
            definition.plugin, definition.name, denial.wanted, denial.why
        );
        let warning = definition.document.warning(&at(["plugin"]), message);
        self.diagnostics.push(warning.hint(&denial.hint));
    }

    fn digest(&self) -> Digest {
        let plugins: BTreeMap<_, _> = self
            .catalogue
            .entries
            .iter()
            .map(|(name, entry)| (name, entry.digest))
            .collect();
        Digest::of(json!({ "files": self.inputs.digest, "plugins": plugins }).to_string())
    }
}

fn other_than_pinned(definition: &Definition, entry: &Entry) -> Option<Diagnostic> {
    let pin = definition.pin.filter(|pin| *pin != entry.digest)?;
    let message = format!(
        "the plugin `{}` of the procedure `{}` has the digest {}…, and the one that is pinned is {}…",
        definition.plugin,
        definition.name,
        entry.digest.short(),
        pin.short()
    );
    let hint = format!(
        "where these bytes are meant:  plugin_sha256 = \"{}\"",
        entry.digest.hexadecimal()
    );
    let error = definition.document.error(&at(["plugin_sha256"]), message);
    Some(error.hint(hint))
}
