//! A proxy in front of a service that records the method of every request.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// Passes requests on, one a connection, and remembers their methods.
pub(crate) struct Recorder {
    address: SocketAddr,
    methods: Arc<Mutex<Vec<String>>>,
}

impl Recorder {
    /// In front of the service at this URL.
    pub(crate) fn in_front_of(url: &str) -> Self {
        let service = url.strip_prefix("http://").expect("a URL").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let methods = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&methods);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let (service, seen) = (service.clone(), Arc::clone(&seen));
                // A client that goes away early is none of the recorder's business.
                thread::spawn(move || drop(pass_on(client, &service, &seen)));
            }
        });
        Self { address, methods }
    }

    /// `http://127.0.0.1:PORT`
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The methods so far, in the order of their arrival.
    pub(crate) fn methods(&self) -> Vec<String> {
        self.methods.lock().expect("nobody panicked").clone()
    }
}

fn pass_on(client: TcpStream, service: &str, seen: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let mut first_line = String::new();
    reader.read_line(&mut first_line)?;
    let method = first_line.split(' ').next().unwrap_or_default().to_owned();
    seen.lock().expect("nobody panicked").push(method);
    let mut server = TcpStream::connect(service)?;
    server.write_all(first_line.as_bytes())?;
    let mut answers = server.try_clone()?;
    let mut to_client = client;
    thread::spawn(move || {
        let _ = std::io::copy(&mut answers, &mut to_client);
        let _ = to_client.shutdown(Shutdown::Both);
    });
    let mut buffer = [0; 4096];
    loop {
        match reader.read(&mut buffer)? {
            0 => return server.shutdown(Shutdown::Write),
            read => server.write_all(&buffer[..read])?,
        }
    }
}
