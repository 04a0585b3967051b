//! What an action asks for, held against what it is granted.

use super::{Basis, Denial, Wanted, decide};
use crate::manifest::Action;
use crate::name::ActionName;
use crate::procedure::Procedure;
use crate::resource::Resources;
use serde::{Deserialize, Serialize};

/// One thing that an action asks for, and what it is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The action.
    pub action: ActionName,
    /// The JSON pointer to where the settings name it.
    pub place: String,
    /// What it asks for.
    pub wanted: Wanted,
    /// Whether the action is worth nothing without it.
    pub required: bool,
    /// Why, in the words of the plugin.
    pub reason: String,
    /// Why it is not granted; none where it is.
    pub denial: Option<Denial>,
}

/// Everything that an action of a procedure asks for with its settings; the error is a fault of the
/// plugin.
pub fn asked(action: &Action, procedure: &Procedure, resources: &Resources) -> Result<Vec<Asked>, String> {
    let grants = procedure.grants_of(&action.name);
    let section = procedure.section_of(&action.name);
    let basis = Basis {
        declared: &action.capabilities,
        grants: &grants,
        section: &section,
        resources,
    };
    let mut asked = Vec::new();
    for request in &action.capabilities {
        for (place, wanted) in request.wanted_in_places(&procedure.settings)? {
            asked.push(Asked {
                action: action.name.clone(),
                place,
                required: request.required,
                reason: request.reason.clone(),
                denial: decide(&wanted, basis).err(),
                wanted,
            });
        }
    }
    Ok(asked)
}
