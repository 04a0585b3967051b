//! Procedures as operators would write them.

use jiff::SignedDuration;
use jiff::tz::TimeZone;
use serde_json::Value;
use sopwith_core::approval::Gate;
use sopwith_core::digest::Digest;
use sopwith_core::grant::{Access, DatabaseGrant, Grants};
use sopwith_core::limits::Limits;
use sopwith_core::procedure::Procedure;
use sopwith_core::retention::Retention;
use sopwith_core::retry::Retry;
use sopwith_core::role::Role;
use sopwith_core::schedule::{At, CatchUp, Cron, CronFields, Overlap, Schedule, When};
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
        pause_after_failures: None,
        locks: None,
        gates: BTreeMap::new(),
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
        overlap: Overlap::Forbid,
        jitter: SignedDuration::ZERO,
        deadline: None,
        calendar: None,
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

/// The same with a grant to call another one.
pub(crate) fn calling(mut procedure: Procedure, called: &str) -> Procedure {
    procedure.grants.procedures.insert(called.parse().unwrap());
    procedure
}

/// The same with a gate that so many approvers open, within an hour.
pub(crate) fn gated(mut procedure: Procedure, gate: &str, count: u32) -> Procedure {
    let rule = Gate {
        role: Role::Approver,
        count,
        expires: SignedDuration::from_hours(1),
    };
    procedure.gates.insert(gate.parse().unwrap(), rule);
    procedure.revision = Digest::of(format!("{}{gate}{count}", procedure.name));
    procedure
}

/// The same with a grant for the database `app`.
pub(crate) fn using_app(mut procedure: Procedure, access: &Access) -> Procedure {
    let grant = DatabaseGrant::new(access, ["account".to_owned()]);
    procedure.grants.databases.insert("app".parse().unwrap(), grant);
    procedure
}

/// The same every minute, with a schedule that is changed in some way.
pub(crate) fn every_minute(name: &str, action: &str, change: impl FnOnce(&mut Schedule)) -> Procedure {
    let mut procedure = scheduled(name, action, "* * * * *", CatchUp::Latest);
    change(&mut procedure.schedules[0]);
    procedure
}

/// The same with any number of runs at once, by a schedule without an instant.
pub(crate) fn often_at_once(mut procedure: Procedure) -> Procedure {
    let action = procedure.action.to_string();
    let mut many = scheduled("other", &action, "* * * * *", CatchUp::Latest).schedules;
    for schedule in &mut many {
        schedule.when = When::At(At::parse([], &TimeZone::UTC).unwrap());
        schedule.overlap = Overlap::Allow { max: 64 };
    }
    procedure.schedules.extend(many);
    procedure
}
