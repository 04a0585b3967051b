//! The shapes of what starts runs and what becomes of ticks: `after`, `catch_up`, `overlap`, `windows`, `blackouts`.

use schemars::JsonSchema;
use serde::Deserialize;

/// What becomes of ticks that passed while no host ran.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum CatchUp {
    /// The newest one runs, the others are missed.
    Latest,
    /// All are missed.
    None,
    /// The newest ones run in their order, the others are missed.
    All(CatchUpAll),
}

/// Which of them run.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CatchUpAll {
    /// At most so many.
    #[schemars(range(min = 1, max = 1_000), extend("default" = 10))]
    pub(crate) max: Option<u32>,
    /// None that is longer ago than this.
    #[schemars(extend("default" = "24h"))]
    pub(crate) window: Option<String>,
}

/// What becomes of a tick while earlier runs of the same action have not ended.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Overlap {
    /// It is skipped.
    Forbid,
    /// It waits for them, unless another one waits already.
    QueueOne,
    /// They are told to end, and it starts when they have.
    Replace,
    /// It runs beside them.
    Allow(OverlapAllow),
}

/// How many there may be.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OverlapAllow {
    /// At most so many at once.
    #[schemars(required, range(min = 1, max = 64), extend("examples" = [3]))]
    pub(crate) max: Option<u32>,
}

/// Days of the week, times of day, or dates; what is named by `to` is no part of it.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Span {
    /// Days of the week.
    #[schemars(extend("examples" = ["tue-thu"]))]
    pub(crate) days: Option<String>,
    /// A time of day, or a date.
    #[schemars(extend("examples" = ["10:00"]))]
    pub(crate) from: Option<String>,
    /// A time of day, on the next day where it is no later; or a date.
    #[schemars(extend("examples" = ["14:00"]))]
    pub(crate) to: Option<String>,
}

/// What becomes of a tick that may not start at its instant.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Outside {
    /// It is skipped.
    Skip,
    /// It starts at the first instant that is allowed.
    Defer,
}

/// The runs of another procedure.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct After {
    /// Which procedure.
    #[schemars(required, extend("examples" = ["backup"]))]
    pub(crate) procedure: Option<String>,
    /// Which action of it; its default by default.
    pub(crate) action: Option<String>,
    /// Whether they have to pass.
    #[schemars(extend("default" = "success"))]
    pub(crate) on: Option<AfterOn>,
}

/// Whether a run has to pass.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum AfterOn {
    /// It has to.
    Success,
    /// It must not.
    Failure,
    /// That does not matter.
    Any,
}
