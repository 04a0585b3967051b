//! One function of the author's as an action: its description, and the glue around it.

use crate::bindings::exports::sopwith::plugin::procedure as host;
use crate::manifest::{ActionManifest, Capability, schema_to_read, schema_to_write};
use crate::{Report, Result, given};
use schemars::{JsonSchema, Schema};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A function under `#[sopwith::action]`, for plugins with settings of type `S`.
pub trait Define<S> {
    /// What the function offers.
    fn define() -> Action<S>;
}

/// The inputs of an action that takes none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoInputs {}

/// One thing that a plugin can do.
pub struct Action<S> {
    name: &'static str,
    summary: &'static str,
    inputs: fn() -> Schema,
    output: fn() -> Schema,
    changes: bool,
    idempotent: bool,
    capabilities: Vec<Capability>,
    carry_out: CarryOut<S>,
}

type CarryOut<S> = Box<dyn Fn(&S, &str) -> Result<host::Report>>;

impl<S: 'static> Action<S> {
    /// An action that changes nothing, is not idempotent and asks for nothing.
    pub fn new<I, O>(
        name: &'static str,
        summary: &'static str,
        function: fn(&S, &I) -> Result<Report<O>>,
    ) -> Self
    where
        I: DeserializeOwned + JsonSchema + 'static,
        O: Serialize + JsonSchema + 'static,
    {
        Self {
            name,
            summary,
            inputs: schema_to_read::<I>,
            output: schema_to_write::<O>,
            changes: false,
            idempotent: false,
            capabilities: Vec::new(),
            carry_out: Box::new(move |settings, inputs| {
                let inputs = given::read("inputs", inputs)?;
                function(settings, &inputs)?.into_host()
            }),
        }
    }

    /// Says that it changes something outside its own state.
    #[must_use]
    pub fn changes(mut self) -> Self {
        self.changes = true;
        self
    }

    /// Says that a run that was cut off may simply be started again.
    #[must_use]
    pub fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }

    /// Asks for a permission.
    #[must_use]
    pub fn needs(mut self, capability: Capability) -> Self {
        self.capabilities.push(capability);
        self
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn carry_out(&self, settings: &S, inputs: &str) -> Result<host::Report> {
        (self.carry_out)(settings, inputs)
    }

    pub(crate) fn into_manifest(self) -> ActionManifest {
        ActionManifest {
            name: self.name,
            summary: self.summary,
            inputs: (self.inputs)(),
            output: (self.output)(),
            changes: self.changes,
            idempotent: self.idempotent,
            capabilities: self.capabilities,
        }
    }
}
