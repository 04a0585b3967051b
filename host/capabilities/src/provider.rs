//! Makes the capabilities of an attempt, and clears up after runs.

use crate::bundle::{Bundle, Shared};
use crate::commands::{Launcher, SupervisorProgram};
use crate::databases::Workplace;
use crate::network::Trust;
use crate::notary::HostNotary;
use crate::redaction::Redactor;
use crate::scratch;
use crate::secrets::{SecretSettings, Vault};
use crate::sql::SessionProgram;
use crate::trouble::file_failure;
use async_trait::async_trait;
use rusqlite::Connection;
use sopwith_core::attempt::{Attempt, CapabilityProvider};
use sopwith_core::failure::Failure;
use sopwith_core::port::capabilities::Capabilities;
use sopwith_core::port::{Clock, Notary, SecretKeeper, Store};
use sopwith_core::run::RunId;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How long the secrets may be read before an attempt: each is a small file.
const LEARN_MAX: Duration = Duration::from_secs(5);

/// What the capabilities of all attempts have in common.
pub struct Settings {
    /// Keeps the record and the state.
    pub store: Arc<dyn Store>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Where scratch databases lie; made where it is missing, for the host's user alone.
    pub scratch_directory: PathBuf,
    /// What carries out SQL, in a process for each session.
    pub session_program: SessionProgram,
    /// What supervises commands, in a process for each.
    pub supervisor_program: SupervisorProgram,
    /// Files of certificates that are trusted beside the system's.
    pub ca_files: Vec<PathBuf>,
    /// Name servers that are asked in place of the system's resolver; none for that.
    pub resolver: Vec<SocketAddr>,
    /// Masks the values of secrets in whatever leaves the host.
    pub redactor: Arc<Redactor>,
    /// Where secrets and the host's key are.
    pub secrets: SecretSettings,
}

/// The real capabilities.
pub struct Provider {
    shared: Shared,
}

impl Provider {
    /// Loads the authorities that are trusted, and makes the directory of scratch databases.
    pub fn new(settings: Settings) -> Result<Self, Failure> {
        check_engine()?;
        scratch::make_private(&settings.scratch_directory)
            .map_err(|error| file_failure(&error, "make the scratch directory"))?;
        let (clock, redactor) = (settings.clock, settings.redactor);
        let launcher = Launcher::new(settings.supervisor_program, Arc::clone(&clock));
        let launcher = Arc::new(launcher);
        let vault = Vault::new(
            settings.secrets,
            Arc::clone(&launcher),
            Arc::clone(&redactor),
            Arc::clone(&clock),
        );
        Ok(Self {
            shared: Shared {
                trust: Arc::new(Trust::new(&settings.ca_files)?),
                name_servers: settings.resolver.into(),
                redactor,
                launcher,
                vault: Arc::new(vault),
                store: settings.store,
                clock,
                workplace: Workplace {
                    scratch_directory: settings.scratch_directory,
                    program: settings.session_program,
                },
            },
        })
    }

    /// What operators do with secrets.
    pub fn secrets(&self) -> Arc<dyn SecretKeeper> {
        Arc::clone(&self.shared.vault) as Arc<dyn SecretKeeper>
    }

    /// What signs the audit log with the host's key, and tells anchors of it.
    pub fn notary(&self) -> Arc<dyn Notary> {
        let (vault, launcher) = (Arc::clone(&self.shared.vault), Arc::clone(&self.shared.launcher));
        Arc::new(HostNotary::new(vault, launcher))
    }

    /// Reads the secrets before anything is done that might show one. A store that hangs does not
    /// hold up what needs none.
    async fn learn_secrets(&self, attempt: &Attempt) {
        let learned = self.shared.vault.learn_all(&attempt.resources);
        tokio::select! {
            biased;
            () = learned => {}
            () = self.shared.clock.sleep(LEARN_MAX) => {
                tracing::warn!("the secrets cannot be read in time; those that were not are masked once they are used");
            }
        }
    }
}

/// Fails where SQLite was built without what snapshots are read through.
fn check_engine() -> Result<(), Failure> {
    let looked = Connection::open_in_memory().and_then(|connection| {
        let option = "ENABLE_DBPAGE_VTAB";
        connection.query_row("SELECT sqlite_compileoption_used(?1)", [option], |row| row.get(0))
    });
    match looked {
        Ok(true) => Ok(()),
        Ok(false) => Err(Failure::host("SQLite was built without `sqlite_dbpage`")
            .hint("build with LIBSQLITE3_FLAGS=\"-DSQLITE_ENABLE_DBPAGE_VTAB\", as .cargo/config.toml says")),
        Err(error) => Err(Failure::host(format!("SQLite cannot be used: {error}"))),
    }
}

#[async_trait]
impl CapabilityProvider for Provider {
    async fn open(&self, attempt: Attempt) -> Result<Arc<dyn Capabilities>, Failure> {
        self.learn_secrets(&attempt).await;
        Ok(Arc::new(Bundle::new(attempt, &self.shared)))
    }

    async fn end_run(&self, run: RunId) {
        // Most runs have none, and a look costs less than a thread.
        if !scratch::has_run(&self.shared.workplace.scratch_directory, run) {
            return;
        }
        let directory = self.shared.workplace.scratch_directory.clone();
        let removed = tokio::task::spawn_blocking(move || scratch::remove_run(&directory, run));
        if let Ok(Err(error)) = removed.await {
            tracing::warn!(%run, "cannot remove the scratch databases of a run: {error}");
        }
    }

    async fn sweep(&self, live: &[RunId]) -> Result<(), Failure> {
        let (directory, live) = (self.shared.workplace.scratch_directory.clone(), live.to_vec());
        tokio::task::spawn_blocking(move || scratch::sweep(&directory, &live))
            .await
            .map_err(|error| Failure::host(format!("a thread of the host ended early: {error}")))?
            .map_err(|error| file_failure(&error, "clear the scratch directory"))
    }
}
