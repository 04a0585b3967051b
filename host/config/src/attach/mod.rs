//! Checks a procedure against the plugin that carries it out.

mod gates;
mod requests;
mod schedules;
mod secrets;

use crate::diagnostic::{Diagnostic, has_errors};
use crate::document::{Document, Location, at};
use crate::host::Host;
use crate::procedure::Definition;
use crate::shape::{Noun, Shape, nearest};
use requests::lacking;
use serde_json::{Map, Value};
use sopwith_core::generation::{AvailablePlugin, ReadyProcedure};
use sopwith_core::grant::{Asked, Denial};
use sopwith_core::manifest::{Action, Manifest};
use sopwith_core::name::ActionName;
use sopwith_core::procedure::Procedure;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What came of a procedure and a plugin.
pub(crate) struct Attached {
    /// There is one if nothing is wrong but what is lacking.
    pub(crate) ready: Option<ReadyProcedure>,
    /// What is wrong, without what is lacking.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// What the actions lack that a schedule or the default needs.
    pub(crate) lacks: Vec<Lack>,
    /// What all actions ask for.
    pub(crate) asked: Vec<Asked>,
}

/// Something that an action requires and is not granted.
pub(crate) struct Lack {
    pub(crate) action: ActionName,
    pub(crate) denial: Denial,
    /// Why it is required, in the words of the plugin.
    pub(crate) reason: String,
}

/// Checks a procedure against a plugin.
pub(crate) fn attach(definition: &Definition, available: &AvailablePlugin, host: &Host) -> Attached {
    let plugin = &available.plugin;
    let mut attaching = Attaching {
        definition,
        manifest: plugin.manifest(),
        diagnostics: Vec::new(),
    };
    let procedure = attaching.procedure();
    attaching.tell_of_unasked_gates(plugin.imports());
    let asked = match &procedure {
        // Wrong grants would make for denials that mending them makes go away.
        Some(procedure) if definition.sound && host.sound => attaching.asked(procedure, &host.resources),
        _ => Vec::new(),
    };
    let diagnostics = attaching.diagnostics;
    let procedure = procedure.filter(|_| !has_errors(&diagnostics));
    let Some(procedure) = procedure else {
        return Attached {
            ready: None,
            diagnostics,
            lacks: Vec::new(),
            asked,
        };
    };
    let (lacks, others): (Vec<_>, Vec<_>) = lacking(&asked)
        .into_iter()
        .partition(|lack| procedure.starts(&lack.action));
    let mut unavailable: BTreeMap<ActionName, Vec<Denial>> = BTreeMap::new();
    for Lack { action, denial, .. } in others {
        unavailable.entry(action).or_default().push(denial);
    }
    Attached {
        lacks,
        ready: Some(ReadyProcedure {
            procedure,
            plugin: Arc::clone(plugin),
            source: available.source.clone(),
            unavailable,
            held: None,
        }),
        diagnostics,
        asked,
    }
}

/// One check of a procedure against a plugin.
struct Attaching<'a> {
    definition: &'a Definition,
    manifest: &'a Manifest,
    diagnostics: Vec<Diagnostic>,
}

impl Attaching<'_> {
    fn procedure(&mut self) -> Option<Procedure> {
        let definition = self.definition;
        let settings = self.conform(
            &self.manifest.settings,
            &definition.settings,
            &at(["settings"]),
            Noun::Setting,
        );
        for action in definition.action_grants.keys() {
            self.action(Some(action), &at(["actions", action.as_str()]));
        }
        let action = self.action(definition.action.as_ref(), &at(["action"]));
        let action = action.map(|action| action.name.clone());
        let schedules = self.schedules(action.as_ref());
        let action = action?;
        Some(Procedure {
            name: definition.name.clone(),
            file: self.document().path().to_owned(),
            summary: definition
                .summary
                .clone()
                .unwrap_or_else(|| self.manifest.summary.clone()),
            owner: definition.owner.clone(),
            version: definition.version,
            plugin: definition.plugin.clone(),
            plugin_pinned: definition.pin,
            action,
            schedules,
            grants: definition.grants.clone(),
            action_grants: definition.action_grants.clone(),
            settings,
            limits: definition.limits.clone(),
            retry: definition.retry.clone(),
            resume_max: definition.resume_max,
            pause_after_failures: definition.pause_after_failures,
            locks: definition.locks.clone(),
            gates: definition.gates.clone(),
            retention: definition.retention,
            revision: definition.revision,
        })
    }

    fn document(&self) -> &Document {
        &self.definition.document
    }

    /// A fault of the plugin, told where the procedure names it.
    fn fault(&mut self, what: &str) {
        let message = format!("the plugin `{}` is faulty: {what}", self.definition.plugin);
        let error = self.document().error(&at(["plugin"]), message);
        self.diagnostics
            .push(error.hint("its author has to mend it; another version may do"));
    }

    /// The action of that name, or the default one; that there is none is told.
    fn action(&mut self, name: Option<&ActionName>, place: &Location) -> Option<&Action> {
        let manifest = self.manifest;
        if let Some(action) = manifest.action(name) {
            return Some(action);
        }
        let Some(name) = name else {
            self.fault("it offers no action");
            return None;
        };
        let known = manifest.actions.iter().map(|action| action.name.as_str());
        let message = format!("the plugin `{}` has no action `{name}`", self.definition.plugin);
        let error = self.document().error(place, message);
        self.diagnostics
            .push(error.hint_if(nearest::hint(name.as_str(), known)));
        None
    }

    /// The value with the schema's defaults; what breaks the schema is told.
    fn conform(
        &mut self,
        schema: &Value,
        written: &Map<String, Value>,
        place: &Location,
        noun: Noun,
    ) -> Value {
        let value = Value::Object(written.clone());
        let shape = match Shape::new(schema.clone(), noun) {
            Ok(shape) => shape,
            Err(problem) => {
                self.fault(&format!("its {noun}s have no valid JSON Schema: {problem}"));
                return value;
            }
        };
        let filled = shape.afford(&value).and_then(|()| shape.filled(value.clone()));
        let filled = match filled {
            Ok(filled) => filled,
            Err(problem) => {
                self.fault(&format!(
                    "its {noun}s have a JSON Schema that is too much: {problem}"
                ));
                return value;
            }
        };
        // Without the defaults: one that breaks the schema is no fault of the operator.
        let violations = shape.violations(&value);
        let document = &self.definition.document;
        let reliable = violations.iter().filter(|one| one.is_reliable(document, place));
        self.diagnostics
            .extend(reliable.map(|one| one.diagnostic(document, place)));
        filled
    }
}
