//! The service: starts the writer and the HTTP server, and stops both cleanly.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::breakage::Switches;
use crate::http::{self, Application};
use crate::work::Work;
use crate::writer::Writer;
use crate::{Breakage, Error, Places, clock, schema};

/// Longer than any answer takes; a client that never finishes its request cannot hold up the end.
const STOP_LIMIT: Duration = Duration::from_secs(5);

/// How a clinic is started.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where the database and the attachments are, or will be.
    pub directory: PathBuf,
    /// Where the service listens; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// How many transactions the writer commits in a second; 0 for none.
    pub writes_per_second: u32,
    /// What is broken from the start.
    pub breakages: Vec<Breakage>,
    /// From what the writer draws its rows.
    pub seed: u64,
}

/// A clinic that runs; it stops when this is dropped.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    places: Places,
    committed: watch::Receiver<u64>,
    stop: DropGuard,
    server: JoinHandle<std::io::Result<()>>,
    writer: Option<JoinHandle<()>>,
    /// Holds a connection to the database, which so is closed after the writer's: of two that are closed at
    /// once neither would take the log with it.
    application: Arc<Application>,
}

/// Starts a clinic, which serves once this returns.
pub async fn start(options: Options) -> Result<Running, Error> {
    let places = Places::within(&options.directory);
    let connection = open(&places)?;
    let switches = Switches::new(places.clone());
    for breakage in options.breakages {
        switches.break_down(breakage, clock::now())?;
    }
    let (listener, address) = listen(options.listen).await?;
    let stop = CancellationToken::new();
    let (committed, receiver) = watch::channel(0);
    let writer = Writer {
        connection: schema::open(&places.database)?,
        work: Work::new(options.seed, places.attachments.clone()),
        committed,
    };
    let application = Arc::new(Application::new(connection, places.clone(), switches));
    Ok(Running {
        address,
        places,
        committed: receiver,
        server: spawn_server(listener, Arc::clone(&application), stop.clone()),
        writer: NonZeroU32::new(options.writes_per_second)
            .map(|pace| spawn_writer(writer, pace, stop.clone())),
        stop: stop.drop_guard(),
        application,
    })
}

impl Running {
    /// The address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it keeps its data.
    pub fn places(&self) -> &Places {
        &self.places
    }

    /// Waits until the writer has committed `count` transactions more.
    pub async fn written(&self, count: u64) -> Result<(), Error> {
        let mut committed = self.committed.clone();
        let enough = *committed.borrow() + count;
        let waited = committed.wait_for(|committed| *committed >= enough).await;
        waited.map(drop).map_err(|error| ended("writer", &error))
    }

    /// Finishes what has begun and stops.
    ///
    /// The last connection to the database takes its write-ahead log with it.
    pub async fn stop(self) -> Result<(), Error> {
        self.stop.disarm().cancel();
        if let Some(writer) = self.writer {
            writer.await.map_err(|error| ended("writer", &error))?;
        }
        let server = timeout(STOP_LIMIT, self.server).await;
        drop(self.application);
        let Ok(server) = server else {
            // What is left are clients that do not finish their requests; that is no fault of ours.
            return Ok(());
        };
        server
            .map_err(|error| ended("server", &error))?
            .map_err(|error| ended("server", &error))
    }
}

fn open(places: &Places) -> Result<Connection, Error> {
    places.create()?;
    let mut connection = schema::open(&places.database)?;
    schema::create(&mut connection, clock::now())?;
    Ok(connection)
}

async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), Error> {
    let failed = |source| Error::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let local = listener.local_addr().map_err(failed)?;
    Ok((listener, local))
}

fn spawn_server(
    listener: TcpListener,
    application: Arc<Application>,
    stop: CancellationToken,
) -> JoinHandle<std::io::Result<()>> {
    let service = http::router(application).into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move {
        axum::serve(listener, service)
            .with_graceful_shutdown(stop.cancelled_owned())
            .await
    })
}

/// Gives the writer a thread of its own, because SQLite blocks.
fn spawn_writer(writer: Writer, pace: NonZeroU32, stop: CancellationToken) -> JoinHandle<()> {
    let handle = Handle::current();
    tokio::task::spawn_blocking(move || handle.block_on(writer.run(pace, stop)))
}

fn ended(part: &'static str, reason: &impl ToString) -> Error {
    Error::Stop {
        part,
        reason: reason.to_string(),
    }
}
