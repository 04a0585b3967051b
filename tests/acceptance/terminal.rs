//! How far a run is: on a terminal, and only there.

use crate::place::Place;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::Stdio;
use std::sync::mpsc::{Sender, channel};
use std::{ffi::OsStr, thread};

/// A pseudo-terminal: the side that programs write to, and the one that shows it.
fn terminal() -> (File, File) {
    let shows = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    grantpt(&shows).expect("it is ours");
    unlockpt(&shows).expect("it is ours");
    let name = ptsname(&shows, Vec::new()).expect("a name");
    let size = Winsize {
        ws_row: 24,
        ws_col: 100,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(&shows, size).expect("a size");
    let path = Path::new(OsStr::from_bytes(name.as_bytes()));
    let written = OpenOptions::new().read(true).write(true).open(path);
    (written.expect("the other side"), shows.into())
}

/// A page that is answered, each time that it is asked for, once the gate is opened.
struct Page {
    url: String,
    gate: Sender<()>,
}

impl Page {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let (gate, opened) = channel();
        thread::spawn(move || {
            for mut client in listener.incoming().map_while(Result::ok) {
                let mut head = [0; 1024];
                let _ = client.read(&mut head);
                if opened.recv().is_err() {
                    return;
                }
                let _ =
                    client.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            }
        });
        Self { url, gate }
    }

    fn open_gate(&self) {
        self.gate.send(()).expect("somebody serves");
    }
}

/// A smoke test of the page, which asks for it twice.
fn place(page: &Page) -> Place {
    let place = Place::new();
    let url = &page.url;
    place.add_to_host(&format!(
        "[network.page]\nallow = [\"{url}\"]\nmethods = [\"GET\"]\n"
    ));
    place.write(
        "config/procedures/page.toml",
        format!(
            r#"summary = "A page"
plugin = "smoke"

[grants]
network = ["page"]

[[settings.checks]]
name = "once"
url = "{url}/"

[[settings.checks]]
name = "twice"
url = "{url}/"
"#
        ),
    );
    place
}

/// What a terminal shows of a run with these arguments, whose page is answered when `ready` is shown, or at once.
fn shown(arguments: &[&str], ready: Option<&str>) -> String {
    let page = Page::new();
    let place = place(&page);
    let (written, mut shows) = terminal();
    let mut command = place.command(&[&["run", "page"], arguments].concat());
    command.env("TERM", "xterm").stdout(Stdio::null()).stderr(written);
    let mut child = command.spawn().expect("the command starts");
    // Nobody else has it open: when the command ends, so does what the terminal shows.
    drop(command);
    let mut is_open = ready.is_none();
    if is_open {
        page.open_gate();
        page.open_gate();
    }
    let mut text = String::new();
    let mut part = [0; 4096];
    while let Ok(length @ 1..) = shows.read(&mut part) {
        text.push_str(&String::from_utf8_lossy(&part[..length]));
        if !is_open && ready.is_some_and(|ready| text.contains(ready)) {
            page.open_gate();
            page.open_gate();
            is_open = true;
        }
    }
    assert!(child.wait().expect("a process of ours").success(), "{text}");
    text
}

#[test]
fn a_terminal_shows_the_step_and_how_far_it_is_and_then_takes_that_away() {
    let text = shown(&[], Some("0/2 checks"));
    assert!(text.contains("check"), "{text:?}");
    assert!(text.contains("✓ check"), "{text:?}");
    let (_, after) = text.rsplit_once("\u{1b}[2K").expect("a line that was cleared");
    assert!(!after.contains("checks"), "{text:?}");
}

#[test]
fn a_terminal_shows_nothing_of_a_run_whose_data_is_for_a_program() {
    let text = shown(&["--json"], None);
    assert_eq!(text, "");
}

#[test]
fn without_a_terminal_there_is_a_line_for_each_step_and_no_bar() {
    let page = Page::new();
    let place = place(&page);
    page.open_gate();
    page.open_gate();
    let ended = place.sopwith(&["run", "page"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(ended.stderr, "  ✓ check\n");
}
