//! Validates a procedure's file, as far as that can be done without its plugin.

mod calendar;
mod gates;
mod grants;
mod policy;
mod schedules;
mod untimed;
mod when;

pub(crate) use schedules::WrittenSchedule;

use crate::diagnostic::{Diagnostic, has_errors};
use crate::document::{Document, Location, Part, at};
use crate::host::Host;
use crate::limits;
use crate::path::as_written;
use crate::quantity;
use crate::raw::{self, ProcedureFile, RetryOn};
use crate::retention;
use crate::shape::Shape;
use crate::source::Source;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use sopwith_core::approval::Gate;
use sopwith_core::digest::Digest;
use sopwith_core::grant::{Grants, ResourceKind};
use sopwith_core::limits::Limits;
use sopwith_core::lock::LockName;
use sopwith_core::name::{ActionName, GateName, PluginName, ProcedureName};
use sopwith_core::retention::Retention;
use sopwith_core::retry::Retry;
use sopwith_core::run::AttemptEnd;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::str::FromStr;
use std::sync::LazyLock;

const RESUME_MAX: u32 = 3;

static SHAPE: LazyLock<Shape> = LazyLock::new(raw::own_shape::<ProcedureFile>);

/// A procedure's file, validated; of what is wrong in it, the default.
#[derive(Debug)]
pub(crate) struct Definition {
    pub(crate) document: Document,
    pub(crate) name: ProcedureName,
    pub(crate) summary: Option<String>,
    pub(crate) owner: Option<String>,
    pub(crate) version: Option<u32>,
    pub(crate) plugin: PluginName,
    pub(crate) pin: Option<Digest>,
    pub(crate) action: Option<ActionName>,
    pub(crate) schedules: Vec<WrittenSchedule>,
    pub(crate) grants: Grants,
    pub(crate) action_grants: BTreeMap<ActionName, Grants>,
    pub(crate) settings: Map<String, Value>,
    pub(crate) limits: Limits,
    pub(crate) retry: Retry,
    pub(crate) resume_max: u32,
    pub(crate) pause_after_failures: Option<u32>,
    pub(crate) locks: Option<BTreeSet<LockName>>,
    pub(crate) gates: BTreeMap<GateName, Gate>,
    pub(crate) retention: Retention,
    pub(crate) revision: Digest,
    /// When it was read: what is still to come depends on it.
    pub(crate) read_at: Timestamp,
    /// Whether there was nothing wrong in it.
    pub(crate) sound: bool,
}

/// Validates the text of a procedure's file. There is none if it does not even name a plugin.
pub(crate) fn read(
    stem: &str,
    path: &Path,
    text: &str,
    host: &Host,
    now: Timestamp,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Definition> {
    let (document, mut found) = Document::parse(Source::new(as_written(path), text));
    let file: ProcedureFile = raw::read(&SHAPE, &document, |_, _| {}, &mut found);
    let name = stem
        .parse()
        .inspect_err(|error: &sopwith_core::name::InvalidName| {
            let problem = Diagnostic::about(document.path(), error.to_string());
            found.push(problem.hint("the name of a procedure is that of its file; rename it"));
        });
    let mut reading = Reading {
        stem,
        document: &document,
        host,
        now,
        diagnostics: found,
    };
    let parts = reading.parts(&file);
    let found = reading.diagnostics;
    let sound = !has_errors(&found);
    diagnostics.extend(found);
    let (name, plugin) = (name.ok()?, parts.plugin?);
    Some(Definition {
        name,
        summary: file.summary,
        owner: file.owner,
        version: file.version,
        plugin,
        pin: parts.pin,
        action: parts.action,
        schedules: parts.schedules,
        grants: parts.grants,
        action_grants: parts.action_grants,
        settings: file.settings.unwrap_or_default(),
        limits: parts.limits.clone(),
        retry: parts.retry,
        resume_max: file.resume_max.unwrap_or(RESUME_MAX),
        pause_after_failures: file.pause_after_failures,
        locks: parts.locks,
        gates: parts.gates,
        retention: parts.retention,
        revision: revision(&document, &parts.limits, host),
        read_at: now,
        sound,
        document,
    })
}

/// What of a file has to be more than the right shape.
struct Parts {
    plugin: Option<PluginName>,
    pin: Option<Digest>,
    action: Option<ActionName>,
    schedules: Vec<WrittenSchedule>,
    grants: Grants,
    action_grants: BTreeMap<ActionName, Grants>,
    limits: Limits,
    retry: Retry,
    locks: Option<BTreeSet<LockName>>,
    gates: BTreeMap<GateName, Gate>,
    retention: Retention,
}

/// The digest of what the operator wrote and of the defaults that hold for it; comments and the
/// order of lines are no part of it.
fn revision(document: &Document, limits: &Limits, host: &Host) -> Digest {
    let definition = json!({
        "written": document.value,
        "limits": limits,
        "time_zone": host.time_zone,
    });
    let canonical = serde_json_canonicalizer::to_vec(&definition);
    Digest::of(canonical.unwrap_or_default())
}

/// One pass over the file.
struct Reading<'a> {
    /// The stem of the file, which is the procedure's name.
    stem: &'a str,
    document: &'a Document,
    host: &'a Host,
    now: Timestamp,
    diagnostics: Vec<Diagnostic>,
}

impl Reading<'_> {
    fn parts(&mut self, file: &ProcedureFile) -> Parts {
        self.review(file.review_by.as_deref());
        let none = raw::Grants::default();
        let grants = file.grants.as_ref().unwrap_or(&none);
        Parts {
            plugin: self.named(&at(["plugin"]), file.plugin.as_deref()),
            pin: self.named(&at(["plugin_sha256"]), file.plugin_sha256.as_deref()),
            action: self.named(&at(["action"]), file.action.as_deref()),
            schedules: self.schedules(file.schedule.as_deref().unwrap_or_default()),
            grants: self.grants(grants, &at(["grants"])),
            action_grants: self.action_grants(file),
            limits: self.limits(file),
            retry: self.retry(file.retry.as_ref()),
            gates: self.gates(file),
            locks: file.locks.as_deref().map(|locks| self.locks(locks)),
            retention: retention::read(
                file.history.as_ref(),
                self.host.settings.retention,
                self.document,
                &mut self.diagnostics,
            ),
        }
    }

    fn named<Name: FromStr<Err: std::fmt::Display>>(
        &mut self,
        place: &Location,
        text: Option<&str>,
    ) -> Option<Name> {
        match text?.parse() {
            Ok(name) => Some(name),
            Err(error) => {
                let error = self.document.error(place, Name::Err::to_string(&error));
                self.diagnostics.push(error);
                None
            }
        }
    }

    fn action_grants(&mut self, file: &ProcedureFile) -> BTreeMap<ActionName, Grants> {
        let mut all = BTreeMap::new();
        for (action, part) in file.actions.iter().flatten() {
            let place = at(["actions", action]);
            let name = self.named::<ActionName>(&place, Some(action));
            if let (Some(name), Some(grants)) = (name, &part.grants) {
                all.insert(name, self.grants(grants, &place.join("grants")));
            }
        }
        all
    }

    fn limits(&mut self, file: &ProcedureFile) -> Limits {
        let (table, base) = (file.limits.as_ref(), self.host.limits.clone());
        let (document, place) = (self.document, at(["limits"]));
        let limits = limits::read(table, base, document, &place, &mut self.diagnostics);
        let ceiling = &self.host.ceiling;
        let too_high = limits::check_ceiling(table, &limits, ceiling, document, &place);
        self.diagnostics.extend(too_high);
        limits
    }

    fn retry(&mut self, written: Option<&raw::Retry>) -> Retry {
        let mut retry = Retry::default();
        let Some(written) = written else { return retry };
        retry.max = written.max.unwrap_or_default();
        if let Some(on) = &written.on {
            retry.on = on.iter().copied().map(attempt_end).collect();
        }
        let times = [
            ("backoff", &written.backoff, &mut retry.backoff),
            ("backoff_max", &written.backoff_max, &mut retry.backoff_max),
        ];
        for (key, text, field) in times {
            let Some(text) = text else { continue };
            let read = quantity::time(text).map(SignedDuration::try_from);
            if let Ok(Ok(time)) = read {
                *field = time;
                continue;
            }
            let message = format!("`{text}` is not a time with its unit");
            let error = self.document.error(&at(["retry", key]), message);
            self.diagnostics
                .push(error.hint(format!("write it like:  {key} = \"30s\"")));
        }
        retry
    }

    fn locks(&mut self, written: &[String]) -> BTreeSet<LockName> {
        let mut locks = BTreeSet::new();
        for (index, text) in written.iter().enumerate() {
            let place = at(["locks"]).join(index);
            let Some(lock) = self.named(&place, Some(text)) else {
                continue;
            };
            let resource = text.split_once('.');
            let resource = resource.and_then(|(kind, name)| Some((kind_of(kind)?, name)));
            if let Some((kind, name)) = resource {
                self.resource(kind, name, &place, Part::Value);
            }
            locks.insert(lock);
        }
        locks
    }

    fn review(&mut self, written: Option<&str>) {
        let Some(written) = written else { return };
        let place = at(["review_by"]);
        let Ok(date) = written.parse::<Date>() else {
            let error = self.document.error(&place, format!("`{written}` is not a date"));
            self.diagnostics
                .push(error.hint("write it like:  review_by = 2027-05-01"));
            return;
        };
        let zone = jiff::tz::TimeZone::get(&self.host.time_zone).unwrap_or(jiff::tz::TimeZone::UTC);
        if date < self.now.to_zoned(zone).date() {
            let warning = self
                .document
                .warning(&place, format!("this procedure was to be looked at by {date}"));
            self.diagnostics
                .push(warning.hint("look at it, and set a new date"));
        }
    }
}

fn kind_of(word: &str) -> Option<ResourceKind> {
    let kinds = [
        ResourceKind::Databases,
        ResourceKind::Directories,
        ResourceKind::Network,
    ];
    kinds.into_iter().find(|kind| kind.to_string() == word)
}

fn attempt_end(end: RetryOn) -> AttemptEnd {
    match end {
        RetryOn::Failed => AttemptEnd::Failed,
        RetryOn::TimedOut => AttemptEnd::TimedOut,
        RetryOn::Lost => AttemptEnd::Lost,
    }
}
