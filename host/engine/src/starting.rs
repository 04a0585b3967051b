//! Runs that schedules start without an instant of their own: after another run, and on an event.

use crate::engine::Engine;
use crate::watch::{all_schedules, find};
use jiff::Timestamp;
use serde_json::Value;
use sopwith_core::actor::Actor;
use sopwith_core::audit::AuditRecord;
use sopwith_core::failure::{Blame, Failure, FailureKind};
use sopwith_core::generation::{Generation, ReadyProcedure};
use sopwith_core::name::EventName;
use sopwith_core::port::operations::Triggered;
use sopwith_core::port::{Follower, NoRun, Owed, ScheduleRow, Start, Started, Stored};
use sopwith_core::run::{Queued, Run, Trigger};
use sopwith_core::schedule::{CatchUp, Schedule, When};

impl Engine {
    /// Starts what follows on the runs that have ended.
    pub(crate) async fn start_what_is_owed(
        &self,
        generation: &Generation,
        present_since: Timestamp,
    ) -> Stored<()> {
        for owed in self.store().owed().await? {
            let run = self.store().run(owed.run).await?;
            let found = wanted(generation, &owed);
            let (Some((ready, schedule)), Some(run)) = (found, run) else {
                self.store().forget_owed(owed, self.now()).await?;
                continue;
            };
            let ended_at = run.ended_at.unwrap_or(run.queued.queued_at);
            let trigger = Trigger::After {
                schedule: owed.schedule.clone(),
                run: owed.run,
                nominal_at: ended_at,
                on_behalf_of: requester(&run),
            };
            let inputs = schedule.inputs.clone();
            let queued = self.started_by(ready, schedule, inputs, trigger, Actor::Schedule);
            let was_missed = schedule.catch_up == CatchUp::None && ended_at < present_since;
            let missed = was_missed.then_some(NoRun::Downtime);
            self.start(schedule, queued, Some(owed), missed).await?;
        }
        Ok(())
    }

    /// Starts each schedule that names this event; the inputs are added to those of each schedule.
    pub async fn trigger(
        &self,
        event: &EventName,
        inputs: Value,
        by: Actor,
    ) -> Result<Vec<Triggered>, Failure> {
        let generation = self.generation();
        let named = all_schedules(&generation).filter(|(_, one)| one.when == When::Event(event.clone()));
        let mut starts = Vec::new();
        for (ready, schedule) in named {
            let trigger = Trigger::Event {
                schedule: schedule.name.clone(),
                event: event.clone(),
                nominal_at: self.now(),
            };
            let inputs = self.checked_inputs(ready, &schedule.action, merged(&schedule.inputs, &inputs))?;
            starts.push((
                schedule,
                self.started_by(ready, schedule, inputs, trigger, by.clone()),
            ));
        }
        if starts.is_empty() {
            return Err(unknown(&generation, event));
        }
        let told = AuditRecord {
            at: self.now(),
            actor: by,
            action: "event.triggered".to_owned(),
            object: format!("event:{event}"),
            revision: Some(generation.digest),
            payload: serde_json::json!({ "schedules": starts.len() }),
        };
        self.store().audit(told).await?;
        let mut all = Vec::new();
        for (schedule, queued) in starts {
            let procedure = queued.procedure.clone();
            let (run, skipped) = match self.start(schedule, queued, None, None).await? {
                Started::Run { run, .. } => (Some(*run), None),
                Started::Skipped(reason) => (None, Some(reason)),
                Started::Settled => (None, None),
            };
            all.push(Triggered {
                procedure,
                schedule: schedule.name.clone(),
                run,
                skipped,
            });
        }
        Ok(all)
    }

    fn started_by(
        &self,
        ready: &ReadyProcedure,
        schedule: &Schedule,
        inputs: Value,
        trigger: Trigger,
        by: Actor,
    ) -> Queued {
        let start_by = trigger.nominal_at().and_then(|at| schedule.start_by(at));
        Queued {
            start_by,
            ..self.queued(ready, schedule.action.clone(), inputs, trigger, by, false)
        }
    }

    async fn start(
        &self,
        schedule: &Schedule,
        queued: Queued,
        owed: Option<Owed>,
        missed: Option<NoRun>,
    ) -> Stored<Started> {
        let at = self.now();
        let is_late = queued.start_by.is_some_and(|start_by| at > start_by);
        let closed = schedule.closed(at).map(NoRun::from);
        let start = Start {
            queued,
            owed,
            overlap: schedule.overlap,
            skip: missed.or(closed).or(is_late.then_some(NoRun::Deadline)),
            at,
        };
        let started = self.store().start(start).await?;
        if let Started::Run { run, replaced } = &started {
            self.take_in(std::slice::from_ref(run), replaced).await;
        }
        Ok(started)
    }
}

/// Which schedules follow on the runs of what.
pub(crate) fn followers(generation: &Generation) -> Vec<Follower> {
    let followers = all_schedules(generation).filter_map(|(ready, schedule)| {
        let When::After(after) = &schedule.when else {
            return None;
        };
        let followed = generation.procedures.get(&after.procedure)?;
        let default = &followed.procedure.action;
        Some(Follower {
            procedure: ready.procedure.name.clone(),
            schedule: schedule.name.clone(),
            of_procedure: after.procedure.clone(),
            of_action: after.action.as_ref().unwrap_or(default).clone(),
            passed: after.on.passed(),
        })
    });
    followers.collect()
}

/// The schedule to which something is owed, if it still follows on anything.
fn wanted<'a>(generation: &'a Generation, owed: &Owed) -> Option<(&'a ReadyProcedure, &'a Schedule)> {
    let row = ScheduleRow {
        procedure: owed.procedure.clone(),
        schedule: owed.schedule.clone(),
        revision: generation.digest,
        cursor: Timestamp::MIN,
    };
    let (ready, schedule) = find(generation, &row)?;
    matches!(schedule.when, When::After(_)).then_some((ready, schedule))
}

/// Who wanted a run, where that was a person.
fn requester(run: &Run) -> Option<Box<Actor>> {
    let person = run.queued.requester();
    matches!(person, Actor::User { .. }).then(|| Box::new(person.clone()))
}

fn merged(inputs: &Value, more: &Value) -> Value {
    let mut merged = inputs.clone();
    if let (Value::Object(merged), Value::Object(more)) = (&mut merged, more) {
        merged.extend(more.clone());
        return Value::Object(std::mem::take(merged));
    }
    if merged.is_null() { more.clone() } else { merged }
}

fn unknown(generation: &Generation, event: &EventName) -> Failure {
    let message = format!("no schedule starts on the event `{event}`");
    let refused = Failure::new(FailureKind::NotFound, Blame::Operator, message);
    let mut events: Vec<_> = all_schedules(generation)
        .filter_map(|(_, schedule)| match &schedule.when {
            When::Event(known) => Some(known.as_str()),
            _ => None,
        })
        .collect();
    events.sort_unstable();
    events.dedup();
    match crate::submission::nearest(event.as_str(), events.iter().copied()) {
        Some(nearest) => refused.hint(format!("did you mean `{nearest}`?")),
        None if events.is_empty() => refused.hint(format!("name it in a [[schedule]]:  event = \"{event}\"")),
        None => refused.hint(format!("the events are {}", events.join(", "))),
    }
}

/// Whether any schedule follows on another procedure.
pub(crate) fn has_followers(generation: &Generation) -> bool {
    all_schedules(generation).any(|(_, schedule)| matches!(schedule.when, When::After(_)))
}
