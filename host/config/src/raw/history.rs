//! The shape of `[history]`, which is the same in both files.

use schemars::JsonSchema;
use serde::Deserialize;

/// How long runs are kept, with all that belongs to them.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct History {
    /// How long after they were queued, a day at least.
    #[schemars(extend("default" = "400d", "examples" = ["90d"]))]
    pub(crate) keep: Option<String>,
    /// How many of each procedure, the newest.
    #[schemars(range(min = 1, max = 4_294_967_295_u64), extend("default" = 20_000))]
    pub(crate) keep_runs: Option<u32>,
}
