//! The shape of a procedure's file.

use super::gate::Gate;
use super::grants::Grants;
use super::history::History;
use super::limits::LimitsTable;
use super::policy::{After, CatchUp, Outside, Overlap, Span};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// One subject with every action of its plugin.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "procedures/NAME.toml")]
pub(crate) struct ProcedureFile {
    /// What it is for, in one sentence; the plugin's own sentence by default.
    #[schemars(extend("examples" = ["Daily backup of the clinic's database"]))]
    pub(crate) summary: Option<String>,
    /// A standard plugin, or a file in `plugins/`.
    #[schemars(required, extend("examples" = ["backup"]))]
    pub(crate) plugin: Option<String>,
    /// The only bytes of the plugin that are accepted.
    pub(crate) plugin_sha256: Option<String>,
    /// Whom to ask about it.
    #[schemars(extend("examples" = ["ops@clinic.example"]))]
    pub(crate) owner: Option<String>,
    /// The version of the procedure itself.
    #[schemars(range(min = 1, max = 4_294_967_295_u64))]
    pub(crate) version: Option<u32>,
    /// The day by which somebody should look at it again.
    #[schemars(extend("format" = "date"))]
    pub(crate) review_by: Option<String>,
    /// What `run NAME` and a schedule without an action mean; the plugin's first by default.
    pub(crate) action: Option<String>,
    /// What its runs hold alone; the databases of its grants by default.
    #[schemars(extend("examples" = [["databases.app"]]))]
    pub(crate) locks: Option<Vec<String>>,
    /// How often a run that was cut off is taken up again.
    #[schemars(range(max = 1_000), extend("default" = 3))]
    pub(crate) resume_max: Option<u32>,
    /// After so many failed runs of an action in a row its schedules are paused; never by default.
    #[schemars(range(min = 1, max = 1_000), extend("examples" = [3]))]
    pub(crate) pause_after_failures: Option<u32>,
    /// When it starts by itself.
    pub(crate) schedule: Option<Vec<Schedule>>,
    /// What all its actions may do.
    pub(crate) grants: Option<Grants>,
    /// What belongs to one action alone.
    pub(crate) actions: Option<BTreeMap<String, ActionPart>>,
    /// The plugin's settings.
    pub(crate) settings: Option<Map<String, Value>>,
    /// How much an attempt may use.
    pub(crate) limits: Option<LimitsTable>,
    /// How long its history is kept; what the host says by default.
    pub(crate) history: Option<History>,
    /// Whether and when a failed attempt is followed by another.
    pub(crate) retry: Option<Retry>,
    /// Who may answer what its runs ask, by the name under which they ask. The gate `start` is asked before
    /// any run.
    pub(crate) gates: Option<BTreeMap<String, Gate>>,
}

/// One schedule.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Schedule {
    /// By what it is known; its action by default.
    pub(crate) name: Option<String>,
    /// What it starts; the procedure's action by default.
    pub(crate) action: Option<String>,
    /// What the runs are told.
    pub(crate) inputs: Option<Map<String, Value>>,
    /// Minute, hour, day, month, weekday. `H` is a value that stays the same for this schedule and differs
    /// from that of others.
    #[schemars(extend("examples" = ["15 4 * * *"]))]
    pub(crate) cron: Option<String>,
    /// A distance in real time, in place of `cron`; counted from the beginning of 1970 in UTC.
    #[schemars(extend("examples" = ["5m"]))]
    pub(crate) every: Option<String>,
    /// An instant or several, in place of `cron`: local times, or with their distance from UTC.
    #[schemars(extend("examples" = ["2026-12-24T18:00"]))]
    pub(crate) at: Option<Instants>,
    /// The runs of another procedure that it follows on, in place of `cron`.
    #[schemars(extend("examples" = [{ "procedure": "backup" }]))]
    pub(crate) after: Option<After>,
    /// What `sopwith trigger` tells, in place of `cron`.
    #[schemars(extend("examples" = ["deployed"]))]
    pub(crate) event: Option<String>,
    /// Whether `cron` begins with a field for seconds.
    #[schemars(extend("default" = false))]
    pub(crate) seconds: Option<bool>,
    /// The IANA time zone of `cron`, `at`, `windows`, `blackouts` and `holidays`; that of `[host]` by default.
    #[schemars(extend("examples" = ["Europe/Berlin"]))]
    pub(crate) time_zone: Option<String>,
    /// What becomes of ticks that passed while no host ran.
    #[schemars(extend("default" = "latest"))]
    pub(crate) catch_up: Option<CatchUp>,
    /// What becomes of ticks while an earlier run of the action has not ended.
    #[schemars(extend("default" = "forbid"))]
    pub(crate) overlap: Option<Overlap>,
    /// Each tick starts later by a part of this that stays the same for it, and before the next one.
    #[schemars(extend("default" = "0s"))]
    pub(crate) jitter: Option<String>,
    /// A tick that does not start within this is missed; none by default.
    #[schemars(extend("examples" = ["2h"]))]
    pub(crate) deadline: Option<String>,
    /// Ticks start in one of these only, by the clocks of the time zone.
    #[schemars(extend("examples" = [[{ "days": "tue-thu", "from": "10:00", "to": "14:00" }]]))]
    pub(crate) windows: Option<Vec<Span>>,
    /// Ticks start in none of these.
    #[schemars(extend("examples" = [[{ "from": "2026-12-20", "to": "2027-01-07" }, { "days": "fri" }]]))]
    pub(crate) blackouts: Option<Vec<Span>>,
    /// Days on which ticks do not start.
    #[schemars(extend("examples" = [["2026-12-25"]]))]
    pub(crate) holidays: Option<Vec<String>>,
    /// What becomes of a tick that may not start at its instant.
    #[schemars(extend("default" = "skip"))]
    pub(crate) outside: Option<Outside>,
}

/// One time, or several.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Instants {
    /// One.
    One(String),
    /// Several.
    Several(Vec<String>),
}

impl Instants {
    /// The times as they are written.
    pub(crate) fn texts(&self) -> &[String] {
        match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::Several(texts) => texts,
        }
    }
}

/// What belongs to one action alone.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ActionPart {
    /// What it may do beyond `[grants]`.
    pub(crate) grants: Option<Grants>,
}

/// Whether and when a failed attempt is followed by another.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Retry {
    /// Attempts after the first.
    #[schemars(required, range(max = 1_000), extend("examples" = [2]))]
    pub(crate) max: Option<u32>,
    /// The wait before the second attempt; it doubles with each further one.
    #[schemars(extend("default" = "10s"))]
    pub(crate) backoff: Option<String>,
    /// The longest wait.
    #[schemars(extend("default" = "10m"))]
    pub(crate) backoff_max: Option<String>,
    /// Which ends of an attempt are retried; `lost` may repeat an effect.
    #[schemars(extend("default" = ["failed", "timed_out"]))]
    pub(crate) on: Option<Vec<RetryOn>>,
}

/// How an attempt can end that may be retried.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RetryOn {
    /// By an error of the action, a trap or a limit.
    Failed,
    /// By its time limit.
    TimedOut,
    /// By the end of the host.
    Lost,
}
