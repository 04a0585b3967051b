//! From a folder to a generation: everything that is wrong is told at once.

use crate::assemble::{Assembled, Assembling};
use crate::catalogue::{Catalogue, StandardPlugin};
use crate::diagnostic::{Diagnostic, in_order};
use crate::host::{Host, self_harm};
use crate::inputs::Inputs;
use crate::of_plugins::OfPlugins;
use crate::previous::Previous;
use crate::rollback::{self, Reader};
use jiff::Timestamp;
use serde::Serialize;
use sopwith_core::digest::Digest;
use sopwith_core::generation::Generation;
use sopwith_core::grant::Asked;
use sopwith_core::name::{PluginName, ProcedureName};
use sopwith_core::port::PluginLoader;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// What a configuration is made into a generation with.
#[derive(Clone, Copy)]
pub struct Workshop<'a> {
    /// Turns bytes into plugins.
    pub loader: &'a dyn PluginLoader,
    /// The plugins that are part of the program.
    pub standard: &'a [StandardPlugin],
    /// The present.
    pub now: Timestamp,
}

/// What came of a configuration.
pub struct Loaded {
    /// The generation, if there was no error.
    pub generation: Option<Arc<Generation>>,
    /// What is wrong or worth a look, in the order of files and lines.
    pub diagnostics: Vec<Diagnostic>,
    /// What the procedures' actions ask for, whether or not that is granted.
    pub wants: Vec<Wants>,
    /// What it was made of.
    pub inputs: Inputs,
    /// The bytes of the plugins that procedures name.
    pub(crate) plugin_bytes: BTreeMap<Digest, Arc<[u8]>>,
}

/// What the actions of one procedure ask for.
#[derive(Debug, Clone, Serialize)]
pub struct Wants {
    /// The procedure.
    pub procedure: ProcedureName,
    /// The plugin that carries it out.
    pub plugin: PluginName,
    /// What the plugin's actions ask for with the procedure's settings.
    pub asked: Vec<Asked>,
}

/// Reads a folder and makes a generation of it.
///
/// Plugins that the previous generation has loaded are not loaded again, and a procedure that it
/// has keeps its plugin where a newer version asks for more than is granted.
pub async fn load(folder: &Path, workshop: Workshop<'_>, previous: Option<&Generation>) -> Loaded {
    let inputs = read(folder).await;
    let previous = previous.map_or(Previous::Nothing, Previous::Generation);
    assemble(inputs, workshop, previous).await
}

/// Reads a folder without holding up anything else.
pub(crate) async fn read(folder: &Path) -> Inputs {
    let folder = folder.to_owned();
    let reading = tokio::task::spawn_blocking(move || Inputs::read(&folder));
    reading.await.expect("reading files does not panic")
}

/// The same, with the plugins that somebody went back with in this data directory.
pub(crate) async fn read_for(folder: &Path, data_directory: &Path, reader: Reader) -> Inputs {
    let (folder, data_directory) = (folder.to_owned(), data_directory.to_owned());
    let reading = tokio::task::spawn_blocking(move || {
        rollback::applied(Inputs::read(&folder), &data_directory, reader)
    });
    reading.await.expect("reading files does not panic")
}

/// Makes a generation of what was read.
pub(crate) async fn assemble(inputs: Inputs, workshop: Workshop<'_>, previous: Previous<'_>) -> Loaded {
    let mut diagnostics = inputs.problems.clone();
    let loaded = previous.loaded();
    let Workshop {
        loader,
        standard,
        now,
    } = workshop;
    let mut host = Host::read(&inputs, &mut diagnostics);
    let signatures = host.signatures.as_ref();
    let catalogue = Catalogue::load(&inputs, standard, loader, signatures, loaded, &mut diagnostics).await;
    diagnostics.extend(previous.keep_places(&mut host));
    self_harm(&host, &inputs.folder, &mut diagnostics);
    let assembling = Assembling {
        inputs: &inputs,
        catalogue: &catalogue,
        host,
        now,
        loader,
        previous,
        diagnostics,
        wants: Vec::new(),
        of_plugins: OfPlugins::default(),
    };
    let Assembled {
        generation,
        diagnostics,
        wants,
    } = assembling.finish().await;
    let diagnostics = in_order(diagnostics);
    let plugin_bytes = generation.iter().flat_map(|generation| {
        let used = generation
            .procedures
            .values()
            .map(|ready| &ready.procedure.plugin);
        used.filter_map(|name| catalogue.entries.get(name))
            .map(|entry| (entry.digest, Arc::clone(&entry.bytes)))
    });
    Loaded {
        plugin_bytes: plugin_bytes.collect(),
        generation: generation.map(Arc::new),
        diagnostics,
        wants,
        inputs,
    }
}
