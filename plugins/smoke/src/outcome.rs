//! What came of the checks, as machines read it.

use sopwith::Severity;
use sopwith::probe::Timing;

/// What came of one check.
#[sopwith::output]
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CheckOutcome {
    /// The check's name.
    pub(crate) name: String,
    /// The page that was asked for.
    pub(crate) url: String,
    /// Whether all its conditions hold.
    pub(crate) ok: bool,
    /// How it stands with the page.
    pub(crate) state: State,
    /// How bad it is when the check fails.
    pub(crate) severity: Severity,
    /// Why it is not well: the conditions that fail, with the values found, or what went wrong
    /// on the way.
    pub(crate) reason: Option<String>,
    /// Each condition, where there was an answer.
    pub(crate) conditions: Vec<ConditionOutcome>,
    /// How often it was tried.
    pub(crate) attempts: u32,
    /// The status of the answer.
    pub(crate) status: Option<u16>,
    /// The address that answered.
    pub(crate) peer_address: Option<String>,
    /// How long each phase took.
    pub(crate) timing: Option<Timing>,
}

/// How it stands with a page.
#[sopwith::output]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum State {
    /// It answers, and all conditions hold.
    Holds,
    /// It answers, and not as it should.
    Fails,
    /// It does not answer.
    Unavailable,
    /// A dry run does not send what may change something.
    Planned,
}

/// What came of one condition.
#[sopwith::output]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConditionOutcome {
    /// The condition as it was written.
    pub(crate) condition: String,
    /// Whether it holds.
    pub(crate) ok: bool,
    /// The condition with the values found.
    pub(crate) shown: String,
}

impl CheckOutcome {
    /// Whether somebody has to look at it.
    pub(crate) fn is_trouble(&self) -> bool {
        matches!(self.state, State::Fails | State::Unavailable)
    }
}
