//! A place of its own for each test: a folder with a configuration, a clinic that writes, a host.

use crate::warm;
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long a host may take for anything before the test has failed.
const PATIENCE: Duration = Duration::from_mins(1);

/// How long a host may say something that nobody waits for.
const MOMENT: Duration = Duration::from_millis(20);

/// A folder with a configuration.
pub(crate) struct Place {
    directory: TempDir,
}

impl Place {
    /// A place with nothing in it.
    pub(crate) fn bare() -> Self {
        Self {
            directory: tempfile::tempdir().expect("a folder"),
        }
    }

    /// A place with a database `app` of the clinic, a directory `backups` and no procedures.
    pub(crate) fn new() -> Self {
        let place = Self::bare();
        for folder in ["config/procedures", "config/plugins", "app", "backups"] {
            fs::create_dir_all(place.path(folder)).expect("a folder");
        }
        place.write(
            "config/sopwith.toml",
            "[host]\ndata_directory = \"../state\"\n\n[databases.app]\nurl = \"sqlite:../app/app.db\"\n\n[directories.backups]\npath = \"../backups\"\n",
        );
        place.compiled("state");
        place
    }

    /// Brings what is compiled already into a data directory.
    pub(crate) fn compiled(&self, data_directory: &str) {
        warm::fill(&self.path(data_directory));
    }

    /// A path within the place.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.directory.path().join(relative)
    }

    /// Writes a file as an editor does: whole, by a rename.
    pub(crate) fn write(&self, relative: &str, text: impl AsRef<[u8]>) {
        let path = self.path(relative);
        let beside = path.with_extension("new");
        fs::write(&beside, text).expect("a file");
        fs::rename(beside, path).expect("a rename");
    }

    /// Adds to `sopwith.toml`.
    pub(crate) fn add_to_host(&self, text: &str) {
        let path = self.path("config/sopwith.toml");
        let before = fs::read_to_string(path).expect("the file");
        self.write("config/sopwith.toml", format!("{before}\n{text}"));
    }

    /// Copies a fixture plugin into the plugin directory.
    pub(crate) fn drop_in(&self, fixture: &str, name: &str) {
        let built = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../plugins/target/wasm32-wasip2/release")
            .join(fixture.replace('-', "_") + ".wasm");
        let bytes = fs::read(&built)
            .unwrap_or_else(|error| panic!("{}: {error}; run `just plugins` first", built.display()));
        self.write(&format!("config/plugins/{name}.wasm"), bytes);
    }

    /// The command, ready to be started.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sopwith"));
        command.args(arguments);
        self.surround(command)
    }

    /// The same, in the place of a shell that has carried out these words before.
    pub(crate) fn command_after(&self, words: &str, arguments: &[&str]) -> Command {
        let mut shell = Command::new("/bin/sh");
        shell
            .args(["-c", &format!("{words} && exec \"$0\" \"$@\"")])
            .arg(env!("CARGO_BIN_EXE_sopwith"))
            .args(arguments);
        self.surround(shell)
    }

    fn surround(&self, mut command: Command) -> Command {
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("TZ", "UTC")
            .env("SOPWITH_CONFIG", self.path("config"))
            .current_dir(self.directory.path())
            .stdin(Stdio::null());
        command
    }

    /// Runs the command to its end.
    pub(crate) fn sopwith(&self, arguments: &[&str]) -> Ended {
        Ended::of(self.command(arguments).output().expect("the command starts"))
    }

    /// Runs the command, which has to end well, and returns what it printed.
    pub(crate) fn good(&self, arguments: &[&str]) -> String {
        let ended = self.sopwith(arguments);
        assert_eq!(
            ended.code,
            Some(0),
            "{arguments:?}\n{}{}",
            ended.stdout,
            ended.stderr
        );
        ended.stdout
    }

    /// Runs the command with `--json`, which has to end well.
    pub(crate) fn json(&self, arguments: &[&str]) -> serde_json::Value {
        let text = self.good(&[arguments, &["--json"]].concat());
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{arguments:?}: {error}\n{text}"))
    }

    /// Starts the service and waits until it is ready.
    pub(crate) fn serve(&self) -> Service {
        let mut service = self.start(&["serve"]);
        service.wait_for("ready");
        service
    }

    /// Starts a command that goes on.
    pub(crate) fn start(&self, arguments: &[&str]) -> Service {
        Service::start(self.command(arguments))
    }
}

fn pass_on(stream: impl Read + Send + 'static, lines: Sender<String>) {
    std::thread::spawn(move || {
        BufReader::new(stream)
            .lines()
            .map_while(Result::ok)
            .try_for_each(|line| lines.send(line))
    });
}

impl Drop for Place {
    fn drop(&mut self) {
        warm::keep(&self.path("state"));
        warm::keep(&self.path("config/state"));
    }
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    /// What a command has come to.
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("text"),
            stderr: String::from_utf8(output.stderr).expect("text"),
        }
    }
}

/// A service, or another command that goes on; killed when it is dropped.
pub(crate) struct Service {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Service {
    /// Starts a command, and reads what it says.
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command starts");
        let (sender, lines) = channel();
        pass_on(child.stdout.take().expect("a pipe"), sender.clone());
        pass_on(child.stderr.take().expect("a pipe"), sender);
        Self {
            child,
            lines,
            seen: Vec::new(),
        }
    }

    /// Waits for a line with this text.
    pub(crate) fn wait_for(&mut self, text: &str) -> String {
        self.says(text)
            .unwrap_or_else(|| panic!("it ended without `{text}`:\n{}", self.seen.join("\n")))
    }

    /// Waits for a line with this text; none when it ended before.
    pub(crate) fn says(&mut self, text: &str) -> Option<String> {
        let end = now() + PATIENCE;
        loop {
            match self.lines.recv_timeout(end.saturating_duration_since(now())) {
                Ok(line) => {
                    self.seen.push(line.clone());
                    if line.contains(text) {
                        return Some(line);
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => {
                    panic!("`{text}` was not said:\n{}", self.seen.join("\n"))
                }
            }
        }
    }

    /// Whether it says something with this text within a moment.
    pub(crate) fn has_said(&mut self, text: &str) -> bool {
        let known = self.seen.len();
        self.outlive(MOMENT);
        self.seen[known..].iter().any(|line| line.contains(text))
    }

    /// Whether it has come to its end.
    pub(crate) fn has_ended(&mut self) -> bool {
        let ended = self.child.try_wait().expect("a process of ours");
        ended.is_some()
    }

    /// Waits for its end; its exit code.
    pub(crate) fn end(mut self) -> Option<i32> {
        while self.says("\0").is_some() {}
        self.child.wait().expect("a process of ours").code()
    }

    /// Ctrl-C
    pub(crate) fn interrupt(&self) {
        self.signal(Signal::INT);
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).expect("a process of ours");
    }

    /// Lets it run for so long; whatever it says meanwhile is kept.
    pub(crate) fn outlive(&mut self, duration: Duration) {
        let end = now() + duration;
        while let Ok(line) = self.lines.recv_timeout(end.saturating_duration_since(now())) {
            self.seen.push(line);
        }
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// `kill -9`
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("a process of ours");
        self.child.wait().expect("a process of ours");
    }

    /// Tells it to stop, and returns its exit code.
    pub(crate) fn stop(mut self) -> Option<i32> {
        self.signal(Signal::TERM);
        self.child.wait().expect("a process of ours").code()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[expect(clippy::disallowed_methods, reason = "a test that hangs has to end")]
fn now() -> Instant {
    Instant::now()
}

/// Asks again and again, without a pause of its own, until the answer is there.
///
/// Each question is a command, which takes its time; a test never sleeps.
pub(crate) fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let end = now() + PATIENCE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(now() < end, "{what} did not happen");
    }
}

/// A clinic that serves and writes within the place, until it is dropped.
pub(crate) struct Clinic {
    runtime: tokio::runtime::Runtime,
    running: Option<clinic::Running>,
}

impl Clinic {
    /// Starts it on the database `app` of the place.
    pub(crate) fn start(place: &Place, writes_per_second: u32, breakages: Vec<clinic::Breakage>) -> Self {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let options = clinic::Options {
            directory: place.path("app"),
            listen: "127.0.0.1:0".parse().expect("an address"),
            writes_per_second,
            breakages,
            seed: 7,
        };
        let running = runtime
            .block_on(clinic::start(options))
            .expect("the clinic starts");
        Self {
            runtime,
            running: Some(running),
        }
    }

    /// `http://127.0.0.1:PORT`
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.running().address())
    }

    /// Mends what was broken, by a switch of its own.
    pub(crate) fn mend(&self, breakage: &str) {
        let mut stream = TcpStream::connect(self.running().address()).expect("the clinic listens");
        let request = format!("POST /mend/{breakage} HTTP/1.1\r\nhost: clinic\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("the clinic reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("the clinic answers");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    /// Waits for so many more transactions.
    pub(crate) fn written(&self, transactions: u64) {
        self.runtime
            .block_on(self.running().written(transactions))
            .expect("the clinic writes");
    }

    /// Ends it, so that nobody has its database open.
    pub(crate) fn stop(mut self) {
        let running = self.running.take().expect("it runs until here");
        self.runtime.block_on(running.stop()).expect("the clinic stops");
    }

    fn running(&self) -> &clinic::Running {
        self.running.as_ref().expect("it runs until it is stopped")
    }
}
