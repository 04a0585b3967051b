//! A place in which canaries live: one in each kind of store, in a file and in a database.

use super::echo::Echo;
use super::forms::{Canary, Needle, Search};
use super::service::Service;
use crate::place::{Place, until};
use rusqlite::Connection;
use serde_json::Value;
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};

/// A secret for each kind of store.
const NAMES: [&str; 6] = [
    "ENVIRONMENT",
    "ENV_FILE",
    "FILE",
    "CREDENTIAL",
    "COMMAND",
    "SEALED",
];

pub(super) struct Cage {
    pub(super) place: Place,
    pub(super) canaries: Vec<Canary>,
    pub(super) search: Search,
    echo: Echo,
}

impl Cage {
    pub(super) fn new() -> Self {
        let place = Place::new();
        let canaries: Vec<_> = NAMES.map(Canary::of).into();
        let cage = Self {
            search: Search::new(&canaries),
            canaries,
            echo: Echo::start(),
            place,
        };
        cage.fill_stores();
        cage.write_words();
        cage.write_configuration();
        cage.good(&["secrets", "init-key"], None);
        cage.good(&["secrets", "set", "SEALED"], Some(cage.value("SEALED")));
        cage
    }

    pub(super) fn value(&self, name: &str) -> &str {
        let canary = self.canaries.iter().find(|canary| canary.name == name);
        &canary.expect("there is one").value
    }

    /// All canaries, one a line.
    pub(super) fn values(&self) -> String {
        let lines: Vec<_> = self.canaries.iter().map(Canary::line).collect();
        lines.join("\n")
    }

    fn fill_stores(&self) {
        for folder in ["stores", "stores/credentials", "programs", "words"] {
            fs::create_dir(self.place.path(folder)).expect("a folder");
        }
        let write = |path: &str, text: &str| fs::write(self.place.path(path), text).expect("a file");
        write(
            "stores/.env",
            &format!("OTHER=1\nENV_FILE='{}'\n", self.value("ENV_FILE")),
        );
        write("stores/file", &format!("{}\n", self.value("FILE")));
        write("stores/credentials/CREDENTIAL", self.value("CREDENTIAL"));
        write("stores/told", &format!("{}\n", self.value("COMMAND")));
        let told = self.place.path("stores/told");
        self.program("tell", &format!("cat {}", told.display()));
        self.program("print", "env; env | base64 -w0; echo; env >&2");
        self.program("fail", "env >&2; printf '%s\\n' \"$SEALED\" >&2; exit 3");
        self.program("wait", "read line < \"$GATE\"; echo \"$line\"");
    }

    fn program(&self, name: &str, body: &str) {
        let path = self.place.path(&format!("programs/{name}"));
        fs::write(&path, format!("#!/bin/sh\nPATH=/usr/bin:/bin\n{body}\n")).expect("a program");
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("a mode");
    }

    /// All canaries, in a file and in a table, but the one that a command tells: nobody knows it before
    /// it is used.
    fn write_words(&self) {
        let canaries = self.canaries.iter().filter(|canary| canary.name != "COMMAND");
        let words: Vec<String> = canaries.map(|canary| canary.value.clone()).collect();
        fs::write(self.place.path("words/words"), words.join("\n")).expect("a file");
        let database = Connection::open(self.place.path("app/words.db")).expect("a database");
        database
            .execute_batch("CREATE TABLE words (id INTEGER PRIMARY KEY, word TEXT)")
            .expect("a table");
        for word in words {
            database
                .execute("INSERT INTO words (word) VALUES (?1)", [word])
                .expect("a row");
        }
    }

    fn write_configuration(&self) {
        let path = |relative: &str| self.place.path(relative).display().to_string();
        let uses = r#"use = ["network.echo", "commands.print", "commands.fail", "commands.wait"]"#;
        let mut host = vec![format!(
            "[databases.words]\nurl = \"sqlite:../app/words.db\"\n[directories.words]\npath = \"../words\"\n\
             [network.echo]\nallow = [\"{}\"]\nmethods = [\"GET\", \"POST\"]\n\
             [commands.tell]\nprogram = \"{}\"\neffects = \"none\"\n",
            self.echo.url(),
            path("programs/tell"),
        )];
        for (name, store) in [
            ("ENVIRONMENT", "store = \"environment\"".to_owned()),
            (
                "ENV_FILE",
                format!("store = \"env-file\"\npath = \"{}\"", path("stores/.env")),
            ),
            (
                "FILE",
                format!("store = \"file\"\npath = \"{}\"", path("stores/file")),
            ),
            ("CREDENTIAL", "store = \"credential\"".to_owned()),
            ("COMMAND", "store = \"command\"\ncommand = \"tell\"".to_owned()),
            ("SEALED", "store = \"sealed\"".to_owned()),
        ] {
            host.push(format!("[secrets.{name}]\n{store}\n{uses}"));
        }
        let variables: Vec<_> = NAMES
            .map(|name| format!("{name} = \"{{{{secret:{name}}}}}\""))
            .into();
        for command in ["print", "fail", "wait"] {
            host.push(format!(
                "[commands.{command}]\nprogram = \"{}\"\neffects = \"none\"\nenvironment = {{ GATE = \"{}\", {} }}",
                path(&format!("programs/{command}")),
                path("gate"),
                variables.join(", "),
            ));
        }
        self.place.add_to_host(&host.join("\n"));
        self.place.drop_in("parrot", "parrot");
        self.write_procedures();
    }

    fn write_procedures(&self) {
        let places = |before: &str| {
            NAMES
                .map(|name| format!("{before}{{{{secret:{name}}}}}"))
                .concat()
        };
        let named = NAMES.map(|name| format!("\"{name}\"")).join(", ");
        let echo = self.echo.url();
        let procedure = |name: &str, text: String| {
            let text = format!("summary = \"A flight\"\n{text}");
            self.place.write(&format!("config/procedures/{name}.toml"), text);
        };
        let parrot = |path: &str, commands: &str, cuts: u32| {
            format!(
                "plugin = \"parrot\"\n[grants]\nnetwork = [\"echo\"]\ndatabases = {{ words = \"read\" }}\n\
                 directories = {{ words = \"read\" }}\ncommands = [{commands}]\nsecrets = [{named}]\n\
                 [settings]\nurl = \"{echo}/{path}?a=1{query}\"\nheaders = {{ authorization = '{all}' }}\n\
                 body = '{all}'\ndatabase = \"words\"\ndirectory = \"words\"\ncommands = [{commands}]\n\
                 processes = [{processes}]\nsecrets = [{named}]\ncuts = {cuts}\n",
                // Nobody wakes it twice.
                processes = commands.replace("\"wait\"", ""),
                query = places("&x="),
                all = places(" "),
            )
        };
        procedure("parrot", parrot("echo", "\"print\", \"fail\"", 60));
        procedure("parrot-away", parrot("away", "", 0));
        procedure("parrot-garbage", parrot("garbage", "", 0));
        procedure("waiting", parrot("garbage", "\"wait\"", 0));
        procedure(
            "seeing",
            "plugin = \"parrot\"\n[grants]\nsecrets = [\"FILE\", \"SEALED\"]\nsecret_reveal = [\"FILE\", \"SEALED\"]\n\
             [settings]\nrevealed = [\"FILE\", \"SEALED\"]\n"
                .to_owned(),
        );
        procedure(
            "smoke",
            format!(
                "plugin = \"smoke\"\n[grants]\nnetwork = [\"echo\"]\nsecrets = [{named}]\n\
                 [[settings.checks]]\nname = \"echo\"\nmethod = \"POST\"\nurl = \"{echo}/echo?a=1{query}\"\n\
                 headers = {{ authorization = '{all}' }}\njson = {{ all = '{all}' }}\n\
                 conditions = [\"[BODY] == nothing\", \"[HEADER].x-said == nothing\"]\n",
                query = places("&x="),
                all = places(" "),
            ),
        );
        procedure(
            "integrity",
            "plugin = \"integrity\"\n[grants]\ndatabases = { words = \"read\" }\n[settings]\ndatabase = \"words\"\n\
             sample = 10\n[[settings.checks]]\nname = \"no-words\"\n\
             query = \"SELECT id, word, hex(word) AS hex FROM words\"\nkey = \"word\"\n"
                .to_owned(),
        );
        procedure(
            "backup",
            "plugin = \"backup\"\n[grants]\ndatabases = { words = \"read\" }\ndirectories = { backups = \"write\" }\n\
             [actions.restore.grants]\ndatabases = { words = \"replace\" }\n\
             [settings]\ndatabase = \"words\"\nto = \"backups\"\nname = \"words-{YYYYMMDD}.db\"\nkeep = { daily = 2 }\n"
                .to_owned(),
        );
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.place.command(arguments);
        self.surround(&mut command);
        command
    }

    fn surround(&self, command: &mut Command) {
        command
            .env("SOPWITH_CONFIG", self.place.path("config"))
            .env("ENVIRONMENT", self.value("ENVIRONMENT"))
            .env("CREDENTIALS_DIRECTORY", self.place.path("stores/credentials"))
            .env(
                "SOPWITH_LOG",
                "trace,wasmtime=info,cranelift_codegen=info,cranelift_wasm=info,regalloc2=info",
            );
    }

    fn good(&self, arguments: &[&str], input: Option<&str>) {
        let mut command = self.command(arguments);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("the command starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        stdin
            .write_all(input.unwrap_or_default().as_bytes())
            .expect("it reads");
        drop(stdin);
        let output = child.wait_with_output().expect("it ends");
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    /// Everything that a command says, however it ends.
    pub(super) fn run(&self, arguments: &[&str]) -> Vec<u8> {
        let output = self.command(arguments).output().expect("the command starts");
        [output.stdout, output.stderr].concat()
    }

    pub(super) fn serve(&self) -> Service {
        self.serve_by(self.command(&["serve"]))
    }

    /// Starts the service; its log lies with its data.
    pub(super) fn serve_by(&self, mut command: Command) -> Service {
        let log = |name| File::create(self.place.path(name)).expect("a file");
        self.surround(&mut command);
        command.stdout(log("state/out.log")).stderr(log("state/err.log"));
        let service = Service(command.spawn().expect("the service starts"));
        let socket = self.place.path("state/sopwith.sock");
        until("the service answering", || UnixStream::connect(&socket).ok());
        service
    }

    /// What the socket answers, as it comes.
    pub(super) fn ask_the_socket(&self) -> Vec<(String, Vec<u8>)> {
        let listed = self.ask("/runs?filter=%7B%7D");
        let text = String::from_utf8_lossy(&listed).into_owned();
        let ids = text.split("\"id\":\"").skip(1).map(|rest| rest[..26].to_owned());
        let questions = ids.flat_map(|id| [format!("/runs/{id}"), format!("/runs/{id}/journal?after=0")]);
        let of_all = [
            "/status",
            "/plugins",
            "/grants",
            "/secrets",
            "/procedures/parrot/findings",
        ];
        let questions: Vec<_> = questions.chain(of_all.map(ToOwned::to_owned)).collect();
        assert!(questions.len() > 20, "{text}");
        let answers = questions.into_iter().map(|question| {
            let answer = self.ask(&question);
            assert!(
                answer.starts_with(b"HTTP/1.1 200"),
                "{question}: {}",
                String::from_utf8_lossy(&answer)
            );
            (question, answer)
        });
        answers.chain([("/runs".to_owned(), listed)]).collect()
    }

    fn ask(&self, path: &str) -> Vec<u8> {
        let mut socket = UnixStream::connect(self.place.path("state/sopwith.sock")).expect("a socket");
        write!(
            socket,
            "GET {path} HTTP/1.1\r\nhost: sopwith\r\nconnection: close\r\n\r\n"
        )
        .expect("it listens");
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer).expect("it answers");
        answer
    }

    /// Else nothing was tried.
    pub(super) fn check_that_all_was_sent(&self) {
        let heard = self.search.in_bytes(&self.echo.heard());
        for canary in &self.canaries {
            for form in ["itself", "JSON", "percent of itself"] {
                let (name, form) = (canary.name.clone(), form.to_owned());
                assert!(heard.contains(&Needle { name, form }), "{}", canary.name);
            }
        }
    }

    /// Else nothing came back that could have been masked.
    pub(super) fn check_that_masks_came_back(&self) {
        let heard = self.heard("parrot");
        let said = |call: &str| {
            let said = heard.iter().find(|(called, _)| called == call);
            &said
                .unwrap_or_else(|| panic!("{call} was not tried: {heard:#?}"))
                .1
        };
        for call in [
            "probe.http",
            "wasi:http",
            "sql.query",
            "files.read",
            "files.read in parts",
            "files.walk",
            "wasi:filesystem",
            "commands.run print",
            "commands.run fail",
            "commands.start print",
            "commands.start fail",
            "flow.from-command fail",
            "flow.to-command fail, words",
        ] {
            let said = said(call);
            assert!(
                said.contains("[redacted]") || said.contains("***"),
                "{call}: {said}"
            );
        }
        for call in [
            "sql.describe",
            "sql.verify",
            "flow.from-command print",
            "flow.to-command print, words",
        ] {
            assert!(!said(call).starts_with("Error"), "{call}: {}", said(call));
        }
        let seen = self.heard("seeing");
        let put = seen.iter().filter(|(call, _)| call.starts_with("secret-reveal."));
        let refused: Vec<_> = put.filter(|(_, said)| said.starts_with("Error")).collect();
        assert!(seen.len() >= 6 && refused.is_empty(), "{seen:?}");
    }

    /// What a parrot hears: each call with its answer.
    fn heard(&self, procedure: &str) -> Vec<(String, String)> {
        let run = self.command(&["run", procedure, "repeat", "--json"]).output();
        let run: Value = serde_json::from_slice(&run.expect("it starts").stdout).expect("JSON");
        let heard = run["report"]["output"]["heard"].clone();
        serde_json::from_value(heard).unwrap_or_else(|error| panic!("{error}: {run:#}"))
    }

    pub(super) fn check_silent(&self, what: &str, bytes: &[u8]) {
        let found = self.search.in_bytes(bytes);
        assert!(
            found.is_empty(),
            "{what}: {found:?} in\n{}",
            String::from_utf8_lossy(bytes)
        );
    }

    /// Everything that the host wrote.
    pub(super) fn check_files_silent(&self) {
        let mut files = Vec::new();
        files_beneath(&self.place.path("state"), &mut files);
        assert!(files.iter().any(|(path, _)| path.ends_with("history.db")));
        for (path, content) in files {
            self.check_silent(&path, &content);
        }
    }
}

fn files_beneath(folder: &Path, files: &mut Vec<(String, Vec<u8>)>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files_beneath(&path, files);
        } else if path.is_file() {
            files.push((path.display().to_string(), fs::read(&path).expect("a file")));
        }
    }
}
