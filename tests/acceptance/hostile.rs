//! Hostile plugins against a real host: each attack ends in time and is told for what it is, while
//! others keep theirs.

mod arena;
#[expect(dead_code, reason = "the sandbox has more of them")]
#[path = "../../host/sandbox/tests/main/hostile.rs"]
mod bombs;
mod growth;
#[expect(dead_code, reason = "the sandbox needs more of them")]
#[path = "../../host/sandbox/tests/main/guests.rs"]
mod guests;
mod manifests;
mod memory;

use arena::Arena;
use sopwith_core::failure::{Blame, Failure, FailureKind};
use std::fs;
use std::os::unix::fs::symlink;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;

/// The limit that ended a run, or else what was said.
fn reason(failure: &Failure) -> &str {
    let limit = failure.extra.iter().find(|(name, _)| name == "limit");
    limit.map_or(&failure.message, |(_, limit)| limit)
}

/// The attack is ended by the host, for this reason, and the plugin is blamed.
fn check(procedure: &str, action: &str, kind: FailureKind, why: &str) {
    let failure = Arena::shared().repelled(procedure, action);
    assert!(reason(&failure).starts_with(why), "`{action}`: {failure:?}");
    assert_eq!(
        (failure.kind, failure.blame),
        (kind, Blame::Plugin),
        "`{action}`: {failure:?}"
    );
}

macro_rules! repelled {
    ($($name:ident: $procedure:literal $action:literal $kind:ident $why:literal;)*) => {
        $(
            #[test]
            fn $name() {
                check($procedure, $action, FailureKind::$kind, $why);
            }
        )*
    };
}

macro_rules! withstood {
    ($($name:ident: $procedure:literal $action:literal;)*) => {
        $(
            #[test]
            fn $name() {
                Arena::shared().withstood($procedure, $action);
            }
        )*
    };
}

repelled! {
    endless_loop: "impatient" "spin" Timeout "timeout";
    sleep_in_a_host_call: "impatient" "sleep-in-the-host" Timeout "timeout";
    sleep_in_wasi: "impatient" "sleep-in-wasi" Timeout "timeout";
    poll_for_ever: "impatient" "poll-for-ever" Timeout "timeout";
    deep_recursion: "attacks" "recurse" Failed "the plugin reached outside of its memory";
    stalled_http_body: "impatient" "stalled-body" Timeout "timeout";
    stalled_http_body_through_wasi: "impatient" "stalled-http" Timeout "timeout";
    slow_dns: "impatient" "slow-name" Timeout "timeout";
    endless_sql: "impatient" "endless" Timeout "timeout";

    memory_bomb: "attacks" "allocate" Limit "memory";
    memory_bomb_over_several_memories: "memories" "go" Limit "memory";
    table_bomb: "tables" "go" Limit "memory";
    handle_bomb: "attacks" "handles" Limit "handles";
    random_bytes_bomb: "attacks" "random-bytes" Limit "random_bytes";
    huge_string: "attacks" "huge-text" Limit "call_bytes";
    huge_list: "attacks" "huge-list" Limit "call_bytes";
    header_bomb: "attacks" "large-headers" Limit "header_bytes";
    descriptor_bomb: "attacks" "open-many" Limit "open_files";
    output_bomb: "attacks" "summary" Limit "output";
    json_bomb_in_the_report: "attacks" "json-of-a-report" Limit "memory";

    log_flood: "floods" "logs" Limit "calls";
    print_flood: "floods" "prints" Limit "calls";
    print_flood_without_asking: "floods" "unpermitted-prints" Failed "the plugin broke a rule of the sandbox";
    finding_flood: "floods" "findings" Limit "findings";
    attachment_flood: "floods" "attachments" Limit "attachments";
    figure_flood: "floods" "figures" Limit "calls";
    step_flood: "floods" "steps" Limit "calls";
    state_flood: "floods" "states" Limit "state";
    call_flood: "floods" "calls" Limit "calls";
    clock_flood: "floods" "clock" Limit "calls";
    flood_of_looks_at_files: "floods" "looks" Limit "calls";
    poll_flood: "floods" "polls" Limit "calls";

    exit_that_looks_like_success: "attacks" "exit" Failed "the plugin ended itself with exit code 0";
    panic_of_many_words: "attacks" "panic" Failed "the plugin panicked: xxx";
    cursor_used_after_its_session: "attacks" "use-after-end" Conflict "the session has ended";
    handle_used_after_its_drop: "dropped" "go" Failed "the plugin broke a rule of the sandbox: unknown handle";
}

withstood! {
    path_escapes: "attacks" "leave-the-directory";
    pipe_in_a_granted_directory: "attacks" "pipe";
    device_in_a_granted_directory: "attacks" "device";
    sql_that_leaves_its_session: "attacks" "leave-the-session";
    many_requests_at_once: "attacks" "many-requests";
}

#[test]
fn change_of_files_through_wasi() {
    let arena = Arena::shared();
    arena.withstood("writing", "change");
    let large = fs::read(arena.place.path("data/large")).expect("the file");
    assert_eq!(large.len(), 200_000);
}

#[test]
fn rename_race() {
    let arena = Arena::shared();
    let data = arena.place.path("data");
    let ended = Arc::new(AtomicBool::new(false));
    let swapper = {
        let ended = Arc::clone(&ended);
        thread::spawn(move || {
            let beside = data.join("beside");
            while !ended.load(Relaxed) {
                for (file, directory) in [("../outside/secret", "../outside"), ("large", "real")] {
                    for (target, name) in [(file, "swapped"), (directory, "swapped-directory")] {
                        symlink(target, &beside).expect("a link");
                        fs::rename(&beside, data.join(name)).expect("a rename");
                    }
                }
            }
        })
    };
    arena.withstood("attacks", "race");
    ended.store(true, Relaxed);
    swapper.join().expect("the thread that swaps");
}

#[test]
fn tricks_on_a_terminal() {
    let arena = Arena::shared();
    let run = arena.attack("attacks", "terminal").id().to_string();
    for command in ["show", "logs"] {
        let shown = arena.place.good(&[command, &run]);
        let harmful = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!shown.contains(harmful), "{command}: {shown:?}");
    }
}
