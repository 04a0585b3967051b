//! Commands as operators meant them.

use crate::world::{World, failure, kind};
use sopwith_core::command::{Blank, Command, Effects};
use sopwith_core::digest::Digest;
use sopwith_core::failure::FailureKind;
use sopwith_core::grant::Access;
use sopwith_core::journal::Note;
use sopwith_core::limits::Limits;
use sopwith_core::name::ResourceName;
use sopwith_core::port::capabilities::{Answer, Capabilities, CommandOutput, Pairs, Process};
use sopwith_core::secret::{Secret, SecretStore, SecretUse};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

/// A command of this program that changes nothing, with these arguments.
pub(crate) fn command(program: impl AsRef<Path>, arguments: &[&str]) -> Command {
    Command {
        program: program.as_ref().to_owned(),
        sha256: None,
        arguments: arguments
            .iter()
            .map(|argument| argument.parse().unwrap())
            .collect(),
        directory: None,
        environment: BTreeMap::new(),
        effects: Effects::None,
        timeout: None,
        blanks: BTreeMap::new(),
    }
}

/// A command that is a script; braces in it stand for themselves.
pub(crate) fn shell(script: &str) -> Command {
    let script = script.replace('{', "\\{").replace('}', "\\}");
    command("/bin/sh", &["-c", &script])
}

pub(crate) fn changes(command: Command) -> Command {
    Command {
        effects: Effects::Changes,
        ..command
    }
}

/// The command with a blank `x` of this pattern.
pub(crate) fn with_blank(command: Command, pattern: &str) -> Command {
    let blank = Blank::Pattern(pattern.parse().unwrap());
    Command {
        blanks: [("x".to_owned(), blank)].into(),
        ..command
    }
}

/// A world with the command `it`.
pub(crate) fn world(it: Command) -> World {
    World {
        commands: [(name("it"), it)].into(),
        ..World::new()
    }
}

pub(crate) fn name(name: &str) -> ResourceName {
    name.parse().unwrap()
}

pub(crate) async fn run(all: &dyn Capabilities, arguments: &[(&str, &str)]) -> Answer<CommandOutput> {
    all.commands().run("it", pairs(arguments), Vec::new()).await
}

pub(crate) fn pairs(arguments: &[(&str, &str)]) -> Pairs {
    let pairs = arguments
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    pairs.collect()
}

pub(crate) fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Reads until this text was printed.
pub(crate) async fn read_until(process: &mut dyn Process, expected: &str) -> String {
    let mut seen = String::new();
    while !seen.contains(expected) {
        assert_eq!(process.exit_code(), None, "it printed {seen:?}");
        seen.push_str(text(&process.read(1_000).await.unwrap()));
        tokio::task::yield_now().await;
    }
    seen
}

#[tokio::test]
async fn a_command_reads_its_input_and_tells_how_it_ended() {
    let world = world(shell("cat; echo no >&2; exit 3"));
    let all = world.open().await;
    let output = all
        .commands()
        .run("it", Pairs::new(), b"in".to_vec())
        .await
        .unwrap();
    assert_eq!((output.exit_code, output.signal), (3, None));
    assert_eq!((text(&output.stdout), text(&output.stderr)), ("in", "no\n"));
    assert!(!output.truncated);
    assert_eq!(output.extra, []);
    assert_eq!(world.notes().await, [], "it changes nothing");
}

#[tokio::test]
async fn a_command_that_a_signal_ended_says_so() {
    let world = world(shell("kill -KILL $$"));
    let output = run(&*world.open().await, &[]).await.unwrap();
    assert_eq!((output.exit_code, output.signal), (137, Some(9)));
}

#[tokio::test]
async fn what_was_not_granted_or_named_is_not_run() {
    let all = world(shell("true")).open().await;
    let other = all.commands().run("other", Pairs::new(), Vec::new()).await;
    let denied = failure(other);
    assert_eq!(denied.kind, FailureKind::Denied);
    assert!(denied.hint.unwrap().contains("[commands.other]"));
    let started = all.commands().start("other", Pairs::new()).await;
    assert_eq!(kind(started.map(drop)), FailureKind::Denied);
}

#[tokio::test]
async fn a_blank_is_filled_in_within_its_argument() {
    let script = command(
        "/bin/sh",
        &["-c", r#"printf '[%s]' "$@""#, "sh", "--at={x}.", "{x}"],
    );
    let world = world(with_blank(script, "[a-z ]*"));
    let all = world.open().await;
    for (value, printed) in [
        ("ab", "[--at=ab.][ab]"),
        ("a b", "[--at=a b.][a b]"),
        ("", "[--at=.][]"),
    ] {
        let output = run(&*all, &[("x", value)]).await.unwrap();
        assert_eq!(text(&output.stdout), printed);
    }
}

#[tokio::test]
async fn a_command_works_where_it_is_told_to() {
    let pwd = || command("/bin/pwd", &["-P"]);
    let output = run(&*world(pwd()).open().await, &[]).await.unwrap();
    assert_eq!(text(&output.stdout), "/\n");

    let mut world = world(pwd());
    let files = world.files().canonicalize().unwrap();
    let it = world.commands.get_mut(&name("it")).unwrap();
    it.directory = Some(files.clone());
    let output = run(&*world.open().await, &[]).await.unwrap();
    assert_eq!(text(&output.stdout).trim_end(), files.to_str().unwrap());

    let it = world.commands.get_mut(&name("it")).unwrap();
    it.directory = Some(files.join("missing"));
    let missing = failure(run(&*world.open().await, &[]).await);
    assert_eq!(missing.kind, FailureKind::NotFound);
    assert!(missing.hint.unwrap().contains("`directory` under [commands.it]"));
}

#[tokio::test]
async fn a_program_that_cannot_be_started_is_told_with_the_line_to_look_at() {
    let plain = tempfile::NamedTempFile::new().unwrap();
    for (program, expected) in [
        (Path::new("/nowhere/program"), FailureKind::NotFound),
        (Path::new("/bin/../nowhere"), FailureKind::NotFound),
        (plain.path(), FailureKind::Failed),
        (Path::new("/"), FailureKind::Failed),
    ] {
        let world = world(command(program, &[]));
        let all = world.open().await;
        let refused = failure(run(&*all, &[]).await);
        assert_eq!(refused.kind, expected, "{refused}");
        assert!(refused.hint.unwrap().contains("`program` under [commands.it]"));
        let started = all.commands().start("it", Pairs::new()).await;
        assert_eq!(kind(started.map(drop)), expected);
    }
}

#[tokio::test]
async fn a_dry_run_lists_what_changes_and_runs_what_only_looks() {
    let look = command("/bin/echo", &["looked"]);
    let change = with_blank(command("/bin/touch", &["{x}"]), ".*");
    let mut world = world(changes(change));
    let marker = world.files().join("marker");
    world.dry_run = true;
    world.commands.insert(name("look"), look);
    let all = world.open().await;
    let marker_path = marker.to_str().unwrap();
    let planned = run(&*all, &[("x", marker_path)]).await;
    assert_eq!(kind(planned), FailureKind::Planned);
    let started = all.commands().start("it", pairs(&[("x", "a")])).await;
    assert_eq!(kind(started.map(drop)), FailureKind::Planned);
    let looked = all.commands().run("look", Pairs::new(), Vec::new()).await;
    assert_eq!(text(&looked.unwrap().stdout), "looked\n");
    assert!(!marker.exists());
    let note = |call: &str, object: String| Note::Planned {
        call: call.to_owned(),
        object,
    };
    let expected = [
        note("commands.run", format!("commands.it (x: {marker_path})")),
        note("commands.start", "commands.it (x: a)".to_owned()),
    ];
    assert_eq!(world.notes().await, expected);
}

#[tokio::test]
async fn a_change_is_on_record_before_it_happens() {
    let world = world(changes(shell("exit 1")));
    let all = world.open().await;
    assert_eq!(run(&*all, &[]).await.unwrap().exit_code, 1);
    let change = Note::Change {
        call: "commands.run".to_owned(),
        object: "commands.it".to_owned(),
    };
    assert_eq!(world.notes().await, [change]);
}

#[tokio::test]
async fn a_blank_for_a_database_takes_its_name_and_needs_its_grant() {
    let mut look = command("/bin/echo", &["{x}"]);
    look.blanks = [("x".to_owned(), Blank::Database)].into();
    let cases = [
        (Effects::None, Access::Read, true),
        (Effects::Changes, Access::Read, false),
        (Effects::Changes, Access::Write, true),
        (Effects::Changes, Access::Replace, true),
    ];
    for (effects, access, runs) in cases {
        let command = Command {
            effects,
            ..look.clone()
        };
        let mut world = world(command);
        world.database_access = access.clone();
        world.write_tables = if access == Access::Write {
            vec!["entry"]
        } else {
            Vec::new()
        };
        let all = world.open().await;
        let answer = run(&*all, &[("x", "app")]).await;
        if runs {
            let path = format!("{}\n", world.app().display());
            assert_eq!(text(&answer.unwrap().stdout), path, "{effects:?} {access}");
        } else {
            assert_eq!(kind(answer), FailureKind::Denied, "{effects:?} {access}");
        }
        let scratch = all.sql().scratch("app").await.unwrap();
        let output = run(&*all, &[("x", &scratch)]).await.unwrap();
        assert!(text(&output.stdout).starts_with(world.scratch().to_str().unwrap()));
        let path = world.app();
        assert_eq!(
            kind(run(&*all, &[("x", path.to_str().unwrap())]).await),
            FailureKind::Denied,
            "a path is no name"
        );
    }
}

#[tokio::test]
async fn only_the_pinned_bytes_of_a_program_are_started() {
    let directory = tempfile::tempdir().unwrap();
    let script = directory.path().join("script");
    fs::write(&script, "#!/bin/sh\necho ran\n").unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let echo = fs::canonicalize("/bin/echo").unwrap();
    for (program, arguments) in [(&script, &[][..]), (&echo, &["ran"])] {
        let pinned = Command {
            sha256: Some(Digest::of(fs::read(program).unwrap())),
            ..command(program, arguments)
        };
        let output = run(&*world(pinned).open().await, &[]).await.unwrap();
        assert_eq!(text(&output.stdout), "ran\n", "{}", text(&output.stderr));
    }

    let (pinned, found) = (Digest::of("other"), Digest::of(fs::read(&script).unwrap()));
    let refused = failure(
        run(
            &*world(Command {
                sha256: Some(pinned),
                ..command(&script, &[])
            })
            .open()
            .await,
            &[],
        )
        .await,
    );
    assert_eq!(refused.kind, FailureKind::Conflict);
    let told = format!("{refused} {}", refused.hint.clone().unwrap());
    for part in ["`it`", &pinned.to_string(), &found.to_string(), "[commands.it]"] {
        assert!(told.contains(part), "{part} is not in {told}");
    }
}

#[tokio::test]
async fn a_process_goes_on_beside_the_plugin_until_it_is_stopped() {
    let script = "trap 'echo ended; exit 7' TERM; echo out; echo err >&2; sleep 1000 & wait";
    let world = world(shell(script));
    let all = world.open().await;
    let mut process = all.commands().start("it", Pairs::new()).await.unwrap();
    assert_eq!(read_until(&mut *process, "err\n").await, "out\nerr\n");
    let output = process.stop(Duration::from_secs(10)).await.unwrap();
    assert_eq!((output.exit_code, output.signal), (7, None));
    assert_eq!(text(&output.stdout), "ended\n");
    assert_eq!(process.exit_code(), Some(7));
    assert_eq!(process.stop(Duration::ZERO).await.unwrap().exit_code, 7);
}

#[tokio::test]
async fn a_process_that_ended_can_still_be_read() {
    let world = world(shell("printf abc; exit 2"));
    let all = world.open().await;
    let mut process = all.commands().start("it", Pairs::new()).await.unwrap();
    while process.exit_code().is_none() {
        tokio::task::yield_now().await;
    }
    assert_eq!(process.exit_code(), Some(2));
    assert_eq!(process.read(2).await.unwrap(), b"ab");
    assert_eq!(process.read(2).await.unwrap(), b"c");
    assert_eq!(process.read(2).await.unwrap(), b"");
}

#[tokio::test]
async fn a_secret_is_masked_in_what_a_command_prints() {
    let limits = Limits {
        command_output_bytes: 12,
        ..Limits::default()
    };
    let script = "printf 'it is hunter22 and more'; printf 'hunter22' >&2";
    let mut world = world(shell(script));
    world.limits = limits;
    let all = world.open().await;
    all.journal().redact("hunter22");
    let output = run(&*all, &[]).await.unwrap();
    assert_eq!(text(&output.stdout), "it is [redac");
    assert!(output.truncated);
    assert_eq!(text(&output.stderr), "[redacted]");
    let mut process = all.commands().start("it", Pairs::new()).await.unwrap();
    let mut seen = Vec::new();
    while process.exit_code().is_none() || seen.len() < 12 {
        seen.extend(process.read(1).await.unwrap());
        tokio::task::yield_now().await;
    }
    assert!(!text(&seen).contains("hunter"), "{}", text(&seen));
    assert!(seen.starts_with(b"it is ******"), "{}", text(&seen));
}

#[tokio::test]
async fn a_secret_goes_into_the_environment_of_the_commands_that_it_may_go_to() {
    let script = "test \"$TOKEN\" = 'Bearer hunter22' && echo $TOKEN";
    let mut it = shell(script);
    it.environment = [("TOKEN".to_owned(), "Bearer {{secret:API}}".parse().unwrap())].into();
    let mut world = world(it);
    let path = world.root().join("token");
    fs::write(&path, "hunter22\n").unwrap();
    let mut secret = Secret {
        store: SecretStore::File { path },
        uses: [SecretUse::Command(name("it"))].into(),
    };
    world.secrets = [(name("API"), secret.clone())].into();
    let output = run(&*world.open().await, &[]).await.unwrap();
    assert_eq!(
        (output.exit_code, text(&output.stdout)),
        (0, "Bearer [redacted]\n")
    );

    secret.uses = [SecretUse::Command(name("other"))].into();
    world.secrets = [(name("API"), secret)].into();
    let refused = failure(run(&*world.open().await, &[]).await);
    assert_eq!(refused.kind, FailureKind::Denied);
    assert!(refused.hint.unwrap().contains("[secrets.API]"));
}
