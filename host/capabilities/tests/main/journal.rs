//! What a run leaves behind, and what it may not.

use crate::secrets::sealed;
use crate::world::{World, failure, kind};
use serde_json::json;
use sopwith_core::failure::{Failure, FailureKind};
use sopwith_core::journal::Note;
use sopwith_core::limits::Limits;
use sopwith_core::port::Store as _;
use sopwith_core::port::capabilities::Finding;

fn finding(subject: &str) -> Finding {
    Finding {
        check: "ledger/balanced".to_owned(),
        severity: "high".to_owned(),
        subject: subject.to_owned(),
        title: "does not balance".to_owned(),
        detail: String::new(),
        fix: None,
        extra: Vec::new(),
    }
}

#[tokio::test]
async fn a_finished_step_is_durable_and_a_later_attempt_gets_its_output_back() {
    let world = World::new();
    let all = world.open().await;
    let mut step = all.journal().begin("copy/one").await.unwrap();
    assert_eq!(step.recorded(), None);
    step.finish(json!({"bytes": 7})).await.unwrap();
    assert_eq!(kind(step.finish(json!(1)).await), FailureKind::Conflict);
    step.close().await;
    let mut skipped = all.journal().begin("prune").await.unwrap();
    skipped.skip("nothing to do").await.unwrap();
    drop(skipped);

    let world = World {
        finished_steps: world.store.finished_steps(world.run).await.unwrap(),
        ..world
    };
    let later = world.open().await;
    let mut recalled = later.journal().begin("copy/one").await.unwrap();
    assert_eq!(recalled.recorded(), Some(r#"{"bytes":7}"#.into()));
    assert_eq!(kind(recalled.finish(json!(2)).await), FailureKind::Conflict);
    recalled.close().await;
    assert_eq!(
        later.journal().begin("prune").await.unwrap().recorded(),
        Some("null".into())
    );
    let recalled = world
        .notes()
        .await
        .into_iter()
        .filter(|note| matches!(note, Note::StepRecalled { .. }));
    assert_eq!(recalled.count(), 2);
}

#[tokio::test]
async fn a_step_is_begun_once_and_has_a_name() {
    let world = World::new();
    let all = world.open().await;
    drop(all.journal().begin("copy").await.unwrap());
    assert_eq!(
        kind(all.journal().begin("copy").await.map(drop)),
        FailureKind::Conflict
    );
    for name in ["", "/a", "a//b", "a/", "a\nb", &"x".repeat(257)] {
        assert_eq!(
            kind(all.journal().begin(name).await.map(drop)),
            FailureKind::Invalid,
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_step_that_is_left_open_has_failed() {
    let world = World::new();
    let all = world.open().await;
    drop(all.journal().begin("dropped").await.unwrap());
    all.journal().begin("closed").await.unwrap().close().await;
    let mut failed = all.journal().begin("failed").await.unwrap();
    failed.fail(Failure::host("the reason")).await;
    drop(failed);
    let reasons: Vec<_> = world
        .notes()
        .await
        .into_iter()
        .filter_map(|note| match note {
            Note::StepFailed { name, failure } => Some((name, failure.message)),
            _ => None,
        })
        .collect();
    let left = "the plugin left the step without an end".to_owned();
    assert_eq!(
        reasons,
        [
            ("dropped".to_owned(), left.clone()),
            ("closed".to_owned(), left),
            ("failed".to_owned(), "the reason".to_owned()),
        ]
    );
}

#[tokio::test]
async fn a_flood_of_log_is_cut_off_once_and_counted() {
    let limits = Limits {
        log_bytes: 10_000,
        ..Limits::default()
    };
    let world = World {
        limits,
        ..World::new()
    };
    let all = world.open().await;
    for _ in 0..100 {
        all.journal().log("info", &"x".repeat(500), Vec::new()).await;
        all.journal().printed("stdout", "").await;
        all.journal().metric("a", 1.0, "").await;
    }
    let notes = world.notes().await;
    let cut_off =
        |note: &&Note| matches!(note, Note::Log { message, .. } if message.starts_with("log cut off"));
    assert_eq!(notes.iter().filter(cut_off).count(), 1);
    assert!(notes.len() < 60, "{}", notes.len());
    assert!(all.used().log_bytes > 50_000);
}

#[tokio::test]
async fn fields_without_text_take_room_too() {
    let world = World::new();
    let all = world.open().await;
    let nothing = || vec![(String::new(), String::new()); 130_000];
    for _ in 0..2_000 {
        all.journal()
            .log("info", "", vec![(String::new(), String::new()); 100])
            .await;
    }
    all.journal().log("info", "", nothing()).await;
    let many = Finding {
        extra: nothing(),
        ..finding("a")
    };
    assert_eq!(
        kind(all.journal().add_findings(vec![many]).await),
        FailureKind::Limit
    );
    let kept = serde_json::to_string(&world.notes().await).unwrap();
    assert!(all.used().log_bytes > world.limits.log_bytes);
    assert!(kept.len() < 2 << 20, "{}", kept.len());
}

#[tokio::test]
async fn changes_and_failures_at_length_end_the_attempt_and_stay_on_record() {
    let limits = Limits {
        calls: 1_000,
        ..Limits::default()
    };
    let world = World {
        limits,
        ..World::new()
    };
    let all = world.open().await;
    let long = ["x".repeat(200).as_str(); 20].join("/");
    let mut count = 0;
    let ended = loop {
        if let Err(failure) = all.count_call() {
            break failure;
        }
        count += 1;
        all.files().remove("files", &long).await.unwrap_err();
        let mut step = all.journal().begin(&format!("step-{count}")).await.unwrap();
        step.fail(Failure::host("y".repeat(1 << 20))).await;
    };
    assert_eq!(ended.extra, [("limit".to_owned(), "record".to_owned())]);
    assert!((10..100).contains(&count), "{count}");
    let kept = world.notes().await;
    let failed = kept
        .iter()
        .filter(|note| matches!(note, Note::ChangeFailed { .. }));
    assert_eq!(failed.count(), count);
}

#[tokio::test]
async fn findings_and_evidence_end_at_their_limits() {
    let limits = Limits {
        findings: 3,
        attachments_bytes: 1_000,
        output_bytes: 1_000,
        ..Limits::default()
    };
    let world = World {
        limits,
        ..World::new()
    };
    let all = world.open().await;
    let journal = all.journal();
    let many = ["a", "b", "c", "d"].map(finding).to_vec();
    assert_eq!(kind(journal.add_findings(many).await), FailureKind::Limit);
    let kept = world
        .notes()
        .await
        .into_iter()
        .filter(|note| matches!(note, Note::Finding(_)))
        .count();
    assert_eq!(kept, 3);

    journal.attach("a", "text/plain", vec![b'a'; 600]).await.unwrap();
    let full = failure(journal.attach("b", "text/plain", vec![b'b'; 600]).await);
    assert_eq!(full.kind, FailureKind::Limit);
    let huge = json!("x".repeat(2_000));
    let mut step = journal.begin("huge").await.unwrap();
    assert_eq!(kind(step.finish(huge).await), FailureKind::Limit);
}

#[tokio::test]
async fn outputs_of_steps_are_bounded_over_all_attempts() {
    let limits = Limits {
        output_bytes: 1_000,
        ..Limits::default()
    };
    let mut world = World {
        limits,
        ..World::new()
    };
    for attempt in 0..4 {
        let all = world.open().await;
        let mut step = all.journal().begin(&format!("step-{attempt}")).await.unwrap();
        let finished = step.finish(json!("x".repeat(300))).await;
        assert_eq!(finished.is_ok(), attempt < 3, "{finished:?}");
        world.finished_steps = world.store.finished_steps(world.run).await.unwrap();
    }
    assert_eq!(world.finished_steps.len(), 3);
}

#[tokio::test]
async fn a_redacted_value_is_in_no_text_that_is_kept_afterwards() {
    let world = World::new();
    let all = world.open().await;
    let journal = all.journal();
    let token = "tok\"en-1234";
    journal.redact(token);
    let said = format!("it is {token}");
    journal
        .log("info", &said, vec![("field".to_owned(), said.clone())])
        .await;
    journal.printed("stderr", &said).await;
    let mut step = journal.begin("step").await.unwrap();
    step.finish(json!({"token": token, "text": json!({"inner": token}).to_string()}))
        .await
        .unwrap();
    journal
        .begin("other")
        .await
        .unwrap()
        .fail(Failure::host(said.clone()).hint(said.clone()))
        .await;
    journal
        .add_findings(vec![Finding {
            detail: said.clone(),
            ..finding(token)
        }])
        .await
        .unwrap();
    journal
        .attach("evidence", "text/plain", said.clone().into_bytes())
        .await
        .unwrap();
    journal.attach(&said, &said, Vec::new()).await.unwrap();
    journal.metric(&said, 1.0, &said).await;
    let mut skipped = journal.begin(&said).await.unwrap();
    skipped.progress(1, None, &said).await;
    skipped.skip(&said).await.unwrap();
    journal.checked(&said, 1).await.unwrap();
    assert_eq!(journal.masked(&said), "it is [redacted]");

    let notes = world.notes().await;
    assert!(notes.len() >= 8);
    assert!(!format!("{notes:?}").contains("en-1234"), "{notes:?}");
    let evidence = world.store.attachments(world.run).await.unwrap();
    assert_eq!(evidence[0].content, b"it is [redacted]");
    for named in [&evidence[1].name, &evidence[1].media_type] {
        assert_eq!(named, "it is [redacted]");
    }
}

#[tokio::test]
async fn a_plugin_cannot_hide_what_the_host_says_of_its_doings() {
    let world = sealed();
    std::fs::write(world.files().join("ledger"), "1").unwrap();
    let all = world.open().await;
    let journal = all.journal();
    for word in ["files.remove", "directories.files", "ledger", "other"] {
        journal.redact(word);
        let put = all.secret_reveal().put("TOKEN", word.into());
        put.await.unwrap();
    }
    for number in 0..300 {
        journal.redact(&format!("everything-{number}"));
    }
    journal.log("info", "anything", Vec::new()).await;
    all.files().remove("files", "ledger").await.unwrap();
    all.files().remove("files", "ledger").await.unwrap_err();
    all.files().remove("other", "ledger").await.unwrap_err();

    let notes = world.notes().await;
    let said = |part: &str| notes.iter().any(|note| format!("{note:?}").contains(part));
    let removed = r#"call: "files.remove", object: "directories.files/ledger""#;
    assert!(said(r#"message: "[redacted]""#), "{notes:?}");
    assert!(said(&format!("Change {{ {removed}")), "{notes:?}");
    assert!(said(&format!("ChangeFailed {{ {removed}")), "{notes:?}");
    assert!(said(r#"name: "other""#) && said("directories"), "{notes:?}");
}

#[tokio::test]
async fn a_plugin_cannot_play_tricks_on_a_terminal() {
    let world = World::new();
    let all = world.open().await;
    all.journal()
        .log("error\u{7}", "\u{1b}[2K\rrun succeeded\nagain", Vec::new())
        .await;
    let said = Note::Log {
        level: "info".to_owned(),
        message: "\\u001b[2K\\u000drun succeeded\\nagain".to_owned(),
        fields: Vec::new(),
    };
    assert_eq!(world.notes().await, [said]);
}

#[tokio::test]
async fn calls_are_counted_and_end_at_their_limit() {
    let limits = Limits {
        calls: 2,
        ..Limits::default()
    };
    let world = World {
        limits,
        ..World::new()
    };
    let all = world.open().await;
    assert!(all.count_call().is_ok());
    assert!(all.count_call().is_ok());
    assert_eq!(kind(all.count_call()), FailureKind::Limit);
    assert_eq!(all.used().calls, 3);
}

#[tokio::test]
async fn a_sleep_ends_with_the_run() {
    let world = World::new();
    let all = world.open().await;
    let cancel = world.cancel.clone();
    let sleeping = all.run().sleep(std::time::Duration::from_hours(1));
    let (slept, ()) = tokio::join!(sleeping, async { cancel.cancel() });
    assert_eq!(kind(slept), FailureKind::Cancelled);
    assert!(all.run().cancelled());
}
