//! Secrets, as operators set them and procedures work with them: nowhere is a value to be found.

use crate::place::{Ended, Place, until};
use crate::procedures::exerciser;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::Value;
use std::fmt::Write as _;
use std::fs::{self, File, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// What the fixture makes for itself, which is in its bytes the other way round.
const MADE: &str = "made-by-a-plugin";

/// A place with a key, a sealed secret TOKEN, and the fixture that works with it.
fn place() -> Place {
    let place = Place::new();
    place.add_to_host("[secrets.TOKEN]\nstore = \"sealed\"\n");
    exerciser(
        &place,
        "fixture",
        "[grants]\nsecrets = [\"TOKEN\"]\nsecret_reveal = [\"TOKEN\"]\n\n[settings]\nsecret = \"TOKEN\"\n",
    );
    place.good(&["secrets", "init-key"]);
    place
}

fn start_setting(mut command: Command, value: &str) -> Child {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let mut input = child.stdin.take().expect("a pipe");
    // A command that ends before it reads has its reasons.
    let _ = input.write_all(value.as_bytes());
    child
}

fn ended(child: Child) -> Ended {
    let output = child.wait_with_output().expect("a process of ours");
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("text"),
        stderr: String::from_utf8(output.stderr).expect("text"),
    }
}

/// `secrets set` with this on standard input.
fn set(place: &Place, name: &str, value: &str) -> Ended {
    ended(start_setting(place.command(&["secrets", "set", name]), value))
}

#[track_caller]
fn good_set(place: &Place, name: &str, value: &str) {
    let ended = set(place, name, value);
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

/// The secret TOKEN, as `secrets list` has it.
fn token(place: &Place) -> Value {
    let listed = place.json(&["secrets", "list"]);
    let mut secrets = listed.as_array().expect("a list").iter();
    secrets
        .find(|secret| secret["name"] == "TOKEN")
        .expect("it is named")
        .clone()
}

/// The ids of the versions at this stage.
fn at(secret: &Value, stage: &str) -> Vec<String> {
    let versions = secret["versions"].as_array().expect("a list").iter();
    versions
        .filter(|version| version["stage"] == stage)
        .map(|version| version["id"].as_str().expect("an id").to_owned())
        .collect()
}

fn output(place: &Place, arguments: &[&str]) -> Value {
    place.json(&[&["run", "fixture"], arguments].concat())["report"]["output"].clone()
}

/// Fails where the value, or the beginning of its base64 or hexadecimal form, is in a file beneath.
fn assert_nowhere(folder: &Path, value: &str) {
    let hexadecimal = value.bytes().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    let base64 = ["aHVza", "bWFkZS1ieS1h"].map(str::to_owned);
    let forms = [value.to_owned(), hexadecimal].into_iter().chain(base64);
    let forms: Vec<_> = forms.map(String::into_bytes).collect();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let Ok(content) = fs::read(&path) else { continue };
            for form in &forms {
                let found = content.windows(form.len()).any(|part| part == form);
                assert!(!found, "{} in {}", String::from_utf8_lossy(form), path.display());
            }
        }
    }
}

#[test]
fn a_value_goes_its_whole_way_and_is_nowhere_to_be_found() {
    let place = place();
    let (first, second) = ("hush-in-a-command", "hush-over-the-socket");
    good_set(&place, "TOKEN", &format!("{first}\n"));

    let log = place.path("log");
    let service = place
        .command(&["serve"])
        .env("SOPWITH_LOG", "trace")
        .stderr(File::create(&log).expect("a file"))
        .spawn();
    let mut service = service.expect("the service starts");
    until("a service", || {
        let said = fs::read_to_string(&log).expect("text");
        said.contains("ready").then_some(())
    });
    good_set(&place, "TOKEN", &format!("{second}\n"));
    let listed = token(&place);
    let (current, previous) = (at(&listed, "current"), at(&listed, "previous"));
    assert_eq!((current.len(), previous.len()), (1, 1), "{listed}");

    let versions = output(&place, &["versions"]);
    assert_eq!(versions[0]["id"], *current[0], "{versions}");
    assert_eq!(versions[0]["origin"], "operator");
    for (version, length) in [(&previous[0], first.len()), (&current[0], second.len())] {
        let run = place.json(&["run", "fixture", "reveal", "--set", &format!("version={version}")]);
        let summary = run["report"]["summary"].as_str().expect("a summary");
        assert_eq!(summary, format!("{length} bytes: [redacted]"));
        let mut shown = place.good(&["show", "fixture", "--json"]);
        shown += &place.good(&["show", "fixture"]);
        shown += &place.good(&["logs", "fixture"]);
        assert!(
            shown.contains("[redacted]") && !shown.contains("hush-"),
            "{shown}"
        );
    }
    let pending = output(&place, &["put"]);
    assert_eq!(at(&token(&place), "pending"), [pending.as_str().expect("an id")]);

    assert!(place.good(&["audit", "verify"]).contains("holds"));
    let audited = audited(&place, "secret.");
    let actions: Vec<_> = audited.iter().map(|(action, _)| action.as_str()).collect();
    assert_eq!(
        actions,
        [
            "secret.set",
            "secret.set",
            "secret.revealed",
            "secret.revealed",
            "secret.put"
        ]
    );
    assert_eq!(audited[2].1["procedure"], "fixture");
    assert_eq!(audited[2].1["version"], *previous[0]);
    service.kill().expect("a process of ours");
    service.wait().expect("a process of ours");
    for value in [first, second, MADE] {
        assert_nowhere(&place.path("."), value);
    }
}

/// The entries of the audit log whose action begins so, with their payloads.
fn audited(place: &Place, action: &str) -> Vec<(String, Value)> {
    let record = rusqlite::Connection::open(place.path("state/history.db")).expect("the record");
    let mut select = record
        .prepare(
            "SELECT action, body FROM audit JOIN audit_payload USING (seq) WHERE action LIKE ?1 ORDER BY seq",
        )
        .expect("a statement");
    let entries = select.query_map([format!("{action}%")], |row| {
        Ok((row.get(0)?, row.get::<_, String>(1)?))
    });
    let entries = entries.expect("entries").map(|entry| {
        let (action, body) = entry.expect("an entry");
        (action, serde_json::from_str(&body).expect("JSON"))
    });
    entries.collect()
}

#[test]
fn what_cannot_be_set_is_told_before_anything_is_read() {
    let place = place();
    place.add_to_host("[secrets.IN_FILE]\nstore = \"file\"\npath = \"../token\"\n");
    let unknown = place.sopwith(&["secrets", "set", "TOKNE"]);
    assert_eq!(unknown.code, Some(2), "{unknown:?}");
    assert!(unknown.stderr.contains("did you mean `TOKEN`?"), "{unknown:?}");
    let elsewhere = place.sopwith(&["secrets", "set", "IN_FILE"]);
    assert_eq!(elsewhere.code, Some(2), "{elsewhere:?}");
    assert!(
        elsewhere.stderr.contains("write the value into "),
        "{elsewhere:?}"
    );
    let largest = "x".repeat(64 << 10);
    for (value, why) in [
        ("", "it is empty"),
        ("\n", "it is empty"),
        (&format!("{largest}x"), "it has more than"),
    ] {
        let refused = set(&place, "TOKEN", value);
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(refused.stderr.contains(why), "{refused:?}");
    }
    good_set(&place, "TOKEN", &format!("{largest}\n"));
    let service = place.serve();
    let over_the_socket = set(&place, "TOKEN", &format!("y{}", &largest[1..]));
    assert_eq!(over_the_socket.code, Some(0), "{over_the_socket:?}");
    assert_eq!(service.stop(), Some(0));
}

#[test]
fn a_missing_value_is_listed_with_what_brings_it() {
    let place = place();
    place.add_to_host(
        "[secrets.OF_HOST]\nstore = \"environment\"\nvariable = \"API_TOKEN\"\nuse = []\n\n[secrets.HANDED_OVER]\nstore = \"credential\"\ncredential = \"token\"\n",
    );
    let listed = place.good(&["secrets", "list"]);
    for expected in [
        "missing",
        "set it:  sopwith secrets set TOKEN",
        "set it where the host is started:  API_TOKEN=…",
        "LoadCredential=token:",
    ] {
        assert!(listed.contains(expected), "{expected}: {listed}");
    }
    fs::create_dir(place.path("credentials")).expect("a folder");
    fs::write(place.path("credentials/token"), "hush-1\n").expect("a file");
    let mut command = place.command(&["secrets", "list", "--json"]);
    command
        .env("API_TOKEN", "hush-2")
        .env("CREDENTIALS_DIRECTORY", place.path("credentials"));
    let listed = command.output().expect("the command runs").stdout;
    let listed: Value = serde_json::from_slice(&listed).expect("JSON");
    for secret in listed.as_array().expect("a list") {
        let is_sealed = secret["name"] == "TOKEN";
        assert_eq!(secret["is_set"], !is_sealed, "{listed}");
        assert_eq!(at(secret, "current").len(), usize::from(!is_sealed), "{listed}");
    }
}

#[test]
fn a_key_is_made_by_init_and_never_overwritten() {
    let place = Place::bare();
    place.good(&["init"]);
    let key = place.path("config/key");
    assert_eq!(key.metadata().expect("a key").permissions().mode() & 0o777, 0o600);
    let made = fs::read_to_string(&key).expect("text");
    let again = place.sopwith(&["secrets", "init-key"]);
    assert_eq!(again.code, Some(1), "{again:?}");
    assert!(again.stderr.contains("never overwritten"), "{again:?}");
    assert_eq!(fs::read_to_string(&key).expect("text"), made);
    let ignored = fs::read_to_string(place.path("config/.gitignore")).expect("text");
    assert!(ignored.contains("/key\n"), "{ignored}");

    let doctor = place.sopwith(&["doctor"]).stdout;
    let public = made.lines().find_map(|line| line.strip_prefix("# age1"));
    let public = format!("age1{}", public.expect("the public part"));
    assert!(
        doctor.contains(&public) && doctor.contains("ed25519:"),
        "{doctor}"
    );
    assert!(!doctor.contains("SECRET-KEY"), "{doctor}");

    fs::set_permissions(&key, Permissions::from_mode(0o644)).expect("a mode");
    let refused = place.sopwith(&["check"]);
    assert_eq!(refused.code, Some(3), "{refused:?}");
    assert!(refused.stderr.contains("chmod 600 config/key"), "{refused:?}");
}

#[test]
fn the_credential_goes_before_the_file_of_the_key() {
    let place = place();
    good_set(&place, "TOKEN", "hush-1");
    let credentials = place.path("credentials");
    fs::create_dir(&credentials).expect("a folder");
    fs::rename(place.path("config/key"), credentials.join("sopwith-key")).expect("a key");
    assert_eq!(token(&place)["is_set"], false);
    let listed = |place: &Place| {
        let mut command = place.command(&["secrets", "list", "--json"]);
        let command = command.env("CREDENTIALS_DIRECTORY", &credentials);
        let listed = command.output().expect("the command runs").stdout;
        serde_json::from_slice::<Value>(&listed).expect("JSON")
    };
    assert_eq!(listed(&place)[0]["is_set"], true);
    place.good(&["secrets", "init-key"]);
    assert_eq!(token(&place)["is_set"], false, "another key opens nothing");
    assert_eq!(listed(&place)[0]["is_set"], true);
}

#[test]
fn of_two_operators_at_once_each_is_heard() {
    let place = place();
    let start = |value| start_setting(place.command(&["secrets", "set", "TOKEN"]), value);
    let (one, other) = (start("hush-1"), start("hush-2"));
    for child in [one, other] {
        let ended = ended(child);
        assert_eq!(ended.code, Some(0), "{ended:?}");
    }
    let token = token(&place);
    assert_eq!(
        (at(&token, "current").len(), at(&token, "previous").len()),
        (1, 1),
        "{token}"
    );
}

#[test]
fn a_killed_command_leaves_the_old_value_or_the_new_one() {
    let seed = std::env::var("SOPWITH_TEST_SEED")
        .ok()
        .and_then(|text| text.parse().ok());
    let seed = seed.unwrap_or_else(|| u64::from(std::process::id()));
    println!("SOPWITH_TEST_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let place = place();
    good_set(&place, "TOKEN", "hush-0");
    let mut before = at(&token(&place), "current");
    for round in 1..=12 {
        let value = format!("hush-{round}");
        let mut child = start_setting(place.command(&["secrets", "set", "TOKEN"]), &value);
        // The moment of the kill is what is random here; nothing waits for it to have passed.
        std::thread::park_timeout(Duration::from_millis(random.random_range(0..400)));
        child.kill().expect("a process of ours");
        let ended = ended(child);
        let token = token(&place);
        let current = at(&token, "current");
        assert_eq!(
            (current.len(), &token["is_set"]),
            (1, &Value::Bool(true)),
            "{token}"
        );
        if ended.code == Some(0) {
            assert_ne!(current, before, "what was said to be set is set");
        }
        if current != before {
            assert_eq!(at(&token, "previous"), before, "{token}");
        }
        before = current;
    }
    assert!(place.good(&["audit", "verify"]).contains("holds"));
    let set = audited(&place, "secret.set").len();
    let versions = token(&place)["versions"].as_array().expect("a list").len();
    assert_eq!(set, versions, "each version has its entry");
}
