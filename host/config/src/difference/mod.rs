//! What taking up a configuration would change against the one in force.

mod plugin;
mod procedure;
mod written;

pub use plugin::{PluginDifference, PluginSide};
pub use procedure::{Fate, ProcedureDifference, ScheduleDifference, Tick};
pub use written::Changed;

use crate::inputs::Inputs;
use crate::last_good::{self, LastGoodProblem};
use crate::load::{Loaded, Workshop};
use serde::Serialize;
use sopwith_core::generation::Generation;
use std::path::Path;

/// What taking up a configuration would change.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// Whether anything has been in force in this data directory.
    pub has_before: bool,
    /// Keys of `sopwith.toml`.
    pub host: Vec<Changed>,
    /// The procedures that would not stay as they are.
    pub procedures: Vec<ProcedureDifference>,
    /// The plugins that would not stay as they are.
    pub plugins: Vec<PluginDifference>,
}

impl Difference {
    /// Whether everything would stay as it is.
    pub fn is_empty(&self) -> bool {
        self.host.is_empty() && self.procedures.is_empty() && self.plugins.is_empty()
    }
}

/// One of the two sides.
#[derive(Clone, Copy)]
struct Side<'a> {
    inputs: &'a Inputs,
    generation: &'a Generation,
}

/// Compares what was made of a folder with what is in force: a host keeps that in its data directory
/// before it goes by it. There is no difference from a configuration that has errors.
pub async fn difference(
    data_directory: &Path,
    loaded: &Loaded,
    workshop: Workshop<'_>,
) -> Result<Option<Difference>, LastGoodProblem> {
    let Some(generation) = &loaded.generation else {
        return Ok(None);
    };
    let after = Side {
        inputs: &loaded.inputs,
        generation,
    };
    let kept = last_good::load(data_directory, workshop).await?;
    let before = kept.as_ref().and_then(|kept| {
        let generation = kept.generation.as_deref()?;
        let inputs = &kept.inputs;
        Some(Side { inputs, generation })
    });
    let text = |side: Option<Side<'_>>| side.and_then(|side| side.inputs.host.clone()).unwrap_or_default();
    Ok(Some(Difference {
        has_before: before.is_some(),
        host: written::changed(&text(before), &text(Some(after))),
        procedures: procedure::differences(before, after, workshop.now),
        plugins: plugin::differences(before.map(|before| before.generation), generation),
    }))
}
