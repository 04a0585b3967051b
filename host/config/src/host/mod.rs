//! Validates `sopwith.toml`.

mod audit;
mod commands;
mod dashes;
mod environment;
mod harm;
mod host_key;
mod peek;
mod places;
mod plugins;
mod programs;
mod resolver;
mod resources;
mod roles;
mod secrets;
mod stores;

pub(crate) use harm::{command_within, self_harm};
pub use host_key::{KEY_FILE, credentials_directory};
pub use peek::{PeekError, peek_data_directory, peek_key_file};

use crate::diagnostic::{Diagnostic, has_errors};
use crate::document::{Document, Location, at};
use crate::inputs::Inputs;
use crate::limits;
use crate::path::{self, as_written};
use crate::raw::{self, HostFile, LimitsTable};
use crate::retention;
use crate::shape::Shape;
use crate::signature::SignaturePolicy;
use crate::source::Source;
use jiff::tz::TimeZone;
use serde_json::Value;
use sopwith_core::generation::{AuditSettings, HostSettings};
use sopwith_core::limits::Limits;
use sopwith_core::name::ResourceName;
use sopwith_core::resource::Resources;
use sopwith_core::retention::Retention;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

const RUNS_AT_ONCE_MAX: u32 = 8;
const TIME_ZONE: &str = "UTC";

/// Where the host keeps everything unless `data_directory` says otherwise: beside `sopwith.toml`.
const DATA_DIRECTORY: &str = "state";
/// Where scratch databases are unless `scratch_directory` says otherwise: in the data directory.
pub(crate) const SCRATCH_DIRECTORY: &str = "scratch";

static SHAPE: LazyLock<Shape> = LazyLock::new(raw::own_shape::<HostFile>);

/// `sopwith.toml`, validated; of what is wrong in it, the default.
#[derive(Debug)]
pub(crate) struct Host {
    pub(crate) settings: HostSettings,
    pub(crate) resources: Resources,
    /// The secrets that have no value, each with why.
    pub(crate) without_value: BTreeMap<ResourceName, String>,
    /// The names of all resources, also of those with something wrong in them.
    pub(crate) named: Named,
    pub(crate) limits: Limits,
    pub(crate) ceiling: Limits,
    pub(crate) time_zone: String,
    /// Which signatures plugins need; none where that cannot be made out for sure.
    pub(crate) signatures: Option<SignaturePolicy>,
    /// Whether there was nothing wrong in it.
    pub(crate) sound: bool,
    pub(crate) document: Document,
}

/// The names of all resources of a kind.
#[derive(Debug, Default)]
pub(crate) struct Named {
    pub(crate) databases: BTreeSet<String>,
    pub(crate) directories: BTreeSet<String>,
    pub(crate) network: BTreeSet<String>,
    pub(crate) commands: BTreeSet<String>,
    pub(crate) secrets: BTreeSet<String>,
    /// The stems of the procedures' files.
    pub(crate) procedures: BTreeSet<String>,
    /// Whether there may be others that could not be made out.
    pub(crate) incomplete: bool,
}

impl Host {
    /// Validates the host's file; what is wrong with it is told.
    pub(crate) fn read(inputs: &Inputs, diagnostics: &mut Vec<Diagnostic>) -> Self {
        let text = inputs.host.clone().unwrap_or_default();
        let source = Source::new(as_written(&inputs.host_file()), text);
        let (document, mut found) = Document::parse(source);
        let from_environment = |value: &mut Value, found: &mut Vec<Diagnostic>| {
            environment::fill(value, &Location::new(), &document, found);
        };
        let file: HostFile = raw::read(&SHAPE, &document, from_environment, &mut found);
        let mut reading = Reading {
            folder: &inputs.folder,
            document: &document,
            diagnostics: &mut found,
        };
        let mut settings = reading.settings(&file);
        let time_zone = reading.time_zone(&file);
        let signatures = reading.signatures(&file).filter(|_| inputs.host.is_some());
        let resources = Resources {
            procedures: inputs
                .procedures
                .keys()
                .filter_map(|stem| stem.parse().ok())
                .collect(),
            ..reading.resources(&file)
        };
        settings.audit = reading.audit(&file, &resources);
        reading.secrets_of_commands(&resources);
        reading.commands_of_secrets(&resources);
        let key_is_named = file.host.as_ref().is_some_and(|host| host.key_file.is_some());
        let has_key = reading.host_key(&settings.key_file, key_is_named);
        let (limits, ceiling) = reading.limits(file.limits.as_ref());
        places::check(&file, &settings, &resources, &document, &mut found);
        programs::check(&resources, &document, &mut found);
        let without_value = stores::check(&resources, has_key, &document, &mut found);
        let sound = inputs.host.is_some() && !has_errors(&found);
        diagnostics.append(&mut found);
        Self {
            named: Named {
                incomplete: inputs.host.is_none() || !document.is_whole(),
                procedures: inputs.procedures.keys().cloned().collect(),
                ..Named::of(&document)
            },
            settings,
            resources,
            without_value,
            limits,
            ceiling,
            time_zone,
            signatures,
            sound,
            document,
        }
    }
}

impl Named {
    fn of(document: &Document) -> Self {
        let names = |table: &str| -> BTreeSet<String> {
            let table = document.value.get(table).and_then(|table| table.as_object());
            table
                .into_iter()
                .flat_map(|table| table.keys().cloned())
                .collect()
        };
        Self {
            databases: names("databases"),
            directories: names("directories"),
            network: names("network"),
            commands: names("commands"),
            secrets: names("secrets"),
            procedures: BTreeSet::new(),
            incomplete: false,
        }
    }
}

/// One pass over the file.
struct Reading<'a> {
    folder: &'a Path,
    document: &'a Document,
    diagnostics: &'a mut Vec<Diagnostic>,
}

impl Reading<'_> {
    fn settings(&mut self, file: &HostFile) -> HostSettings {
        let host = file.host.as_ref();
        let data_directory =
            data_directory(self.folder, host.and_then(|host| host.data_directory.as_deref()));
        let scratch = host.and_then(|host| host.scratch_directory.as_deref());
        let certificates = file
            .egress
            .iter()
            .flat_map(|egress| egress.ca_files.iter().flatten());
        HostSettings {
            scratch_directory: scratch.map_or_else(
                || data_directory.join(SCRATCH_DIRECTORY),
                |path| path::from(self.folder, path),
            ),
            data_directory,
            key_file: path::from(
                self.folder,
                host.and_then(|host| host.key_file.as_deref()).unwrap_or(KEY_FILE),
            ),
            runs_at_once_max: host
                .and_then(|host| host.runs_at_once_max)
                .unwrap_or(RUNS_AT_ONCE_MAX),
            ca_files: certificates.map(|path| path::from(self.folder, path)).collect(),
            resolver: self.resolver(file.egress.as_ref()),
            roles: self.roles(file),
            audit: AuditSettings::default(),
            retention: retention::read(
                file.history.as_ref(),
                Retention::default(),
                self.document,
                self.diagnostics,
            ),
        }
    }

    fn time_zone(&mut self, file: &HostFile) -> String {
        let Some(name) = file.host.as_ref().and_then(|host| host.time_zone.clone()) else {
            return TIME_ZONE.to_owned();
        };
        if TimeZone::get(&name).is_ok() {
            return name;
        }
        let place = at(["host", "time_zone"]);
        self.push(crate::zone::unknown(self.document, &place));
        TIME_ZONE.to_owned()
    }

    fn limits(&mut self, table: Option<&LimitsTable>) -> (Limits, Limits) {
        let (document, place) = (self.document, at(["limits"]));
        let limits = limits::read(table, Limits::default(), document, &place, self.diagnostics);
        let written: Option<LimitsTable> = table
            .and_then(|table| table.0.get("ceiling"))
            .and_then(|ceiling| serde_json::from_value(ceiling.clone()).ok());
        let (base, inner) = (limits.clone(), place.join("ceiling"));
        let ceiling = limits::read(written.as_ref(), base, document, &inner, self.diagnostics);
        let too_high = limits::check_ceiling(table, &limits, &ceiling, document, &place);
        self.diagnostics.extend(too_high);
        let too_low = limits::check_defaults(table, &limits, &ceiling, document, &inner);
        self.diagnostics.extend(too_low);
        (limits, ceiling)
    }

    fn error(&mut self, place: &Location, message: impl Into<String>, hint: &str) {
        self.push(self.document.error(place, message).hint(hint));
    }

    /// Where a placeholder could not be filled in, nothing more is said.
    fn push(&mut self, diagnostic: Diagnostic) {
        if !self.diagnostics.iter().any(|one| one.place == diagnostic.place) {
            self.diagnostics.push(diagnostic);
        }
    }
}

fn data_directory(folder: &Path, written: Option<&str>) -> PathBuf {
    path::from(folder, written.unwrap_or(DATA_DIRECTORY))
}
