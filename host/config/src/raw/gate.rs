//! The shapes of what says who may do and answer what.

use schemars::JsonSchema;
use serde::Deserialize;
use sopwith_core::role::Role;

/// Who may answer what a run asks, and how many of them it takes.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Gate {
    /// Who may answer.
    #[schemars(extend("default" = "approver"))]
    pub(crate) role: Option<Role>,
    /// How many different people have to approve; never the one who asked for the run.
    #[schemars(range(min = 1, max = 100), extend("default" = 1))]
    pub(crate) count: Option<u32>,
    /// How long an answer is waited for.
    #[schemars(extend("default" = "24h"))]
    pub(crate) expires: Option<String>,
}

/// Who may do what: `user:NAME` or `group:NAME` of the operating system. Until this is written, whoever can
/// open the host's socket may do everything.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Roles {
    /// Look at procedures, runs and schedules.
    #[schemars(extend("examples" = [["group:staff"]]))]
    pub(crate) viewer: Option<Vec<String>>,
    /// Start and end runs, besides looking.
    #[schemars(extend("examples" = [["user:otto"]]))]
    pub(crate) operator: Option<Vec<String>>,
    /// Answer what runs ask, besides looking.
    #[schemars(extend("examples" = [["user:anna"]]))]
    pub(crate) approver: Option<Vec<String>>,
    /// Read the audit log, besides looking.
    #[schemars(extend("examples" = [["group:audit"]]))]
    pub(crate) auditor: Option<Vec<String>>,
    /// May do everything.
    #[schemars(extend("examples" = [["user:root"]]))]
    pub(crate) admin: Option<Vec<String>>,
}

impl Roles {
    /// The names as they are written, by their roles.
    pub(crate) fn lists(&self) -> impl Iterator<Item = (Role, &[String])> {
        let lists = [
            (Role::Viewer, &self.viewer),
            (Role::Operator, &self.operator),
            (Role::Approver, &self.approver),
            (Role::Auditor, &self.auditor),
            (Role::Admin, &self.admin),
        ];
        lists
            .into_iter()
            .filter_map(|(role, list)| Some((role, list.as_deref()?)))
    }
}
