//! Finds the file behind the name of a database: one that is granted, or a scratch of the run.

use crate::gate::Gate;
use crate::pretended::Pretended;
use crate::scratch::Scratches;
use crate::sql::SessionProgram;
use sopwith_core::failure::{Blame, Failure, FailureKind};
use sopwith_core::grant::{Access, Wanted};
use sopwith_core::name::ResourceName;
use sopwith_core::port::capabilities::Answer;
use sopwith_core::resource::Database;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

/// A database that may be used.
#[derive(Debug, Clone)]
pub(crate) struct DatabaseFile {
    /// As the plugin calls it.
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    /// In lower case, as SQLite compares names.
    pub(crate) write_tables: BTreeSet<String>,
    /// How large it may become; only of a scratch.
    pub(crate) bytes_max: Option<u64>,
}

impl DatabaseFile {
    pub(crate) fn is_scratch(&self) -> bool {
        self.bytes_max.is_some()
    }

    /// As operators call it.
    pub(crate) fn resource(&self) -> String {
        if self.is_scratch() {
            self.name.clone()
        } else {
            format!("databases.{}", self.name)
        }
    }

    /// Fails unless there is a file that could be a database. The file is only looked at: to
    /// open and close it would take away the locks of every connection of this process to it.
    pub(crate) fn check_file(&self) -> Answer<u64> {
        let metadata = std::fs::metadata(&self.path).map_err(|error| {
            let failure = crate::trouble::file_failure(&error, &format!("open the database `{}`", self.name));
            failure.with("resource", self.resource())
        })?;
        if !metadata.is_file() || metadata.len() == 0 {
            let empty = if metadata.is_file() { ": it is empty" } else { "" };
            let mut failure = crate::sql::not_a_database(&self.name);
            failure.message.push_str(empty);
            return Err(failure);
        }
        Ok(metadata.len())
    }
}

/// Where the databases of runs lie, and what carries out sessions.
pub(crate) struct Workplace {
    pub(crate) scratch_directory: PathBuf,
    pub(crate) program: SessionProgram,
}

/// All databases that an attempt may use.
pub(crate) struct Databases {
    pub(crate) gate: Arc<Gate>,
    pub(crate) program: SessionProgram,
    pub(crate) scratches: Scratches,
    pub(crate) pretended: Arc<Pretended>,
    /// Those of the run that called this one.
    lent: BTreeMap<String, PathBuf>,
}

impl Databases {
    pub(crate) fn new(gate: Arc<Gate>, workplace: &Workplace, pretended: Arc<Pretended>) -> Self {
        let attempt = gate.attempt();
        let (directory, max) = (&workplace.scratch_directory, attempt.limits.scratch_bytes);
        let lent = attempt.lent.iter().map(|(name, (run, number))| {
            let path = Scratches::of_run(directory, *run, max).file(*number);
            (name.clone(), path)
        });
        Self {
            lent: lent.collect(),
            scratches: Scratches::of_run(directory, attempt.run.id(), max),
            program: workplace.program.clone(),
            pretended,
            gate,
        }
    }

    /// Fails unless something may be done with a database.
    pub(crate) fn check_granted(&self, name: &str, call: &str) -> Answer<()> {
        if self.lent.contains_key(name) {
            return Ok(());
        }
        match name.strip_prefix("scratch:") {
            Some(number) => self.find_scratch(name, number).map(drop),
            None => self.gate.allow(&Wanted::database(name, Access::Read), call),
        }
    }

    /// The number of a scratch database of this run.
    pub(crate) fn scratch_number(&self, name: &str) -> Answer<u32> {
        let number = name.strip_prefix("scratch:").unwrap_or(name);
        self.find_scratch(name, number)?;
        number
            .parse()
            .map_err(|_| Failure::invalid(format!("`{name}` is no scratch database")))
    }

    /// The file of a database that may be used in this way.
    pub(crate) fn find(&self, name: &str, access: Access, call: &str) -> Answer<DatabaseFile> {
        if let Some(path) = self.lent.get(name) {
            return Ok(DatabaseFile {
                bytes_max: Some(self.scratches.room_for(path)),
                name: name.to_owned(),
                path: path.clone(),
                write_tables: BTreeSet::new(),
            });
        }
        if let Some(number) = name.strip_prefix("scratch:") {
            return self.find_scratch(name, number);
        }
        let reads = access == Access::Read;
        self.gate.allow(&Wanted::database(name, access), call)?;
        if reads {
            self.pretended.check(&format!("databases.{name}"))?;
        }
        let attempt = self.gate.attempt();
        let unknown = || {
            Failure::new(
                FailureKind::NotFound,
                Blame::Operator,
                format!("there is no database `{name}`"),
            )
        };
        let resource: ResourceName = name.parse().map_err(|_| unknown())?;
        let Database::Sqlite(path) = attempt.resources.databases.get(&resource).ok_or_else(unknown)?;
        let grant = attempt.grants.databases.get(&resource);
        Ok(DatabaseFile {
            name: name.to_owned(),
            path: path.clone(),
            write_tables: grant
                .map(|grant| {
                    grant
                        .write_tables
                        .iter()
                        .map(|table| table.to_ascii_lowercase())
                        .collect()
                })
                .unwrap_or_default(),
            bytes_max: None,
        })
    }

    /// Takes into account what scratch databases take now.
    pub(crate) fn measure_scratches(&self) {
        self.gate.meter().scratch_bytes.most(self.scratches.bytes());
    }

    fn find_scratch(&self, name: &str, number: &str) -> Answer<DatabaseFile> {
        let path = self.scratches.path(number)?;
        Ok(DatabaseFile {
            bytes_max: Some(self.scratches.room_for(&path)),
            name: name.to_owned(),
            path,
            write_tables: BTreeSet::new(),
        })
    }
}
