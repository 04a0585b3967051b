//! Holds what the actions ask for against what is granted.

use super::{Attaching, Lack};
use crate::diagnostic::Severity;
use crate::document::{Location, Part, at};
use crate::shape::nearest;
use sopwith_core::grant::{Asked, Denial, ResourceKind, Wanted, asked};
use sopwith_core::name::ResourceName;
use sopwith_core::procedure::Procedure;
use sopwith_core::resource::Resources;

impl Attaching<'_> {
    /// What each action asks for, and what it is told; what it could do without is told to the operator.
    pub(super) fn asked(&mut self, procedure: &Procedure, resources: &Resources) -> Vec<Asked> {
        let mut all_asked = Vec::new();
        for action in &self.manifest.actions {
            match asked(action, procedure, resources) {
                Ok(of_action) => all_asked.extend(of_action),
                Err(problem) => self.fault(&format!("what `{}` asks for is unclear: {problem}", action.name)),
            }
        }
        self.tell_of_optional(&all_asked, resources);
        self.tell_of_stray_secrets(&all_asked, &procedure.settings);
        all_asked
    }

    /// An action that can do without may be the one that is needed in an emergency.
    fn tell_of_optional(&mut self, asked: &[Asked], resources: &Resources) {
        let mut told: Vec<&Wanted> = Vec::new();
        for one in asked.iter().filter(|one| !one.required) {
            let Some(denial) = &one.denial else { continue };
            let mut same = asked.iter().filter(|other| other.wanted == one.wanted);
            if told.contains(&&one.wanted) || same.any(|other| other.denial.is_none()) {
                continue;
            }
            told.push(&one.wanted);
            if one.wanted.is_named(resources) {
                self.tell_of_not_granted(one, denial);
            } else {
                self.warn_of_not_named(one, denial, resources);
            }
        }
    }

    fn tell_of_not_granted(&mut self, one: &Asked, denial: &Denial) {
        let message = format!(
            "`{}` of the procedure `{}` has to do without {}: {}",
            one.action, self.definition.name, one.wanted, denial.why
        );
        let document = &self.definition.document;
        let note = document.diagnostic(Severity::Note, &at(["grants"]), Part::Value, message);
        self.diagnostics.push(note.hint(&denial.hint));
    }

    fn warn_of_not_named(&mut self, one: &Asked, denial: &Denial, resources: &Resources) {
        let near = match &one.wanted {
            Wanted::Named { kind, name, .. } => nearest::meant(name, names(*kind, resources)),
            Wanted::Network { .. } | Wanted::Insertion { .. } => None,
        };
        let message = format!(
            "`{}` has to do without {}: {}",
            one.action, one.wanted, denial.why
        );
        let warning = self.document().warning(&in_settings(&one.place), message);
        self.diagnostics
            .push(warning.hint(near.unwrap_or_else(|| denial.hint.clone())));
    }
}

/// What is required and not granted, each once for each action.
pub(super) fn lacking(asked: &[Asked]) -> Vec<Lack> {
    let mut lacks: Vec<Lack> = Vec::new();
    for one in asked.iter().filter(|one| one.required) {
        let Some(denial) = &one.denial else { continue };
        let is_known = |lack: &Lack| lack.action == one.action && lack.denial == *denial;
        if !lacks.iter().any(is_known) {
            lacks.push(Lack {
                action: one.action.clone(),
                denial: denial.clone(),
                reason: one.reason.clone(),
            });
        }
    }
    lacks
}

fn names(kind: ResourceKind, resources: &Resources) -> Vec<&str> {
    match kind {
        ResourceKind::Databases => resources.databases.keys().map(ResourceName::as_str).collect(),
        ResourceKind::Directories => resources.directories.keys().map(ResourceName::as_str).collect(),
        ResourceKind::Network => resources.network.keys().map(ResourceName::as_str).collect(),
        ResourceKind::Commands => resources.commands.keys().map(ResourceName::as_str).collect(),
        ResourceKind::Secrets => resources.secrets.keys().map(ResourceName::as_str).collect(),
        ResourceKind::Procedures => resources.procedures.iter().map(ResourceName::as_str).collect(),
    }
}

/// The place in the file of what stands at this JSON pointer in the settings.
pub(super) fn in_settings(pointer: &str) -> Location {
    pointer
        .split('/')
        .skip(1)
        .fold(at(["settings"]), |place, segment| {
            place.join(segment.replace("~1", "/").replace("~0", "~").as_str())
        })
}
