//! Every limit, set by a procedure: a plugin reaches it, and `show` says how much of it was used.

use crate::place::{Clinic, Place};
use crate::procedures::exerciser;
use rusqlite::Connection;

/// A plugin that reaches a limit.
struct Case {
    /// The line under `[limits]`.
    limit: &'static str,
    plugin: &'static str,
    action: &'static str,
    inputs: &'static [&'static str],
    /// Whether the run fails by it; the others go on with less.
    ends: bool,
}

const fn ends(
    limit: &'static str,
    plugin: &'static str,
    action: &'static str,
    inputs: &'static [&'static str],
) -> Case {
    Case {
        limit,
        plugin,
        action,
        inputs,
        ends: true,
    }
}

const SORT: &str = "statement=WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT randomblob(1000) AS r FROM n ORDER BY r";
const MANY: &str =
    "statement=WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n";

const CASES: [Case; 14] = [
    ends(
        "timeout = \"300ms\"",
        "exerciser",
        "sleep",
        &["milliseconds=60000"],
    ),
    ends("cpu = \"100ms\"", "exerciser", "spin", &[]),
    ends("memory = \"8 MiB\"", "exerciser", "allocate", &["mebibytes=64"]),
    ends("handles = 50", "hostile", "handles", &[]),
    ends("calls = 20", "exerciser", "log-flood", &["lines=100", "bytes=1"]),
    ends("output = \"100 B\"", "hostile", "summary", &[]),
    Case {
        ends: false,
        ..ends(
            "log = \"1 KiB\"",
            "exerciser",
            "log-flood",
            &["lines=20", "bytes=100"],
        )
    },
    ends(
        "findings = 2",
        "exerciser",
        "findings",
        &["subjects=[\"a\", \"b\", \"c\"]"],
    ),
    ends("attachments = \"10 KiB\"", "hostile", "attachments", &[]),
    ends("state = \"100 KiB\"", "hostile", "states", &[]),
    ends("rows = 3", "exerciser", "query", &[MANY]),
    ends("query_bytes = \"1 KiB\"", "exerciser", "query", &[MANY]),
    Case {
        ends: false,
        ..ends(
            "command_output = \"10 B\"",
            "exerciser",
            "command",
            &["command=chatter"],
        )
    },
    ends("scratch = \"2 MiB\"", "exerciser", "query", &[SORT]),
];

fn place() -> Place {
    let place = Place::new();
    Connection::open(place.path("app/app.db"))
        .expect("a database")
        .execute_batch("CREATE TABLE attempt (a)")
        .expect("a table");
    place.add_to_host(
        "[commands.chatter]\nprogram = \"/bin/echo\"\narguments = [\"more than ten bytes\"]\neffects = \"none\"\n",
    );
    place.drop_in("hostile", "hostile");
    place
}

/// The line of a limit in what `show` prints.
#[track_caller]
fn line<'s>(shown: &'s str, limit: &str) -> &'s str {
    let (_, table) = shown.split_once("Used of what is allowed").expect("the limits");
    let line = table
        .lines()
        .find(|line| line.split_whitespace().next() == Some(limit));
    line.unwrap_or_else(|| panic!("no line of `{limit}` in:\n{shown}"))
}

#[test]
fn each_limit_of_a_procedure_holds_and_is_shown_as_used() {
    let place = place();
    for case in CASES {
        let Case {
            limit,
            plugin,
            action,
            ..
        } = case;
        let rest = match plugin {
            "hostile" => format!("[limits]\n{limit}\n"),
            _ => format!(
                "action = \"{action}\"\n\n[limits]\n{limit}\n\n[grants]\ndatabases = {{ app = \"read\" }}\ncommands = [\"chatter\"]\n\n\
                 [settings]\ndatabase = \"app\"\ncommands = [\"chatter\"]\n"
            ),
        };
        if plugin == "hostile" {
            let file = format!("summary = \"Attacks\"\nplugin = \"hostile\"\naction = \"{action}\"\n{rest}");
            place.write("config/procedures/limited.toml", file);
        } else {
            exerciser(&place, "limited", &rest);
        }
        let inputs = case.inputs.iter().flat_map(|input| ["--set", input]);
        let arguments: Vec<_> = ["run", "limited", action].into_iter().chain(inputs).collect();
        let ended = place.sopwith(&arguments);
        assert_eq!(ended.code, Some(i32::from(case.ends)), "{limit}: {ended:?}");
        let shown = place.good(&["show", "limited"]);
        let name = limit.split(' ').next().expect("a name");
        let mark = if case.ends { "reached" } else { "near the limit" };
        assert!(line(&shown, name).ends_with(mark), "{limit}:\n{shown}");
        let all = place.json(&["show", "limited"]);
        let usage = all["details"]["run"]["usage"].as_object().expect("what was used");
        assert_eq!(usage.len(), 15, "{usage:?}");
        if name == "handles" {
            assert!(usage["handles"].as_u64() >= Some(40), "{usage:?}");
        }
    }
}

/// The guest hears only that the body came to an early end.
#[test]
fn a_body_beyond_its_limit_is_cut_off_and_shown_as_used() {
    let place = place();
    let clinic = Clinic::start(&place, 0, vec![]);
    let url = clinic.url();
    place.drop_in("fetch", "fetch");
    place.add_to_host(&format!("[network.clinic]\nallow = [\"{url}\"]\n"));
    place.write(
        "config/procedures/page.toml",
        format!(
            "summary = \"A page\"\nplugin = \"fetch\"\n\n[limits]\nhttp_body = \"5 B\"\n\n\
             [grants]\nnetwork = [\"clinic\"]\n\n[settings]\nurl = \"{url}/health\"\n"
        ),
    );
    let ended = place.sopwith(&["run", "page"]);
    let shown = place.good(&["show", "page"]);
    assert!(line(&shown, "http_body").contains("100 %"), "{ended:?}\n{shown}");
}

#[test]
fn no_procedure_has_more_than_the_operator_permits() {
    let place = place();
    exerciser(
        &place,
        "limited",
        "action = \"spin\"\n\n[limits]\nscratch = \"20 GiB\"\n",
    );
    let ended = place.sopwith(&["check"]);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    let said = ended.stdout + &ended.stderr;
    assert!(
        said.contains("`scratch` is 20 GiB, above the ceiling of 10 GiB"),
        "{said}"
    );
    place.add_to_host("[limits]\nceiling.scratch = \"20 GiB\"\n");
    place.good(&["check"]);
}
