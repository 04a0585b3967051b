//! What to do next about a run.

use super::field;
use crate::asking;
use crate::output::instant;
use sopwith_core::failure::{Blame, Failure, FailureKind};
use sopwith_core::run::{Run, RunState};

pub(super) fn print(run: &Run) {
    if let Some(next) = next(run) {
        anstream::println!();
        field("next", &next);
    }
}

/// A sentence with the command that goes on; none where nothing is to be done.
fn next(run: &Run) -> Option<String> {
    let id = run.id();
    let again = format!("`sopwith retry {id}`");
    match run.state {
        RunState::Queued => Some(format!(
            "it waits for a place or a lock: `sopwith status` shows what runs, `sopwith cancel {id}` takes it back"
        )),
        RunState::Running => Some(format!(
            "`sopwith logs {id} --follow` shows how it goes on, `sopwith cancel {id}` ends it"
        )),
        RunState::RetryWait => {
            let at = run
                .retry_at
                .map_or_else(|| "soon".to_owned(), |at| format!("at {}", instant(at)));
            Some(format!(
                "another attempt comes {at}; `sopwith cancel {id}` keeps it from that"
            ))
        }
        RunState::Failed | RunState::TimedOut => {
            let first = run.failure.as_ref().map_or("mend it", mend);
            Some(format!("{first}, then {again}"))
        }
        RunState::Lost => Some(format!(
            "see how far it got above, set right what it left half done, then {again}"
        )),
        RunState::Succeeded if !run.passed() => Some(format!("look at the findings above, then {again}")),
        RunState::WaitingApproval | RunState::Suspended => {
            let waits = asking::waits_for(run).unwrap_or_default();
            let answer = asking::how_to_answer(run);
            let answer = answer.map_or_else(String::new, |answer| format!("; answer with {answer}"));
            Some(format!("it {waits}{answer}"))
        }
        RunState::Rejected | RunState::Expired => Some(format!("{again} asks anew")),
        RunState::Missed => Some(format!(
            "give it more time with `deadline`, or the host more places with `runs_at_once_max`; {again} runs it now"
        )),
        RunState::Cancelled => Some(format!("{again} runs it anew")),
        RunState::Succeeded => None,
    }
}

fn mend(failure: &Failure) -> &'static str {
    match (failure.kind, failure.blame) {
        (FailureKind::Denied, _) => "grant it, or do without",
        (FailureKind::Timeout, _) => "raise `timeout` under [limits], or let it do less",
        (FailureKind::Limit, _) => "raise the limit under [limits], or let it do less",
        (_, Blame::Operator) => "mend the configuration (`sopwith check`) or what the run is told",
        (_, Blame::Host) => "look at the machine (`sopwith doctor`)",
        (_, Blame::Outside) => "see that what it needs outside is there",
        (_, Blame::Plugin) => "have the plugin mended, or go back (`sopwith plugins rollback`)",
    }
}
