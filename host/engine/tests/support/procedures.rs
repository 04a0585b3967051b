//! Procedures as operators would write them.

use jiff::SignedDuration;
use serde_json::Value;
use sopwith_core::digest::Digest;
use sopwith_core::grant::{Access, DatabaseGrant, Grants};
use sopwith_core::limits::Limits;
use sopwith_core::procedure::Procedure;
use sopwith_core::retention::Retention;
use sopwith_core::retry::Retry;
use sopwith_core::schedule::{CatchUp, Cron, CronFields, Schedule, When};
use std::collections::BTreeMap;
use std::time::Duration;

/// A procedure whose default action is this one; it starts when somebody asks for it.
pub(crate) fn procedure(name: &str, action: &str) -> Procedure {
    Procedure {
        name: name.parse().unwrap(),
        file: format!("procedures/{name}.toml").into(),
        summary: String::new(),
        owner: None,
        version: None,
        plugin: "scripted".parse().unwrap(),
        plugin_pinned: None,
        action: action.parse().unwrap(),
        schedules: Vec::new(),
        grants: Grants::default(),
        action_grants: BTreeMap::new(),
        settings: Value::Null,
        limits: Limits {
            timeout: Duration::from_mins(2),
            ..Limits::default()
        },
        retry: Retry::default(),
        resume_max: 3,
        locks: None,
        retention: Retention::default(),
        revision: Digest::of(name),
    }
}

/// The same on a schedule called `tick`.
pub(crate) fn scheduled(name: &str, action: &str, line: &str, catch_up: CatchUp) -> Procedure {
    let mut procedure = procedure(name, action);
    procedure.schedules.push(Schedule {
        name: "tick".parse().unwrap(),
        action: action.parse().unwrap(),
        inputs: Value::Null,
        when: When::Cron(Box::new(Cron::parse(line, CronFields::Five, "UTC").unwrap())),
        catch_up,
    });
    procedure
}

/// The same with so many retries, ten seconds apart at first.
pub(crate) fn retried(mut procedure: Procedure, max: u32) -> Procedure {
    procedure.retry = Retry {
        max,
        backoff: SignedDuration::from_secs(10),
        backoff_max: SignedDuration::from_secs(60),
        ..Retry::default()
    };
    procedure
}

/// The same with a grant for the database `app`.
pub(crate) fn using_app(mut procedure: Procedure, access: &Access) -> Procedure {
    let grant = DatabaseGrant::new(access, ["account".to_owned()]);
    procedure.grants.databases.insert("app".parse().unwrap(), grant);
    procedure
}
