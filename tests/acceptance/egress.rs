//! Ways out of the sandbox that nobody granted, tried by a real guest against the real host.

use crate::place::Place;
use nameserver::NameServer;
use serde_json::{Value, json};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::runtime::Runtime;

/// A service that may be reached, a trap that may not, and a name server that knows both.
struct Surroundings {
    place: Place,
    /// What the service and the name server run on.
    _runtime: Runtime,
    names: NameServer,
    open: SocketAddr,
    requests: Arc<AtomicUsize>,
    trap: TcpListener,
}

impl Surroundings {
    /// With a procedure `page` that may ask the service by address and by the name `clinic.test`,
    /// and the same name at the port of the trap.
    fn new(names: &[(&str, &str)]) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let entered = runtime.enter();
        let names = NameServer::start(names.iter().copied()).expect("a name server");
        drop(entered);
        let requests = Arc::new(AtomicUsize::new(0));
        let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
        let open = listener.local_addr().expect("an address");
        runtime.spawn(serve(listener, Arc::clone(&requests)));
        let trap = TcpListener::bind("[::]:0").or_else(|_| TcpListener::bind("0.0.0.0:0"));
        let surroundings = Self {
            place: Place::new(),
            _runtime: runtime,
            names,
            open,
            requests,
            trap: trap.expect("a listener"),
        };
        let text = format!(
            "[network.site]\nallow = [\"http://127.0.0.1:OPEN\", \"http://clinic.test:OPEN\", \"http://clinic.test:TRAP\"]\n\
             [egress]\nresolver = [\"{}\"]\n",
            surroundings.names.address()
        );
        surroundings.place.add_to_host(&surroundings.ports_in(&text));
        surroundings.place.drop_in("fetch", "fetch");
        surroundings.procedure("30s", &[]);
        surroundings
    }

    fn procedure(&self, timeout: &str, asks: &[Value]) {
        let asks: Vec<String> = asks.iter().map(|ask| format!("    {},\n", inline(ask))).collect();
        let text = format!(
            "summary = \"A page\"\nplugin = \"fetch\"\n\
             [limits]\ntimeout = \"{timeout}\"\n\
             [grants]\nnetwork = [\"site\"]\n\
             [settings]\nurl = \"http://127.0.0.1:OPEN/ok\"\nasks = [\n{}]\n",
            asks.concat()
        );
        self.place
            .write("config/procedures/page.toml", self.ports_in(&text));
    }

    fn ports_in(&self, text: &str) -> String {
        let trap = self.trap.local_addr().expect("an address").port();
        text.replace("OPEN", &self.open.port().to_string())
            .replace("TRAP", &trap.to_string())
    }

    /// Who has come to the trap; a connection of our own comes after all that were made before.
    fn strays(&self) -> Vec<SocketAddr> {
        let port = self.trap.local_addr().expect("an address").port();
        let bell = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("a connection");
        let own = bell.local_addr().expect("an address");
        let peers = std::iter::repeat_with(|| self.trap.accept().expect("a connection").1);
        let peers = peers.map(|peer| SocketAddr::new(peer.ip().to_canonical(), peer.port()));
        peers.take_while(|peer| *peer != own).collect()
    }
}

/// Answers every request, and counts it; `/redirect?URL` sends on.
async fn serve(listener: TcpListener, requests: Arc<AtomicUsize>) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    loop {
        let (mut stream, _) = listener.accept().await?;
        requests.fetch_add(1, Ordering::Relaxed);
        let mut head = vec![0; 4096];
        let length = stream.read(&mut head).await?;
        let head = String::from_utf8_lossy(&head[..length]);
        let path = head.split(' ').nth(1).unwrap_or_default();
        let answer = match path.split_once('?') {
            Some(("/redirect", url)) => {
                format!("HTTP/1.1 302 Found\r\nlocation: {url}\r\ncontent-length: 0\r\n\r\n")
            }
            _ => "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok".to_owned(),
        };
        stream.write_all(answer.as_bytes()).await?;
    }
}

/// A table of TOML in one line.
fn inline(ask: &Value) -> String {
    let entries = ask.as_object().expect("a table");
    let entries: Vec<String> = entries
        .iter()
        .map(|(key, value)| format!("{key} = {value}"))
        .collect();
    format!("{{ {} }}", entries.join(", "))
}

/// What is asked for, how many requests of it arrive by each way, and what `probe` and `wasi:http` say.
type Case = (&'static str, usize, &'static str, &'static str);

const NAMES: &[(&str, &str)] = &[
    ("clinic.test", "127.0.0.1"),
    ("evil.test", "127.0.0.1"),
    ("www.test", "-> localhost"),
    ("moving.test", "127.0.0.1 | 127.0.0.2"),
];
const DENIED: &str = "denied: ";
const REFUSED: &str = "HttpRequestDenied";

#[rustfmt::skip]
const CASES: &[Case] = &[
    ("http://127.0.0.1:OPEN/ok", 1, "200", "200"),
    ("http://clinic.test:OPEN/ok", 1, "200", "200"),
    ("http://127.0.0.1:OPEN/redirect?http://clinic.test:OPEN/ok", 2, "200", "200"),
    ("http://clinic.test:TRAP/", 0, DENIED, REFUSED),
    ("http://evil.test:OPEN/ok", 0, DENIED, REFUSED),
    ("http://www.test:TRAP/", 0, DENIED, REFUSED),
    ("http://127.0.0.1:TRAP/", 0, DENIED, REFUSED),
    ("http://2130706433:TRAP/", 0, DENIED, REFUSED),
    ("http://[::ffff:127.0.0.1]:OPEN/ok", 0, DENIED, REFUSED),
    ("http://[::1]:TRAP/", 0, DENIED, REFUSED),
    ("http://localhost:TRAP/", 0, DENIED, REFUSED),
    ("https://127.0.0.1:OPEN/ok", 0, DENIED, REFUSED),
    ("http://169.254.169.254/latest/meta-data/", 0, DENIED, REFUSED),
    ("http://127.0.0.1:OPEN/redirect?http://127.0.0.1:TRAP/", 1, DENIED, REFUSED),
    ("http://127.0.0.1:OPEN/redirect?http://clinic.test:TRAP/", 1, DENIED, REFUSED),
    ("http://127.0.0.1:OPEN/redirect?http://169.254.169.254/latest/", 1, DENIED, REFUSED),
    ("http://127.0.0.1:OPEN/redirect?ftp://127.0.0.1:TRAP/", 1, "failed: ", "HttpProtocolError"),
    ("http://u:p@clinic.test:OPEN/ok", 0, "invalid: ", "a URL names no user"),
    ("ftp://clinic.test:OPEN/ok", 0, "invalid: ", "HttpProtocolError"),
    ("http://clinic.test:0/", 0, "invalid: ", "there is no port 0"),
    ("http://clinic..test:OPEN/ok", 0, "invalid: ", "an empty label"),
];

#[test]
fn a_guest_reaches_what_is_granted_and_nothing_else() {
    let around = Surroundings::new(NAMES);
    let asks: Vec<Value> = CASES.iter().map(|(url, ..)| json!({ "url": url })).collect();
    around.procedure("30s", &asks);
    let run = around.place.json(&["run", "page", "table"]);
    let came = run["report"]["output"].as_array().expect("an answer to each");
    assert_eq!(came.len(), CASES.len());
    for (came, (url, _, probe, wasi_http)) in came.iter().zip(CASES) {
        let by = |way: &str| came[way].as_str().expect("text").to_owned();
        assert!(by("by_probe").starts_with(probe), "{url}: {came:#}");
        assert!(by("by_wasi_http").contains(wasi_http), "{url}: {came:#}");
    }
    assert_eq!(around.strays(), []);
    let arrived: usize = CASES.iter().map(|(_, requests, ..)| 2 * requests).sum();
    assert_eq!(around.requests.load(Ordering::Relaxed), arrived);
    let shown = around.place.good(&["show", "page"]);
    let line = format!("denied: `GET` to http://evil.test:{}", around.open.port());
    let (_, rest) = shown.split_once(&line).unwrap_or_else(|| panic!("{shown}"));
    let told = rest.split("denied: ").next().unwrap_or_default();
    let mended = around.ports_in(
        "change under [network.site] in sopwith.toml:  allow = [\"http://127.0.0.1:OPEN\", \
         \"http://clinic.test:OPEN\", \"http://clinic.test:TRAP\", \"http://evil.test:OPEN\"]",
    );
    assert!(told.contains(&mended), "{mended}: {told}");
}

#[test]
fn methods_and_addresses_of_a_guests_own_are_refused() {
    let around = Surroundings::new(NAMES);
    let url = "http://clinic.test:OPEN/ok";
    let asks = [
        json!({ "url": url, "method": "get" }),
        json!({ "url": url, "method": "POST" }),
        json!({ "url": url, "method": "CONNECT" }),
        json!({ "url": url, "method": "TRACE" }),
        json!({ "url": url, "address": "127.0.0.2" }),
        json!({ "url": url, "headers": [["host", "evil.test"]] }),
        json!({ "url": url, "headers": [["transfer-encoding", "chunked"]] }),
        json!({ "url": url, "headers": [["x-a", "1\r\nx-b: 2"]] }),
    ];
    around.procedure("30s", &asks);
    let run = around.place.json(&["run", "page", "table"]);
    let came = run["report"]["output"].as_array().expect("an answer to each");
    let by_probe: Vec<&str> = came
        .iter()
        .map(|came| came["by_probe"].as_str().expect("text"))
        .map(|text| text.split(':').next().unwrap_or_default())
        .collect();
    let expected = [
        "invalid",
        "denied",
        "invalid",
        "denied",
        "not-found",
        "invalid",
        "invalid",
        "invalid",
    ];
    assert_eq!(by_probe, expected, "{came:#?}");
    for (index, came) in came.iter().enumerate() {
        let came = came["by_wasi_http"].as_str().expect("text");
        // `wasi:http` knows no address of its own.
        assert_eq!(came == "200", index == 4, "{came}");
    }
    assert_eq!(around.requests.load(Ordering::Relaxed), 1);
}

#[test]
fn names_lead_where_the_resolver_of_the_host_says_and_are_judged_at_each_request() {
    let around = Surroundings::new(&[("clinic.test", "127.0.0.1 | 127.0.0.2")]);
    around.procedure("30s", &[json!({ "url": "http://clinic.test:OPEN/ok" })]);
    let run = around.place.json(&["run", "page", "table"]);
    let came = &run["report"]["output"][0];
    assert_eq!(came["by_probe"], "200");
    let denied = came["by_wasi_http"].as_str().expect("text");
    assert!(denied.contains("HttpRequestDenied"), "{denied}");
    assert!(
        around
            .names
            .asked()
            .iter()
            .all(|asked| asked.ends_with(" clinic.test."))
    );
}

#[test]
fn proxies_of_the_environment_are_not_asked() {
    let around = Surroundings::new(NAMES);
    let proxy = around.ports_in("http://127.0.0.1:TRAP");
    let mut command = around.place.command(&["run", "page", "--json"]);
    for name in [
        "HTTP_PROXY",
        "http_proxy",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "all_proxy",
    ] {
        command.env(name, &proxy);
    }
    let output = command.output().expect("the command starts");
    let run: Value = serde_json::from_slice(&output.stdout).expect("a run");
    assert_eq!(run["report"]["output"]["status"], 200, "{run:#}");
    assert_eq!(around.strays(), []);
}

#[test]
fn sockets_are_off() {
    let around = Surroundings::new(NAMES);
    let datagrams = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    datagrams.set_nonblocking(true).expect("a setting");
    let udp = datagrams.local_addr().expect("an address");
    let run = around.place.json(&[
        "run",
        "page",
        "sockets",
        "--set",
        &format!("tcp=\"{}\"", around.ports_in("127.0.0.1:TRAP")),
        "--set",
        &format!("udp=\"{udp}\""),
        "--set",
        "name=\"clinic.test:80\"",
    ]);
    let tries = run["report"]["output"].as_object().expect("what came of it");
    assert_eq!(tries.len(), 4);
    for (what, came) in tries {
        assert_ne!(came, "it works", "{what}");
    }
    assert_eq!(around.strays(), []);
    assert!(around.names.asked().is_empty());
    let received = datagrams.recv(&mut [0; 16]).expect_err("nothing was sent");
    assert_eq!(received.kind(), io::ErrorKind::WouldBlock);
}

#[test]
fn a_name_server_that_never_answers_holds_a_run_up_no_longer_than_its_time() {
    let around = Surroundings::new(&[("clinic.test", "silence")]);
    around.procedure("1s", &[json!({ "url": "http://clinic.test:OPEN/ok" })]);
    let ended = around.place.sopwith(&["run", "page", "table", "--json"]);
    let run: Value = serde_json::from_str(&ended.stdout).expect("a run");
    assert_eq!(run["state"], "timed_out", "{run:#}");
    assert!(!around.names.asked().is_empty());
}
