//! Tests of runs and their events.

use super::{Scene, at, check, clinic, failed, id, invariants, queued, succeeded};
use serde_json::{Value, json};
use sopwith_core::actor::Actor;
use sopwith_core::audit::KeptEntry;
use sopwith_core::port::{Store as _, StoreError};
use sopwith_core::run::{AttemptEnd, Queued, RunEvent, RunState, Verdict};

#[tokio::test]
async fn a_run_and_its_events_outlive_the_host() {
    let scene = Scene::new();
    let run = scene.queue(1).await;
    let run = scene.pass(&run, 5).await;
    assert_eq!((run.state, run.epoch), (RunState::Succeeded, 3));
    let scene = scene.reopened();
    assert_eq!(scene.store.run(run.id()).await.unwrap(), Some(run.clone()));
    assert_eq!(scene.store.events(run.id()).await.unwrap().len(), 3);
    assert!(scene.store.unfinished().await.unwrap().is_empty());
    invariants::hold(&scene).await;
}

#[tokio::test]
async fn a_writer_that_has_seen_fewer_events_is_refused_and_changes_nothing() {
    let scene = Scene::new();
    let seen = scene.queue(1).await;
    let started = RunEvent::AttemptStarted { at: at(2) };
    scene.apply(&seen, started.clone()).await.unwrap();
    let late = scene.apply(&seen, started).await.unwrap_err();
    let StoreError::Stale {
        expected: 1,
        found: 2,
        ..
    } = late
    else {
        panic!("{late}");
    };
    assert_eq!(invariants::hold(&scene).await.seq, 2);
}

#[tokio::test]
async fn of_two_writers_at_once_one_is_refused() {
    let scene = Scene::new();
    let run = scene.queue(1).await;
    let started = || scene.apply(&run, RunEvent::AttemptStarted { at: at(2) });
    let (first, second) = futures::join!(started(), started());
    assert!(first.is_ok());
    assert!(matches!(second, Err(StoreError::Stale { .. })), "{second:?}");
}

#[tokio::test]
async fn an_event_that_does_not_fit_and_a_run_that_is_none_are_refused() {
    let scene = Scene::new();
    let run = scene.queue(1).await;
    let illegal = scene.apply(&run, succeeded(2, Verdict::Ok)).await;
    assert!(matches!(illegal, Err(StoreError::Illegal(_))), "{illegal:?}");
    let event = succeeded(2, Verdict::Ok);
    let nobody = scene.store.apply(id(9), 1, event, &Actor::Host).await;
    assert!(matches!(nobody, Err(StoreError::NoRun(_))), "{nobody:?}");
    let again = scene.store.queue(queued(1)).await;
    assert!(matches!(again, Err(StoreError::Broken(_))), "{again:?}");
    assert_eq!(invariants::hold(&scene).await.seq, 1);
}

#[tokio::test]
async fn last_success_is_of_runs_that_passed_and_were_not_dry() {
    let scene = Scene::new();
    let previous = async || scene.store.previous_success(&clinic(), &check()).await.unwrap();
    let end = async |queued: Queued, event| {
        let run = scene.store.queue(queued).await.unwrap();
        let run = scene
            .apply(&run, RunEvent::AttemptStarted { at: at(1) })
            .await
            .unwrap();
        scene.apply(&run, event).await.unwrap();
    };
    end(queued(1), failed(10, AttemptEnd::Failed)).await;
    end(queued(2), succeeded(11, Verdict::Critical)).await;
    let dry = Queued {
        dry_run: true,
        ..queued(3)
    };
    end(dry, succeeded(12, Verdict::Ok)).await;
    let on_lent = Queued {
        lent: ["app".to_owned()].into(),
        ..queued(7)
    };
    end(on_lent, succeeded(12, Verdict::Ok)).await;
    let other = Queued {
        action: "repair".parse().unwrap(),
        ..queued(4)
    };
    end(other, succeeded(13, Verdict::Ok)).await;
    assert_eq!(previous().await, None);
    end(queued(5), succeeded(20, Verdict::Warning)).await;
    end(queued(6), succeeded(15, Verdict::Ok)).await;
    assert_eq!(previous().await, Some(at(20)));
}

#[tokio::test]
async fn the_audit_entry_of_an_event_tells_who_and_what_and_leaves_large_parts_out() {
    let scene = Scene::new();
    let settings = json!({ "page": "x".repeat(10_000) });
    let queued = Queued {
        settings,
        ..queued(1)
    };
    scene.store.queue(queued.clone()).await.unwrap();
    let KeptEntry { entry, payload, .. } = scene.store.audit_entries(0, 1).await.unwrap().pop().unwrap();
    assert_eq!(
        (entry.action.as_str(), entry.actor, entry.at),
        ("run.queued", queued.actor, queued.queued_at)
    );
    assert_eq!(
        (entry.object, entry.revision),
        (format!("run:{}", queued.id), Some(queued.revision))
    );
    let payload = payload.unwrap();
    assert_eq!(payload["settings"]["page"]["bytes"], 10_002);
    assert_eq!(payload["inputs"], queued.inputs);
}

#[tokio::test]
async fn every_entry_of_a_run_says_which_bytes_acted() {
    let scene = Scene::new();
    let run = scene.queue(1).await;
    let run = scene
        .apply(&run, RunEvent::AttemptStarted { at: at(2) })
        .await
        .unwrap();
    let by = run.queued.actor.clone();
    scene
        .apply(
            &run,
            RunEvent::CancelRequested {
                at: at(3),
                by,
                replaced_by: None,
            },
        )
        .await
        .unwrap();
    let entries = scene.store.audit_entries(0, 10).await.unwrap();
    assert_eq!(entries.len(), 3);
    for kept in entries {
        let payload = kept.payload.unwrap();
        assert_eq!(
            payload["plugin"],
            json!(run.queued.plugin),
            "{}",
            kept.entry.action
        );
        assert_eq!(payload["plugin_digest"], json!(run.queued.plugin_digest));
    }
}

#[tokio::test]
async fn a_report_that_could_not_be_read_again_is_refused() {
    let scene = Scene::new();
    let run = scene.queue(1).await;
    let run = scene
        .apply(&run, RunEvent::AttemptStarted { at: at(2) })
        .await
        .unwrap();
    let mut event = succeeded(3, Verdict::Ok);
    if let RunEvent::Succeeded { report, .. } = &mut event {
        report.output = (0..125).fold(Value::Null, |inner, _| json!([inner]));
    }
    assert!(matches!(
        scene.apply(&run, event).await,
        Err(StoreError::Unfit(_))
    ));
    assert_eq!(scene.store.unfinished().await.unwrap(), [run]);
}

#[test]
fn the_states_that_have_not_ended_are_those_of_the_questions() {
    let unfinished = sopwith_core::run::RunState::ALL
        .into_iter()
        .filter(|state| !state.is_final())
        .map(|state| format!("'{state}'"));
    let unfinished: Vec<_> = unfinished.collect();
    assert_eq!(crate::runs::UNFINISHED, unfinished.join(", "));
}
