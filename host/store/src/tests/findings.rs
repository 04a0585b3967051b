//! Tests of how findings open and are resolved.

use super::{Scene, at, clinic, entry, failed, finding, id, queued, succeeded};
use sopwith_core::journal::Note;
use sopwith_core::port::Store as _;
use sopwith_core::port::capabilities::Finding;
use sopwith_core::run::{AttemptEnd, Queued, RunEvent, Verdict};

const CHECK: &str = "pages/answer";

/// What stands open: subject, second at which it was seen first, number of runs.
async fn open(scene: &Scene) -> Vec<(String, i64, u64)> {
    let findings = scene.store.open_findings(&clinic(), None).await.unwrap();
    findings
        .into_iter()
        .map(|open| {
            let second = open.first_seen_at.as_second() - at(0).as_second();
            (open.finding.subject, second, open.times_seen)
        })
        .collect()
}

/// A run that adds findings on these subjects, and says whether it came to the end of its check.
struct Look<'a> {
    number: u32,
    subjects: &'a [&'a str],
    checked: bool,
    dry_run: bool,
    end: RunEvent,
}

fn look<'a>(number: u32, subjects: &'a [&'a str]) -> Look<'a> {
    Look {
        number,
        subjects,
        checked: true,
        dry_run: false,
        end: succeeded(50, Verdict::Ok),
    }
}

impl Look<'_> {
    async fn at(self, scene: &Scene) {
        let Self { number, dry_run, .. } = self;
        let run = scene
            .store
            .queue(Queued {
                dry_run,
                ..queued(number)
            })
            .await
            .unwrap();
        let run = scene
            .apply(&run, RunEvent::AttemptStarted { at: at(1) })
            .await
            .unwrap();
        let findings = self
            .subjects
            .iter()
            .map(|subject| Note::Finding(finding(CHECK, subject)));
        let checked = Note::Checked {
            check: CHECK.to_owned(),
            subjects: 9,
        };
        let notes = findings.chain(self.checked.then_some(checked));
        let entries = notes.map(|note| entry(i64::from(number), note)).collect();
        scene.store.record(id(number), entries).await.unwrap();
        scene.apply(&run, self.end).await.unwrap();
    }
}

fn seen(subject: &str, first: i64, times: u64) -> (String, i64, u64) {
    (subject.to_owned(), first, times)
}

#[tokio::test]
async fn a_finding_stays_open_until_its_check_ends_without_it() {
    let scene = Scene::new();
    look(1, &["a", "b", "b"]).at(&scene).await;
    assert_eq!(open(&scene).await, [seen("a", 1, 1), seen("b", 1, 1)]);
    look(2, &["b", "c"]).at(&scene).await;
    assert_eq!(open(&scene).await, [seen("b", 1, 2), seen("c", 2, 1)]);
    look(3, &["a"]).at(&scene).await;
    assert_eq!(open(&scene).await, [seen("a", 3, 1)]);
}

#[tokio::test]
async fn a_check_that_did_not_come_to_its_end_resolves_nothing() {
    let scene = Scene::new();
    look(1, &["a"]).at(&scene).await;
    Look {
        checked: false,
        ..look(2, &["b"])
    }
    .at(&scene)
    .await;
    assert_eq!(open(&scene).await, [seen("a", 1, 1), seen("b", 2, 1)]);
}

#[tokio::test]
async fn a_run_that_failed_after_its_check_counts_and_a_dry_one_does_not() {
    let scene = Scene::new();
    look(1, &["a"]).at(&scene).await;
    Look {
        dry_run: true,
        ..look(2, &["b"])
    }
    .at(&scene)
    .await;
    assert_eq!(open(&scene).await, [seen("a", 1, 1)]);
    Look {
        end: failed(50, AttemptEnd::Failed),
        ..look(3, &["c"])
    }
    .at(&scene)
    .await;
    assert_eq!(open(&scene).await, [seen("c", 3, 1)]);
}

#[tokio::test]
async fn the_findings_of_a_run_open_when_it_ends_and_not_before() {
    let scene = Scene::new();
    let run = scene.queue(1).await;
    scene
        .store
        .record(run.id(), vec![entry(1, Note::Finding(finding(CHECK, "a")))])
        .await
        .unwrap();
    assert!(open(&scene).await.is_empty());
    scene.pass(&run, 2).await;
    assert_eq!(open(&scene).await, [seen("a", 1, 1)]);
}

#[tokio::test]
async fn findings_are_given_for_the_check_that_is_asked_and_as_many_as_an_answer_carries() {
    let scene = Scene::new();
    let run = scene.queue(1).await;
    let run = scene
        .apply(&run, RunEvent::AttemptStarted { at: at(1) })
        .await
        .unwrap();
    let large = |subject: usize| {
        Note::Finding(Finding {
            detail: "x".repeat(64 << 10),
            ..finding(CHECK, &format!("subject-{subject:03}"))
        })
    };
    let notes = (0..200).map(large);
    let notes = notes.chain([Note::Finding(finding("other", "a"))]);
    let entries = notes.map(|note| entry(2, note)).collect();
    scene.store.record(run.id(), entries).await.unwrap();
    scene.apply(&run, succeeded(50, Verdict::Ok)).await.unwrap();

    let given = async |check| scene.store.open_findings(&clinic(), check).await.unwrap();
    assert_eq!(given(Some("other")).await.len(), 1);
    assert_eq!(given(Some("missing")).await.len(), 0);
    let some = given(Some(CHECK)).await.len();
    assert!((100..130).contains(&some), "{some}");
    assert_eq!(scene.store.open_findings_count(&clinic()).await.unwrap(), 201);
}
