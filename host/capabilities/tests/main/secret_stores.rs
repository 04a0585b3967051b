//! Secrets whose values are kept past Sopwith.

use crate::commands::{changes, command, shell};
use crate::secrets::{look, name, set, world};
use crate::world::{World, failure, kind};
use sopwith_core::command::Command;
use sopwith_core::failure::FailureKind;
use sopwith_core::name::ResourceName;
use sopwith_core::port::capabilities::Answer;
use sopwith_core::secret::{Secret, SecretStore, SecretUse, Stage, VersionOrigin};
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

fn in_file(content: &str) -> (World, PathBuf) {
    let mut world = world(SecretStore::Sealed);
    let path = world.root().join("token");
    fs::write(&path, content).unwrap();
    world.secrets.get_mut(&name()).unwrap().store = SecretStore::File { path: path.clone() };
    (world, path)
}

/// A world where TOKEN is what a command prints.
fn told_by(tells: Command) -> World {
    let command: ResourceName = "tells".parse().unwrap();
    let mut world = world(SecretStore::Command {
        command: command.clone(),
    });
    world.commands = [(command, tells)].into();
    world
}

/// The value of the version in use, and its id.
async fn current(world: &World) -> Answer<(Vec<u8>, String)> {
    let all = world.open().await;
    let versions = all.secrets().versions("TOKEN").await?;
    let current = versions.iter().find(|version| version.stage == Stage::Current);
    let id = current.expect("a version in use").id.clone();
    let value = all.secret_reveal().reveal("TOKEN", &id).await?;
    Ok((value.expose().to_vec(), id))
}

#[tokio::test]
async fn a_changed_file_is_used_at_once() {
    let (world, path) = in_file("hush-1\n");
    let (value, first) = current(&world).await.unwrap();
    assert_eq!(value, b"hush-1");
    fs::write(&path, "hush-2\n").unwrap();
    let (value, second) = current(&world).await.unwrap();
    assert_eq!(value, b"hush-2");
    assert_ne!(first, second);
    let all = world.open().await;
    assert_eq!(
        kind(all.secret_reveal().reveal("TOKEN", &first).await),
        FailureKind::NotFound
    );
    fs::write(&path, "hush-1").unwrap();
    assert_eq!(
        current(&world).await.unwrap().1,
        first,
        "equal values are one version"
    );
}

#[tokio::test]
async fn a_value_that_somebody_put_into_the_store_is_current_and_from_outside() {
    let (world, path) = in_file("hush-1\n");
    let all = world.open().await;
    let put = all
        .secret_reveal()
        .put("TOKEN", b"hush-2".to_vec())
        .await
        .unwrap();
    let versions = all.secrets().versions("TOKEN").await.unwrap();
    let seen: Vec<_> = versions
        .iter()
        .map(|version| (version.stage, version.origin))
        .collect();
    assert_eq!(
        seen,
        [
            (Stage::Current, VersionOrigin::Outside),
            (Stage::Pending, VersionOrigin::Procedure)
        ]
    );
    assert_eq!(fs::read(&path).unwrap(), b"hush-1\n", "`put` changes no store");
    assert_eq!(
        all.secret_reveal().reveal("TOKEN", &put).await.unwrap().expose(),
        b"hush-2"
    );
    fs::write(&path, "hush-2\n").unwrap();
    assert_eq!(current(&world).await.unwrap(), (b"hush-2".to_vec(), put));
}

#[tokio::test]
async fn a_store_without_a_value_has_no_current_version() {
    let (world, path) = in_file("hush-1\n");
    fs::remove_file(path).unwrap();
    let all = world.open().await;
    assert_eq!(all.secrets().versions("TOKEN").await.unwrap(), []);
    let status = look(&world).await;
    assert!(!status.is_set);
    assert!(status.problem.unwrap().message.contains("there is no file"));
}

#[tokio::test]
async fn a_value_is_there_without_a_key_but_no_fingerprint() {
    let (world, _) = in_file("hush-1\n");
    fs::remove_file(world.key().path()).unwrap();
    let all = world.open().await;
    let failed = failure(all.secrets().versions("TOKEN").await);
    assert!(failed.hint.unwrap().contains("init-key"));
    let status = look(&world).await;
    assert!(status.is_set && status.problem.is_some());
}

#[tokio::test]
async fn what_is_kept_elsewhere_is_not_set_and_it_is_said_where() {
    let (world, path) = in_file("hush-1\n");
    let refused = failure(set(&world, "hush-2").await);
    assert_eq!(refused.kind, FailureKind::Invalid);
    let hint = refused.hint.unwrap();
    assert_eq!(hint, format!("write the value into {}", path.display()));
}

#[tokio::test]
async fn a_value_too_short_to_be_masked_is_told() {
    let (world, path) = in_file("abc\n");
    let status = look(&world).await;
    assert!(status.is_set);
    assert!(status.problem.unwrap().message.contains("too short to be masked"));
    fs::write(path, "abcd\n").unwrap();
    assert_eq!(look(&world).await.problem, None);
}

#[tokio::test]
async fn a_command_tells_a_value() {
    let world = told_by(command("/bin/echo", &["hush-1"]));
    assert_eq!(current(&world).await.unwrap().0, b"hush-1");
    let world = told_by(shell("printf 'a\\nb\\n\\n'"));
    assert_eq!(current(&world).await.unwrap().0, b"a\nb\n");
}

#[tokio::test]
async fn an_operator_who_looks_runs_each_command_once() {
    let mut world = told_by(shell("true"));
    let runs = world.root().join("runs");
    let tells = shell(&format!("echo run >> {}; echo hush-1", runs.display()));
    world.commands.insert("tells".parse().unwrap(), tells);
    let status = look(&world).await;
    assert!(status.is_set && status.versions.len() == 1, "{status:?}");
    assert_eq!(fs::read_to_string(runs).unwrap(), "run\n");
}

#[tokio::test]
async fn a_command_that_fails_is_told_without_what_it_printed() {
    let cases = [
        (shell("echo hush-1; echo hush-2 >&2; exit 3"), "ended with 3"),
        (shell("true"), "it is empty"),
        (shell("yes hush | head -c 70000"), "it has more than"),
        (command("/nowhere/at/all", &[]), "cannot be started"),
        (
            Command {
                timeout: Some(Duration::from_millis(50)),
                ..shell("exec sleep 60")
            },
            "took longer than",
        ),
    ];
    for (tells, expected) in cases {
        let problem = look(&told_by(tells)).await.problem.unwrap();
        let said = format!("{} {:?}", problem.message, problem.hint);
        assert!(said.contains(expected) && !said.contains("hush"), "{said}");
    }
}

#[tokio::test]
async fn a_command_is_given_the_secrets_that_may_go_into_it() {
    let given: ResourceName = "GIVEN".parse().unwrap();
    let mut tells = shell("printf %s \"$PASSWORD\" | rev");
    tells.environment = [("PASSWORD".to_owned(), "{{secret:GIVEN}}".parse().unwrap())].into();
    tells
        .environment
        .insert("PATH".to_owned(), "/bin:/usr/bin".parse().unwrap());
    let mut world = told_by(tells);
    let path = world.root().join("given");
    fs::write(&path, "hush").unwrap();
    let secret = |uses: &[&str]| Secret {
        store: SecretStore::File { path: path.clone() },
        uses: uses
            .iter()
            .map(|text| text.parse::<SecretUse>().unwrap())
            .collect(),
    };
    world.secrets.insert(given.clone(), secret(&["commands.other"]));
    let refused = failure(current(&world).await);
    assert!(
        refused
            .message
            .contains("[secrets.GIVEN] does not let it go into the command `tells`"),
        "{refused}"
    );
    world.secrets.insert(given, secret(&["commands.tells"]));
    assert_eq!(current(&world).await.unwrap().0, b"hsuh");
}

#[tokio::test]
async fn a_zero_byte_does_not_go_into_an_environment() {
    let mut it = changes(shell("true"));
    it.environment = [("TOKEN".to_owned(), "{{secret:TOKEN}}".parse().unwrap())].into();
    let (mut world, path) = in_file("x");
    fs::write(path, b"a\0b").unwrap();
    world.commands = [("it".parse().unwrap(), it)].into();
    let uses = ["commands.it".parse::<SecretUse>().unwrap()];
    world.secrets.get_mut(&name()).unwrap().uses = uses.into();
    let all = world.open().await;
    let refused = failure(all.commands().run("it", Vec::new(), Vec::new()).await);
    assert!(refused.message.contains("has a zero byte"), "{refused}");
}
