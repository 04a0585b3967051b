//! Pauses: by people, and after failures in a row.

use crate::due::{Deciding, Due};
use crate::engine::Engine;
use crate::watch::{find, paused_since, revision};
use sopwith_core::actor::Actor;
use sopwith_core::failure::{Blame, Failure, FailureKind};
use sopwith_core::generation::Generation;
use sopwith_core::port::{Claim, FailuresInARow, Pause, PauseScope, Stored};
use sopwith_core::schedule::Overlap;

impl Engine {
    /// Holds ticks off from now on; where it is the whole host, nothing starts any more.
    pub async fn pause(
        &self,
        scope: PauseScope,
        reason: Option<String>,
        by: Actor,
    ) -> Result<Pause, Failure> {
        self.must_be_there(&scope)?;
        let pause = Pause {
            scope,
            since: self.now(),
            by,
            reason,
        };
        if !self.store().pause(pause.clone()).await? {
            let known = self.store().pauses().await?;
            let since = known.into_iter().find(|other| other.scope == pause.scope);
            let since = since.map_or_else(String::new, |other| {
                format!(" since {}, by {}", other.since, other.by)
            });
            return Err(conflict(format!("{} is paused already{since}", pause.scope)));
        }
        self.read_pauses().await?;
        self.call_attention();
        Ok(pause)
    }

    /// Lets ticks run again from now on. Those that passed meanwhile are skipped, and so recorded.
    pub async fn resume(&self, scope: &PauseScope, by: &Actor) -> Result<Vec<Pause>, Failure> {
        self.pass_over_what_was_paused(scope).await?;
        let ended = self.store().resume(scope, by, self.now()).await?;
        let left = self.read_pauses().await?;
        if ended.is_empty() {
            let refused = conflict(format!("{scope} is not paused"));
            let wider = left.iter().find(|pause| pause.scope.contains(scope));
            return Err(match wider {
                Some(wider) if wider.scope == PauseScope::HOST => {
                    refused.hint("the whole host is: `sopwith resume --all`")
                }
                Some(wider) => refused.hint(format!("{} is", wider.scope)),
                None => refused,
            });
        }
        self.call_attention();
        self.start_what_can();
        Ok(ended)
    }

    /// Pauses each action that has failed as often in a row as its procedure says.
    pub(crate) async fn pause_what_fails(&self, generation: &Generation) -> Stored<()> {
        let procedures = &generation.procedures;
        if procedures
            .values()
            .all(|ready| ready.procedure.pause_after_failures.is_none())
        {
            return Ok(());
        }
        for FailuresInARow {
            procedure,
            action,
            count,
        } in self.store().failures_in_a_row().await?
        {
            let ready = procedures.get(&procedure);
            let most = ready.and_then(|ready| ready.procedure.pause_after_failures);
            let is_paused = self.pauses().iter().any(|pause| {
                pause.scope.procedure.as_ref() == Some(&procedure) && pause.scope.covers(&procedure, &action)
            });
            if is_paused || most.is_none_or(|most| count < most) {
                continue;
            }
            let reason = format!("{count} runs in a row failed");
            tracing::error!(%procedure, %action, failures = count, "paused: {reason}; `sopwith resume {procedure}` lets it run again");
            let pause = Pause {
                scope: PauseScope {
                    procedure: Some(procedure),
                    action: Some(action),
                },
                since: self.now(),
                by: Actor::Host,
                reason: Some(reason),
            };
            self.store().pause(pause).await?;
            self.read_pauses().await?;
        }
        Ok(())
    }

    /// Somebody may resume what was paused a month ago, with a host that was down meanwhile.
    async fn pass_over_what_was_paused(&self, scope: &PauseScope) -> Stored<()> {
        let generation = self.generation();
        let pauses = self.store().pauses().await?;
        for row in self.store().schedules().await? {
            let Some((_, schedule)) = find(&generation, &row) else {
                continue;
            };
            let since = paused_since(&pauses, &row, schedule);
            if since.is_none()
                || revision(schedule) != row.revision
                || !scope.covers(&row.procedure, &schedule.action)
            {
                continue;
            }
            let now = self.now();
            let deciding = Deciding {
                procedure: &row.procedure,
                schedule,
                now,
                present_since: self.up_since(),
                paused_since: since,
            };
            let Some(Due { ranges, newest, .. }) = deciding.due(row.cursor) else {
                continue;
            };
            let claim = Claim {
                seen: row,
                cursor: newest,
                runs: Vec::new(),
                overlap: Overlap::Forbid,
                ranges,
                at: now,
            };
            // Where somebody else was faster, it is done.
            self.store().claim(claim).await?;
        }
        Ok(())
    }

    fn must_be_there(&self, scope: &PauseScope) -> Result<(), Failure> {
        let Some(name) = &scope.procedure else {
            return Ok(());
        };
        let generation = self.generation();
        let not_found = |message| Failure::new(FailureKind::NotFound, Blame::Operator, message);
        let Some(ready) = generation.procedures.get(name) else {
            let refused = not_found(format!("there is no procedure `{name}`"));
            return Err(refused.hint("`sopwith status` lists them"));
        };
        let actions = &ready.plugin.manifest().actions;
        match &scope.action {
            Some(action) if !actions.iter().any(|offered| offered.name == *action) => {
                let known: Vec<_> = actions.iter().map(|offered| offered.name.as_str()).collect();
                let refused = not_found(format!("`{name}` has no action `{action}`"));
                Err(refused.hint(format!("its actions are {}", known.join(", "))))
            }
            _ => Ok(()),
        }
    }
}

fn conflict(message: String) -> Failure {
    Failure::new(FailureKind::Conflict, Blame::Operator, message)
}
