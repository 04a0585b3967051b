//! Keeps the last good configuration in the data directory, and starts from it when the folder
//! is broken.
//!
//! The files are kept as they were written: what they take from the environment is not in them.

mod record;

pub use record::{LastGood, LastGoodProblem};

use crate::diagnostic::{Diagnostic, Severity};
use crate::inputs::Inputs;
use crate::load::{Loaded, Workshop, assemble, read_for};
use crate::previous::Previous;
use crate::rollback::{Reader, Rollbacks};
use crate::shelf;
use sopwith_core::generation::Generation;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// What a host starts with.
pub struct Started {
    /// What is in force from now on.
    pub generation: Arc<Generation>,
    /// Whether that is the kept one, since the folder is broken.
    pub kept: bool,
    /// What is wrong in the folder, or worth a look.
    pub diagnostics: Vec<Diagnostic>,
    /// The folder's content.
    pub(crate) inputs: Inputs,
}

/// Loads a folder, or what was kept of it last where it is broken.
///
/// The error is what is wrong in the folder, where nothing was kept that could be used.
pub async fn start(
    folder: &Path,
    data_directory: &Path,
    workshop: Workshop<'_>,
) -> Result<Started, Vec<Diagnostic>> {
    let (kept, problem) = match LastGood::read(data_directory) {
        Ok(kept) => (kept, None),
        Err(problem) => (
            None,
            Some(Diagnostic::new(Severity::Warning, problem.to_string())),
        ),
    };
    let previous = kept.as_ref().map_or(Previous::Nothing, Previous::Kept);
    let mut loaded = assemble(
        read_for(folder, data_directory, Reader::Host).await,
        workshop,
        previous,
    )
    .await;
    loaded.diagnostics.extend(problem);
    let from_kept = match (&loaded.generation, &kept) {
        (None, Some(kept)) => load_kept(kept, workshop)
            .await
            .ok()
            .and_then(|kept| kept.generation),
        _ => None,
    };
    if loaded.generation.is_some() {
        keep(data_directory, &loaded).map_err(|error| vec![not_kept(data_directory, &error)])?;
    }
    let is_kept = from_kept.is_some();
    match loaded.generation.or(from_kept) {
        Some(generation) => Ok(Started {
            generation,
            kept: is_kept,
            diagnostics: loaded.diagnostics,
            inputs: loaded.inputs,
        }),
        None => Err(loaded.diagnostics),
    }
}

/// What a host of this data directory would make of a folder; nothing is kept of it.
pub async fn look(folder: &Path, data_directory: &Path, workshop: Workshop<'_>) -> Loaded {
    let kept = LastGood::read(data_directory).ok().flatten();
    let previous = kept.as_ref().map_or(Previous::Nothing, Previous::Kept);
    assemble(
        read_for(folder, data_directory, Reader::Looker).await,
        workshop,
        previous,
    )
    .await
}

/// Keeps a configuration that was taken up: its files exactly, and the bytes of its plugins.
pub fn keep(data_directory: &Path, loaded: &Loaded) -> io::Result<()> {
    let Some(generation) = &loaded.generation else {
        return Ok(());
    };
    let shelf = shelf::directory_of(data_directory);
    for (digest, bytes) in &loaded.plugin_bytes {
        shelf::put(&shelf, *digest, bytes)?;
    }
    let before = LastGood::read(data_directory).ok().flatten();
    LastGood::of(data_directory, &loaded.inputs, generation)
        .after(before)
        .write()?;
    Rollbacks::keep_those_of(data_directory, &loaded.inputs)
}

/// Makes a generation of what was kept; nothing if nothing was.
pub async fn load(data_directory: &Path, workshop: Workshop<'_>) -> Result<Option<Loaded>, LastGoodProblem> {
    match LastGood::read(data_directory)? {
        Some(kept) => load_kept(&kept, workshop).await.map(Some),
        None => Ok(None),
    }
}

async fn load_kept(kept: &LastGood, workshop: Workshop<'_>) -> Result<Loaded, LastGoodProblem> {
    let inputs = kept.inputs()?;
    let standard = kept.standard(workshop.standard)?;
    let workshop = Workshop {
        standard: &standard,
        ..workshop
    };
    Ok(assemble(inputs, workshop, Previous::Kept(kept)).await)
}

/// What is said when a configuration is refused because it could not be kept.
pub(crate) fn not_kept(data_directory: &Path, error: &io::Error) -> Diagnostic {
    let message = format!("the data directory cannot keep this configuration: {error}");
    Diagnostic::about(data_directory, message).hint("make room in it, or make it writable to the host")
}
