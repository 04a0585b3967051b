//! A service that answers with what it was told, in every way it can think of.

use super::forms::{by_number, hexadecimal};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// A service on loopback that runs as long as the test.
pub(super) struct Echo {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Echo {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let heard = Arc::new(Mutex::new(Vec::new()));
        let ear = Arc::clone(&heard);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let ear = Arc::clone(&ear);
                // Some clients go away in the middle of a long answer.
                thread::spawn(move || drop(answer(client, &ear)));
            }
        });
        Self { address, heard }
    }

    /// `http://127.0.0.1:PORT`
    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Everything that it was told.
    pub(super) fn heard(&self) -> Vec<u8> {
        self.heard.lock().expect("nobody panicked").clone()
    }
}

fn answer(mut client: TcpStream, ear: &Mutex<Vec<u8>>) -> std::io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if reader.read_until(b'\n', &mut head)? == 0 {
            return Ok(());
        }
    }
    let length = field(&head, "content-length");
    let length = String::from_utf8_lossy(&length).parse().unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let told = [&head[..], &body].concat();
    ear.lock().expect("nobody panicked").extend(told);
    client.write_all(&said(&head, &body))
}

fn said(head: &[u8], body: &[u8]) -> Vec<u8> {
    let token = field(head, "authorization");
    let path = head.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
    if path.starts_with(b"/garbage") {
        return [b"HTTP/1.1 nonsense ", &token[..], b"\r\n\r\n"].concat();
    }
    if path.starts_with(b"/away") {
        let place = [b"http://127.0.0.1:9/?", path, b"&token=", &token].concat();
        return [
            b"HTTP/1.1 302 Found\r\nlocation: ",
            &place[..],
            b"\r\ncontent-length: 0\r\n\r\n",
        ]
        .concat();
    }
    let mut text = Vec::new();
    for told in [head, body, &token] {
        let lossy = String::from_utf8_lossy(told);
        let (standard, url) = (STANDARD.encode(told), URL_SAFE.encode(told));
        let json = serde_json::json!({ "text": lossy, "base64": standard, "url": url }).to_string();
        let html = lossy
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('"', "&quot;");
        for said in [
            told,
            json.as_bytes(),
            &by_number(&json, |c| !c.is_ascii()),
            html.as_bytes(),
            &hexadecimal(told, "", false),
            &hexadecimal(told, "", true),
            &hexadecimal(told, "%", true),
        ] {
            text.extend_from_slice(said);
            text.push(b'\n');
        }
    }
    let head = format!(
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\nx-said: ",
        text.len()
    );
    [head.as_bytes(), &token, b"\r\n\r\n", &text].concat()
}

fn field(head: &[u8], name: &str) -> Vec<u8> {
    let mut lines = head.split(|byte| *byte == b'\n');
    let prefix = format!("{name}: ");
    let line = lines.find(|line| line.starts_with(prefix.as_bytes()));
    line.map_or_else(Vec::new, |line| line[prefix.len()..].trim_ascii_end().to_vec())
}
