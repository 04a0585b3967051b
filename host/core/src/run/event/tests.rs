//! What holds of every run, whatever happens to it.

use super::*;
use crate::approval::{Gate, Request, RequestKind, Subject};
use crate::digest::Digest;
use crate::run::{RunId, Trigger};
use proptest::prelude::*;

fn queued() -> Queued {
    Queued {
        id: RunId::new(Timestamp::UNIX_EPOCH, 7),
        procedure: "clinic".parse().unwrap(),
        action: "check".parse().unwrap(),
        trigger: Trigger::Manual,
        actor: Actor::Host,
        dry_run: false,
        plugin: "smoke".parse().unwrap(),
        plugin_digest: Digest::of("plugin"),
        revision: Digest::of("revision"),
        settings: serde_json::Value::Null,
        inputs: serde_json::Value::Null,
        queued_at: Timestamp::UNIX_EPOCH,
        key: None,
        retry_of: None,
        lent: [].into(),
        gate: None,
        start_by: None,
    }
}

fn request() -> Request {
    let gate = Gate {
        count: 2,
        ..Gate::MANUAL_STEP
    };
    let subject = Subject {
        kind: RequestKind::Approval,
        name: &"release".parse().unwrap(),
        prompt: "May it go on?",
        evidence: &serde_json::Value::Null,
        gate: &gate,
        revision: Digest::of("revision"),
    };
    subject.ask(&queued(), Timestamp::UNIX_EPOCH)
}

fn event() -> impl Strategy<Value = RunEvent> {
    let at = Timestamp::UNIX_EPOCH;
    let report = Report {
        verdict: crate::run::Verdict::Ok,
        summary: String::new(),
        output: serde_json::Value::Null,
        extra: Vec::new(),
    };
    let suspended = move |wait| RunEvent::Suspended {
        at,
        wait: Box::new(wait),
        usage: Usage::default(),
    };
    let failed = move |cause, retry_at| RunEvent::AttemptFailed {
        at,
        cause,
        failure: Failure::host("x"),
        retry_at,
        usage: None,
    };
    prop_oneof![
        Just(RunEvent::Queued(Box::new(queued()))),
        Just(RunEvent::AttemptStarted { at }),
        Just(RunEvent::Succeeded {
            at,
            report,
            usage: Usage::default()
        }),
        Just(failed(AttemptEnd::Failed, None)),
        Just(failed(AttemptEnd::TimedOut, Some(at))),
        Just(failed(AttemptEnd::Lost, None)),
        Just(RunEvent::Interrupted {
            at,
            reason: "x".to_owned()
        }),
        Just(suspended(Wait::Instant {
            name: "noon".to_owned(),
            until: at
        })),
        Just(suspended(Wait::People {
            request: Box::new(request())
        })),
        (any::<bool>(), any::<bool>()).prop_map(move |(approved, breaks_glass)| RunEvent::Answered {
            at,
            kind: RequestKind::Approval,
            name: "release".parse().unwrap(),
            answer: Box::new(Answer {
                by: Actor::Host,
                approved,
                note: String::new(),
                breaks_glass,
            }),
        }),
        Just(RunEvent::RequestExpired {
            at,
            name: "release".parse().unwrap()
        }),
        Just(RunEvent::CancelRequested {
            at,
            by: Actor::Host,
            replaced_by: None
        }),
        Just(RunEvent::Missed {
            at,
            failure: Failure::host("x")
        }),
        Just(RunEvent::Cancelled {
            at,
            failure: Failure::cancelled()
        }),
    ]
}

proptest! {
    #[test]
    fn whatever_happens_an_end_is_an_end_and_each_event_counts(
        gate in any::<bool>(),
        events in prop::collection::vec(event(), 0..30),
    ) {
        let mut run = Run::begin(Queued {
            gate: gate.then(|| Box::new(request())),
            ..queued()
        });
        for event in events {
            let before = run.clone();
            if let Ok(after) = run.clone().apply(event) {
                    prop_assert!(!before.state.is_final());
                    prop_assert_eq!(after.epoch, before.epoch + 1);
                    prop_assert_eq!(after.state.is_final(), after.ended_at.is_some());
                    prop_assert_eq!(after.state == RunState::RetryWait, after.retry_at.is_some());
                    prop_assert_eq!(after.state.is_waiting(), after.waits_for.is_some());
                    run = after;
            } else {
                prop_assert_eq!(&run, &before);
            }
        }
    }

    #[test]
    fn replaying_the_accepted_events_gives_the_same_run(events in prop::collection::vec(event(), 0..30)) {
        let mut run = Run::begin(queued());
        let mut accepted = vec![RunEvent::Queued(Box::new(queued()))];
        for event in events {
            if let Ok(after) = run.clone().apply(event.clone()) {
                run = after;
                accepted.push(event);
            }
        }
        prop_assert_eq!(Run::replay(accepted).unwrap(), Some(run));
    }
}

#[test]
fn an_attempt_that_was_cut_off_is_not_used_up() {
    let at = Timestamp::UNIX_EPOCH;
    let run = Run::begin(queued())
        .apply(RunEvent::AttemptStarted { at })
        .unwrap();
    let run = run
        .apply(RunEvent::Interrupted {
            at,
            reason: "x".to_owned(),
        })
        .unwrap();
    assert_eq!((run.state, run.attempt, run.resumed), (RunState::Queued, 0, 1));
}
