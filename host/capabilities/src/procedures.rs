//! Runs other procedures: decided, recorded, and carried out by the engine in the place of this run.

use crate::databases::Databases;
use crate::gate::Gate;
use crate::journal::OpenSteps;
use async_trait::async_trait;
use serde_json::Value;
use sopwith_core::failure::Failure;
use sopwith_core::grant::Wanted;
use sopwith_core::journal::Note;
use sopwith_core::name::ResourceName;
use sopwith_core::port::capabilities::{Answer, Pairs, Procedures, Waited};
use sopwith_core::port::{Lent, ProcedureCall};
use sopwith_core::run::{Run, Wait};
use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

/// `sopwith:plugin/procedures`
pub(crate) struct OtherProcedures {
    gate: Arc<Gate>,
    databases: Arc<Databases>,
    steps: Arc<OpenSteps>,
    /// How often each call was made in this attempt: an action may make the same one several times.
    calls: Mutex<BTreeMap<String, u32>>,
}

impl OtherProcedures {
    pub(crate) fn new(gate: Arc<Gate>, databases: Arc<Databases>, steps: Arc<OpenSteps>) -> Self {
        Self {
            gate,
            databases,
            steps,
            calls: Mutex::default(),
        }
    }

    /// What a later attempt that makes this call again calls it, too.
    fn key(&self, procedure: &str, action: Option<&str>) -> String {
        let step = self.steps.innermost().unwrap_or_default();
        let call = format!("{step}:{procedure}:{}", action.unwrap_or_default());
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let count = calls.entry(call.clone()).or_default();
        *count += 1;
        format!("{call}:{count}")
    }

    /// The scratch databases of this run that are lent.
    fn lent(&self, lend: Pairs) -> Answer<Lent> {
        let run = self.gate.attempt().run.id();
        let one = |(name, scratch): (String, String)| {
            let name: ResourceName = parsed(&name)?;
            let number = self.databases.scratch_number(&scratch)?;
            Ok((name.to_string(), (run, number)))
        };
        lend.into_iter().map(one).collect()
    }
}

#[async_trait]
impl Procedures for OtherProcedures {
    async fn call(
        &self,
        procedure: &str,
        action: Option<&str>,
        inputs: Value,
        lend: Pairs,
    ) -> Answer<Waited<Run>> {
        self.gate.stop().check()?;
        self.gate
            .allow(&Wanted::procedure(procedure), "procedures.call")?;
        let call = ProcedureCall {
            procedure: parsed(procedure)?,
            action: action.map(parsed).transpose()?,
            inputs,
            call: self.key(procedure, action),
            lent: self.lent(lend)?,
        };
        if !self.gate.dry_run() {
            let object = format!("{procedure} {}", action.unwrap_or_default());
            let (call, object) = ("procedures.call".to_owned(), object.trim_end().to_owned());
            self.gate.record().durably(Note::Change { call, object }).await?;
        }
        let called = self.gate.attempt().calls.call(call);
        let run = self.gate.bounded(called).await?;
        if run.state.is_waiting() {
            self.gate.suspend(Wait::Call { run: run.id() })?;
            return Ok(Waited::Suspended);
        }
        if run.state.is_final() {
            return Ok(Waited::Over(run));
        }
        Err(Failure::cancelled())
    }

    async fn last_passed(&self, procedure: &str, action: Option<&str>) -> Answer<Option<Run>> {
        self.gate
            .allow(&Wanted::procedure(procedure), "procedures.last-passed")?;
        let (procedure, action) = (parsed(procedure)?, action.map(parsed).transpose()?);
        let calls = &self.gate.attempt().calls;
        let found = calls.last_passed(&procedure, action.as_ref());
        self.gate.bounded(found).await
    }
}

fn parsed<T: FromStr<Err: std::fmt::Display>>(name: &str) -> Answer<T> {
    name.parse()
        .map_err(|error| Failure::invalid(T::Err::to_string(&error)))
}
