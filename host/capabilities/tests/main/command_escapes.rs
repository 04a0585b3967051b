//! What a hostile plugin would fill into blanks, and what a bad command would do to its host.

use crate::commands::{command, name, pairs, read_until, run, shell, text, with_blank, world};
use crate::world::{World, failure, kind};
use rustix::io::{FdFlags, fcntl_setfd};
use sopwith_core::command::{Command, Effects};
use sopwith_core::failure::FailureKind;
use sopwith_core::limits::Limits;
use sopwith_core::port::capabilities::{Capabilities, Pairs};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::Instant;

/// Long for a test, short for a command that would not end.
const SOON: Duration = Duration::from_millis(200);
/// How long a command may take to end that does not want to, and the machine to notice.
const AT_THE_LATEST: Duration = Duration::from_secs(8);

fn timed(command: Command) -> Command {
    Command {
        timeout: Some(SOON),
        ..command
    }
}

/// A command that writes the number of one of its processes into a file, which is then read.
fn marker(world: &World) -> PathBuf {
    world.files().join("process")
}

/// The process whose number the file holds, once it is there.
async fn process(marker: &Path) -> PathBuf {
    loop {
        let number = fs::read_to_string(marker).unwrap_or_default();
        if number.ends_with('\n') {
            return Path::new("/proc").join(number.trim());
        }
        tokio::task::yield_now().await;
    }
}

/// A world whose command `it` runs a script that knows where its marker is.
fn marking(script: &str) -> World {
    let mut world = world(shell("true"));
    let script = script.replace("MARKER", marker(&world).to_str().unwrap());
    world.commands.insert(name("it"), shell(&script));
    world
}

#[tokio::test]
async fn values_become_neither_options_nor_programs_nor_other_arguments() {
    let print = |arguments: &[&str]| {
        let all = ["-c", r#"printf '[%s]' "$@""#, "sh"].iter().chain(arguments);
        command("/bin/sh", &all.copied().collect::<Vec<_>>())
    };
    let long = "a".repeat(5000);
    let fits = "a".repeat(4096);
    // The pattern, the argument, the value, and what arrives; none where it is refused.
    let cases: &[(&str, &str, &str, Option<&str>)] = &[
        (".*", "{x}", "; touch /tmp/x", Some("[; touch /tmp/x]")),
        (".*", "{x}", "$(id) `id` $HOME", Some("[$(id) `id` $HOME]")),
        (".*", "{x}", "a b\u{a0}'\"\\ *?", Some("[a b\u{a0}'\"\\ *?]")),
        (".*", "{x}", "{x}", Some("[{x}]")),
        (".*", "{x}", "{{secret:A}}", Some("[{{secret:A}}]")),
        (".*", "{x}", "-rf", None),
        (".*", "{x}", "--output=/etc/passwd", None),
        (".*", "{x}/.", "-", None),
        (".*", "--file={x}", "-rf", Some("[--file=-rf]")),
        (".*", "{x}", "−rf", Some("[−rf]")),
        ("(?s).*", "{x}", "a\n-rf", None),
        ("(?s).*", "--file={x}", "a\nb", None),
        ("(?s).*", "{x}", "a\0b", None),
        ("(?s).*", "{x}", "\u{1b}[2J", None),
        ("[a-z]+", "{x}", "ab\n", None),
        ("(?m)^[a-z]+$", "{x}", "ab\ncd", None),
        ("[a-z]+|x", "{x}", "ab; cd", None),
        ("[a-z]*", "{x}", "", Some("[]")),
        ("[a-z]+", "{x}", "", None),
        ("a*", "{x}", &long, None),
        ("a*", "{x}", &fits, Some(&format!("[{fits}]"))),
    ];
    for (pattern, argument, value, expected) in cases {
        let world = world(with_blank(print(&[*argument]), pattern));
        let all = world.open().await;
        let answer = run(&*all, &[("x", value)]).await;
        match expected {
            Some(expected) => assert_eq!(text(&answer.unwrap().stdout), *expected, "{value:?}"),
            None => assert_eq!(kind(answer), FailureKind::Invalid, "{value:?} in {argument}"),
        }
    }
}

#[tokio::test]
async fn blanks_that_do_not_fit_are_refused() {
    let world = world(with_blank(command("/bin/echo", &["{x}"]), ".*"));
    let all = world.open().await;
    let many: Vec<_> = (0..10_000)
        .map(|number| (number.to_string(), "a".to_owned()))
        .collect();
    let many: Vec<_> = many
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let cases: [&[(&str, &str)]; 5] = [
        &[],
        &[("y", "a")],
        &[("x", "a"), ("y", "b")],
        &[("x", "a"), ("x", "b")],
        &many,
    ];
    for given in cases {
        let refused = failure(run(&*all, given).await);
        assert_eq!(refused.kind, FailureKind::Invalid, "{refused}");
        assert!(refused.message.len() < 500, "{refused}");
    }
}

#[tokio::test]
async fn a_command_gets_the_environment_that_was_written_and_no_other() {
    let mut env = command("/usr/bin/env", &[]);
    let empty = run(&*world(env.clone()).open().await, &[]).await.unwrap();
    assert_eq!(text(&empty.stdout), "");
    env.environment = [("A".to_owned(), "b c".parse().unwrap())].into();
    let output = run(&*world(env).open().await, &[]).await.unwrap();
    assert_eq!(text(&output.stdout), "A=b c\n");
}

#[tokio::test]
async fn a_command_gets_its_three_streams_and_no_other_open_file() {
    // As somebody leaves one open who starts the host.
    let left_open = fs::File::open("/etc/hostname").unwrap();
    fcntl_setfd(&left_open, FdFlags::empty()).unwrap();
    let world = world(shell("ls /proc/$$/fd"));
    let output = run(&*world.open().await, &[]).await.unwrap();
    assert_eq!(text(&output.stdout), "0\n1\n2\n");
}

#[tokio::test]
async fn a_command_has_a_session_of_its_own_and_no_terminal() {
    // Read by its own program: in a container the session may be one from outside, which has the number 0 here.
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let own = stat.rsplit(") ").next().unwrap().split(' ').nth(3).unwrap();
    // The sixth field is the session.
    let script = format!("test $(cut -d ' ' -f 6 /proc/$$/stat) -ne {own} && ! (: >/dev/tty) 2>/dev/null");
    let output = run(&*world(shell(&script)).open().await, &[]).await.unwrap();
    assert_eq!(output.exit_code, 0, "{}", text(&output.stderr));
}

#[tokio::test]
async fn a_flood_is_cut_off_and_keeps_nobody_waiting() {
    let mut world = world(shell(
        "yes | head -c 50000000; yes no | head -c 50000000 >&2; exit 4",
    ));
    world.limits = Limits {
        command_output_bytes: 1000,
        ..Limits::default()
    };
    let output = run(&*world.open().await, &[]).await.unwrap();
    assert_eq!((output.stdout.len(), output.stderr.len()), (1000, 1000));
    assert!(output.truncated);
    assert_eq!(output.exit_code, 4, "it came to its end");
}

#[tokio::test]
async fn a_command_that_does_not_end_is_ended_at_its_time() {
    let scripts = [
        ("a flood", "yes"),
        ("deaf", "trap '' TERM INT HUP; while :; do sleep 1000; done"),
        ("silent", "exec >&- 2>&-; sleep 1000"),
        ("stopped", "kill -STOP $$"),
        (
            "a family",
            "sleep 1000 | sleep 1000 & (sleep 1000 & sleep 1000) & wait",
        ),
        ("without input", "sleep 1000 <&-"),
    ];
    for (which, script) in scripts {
        let script = format!("echo $$ >MARKER; {script}");
        let mut world = marking(&script);
        let it = world.commands.get_mut(&name("it")).unwrap();
        it.timeout = Some(SOON);
        let all = world.open().await;
        let began = Instant::now();
        let answer = failure(run(&*all, &[]).await);
        assert_eq!(answer.kind, FailureKind::Timeout, "{which}: {answer}");
        assert!(answer.hint.unwrap().contains("`timeout` under [commands.it]"));
        assert!(began.elapsed() < AT_THE_LATEST, "{which}");
        assert!(!process(&marker(&world)).await.exists(), "{which} goes on");
    }
}

#[tokio::test]
async fn input_that_nobody_reads_keeps_nobody_waiting() {
    let input = || vec![b'x'; 4 << 20];
    let world_of = |script| world(timed(shell(script)));
    let ended = world_of("exit 0").open().await;
    let ended = ended.commands().run("it", Pairs::new(), input()).await.unwrap();
    assert_eq!(ended.exit_code, 0);
    let deaf = world_of("sleep 1000").open().await;
    let deaf = deaf.commands().run("it", Pairs::new(), input()).await;
    assert_eq!(kind(deaf), FailureKind::Timeout);
}

#[tokio::test]
async fn a_daemon_ends_with_the_command_that_left_it_behind() {
    let daemon = "setsid sh -c 'setsid sh -c \"echo \\$\\$ >MARKER; exec sleep 1000\" &' >/dev/null 2>&1 &";
    let world = marking(&format!("{daemon}\nuntil [ -s MARKER ]; do :; done; echo up"));
    let output = run(&*world.open().await, &[]).await.unwrap();
    assert_eq!((output.exit_code, text(&output.stdout)), (0, "up\n"));
    assert_eq!(output.extra, pairs(&[("left-behind", "1")]));
    assert!(!process(&marker(&world)).await.exists());
}

#[tokio::test]
async fn what_ends_by_itself_a_little_later_may_do_so() {
    let world = world(shell("(sleep 0.05; echo late) & exit 0"));
    let output = run(&*world.open().await, &[]).await.unwrap();
    assert_eq!(text(&output.stdout), "late\n");
    assert_eq!(output.extra, []);
}

#[tokio::test]
async fn a_command_ends_with_its_attempt() {
    let script = "trap '' TERM; echo $$ >MARKER; while :; do sleep 1000; done";
    let world = marking(script);
    let all = world.open().await;
    let cancel = async {
        process(&marker(&world)).await;
        world.cancel.cancel();
    };
    let (answer, ()) = tokio::join!(run(&*all, &[]), cancel);
    assert_eq!(kind(answer), FailureKind::Cancelled);
    all.settle().await;
    assert!(!process(&marker(&world)).await.exists());
    assert_eq!(kind(run(&*all, &[]).await), FailureKind::Cancelled);
}

#[tokio::test]
async fn a_process_whose_handle_is_dropped_is_gone_when_the_attempt_has_ended() {
    let world = marking("trap '' TERM; echo $$ >MARKER; while :; do sleep 1000; done");
    let all = world.open().await;
    let marker = marker(&world);
    let started = all.commands().start("it", Pairs::new()).await.unwrap();
    assert!(process(&marker).await.exists());
    drop(started);
    all.settle().await;
    assert!(!process(&marker).await.exists());
}

#[tokio::test]
async fn a_process_ends_at_its_time_too() {
    let world = world(timed(shell("echo $$; sleep 1000")));
    let all = world.open().await;
    let mut process = all.commands().start("it", Pairs::new()).await.unwrap();
    read_until(&mut *process, "\n").await;
    while process.exit_code().is_none() {
        tokio::task::yield_now().await;
    }
    assert_eq!(process.exit_code(), Some(143));
    let output = process.stop(Duration::ZERO).await.unwrap();
    let (cause, why) = &output.extra[0];
    assert_eq!(cause, "cause");
    assert!(why.contains("took longer"), "{why}");
}

#[tokio::test]
async fn children_that_nobody_waits_for_leave_no_zombies() {
    let script = "for i in 1 2 3 4 5; do (sh -c : &); done; cat /proc/$$/stat; echo end; sleep 1000";
    let world = world(shell(script));
    let all = world.open().await;
    let mut process = all.commands().start("it", Pairs::new()).await.unwrap();
    let seen = read_until(&mut *process, "end\n").await;
    let (_, fields) = seen.rsplit_once(") ").unwrap();
    let supervisor = fields.split(' ').nth(1).unwrap().to_owned();
    let zombies = || {
        let stats = fs::read_dir("/proc").unwrap().flatten();
        let stats = stats.filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok());
        let zombie = format!(") Z {supervisor} ");
        stats.filter(|stat| stat.contains(&zombie)).count()
    };
    while zombies() > 0 {
        tokio::task::yield_now().await;
    }
    process.stop(Duration::ZERO).await.unwrap();
}

#[tokio::test]
async fn an_attempt_has_64_commands_at_once_and_no_more() {
    let world = world(shell("sleep 1000"));
    let all = world.open().await;
    let mut started = Vec::new();
    for _ in 0..64 {
        started.push(all.commands().start("it", Pairs::new()).await.unwrap());
    }
    let refused = all.commands().start("it", Pairs::new()).await;
    assert_eq!(kind(refused.map(drop)), FailureKind::Limit);
    started[0].stop(Duration::ZERO).await.unwrap();
    while all.commands().start("it", Pairs::new()).await.is_err() {
        tokio::task::yield_now().await;
    }
    drop(started);
    let began = Instant::now();
    all.settle().await;
    assert!(began.elapsed() < AT_THE_LATEST);
}

#[tokio::test]
async fn sixty_four_end_at_their_time() {
    let world = world(Command {
        effects: Effects::Changes,
        ..timed(shell("sleep 1000"))
    });
    let all = world.open().await;
    let began = Instant::now();
    let runs = (0..64).map(|_| run(&*all as &dyn Capabilities, &[]));
    for answer in futures::future::join_all(runs).await {
        assert_eq!(kind(answer), FailureKind::Timeout);
    }
    assert!(began.elapsed() < AT_THE_LATEST);
}
