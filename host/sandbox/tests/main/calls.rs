//! What passes between a guest and the host: calls, failures, what is printed, files.

use crate::capabilities::Notes;
use crate::guests::fixture;
use crate::stage::{POOLING, bounds, call, limits, load, run};
use serde_json::{Value, json};
use sopwith_core::failure::{Blame, FailureKind};
use sopwith_core::port::Ended;
use sopwith_core::port::capabilities::Preopen;
use sopwith_core::run::Verdict;
use std::path::Path;
use std::sync::Arc;

#[tokio::test]
async fn report_comes_back() {
    let plugin = load(POOLING, fixture("noop")).await;
    let ended = run(&*plugin, "nothing", json!({}), limits()).await;
    let report = ended.result.expect("a report");
    assert_eq!(
        (report.verdict, report.summary.as_str()),
        (Verdict::Ok, "nothing was done")
    );
    assert!(ended.usage.wall > std::time::Duration::ZERO);
    assert!(ended.usage.cpu > std::time::Duration::ZERO);
}

#[tokio::test]
async fn failure_of_the_host_that_a_plugin_passes_on_is_still_the_hosts() {
    let plugin = load(POOLING, fixture("exerciser")).await;
    let ended = run(&*plugin, "state", json!({}), limits()).await;
    let failure = ended.result.expect_err("a failure");
    assert_eq!(
        (failure.kind, failure.blame),
        (FailureKind::Unavailable, Blame::Host)
    );
    assert!(failure.message.contains("the store is away"), "{failure}");
    assert!(
        failure
            .extra
            .contains(&("resource".to_owned(), "store".to_owned())),
        "{failure:?}"
    );
    assert_eq!(ended.usage.calls, 1);
}

#[tokio::test]
async fn panic_is_told_in_its_own_words() {
    let plugin = load(POOLING, fixture("exerciser")).await;
    let ended = run(&*plugin, "panic", json!({}), limits()).await;
    let failure = ended.result.expect_err("a failure");
    assert_eq!(
        (failure.kind, failure.blame),
        (FailureKind::Failed, Blame::Plugin)
    );
    let message = "the plugin panicked: this plugin panics on purpose (at `";
    assert!(failure.message.starts_with(message), "{failure}");
    let backtrace = failure.extra.iter().find(|(name, _)| name == "backtrace");
    assert!(
        backtrace.is_some_and(|(_, frames)| frames.contains("exerciser")),
        "{failure:?}"
    );
}

#[tokio::test]
async fn guest_sees_nothing_of_the_process_and_its_lines_are_kept() {
    let plugin = load(POOLING, fixture("exerciser")).await;
    let notes = Arc::new(Notes::default());
    let ended = plugin
        .run(call("environment", json!({})), notes.clone(), bounds(limits()))
        .await;
    let output = ended.result.expect("a report").output;
    assert_eq!(output["variables"], json!([]));
    assert_eq!(output["arguments"], json!([]));
    assert_eq!(output["standard_input"], json!(""));
    let line = |stream: &str, text: &str| (stream.to_owned(), text.to_owned());
    let expected = [
        line("stdout", "a line on standard output"),
        line("stderr", "a line on standard error"),
    ];
    assert_eq!(*notes.printed.lock().expect("a lock"), expected);
}

async fn read_file(directory: &Path, path: &str) -> Ended {
    let notes = Notes {
        preopens: vec![Preopen {
            name: "data".to_owned(),
            path: directory.to_owned(),
        }],
        ..Notes::default()
    };
    let plugin = load(POOLING, fixture("exerciser")).await;
    let call = call("read-file", json!({ "path": path }));
    plugin.run(call, Arc::new(notes), bounds(limits())).await
}

#[tokio::test]
async fn granted_directory_is_seen_and_nothing_beside_it() {
    let parent = tempfile::tempdir().expect("a directory");
    let data = parent.path().join("data");
    std::fs::create_dir(&data).expect("a directory");
    std::fs::write(data.join("inside"), "seen").expect("a file");
    std::fs::write(parent.path().join("outside"), "secret").expect("a file");
    std::os::unix::fs::symlink("../outside", data.join("link")).expect("a link");
    let report = read_file(&data, "/data/inside").await.result.expect("a report");
    assert_eq!(report.output, Value::from("seen"));
    for path in ["/data/../outside", "/data/link", "/etc/hostname"] {
        let failure = read_file(&data, path).await.result.expect_err(path);
        assert!(!failure.message.contains("secret"), "{failure}");
    }
}

#[tokio::test]
async fn directory_that_is_not_there_is_the_operators_fault() {
    let parent = tempfile::tempdir().expect("a directory");
    let ended = read_file(&parent.path().join("gone"), "/data/inside").await;
    let failure = ended.result.expect_err("a failure");
    assert_eq!(
        (failure.kind, failure.blame),
        (FailureKind::Unavailable, Blame::Operator)
    );
    assert!(
        failure
            .message
            .starts_with("the directory `data` cannot be opened"),
        "{failure}"
    );
}
