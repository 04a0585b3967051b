//! Looks into the memory of guests after every call that they make of the host.

use super::Flight;
use super::cage::Cage;
use super::forms::{Canary, Needle, Search};
use async_trait::async_trait;
use jiff::Timestamp;
use sopwith_capabilities::{KeyPlace, Provider, SecretSettings, SessionProgram, Settings, SupervisorProgram};
use sopwith_config::{KEY_FILE, Shelf, Workshop, credentials_directory, load};
use sopwith_core::actor::Actor;
use sopwith_core::attempt::{Attempt, CapabilityProvider};
use sopwith_core::failure::Failure;
use sopwith_core::generation::Generation;
use sopwith_core::limits::Usage;
use sopwith_core::port::capabilities::{
    Answer, Capabilities, Commands, Cover, Egress, Files, Flow, Journal, Preopen, Probe, RunInfo,
    SecretReveal, Secrets, Sql, State,
};
use sopwith_core::port::operations::Submission;
use sopwith_core::port::{Clock, Entropy, PluginLoader};
use sopwith_core::run::RunId;
use sopwith_engine::{Engine, Parts};
use sopwith_sandbox::{Allocation, CacheSettings, Sandbox, Settings as SandboxSettings, Unfit};
use sopwith_store::SqliteStore;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// Tells the second process where the cage is.
const CAGE: &str = "SOPWITH_TEST_CAGE";
/// Wasmtime reserves more than this behind the memory of a guest; nothing else in a process does.
const RESERVED_BYTES_MIN: usize = 1 << 30;

#[test]
fn no_canary_is_ever_in_the_memory_of_a_guest_but_one_that_was_revealed() {
    let cage = Cage::new();
    for plugin in ["smoke", "integrity", "backup"] {
        cage.place.drop_in(plugin, plugin);
    }
    // A secret in the environment needs a process that has it there.
    let output = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "canary::memory::the_watched_host", "--nocapture"])
        .env("ENVIRONMENT", cage.value("ENVIRONMENT"))
        .env("CREDENTIALS_DIRECTORY", cage.place.path("stores/credentials"))
        .env(CAGE, cage.place.path("."))
        .env("SOPWITH_TEST_CANARIES", cage.values())
        .output()
        .expect("it starts");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(said.contains("<watched>"), "{said}");
}

/// Does nothing but what the test above asks of it.
#[test]
fn the_watched_host() {
    let Some(place) = std::env::var_os(CAGE) else {
        return;
    };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(watch_all(Path::new(&place)));
    println!("<watched>");
}

async fn watch_all(place: &Path) {
    let values = std::env::var("SOPWITH_TEST_CANARIES").expect("the values");
    let canaries: Vec<_> = values.lines().map(Canary::read).collect();
    let lookout = Arc::new(Lookout::new(&canaries));
    let engine = engine(place, Arc::clone(&lookout)).await;
    for flight in super::FLIGHTS {
        lookout.check(&engine, flight, &[]).await;
    }
    // A look that finds nothing where there is something would prove nothing.
    lookout.check(&engine, super::SEEING, &["FILE", "SEALED"]).await;
    engine.shut_down(Duration::ZERO).await;
}

/// Looks for canaries in the memory of guests.
struct Lookout {
    search: Search,
    seen: Mutex<BTreeSet<Needle>>,
    looks: AtomicU64,
    bytes: AtomicU64,
}

impl Lookout {
    fn new(canaries: &[Canary]) -> Self {
        Self {
            search: Search::new(canaries),
            seen: Mutex::default(),
            looks: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
        }
    }

    /// Runs a procedure, whose guest may see these secrets alone.
    async fn check(&self, engine: &Engine, (procedure, action, inputs): Flight, may_see: &[&str]) {
        let inputs = inputs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).into()));
        let submission = Submission {
            procedure: procedure.parse().expect("a name"),
            action: Some(action.parse().expect("a name")),
            inputs: serde_json::Value::Object(inputs.collect()),
            dry_run: false,
            even_paused: false,
        };
        let (looks, bytes) = (self.looks.load(Relaxed), self.bytes.load(Relaxed));
        let run = engine.submit(submission, Actor::Host).await.expect("a run");
        engine.wait(run.id()).await.expect("its end");
        let (looks, bytes) = (self.looks.load(Relaxed) - looks, self.bytes.load(Relaxed) - bytes);
        assert!(
            looks > 5 && bytes > looks << 20,
            "{procedure}: {looks} looks at {bytes} bytes"
        );
        let seen = std::mem::take(&mut *self.seen.lock().expect("nobody panicked"));
        let (allowed, others): (Vec<_>, Vec<_>) = seen
            .into_iter()
            .partition(|needle| may_see.contains(&needle.name.as_str()));
        assert!(others.is_empty(), "{procedure} {action}: {others:?}");
        assert_eq!(allowed.is_empty(), may_see.is_empty(), "{procedure} {action}");
    }

    fn look(&self) {
        self.looks.fetch_add(1, Relaxed);
        for memory in memories() {
            self.bytes.fetch_add(memory.len() as u64, Relaxed);
            let found = self.search.in_bytes(&memory);
            self.seen.lock().expect("nobody panicked").extend(found);
        }
    }
}

/// The linear memories of all guests: what may be written before a large reservation. Their first
/// pages may come from a file of the host's own, the others from nowhere.
fn memories() -> Vec<Vec<u8>> {
    let maps = fs::read_to_string("/proc/self/maps").expect("the maps of a process");
    let memory = File::open("/proc/self/mem").expect("the memory of a process");
    let mut found = Vec::new();
    let (mut start, mut end) = (0, 0);
    for region in maps.lines().filter_map(Region::read) {
        if region.start != end {
            start = region.start;
        }
        end = region.end;
        if region.mode == "rw-p" {
            continue;
        }
        if region.mode == "---p" && region.end - region.start >= RESERVED_BYTES_MIN && start < region.start {
            let mut bytes = vec![0; region.start - start];
            let read = memory.read_exact_at(&mut bytes, start as u64);
            read.expect("memory that is there");
            found.push(bytes);
        }
        start = region.end;
    }
    found
}

struct Region {
    start: usize,
    end: usize,
    mode: String,
}

impl Region {
    /// A line of the maps.
    fn read(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace();
        let (start, end) = words.next()?.split_once('-')?;
        let number = |text| usize::from_str_radix(text, 16).ok();
        Some(Self {
            start: number(start)?,
            end: number(end)?,
            mode: words.next()?.to_owned(),
        })
    }
}

/// The real host but for its socket, in which somebody looks out.
async fn engine(place: &Path, lookout: Arc<Lookout>) -> Engine {
    let clock: Arc<dyn Clock> = Arc::new(TestClock(Instant::now()));
    let entropy: Arc<dyn Entropy> = Arc::new(Counting::default());
    let store = Arc::new(SqliteStore::open(&place.join("state/history.db")).expect("a record"));
    let surroundings = SandboxSettings {
        cache: Some(CacheSettings {
            directory: place.join("state/cache"),
            artefacts: store.clone(),
            unfit: Unfit::Rebuild,
        }),
        allocation: Allocation::OnDemand,
        clock: Arc::clone(&clock),
        entropy: Arc::clone(&entropy),
    };
    let loader: Arc<dyn PluginLoader> = Arc::new(Sandbox::new(surroundings).expect("a sandbox"));
    let workshop = Workshop {
        loader: &*loader,
        standard: &[],
        now: clock.now(),
    };
    let files = load(&place.join("config"), workshop, None).await;
    let generation = files
        .generation
        .unwrap_or_else(|| panic!("{:?}", files.diagnostics));
    let program = |word: &str| (PathBuf::from(env!("CARGO_BIN_EXE_sopwith")), vec![word.into()]);
    let (session, supervisor) = (program("sql-session"), program("supervise-command"));
    let provider = Provider::new(Settings {
        store: store.clone(),
        clock: Arc::clone(&clock),
        scratch_directory: place.join("scratch"),
        session_program: SessionProgram {
            path: session.0,
            arguments: session.1,
        },
        supervisor_program: SupervisorProgram {
            path: supervisor.0,
            arguments: supervisor.1,
        },
        ca_files: Vec::new(),
        resolver: Vec::new(),
        redactor: Arc::default(),
        secrets: SecretSettings {
            sealed: store.clone(),
            key: KeyPlace::new(
                place.join("config").join(KEY_FILE),
                credentials_directory().as_deref(),
            ),
            credentials_directory: credentials_directory(),
            entropy: Arc::clone(&entropy),
        },
    });
    let provider = provider.expect("capabilities");
    let shelf = Shelf::new(&place.join("state"), Arc::clone(&loader));
    shelf.hold(&generation);
    let engine = Engine::new(Parts {
        store,
        clock,
        entropy,
        secrets: provider.secrets(),
        capabilities: Arc::new(Watched { provider, lookout }),
        shelf: Arc::new(shelf),
        generation: fixed(generation),
        check_inputs: sopwith_config::check_inputs,
    });
    engine.recover().await.expect("the record is in order");
    engine
}

fn fixed(generation: Arc<Generation>) -> watch::Receiver<Arc<Generation>> {
    let (sender, receiver) = watch::channel(generation);
    // It is in force for ever.
    std::mem::forget(sender);
    receiver
}

/// The real capabilities, under the eyes of a lookout.
struct Watched {
    provider: Provider,
    lookout: Arc<Lookout>,
}

struct WatchedCapabilities {
    real: Arc<dyn Capabilities>,
    lookout: Arc<Lookout>,
}

#[async_trait]
impl CapabilityProvider for Watched {
    async fn open(&self, attempt: Attempt) -> Result<Arc<dyn Capabilities>, Failure> {
        Ok(Arc::new(WatchedCapabilities {
            real: self.provider.open(attempt).await?,
            lookout: Arc::clone(&self.lookout),
        }))
    }

    async fn end_run(&self, run: RunId) {
        self.provider.end_run(run).await;
    }

    async fn sweep(&self, live: &[RunId]) -> Result<(), Failure> {
        self.provider.sweep(live).await
    }
}

#[async_trait]
impl Capabilities for WatchedCapabilities {
    fn run(&self) -> &dyn RunInfo {
        self.real.run()
    }

    fn journal(&self) -> &dyn Journal {
        self.real.journal()
    }

    fn state(&self) -> &dyn State {
        self.real.state()
    }

    fn sql(&self) -> &dyn Sql {
        self.real.sql()
    }

    fn flow(&self) -> &dyn Flow {
        self.real.flow()
    }

    fn files(&self) -> &dyn Files {
        self.real.files()
    }

    fn probe(&self) -> &dyn Probe {
        self.real.probe()
    }

    fn commands(&self) -> &dyn Commands {
        self.real.commands()
    }

    fn secrets(&self) -> &dyn Secrets {
        self.real.secrets()
    }

    fn secret_reveal(&self) -> &dyn SecretReveal {
        self.real.secret_reveal()
    }

    fn egress(&self) -> &dyn Egress {
        self.real.egress()
    }

    fn preopens(&self) -> Vec<Preopen> {
        self.real.preopens()
    }

    fn close_file(&self, file: File) {
        self.real.close_file(file);
    }

    fn cover(&self) -> Option<Box<dyn Cover>> {
        self.real.cover()
    }

    async fn settle(&self) {
        self.real.settle().await;
    }

    /// Before each call the answer of the last one is still there.
    fn count_call(&self) -> Answer<()> {
        self.lookout.look();
        self.real.count_call()
    }

    /// The same after the last one.
    fn used(&self) -> Usage {
        self.lookout.look();
        self.real.used()
    }
}

struct TestClock(Instant);

#[async_trait]
impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH + self.monotonic()
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

#[derive(Default)]
struct Counting(AtomicU64);

impl Entropy for Counting {
    fn random(&self) -> u128 {
        u128::from(self.0.fetch_add(1, Relaxed))
    }
}
