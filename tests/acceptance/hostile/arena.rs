//! A host under attack: a real service with what the attacks are aimed at, and a neighbour that
//! runs all the while.

use crate::place::{Place, Service};
use rusqlite::Connection;
use serde_json::{Value, json};
use sopwith_core::failure::Failure;
use sopwith_core::port::operations::{Operations as _, Submission};
use sopwith_core::run::{Run, RunId, RunState};
use sopwith_server::{Client, socket_path};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, UdpSocket};
use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};

/// How long an attack may go on after its time is up.
const OVERTIME: Duration = Duration::from_secs(1);
/// How late the neighbour may be.
const LATE: Duration = Duration::from_millis(500);
/// How often the neighbour may be late until it is the attack's doing; where the machine is the tests' alone,
/// as in `just soak`, never.
const TRIES: usize = 3;
/// The time of an attempt, unless a procedure says otherwise.
const TIMEOUT: Duration = Duration::from_secs(40);

/// Procedures of the fixture: name, what is in `[limits]`, what is granted of the directory.
const PROCEDURES: [(&str, &str, &str); 4] = [
    ("attacks", "timeout = \"40s\"", "read"),
    ("impatient", "timeout = \"1s\"", "read"),
    ("floods", "timeout = \"40s\"\ncalls = 5000", "read"),
    ("writing", "timeout = \"40s\"", "write"),
];

/// A command that prints what stands in its blank, and one that nobody is granted.
const COMMANDS: &str = r#"
[commands.print]
program = "/bin/sh"
arguments = ["-c", 'printf "[%s]" "$@"', "sh", "{word}"]
directory = "../workshop"
effects = "none"
[commands.print.blanks]
word = { pattern = '(?s).*' }

[commands.ungranted]
program = "/bin/sh"
arguments = ["-c", ": >ungranted"]
directory = "../workshop"
"#;

/// A host under attack.
pub(crate) struct Arena {
    pub(crate) place: Place,
    client: Client,
    runtime: Runtime,
    neighbour: Neighbour,
    service: Mutex<Service>,
    _servers: (TcpListener, UdpSocket),
}

impl Arena {
    /// The host that other tests of this process attack, too, or a new one.
    pub(crate) fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<Arena>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(arena) = shared.upgrade() {
            return arena;
        }
        let arena = Arc::new(Self::new());
        *shared = Arc::downgrade(&arena);
        arena
    }

    /// A host of one's own.
    pub(crate) fn new() -> Self {
        let place = Place::new();
        let stalled = TcpListener::bind("127.0.0.1:0").expect("a port");
        let silent = UdpSocket::bind("127.0.0.1:0").expect("a port");
        stall(&stalled);
        let page = format!("http://{}", stalled.local_addr().expect("an address"));
        let resolver = silent.local_addr().expect("an address");
        place.add_to_host(&format!(
            "[directories.data]\npath = \"../data\"\n\n\
             [network.stalled]\nallow = [\"{page}\"]\n\n[network.nameless]\nallow = [\"http://nameless.example\"]\n\n\
             [egress]\nresolver = [\"{resolver}\"]\n{COMMANDS}"
        ));
        let runs_at_once = fs::read_to_string(place.path("config/sopwith.toml")).expect("the file");
        place.write(
            "config/sopwith.toml",
            runs_at_once.replace("[host]\n", "[host]\nruns_at_once_max = 16\n"),
        );
        data(&place);
        plugins(&place);
        for (name, limits, access) in PROCEDURES {
            place.write(
                &format!("config/procedures/{name}.toml"),
                procedure(&page, limits, access),
            );
        }
        let service = place.serve();
        let (client, runtime) = connect(&place);
        Self {
            neighbour: Neighbour::start(&place),
            client,
            runtime,
            place,
            service: Mutex::new(service),
            _servers: (stalled, silent),
        }
    }

    /// Carries out an attack to its end, which has to come in time, and looks after the neighbour.
    pub(crate) fn attack(&self, procedure: &str, action: &str) -> Run {
        self.beside_a_neighbour(action, || self.attack_once(procedure, action))
    }

    /// Does something that makes no neighbour late; again, since the machine may have been busy with
    /// something else.
    pub(crate) fn beside_a_neighbour<T>(&self, what: &str, mut work: impl FnMut() -> T) -> T {
        let is_soak = std::env::var("SOPWITH_TEST_TIER").is_ok_and(|tier| tier == "soak");
        let tries = if is_soak { 1 } else { TRIES };
        let mut late = Vec::new();
        while late.len() < tries {
            let began = now();
            let done = work();
            late.push(self.neighbour.worst_since(began));
            if late.last() <= Some(&LATE) {
                return done;
            }
        }
        panic!("a neighbour of `{what}` took {late:?}")
    }

    fn attack_once(&self, procedure: &str, action: &str) -> Run {
        let run = self.end(self.start(procedure, action));
        let timeout = if procedure == "impatient" {
            Duration::from_secs(1)
        } else {
            TIMEOUT
        };
        let ends = run.ended_at.zip(run.started_at).expect("a run that has ended");
        let took = ends.0.duration_since(ends.1).unsigned_abs();
        assert!(took <= timeout + OVERTIME, "`{action}` took {took:?}");
        run
    }

    /// The same for an attack that is ended: why.
    pub(crate) fn repelled(&self, procedure: &str, action: &str) -> Failure {
        let run = self.attack(procedure, action);
        run.failure
            .unwrap_or_else(|| panic!("`{action}` was not ended: {:?}", run.report))
    }

    /// The same for an attack that comes to its own end and has gained nothing.
    pub(crate) fn withstood(&self, procedure: &str, action: &str) {
        let run = self.attack(procedure, action);
        assert_eq!(run.state, RunState::Succeeded, "`{action}`: {:?}", run.failure);
        let report = run.report.expect("a report");
        assert_eq!(report.verdict.as_str(), "ok", "`{action}`: {:#}", report.output);
    }

    /// Begins an attack.
    pub(crate) fn start(&self, procedure: &str, action: &str) -> RunId {
        let submission = Submission {
            procedure: procedure.parse().expect("a name"),
            action: Some(action.parse().expect("a name")),
            inputs: json!({}),
            dry_run: false,
            even_paused: false,
        };
        let run = self.runtime.block_on(self.client.submit(submission));
        run.unwrap_or_else(|failure| panic!("`{action}`: {failure:?}"))
            .id()
    }

    /// Waits for the end of a run.
    pub(crate) fn end(&self, run: RunId) -> Run {
        self.runtime.block_on(self.client.wait(run)).expect("an end")
    }

    /// Waits until the host says this.
    pub(crate) fn hear(&self, text: &str) {
        self.service().wait_for(text);
    }

    /// The process of the host.
    pub(crate) fn pid(&self) -> u32 {
        self.service().pid()
    }

    fn service(&self) -> MutexGuard<'_, Service> {
        self.service.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the neighbour, for whoever measures the host alone.
    pub(crate) fn quiet(&mut self) {
        self.neighbour.end();
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        self.neighbour.end();
    }
}

fn connect(place: &Place) -> (Client, Runtime) {
    let client = Client::new(&socket_path(&place.path("state"))).expect("a client");
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
    (client, runtime.expect("a runtime"))
}

/// Answers with the beginning of a body, and never with its end.
fn stall(listener: &TcpListener) {
    let listener = listener.try_clone().expect("a listener");
    thread::spawn(move || {
        let mut kept = Vec::new();
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\nbeginning");
            kept.push(stream);
        }
    });
}

/// What the attacks are aimed at.
fn data(place: &Place) {
    for folder in ["data/inner", "data/real", "outside", "workshop"] {
        fs::create_dir_all(place.path(folder)).expect("a folder");
    }
    fs::write(place.path("outside/secret"), "secret").expect("a file");
    fs::write(place.path("data/real/secret"), "inner").expect("a file");
    fs::write(place.path("data/large"), "x".repeat(200_000)).expect("a file");
    for (target, link) in [
        ("../outside/secret", "link-to-file"),
        ("../outside", "link-to-directory"),
        ("/", "link-to-root"),
        ("link-to-file", "link-to-link"),
        ("../..", "inner/link-up"),
        ("/proc/self/root/etc/passwd", "link-to-proc"),
        ("pipe", "device"),
    ] {
        symlink(target, place.path("data").join(link)).expect("a link");
    }
    let pipe = place.path("data/pipe");
    rustix::fs::mkfifoat(rustix::fs::CWD, pipe, rustix::fs::Mode::RUSR).expect("a pipe");
    let database = Connection::open(place.path("app/app.db")).expect("a database");
    database
        .execute_batch("CREATE TABLE attempt (a); CREATE INDEX of_attempt ON attempt (a); INSERT INTO attempt VALUES (1), (2)")
        .expect("a table");
}

fn plugins(place: &Place) {
    place.drop_in("noop", "noop");
    place.drop_in("hostile", "hostile");
    place.write(
        "config/procedures/neighbour.toml",
        "summary = \"A neighbour\"\nplugin = \"noop\"\n",
    );
    for (name, written, memory) in [
        ("memories", super::bombs::memory_bomb(), "64 MiB"),
        ("tables", super::bombs::table_bomb(), "1 MiB"),
        ("dropped", super::bombs::used_after_drop(), "64 MiB"),
    ] {
        place.write(&format!("config/plugins/{name}.wasm"), &*written.bytes());
        place.write(
            &format!("config/procedures/{name}.toml"),
            format!("summary = \"Written\"\nplugin = \"{name}\"\n[limits]\ntimeout = \"40s\"\nmemory = \"{memory}\"\n"),
        );
    }
}

fn procedure(page: &str, limits: &str, access: &str) -> String {
    format!(
        "summary = \"Attacks\"\nplugin = \"hostile\"\naction = \"exit\"\n\n[limits]\n{limits}\n\n[grants]\n\
         databases = {{ app = \"read\" }}\ndirectories = {{ data = \"{access}\" }}\n\
         network = [\"stalled\", \"nameless\"]\ncommands = [\"print\"]\n\n[settings]\n\
         directory = \"data\"\ndatabase = \"app\"\ncommand = \"print\"\n\
         stalled = \"{page}/\"\nnameless = \"http://nameless.example/\"\n"
    )
}

/// Runs a harmless procedure again and again, and notes how long each run took.
struct Neighbour {
    thread: Option<JoinHandle<()>>,
    state: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    ended: AtomicBool,
    runs: Mutex<Vec<(Instant, Duration)>>,
    ran: Condvar,
}

impl Neighbour {
    fn start(place: &Place) -> Self {
        let state = Arc::new(Shared::default());
        let (client, runtime) = connect(place);
        let shared = Arc::clone(&state);
        let thread = thread::spawn(move || {
            while !shared.ended.load(Relaxed) {
                let began = now();
                runtime.block_on(run(&client));
                shared.runs().push((began, now() - began));
                shared.ran.notify_all();
            }
        });
        Self {
            thread: Some(thread),
            state,
        }
    }

    /// The longest of the runs that were under way since then; at least one began later.
    fn worst_since(&self, then: Instant) -> Duration {
        let runs = self.state.runs();
        let has_run =
            |runs: &mut Vec<(Instant, Duration)>| runs.last().is_none_or(|(began, _)| *began < then);
        let runs = self
            .state
            .ran
            .wait_while(runs, has_run)
            .unwrap_or_else(PoisonError::into_inner);
        let touched = runs
            .iter()
            .rev()
            .take_while(|(began, took)| *began + *took >= then);
        touched.map(|(_, took)| *took).max().unwrap_or_default()
    }

    fn end(&mut self) {
        self.state.ended.store(true, Relaxed);
        if let Some(thread) = self.thread.take() {
            // A run that failed is told by its own thread.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn runs(&self) -> MutexGuard<'_, Vec<(Instant, Duration)>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn run(client: &Client) {
    let submission = Submission {
        procedure: "neighbour".parse().expect("a name"),
        action: None,
        inputs: Value::Object(serde_json::Map::new()),
        dry_run: false,
        even_paused: false,
    };
    let run = client.submit(submission).await.expect("a run");
    let run = client.wait(run.id()).await.expect("an end");
    assert_eq!(run.state, RunState::Succeeded, "{run:?}");
}

#[expect(clippy::disallowed_methods, reason = "how late something is needs a clock")]
fn now() -> Instant {
    Instant::now()
}
