//! Commands at the ends of flows: all arrives, or nothing does.

use crate::commands::{changes, name, shell, world};
use crate::flow::{file, pipe, to_file};
use crate::world::{World, failure, kind, names};
use sopwith_core::digest::Digest;
use sopwith_core::failure::FailureKind;
use sopwith_core::journal::Note;
use sopwith_core::port::capabilities::{
    Answer, Capabilities, IfExists, Pairs, Pipe, Receipt, Sink, Source, Stage,
};
use std::fs;
use std::time::Duration;

fn from(command: &str) -> Source {
    Source::Command {
        command: command.to_owned(),
        arguments: Pairs::new(),
    }
}

fn to(command: &str) -> Sink {
    Sink::Command {
        command: command.to_owned(),
        arguments: Pairs::new(),
    }
}

async fn dump(all: &dyn Capabilities, stages: &[Stage]) -> Answer<Receipt> {
    let pipe = pipe(from("it"), stages);
    all.flow().move_bytes(pipe, to_file("dump", IfExists::Fail)).await
}

/// A world whose command `it` runs a script in the directory of files.
fn here(script: &str) -> World {
    let mut world = world(shell(script));
    let directory = world.files();
    let it = world.commands.get_mut(&name("it")).unwrap();
    it.directory = Some(directory);
    world
}

#[tokio::test]
async fn what_a_command_prints_becomes_a_file() {
    let world = world(shell("yes | head -c 3000000; echo warned >&2"));
    let all = world.open().await;
    assert!(all.flow().check(&from("it")).await.is_ok());
    let receipt = dump(&*all, &[Stage::CompressZstd(1)]).await.unwrap();
    let dumped = fs::read(world.files().join("dump")).unwrap();
    let content = zstd::decode_all(&*dumped).unwrap();
    assert_eq!(content, "y\n".repeat(1_500_000).into_bytes());
    assert_eq!(receipt.source_digest, Digest::of(&content).to_string());
    assert_eq!(receipt.bytes_read, 3_000_000);
    assert_eq!(receipt.warnings, [""; 0]);
}

#[tokio::test]
async fn a_command_that_fails_leaves_nothing_at_the_sink() {
    let cases = [
        (
            "yes | head -c 3000000; echo 'no: luck' >&2; exit 1",
            "exited with 1: no: luck",
        ),
        ("echo part; kill -KILL $$", "ended by the signal 9"),
        ("echo part; exec >&-; sleep 0.1; exit 5", "exited with 5"),
    ];
    for (script, why) in cases {
        let world = world(shell(script));
        let all = world.open().await;
        let failed = failure(dump(&*all, &[]).await);
        assert_eq!(failed.kind, FailureKind::Failed);
        assert!(failed.message.contains(why), "{failed}");
        assert_eq!(names(&world.files()), [""; 0], "{script}");
    }
}

#[tokio::test]
async fn a_command_reads_what_flows_into_it() {
    let world = here("cat >got; echo fine");
    fs::write(world.files().join("big"), vec![b'x'; 3 << 20]).unwrap();
    let all = world.open().await;
    let receipt = all
        .flow()
        .move_bytes(pipe(file("big"), &[]), to("it"))
        .await
        .unwrap();
    assert_eq!(receipt.bytes_written, 3 << 20);
    assert_eq!(fs::read(world.files().join("got")).unwrap(), vec![b'x'; 3 << 20]);
}

#[tokio::test]
async fn one_command_flows_into_another() {
    let mut world = here("tr a b >got");
    world.commands.insert(name("from"), shell("printf aaa"));
    let all = world.open().await;
    all.flow()
        .move_bytes(pipe(from("from"), &[]), to("it"))
        .await
        .unwrap();
    assert_eq!(fs::read(world.files().join("got")).unwrap(), b"bbb");
}

#[tokio::test]
async fn a_command_never_takes_a_part_for_the_whole() {
    let packed = zstd::encode_all(&vec![b'x'; 3 << 20][..], 3).unwrap();
    let script = "trap '' TERM; cat >/dev/null; : >done";
    let cut = here(script);
    fs::write(cut.files().join("cut"), &packed[..packed.len() - 3]).unwrap();
    let all = cut.open().await;
    let stages = [Stage::DecompressZstd];
    let moved = all.flow().move_bytes(pipe(file("cut"), &stages), to("it")).await;
    assert_eq!(kind(moved), FailureKind::Invalid);
    all.settle().await;
    assert_eq!(names(&cut.files()), ["cut"]);

    let other = here(script);
    let all = other.open().await;
    let expecting = Pipe {
        expect: Some(Digest::of("other")),
        ..pipe(Source::Bytes(b"some".to_vec()), &[])
    };
    assert_eq!(
        kind(all.flow().move_bytes(expecting, to("it")).await),
        FailureKind::Conflict
    );
    all.settle().await;
    assert_eq!(names(&other.files()), [""; 0]);
}

#[tokio::test]
async fn a_command_that_reads_no_more_says_why() {
    let cases = [
        ("exit 3", "exited with 3"),
        (
            "head -c 1 >/dev/null; echo full >&2; exit 4",
            "exited with 4: full",
        ),
        ("exec <&-; sleep 0.1; exit 0", "did not read all"),
    ];
    for (script, why) in cases {
        let world = here(script);
        let all = world.open().await;
        let content = Source::Bytes(vec![b'x'; 4 << 20]);
        let failed = failure(all.flow().move_bytes(pipe(content, &[]), to("it")).await);
        assert!(failed.message.contains(why), "{failed}");
    }
}

#[tokio::test]
async fn a_flow_of_a_command_ends_with_its_attempt_and_at_its_time() {
    for script in ["sleep 1000", "yes >/dev/full; sleep 1000"] {
        let mut world = world(shell(script));
        world.time = Duration::from_millis(300);
        let all = world.open().await;
        assert_eq!(kind(dump(&*all, &[]).await), FailureKind::Timeout);
        let endless = pipe(Source::Bytes(vec![b'x'; 4 << 20]), &[]);
        let all = world.open().await;
        assert_eq!(
            kind(all.flow().move_bytes(endless, to("it")).await),
            FailureKind::Timeout
        );
        all.settle().await;
    }
    let mut world = world(shell("yes"));
    let it = world.commands.get_mut(&name("it")).unwrap();
    it.timeout = Some(Duration::from_millis(200));
    let all = world.open().await;
    assert_eq!(kind(dump(&*all, &[]).await), FailureKind::Timeout);
    assert_eq!(names(&world.files()), [""; 0]);
}

#[tokio::test]
async fn a_dry_run_of_a_flow_runs_only_commands_that_look() {
    let mut world = here("cat >got");
    world.dry_run = true;
    world.commands.insert(name("look"), shell("printf abc"));
    let change = changes(world.commands[&name("it")].clone());
    world.commands.insert(name("change"), change);
    let all = world.open().await;
    let from_look = || pipe(from("look"), &[]);
    let moved = all
        .flow()
        .move_bytes(from_look(), to_file("dump", IfExists::Fail))
        .await;
    assert_eq!(moved.unwrap().source_digest, Digest::of("abc").to_string());
    let into = all.flow().move_bytes(from_look(), to("change")).await;
    assert_eq!(kind(into), FailureKind::Planned);
    let out_of = all
        .flow()
        .move_bytes(pipe(from("change"), &[]), Sink::Nothing)
        .await;
    assert_eq!(kind(out_of), FailureKind::Planned);
    assert_eq!(names(&world.files()), [""; 0]);
    let planned = |call: &str, object: &str| Note::Planned {
        call: call.to_owned(),
        object: object.to_owned(),
    };
    let expected = [
        planned("flow.to-file", "directories.files/dump"),
        planned("flow.to-command", "commands.change"),
        planned("flow.from-command", "commands.change"),
    ];
    assert_eq!(world.notes().await, expected);
}
