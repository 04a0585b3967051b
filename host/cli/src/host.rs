//! Wires a host together: files, record, sandbox, capabilities, engine.

use crate::exit::{Ended, Exit};
use crate::foundation::{Foundation, data_directory, desk, myself, refuse};
use crate::lock::{DataLock, Role};
use crate::output;
use crate::secrecy;
use serde_json::{Value, json};
use sopwith_config::{Pace, ReloadParts, Reloaded, Reloader, Shelf, last_good};
use sopwith_core::actor::Actor;
use sopwith_core::audit::AuditRecord;
use sopwith_core::generation::{Generation, HostSettings};
use sopwith_core::port::operations::{Operations, ReloadStatus};
use sopwith_core::port::{Pruning, Reloads};
use sopwith_engine::{Desk, Engine};
use sopwith_sandbox::Allocation;
use sopwith_server::Socket;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

/// How often a service that waits for a command to end tries the lock again.
const TRY_LOCK_EVERY: Duration = Duration::from_millis(100);
/// How often a service looks whether its data directory is still there.
const LOOK_AT_LOCK_EVERY: Duration = Duration::from_secs(1);
/// How soon a change of the configuration is recorded that could not be.
const RECORD_AGAIN_AFTER: Duration = Duration::from_secs(1);
/// How long what runs in a command may go on after the command's own run has ended.
const COMMAND_GRACE: Duration = Duration::from_secs(30);

/// A host in this process.
pub struct Host {
    engine: Engine,
    desk: Desk,
    reload: watch::Receiver<ReloadStatus>,
    reloader: Reloader,
    history: Option<Arc<dyn Pruning>>,
    data_directory: PathBuf,
    stop_socket: CancellationToken,
    /// Held until the process ends.
    lock: DataLock,
}

impl Host {
    /// A host for one command that runs something; the files have to be good.
    pub(crate) async fn open(folder: &Path, lock: DataLock) -> anyhow::Result<Self> {
        let host = Self::open_to_mend(folder, lock).await?;
        host.refuse_broken_files()?;
        host.answer_on_the_socket()?;
        let recovered = host.engine.recover().await?;
        if recovered.resumed > 0 {
            anstream::eprintln!(
                "going on with {} of before, cut off in the middle",
                output::count(recovered.resumed, "run")
            );
        }
        Ok(host)
    }

    /// A host for one command that may mend what is wrong with the files.
    pub(crate) async fn open_to_mend(folder: &Path, lock: DataLock) -> anyhow::Result<Self> {
        Self::build(folder, lock, Allocation::OnDemand).await
    }

    /// A host that is the service. A command that holds the lock is waited for.
    pub async fn start_service(folder: &Path) -> anyhow::Result<Self> {
        let data_directory = data_directory(folder)?;
        let lock = wait_for_lock(&data_directory).await?;
        let allocation = Allocation::Pooling {
            runs_at_once_max: HostSettings::RUNS_AT_ONCE_MOST,
        };
        let host = Self::build(folder, lock, allocation).await?;
        host.answer_on_the_socket()?;
        let recovered = host.engine.recover().await?;
        tracing::info!(
            queued = recovered.queued,
            resumed = recovered.resumed,
            lost = recovered.lost,
            cancelled = recovered.cancelled,
            "what an earlier host left is taken up"
        );
        Ok(host)
    }

    /// Runs procedures on their schedules until told to stop.
    pub(crate) async fn serve(self, stop: CancellationToken, grace: Duration) -> anyhow::Result<()> {
        let reloader = self.reloader.clone();
        let has_watched = CancellationToken::new();
        let recording = tokio::spawn(record_reloads(
            self.engine.clone(),
            reloader.reloads(),
            stop.clone(),
            has_watched.clone(),
        ));
        let ended = CancellationToken::new();
        let keeping = tokio::spawn({
            let (engine, ended) = (self.engine.clone(), ended.clone());
            async move { engine.keep_audit_log(ended).await }
        });
        let watching = tokio::spawn(reloader.watch(stop.clone()));
        if let Some(history) = self.history.clone() {
            let (engine, stop) = (self.engine.clone(), stop.clone());
            tokio::spawn(async move { engine.prune_history(&*history, stop).await });
        }
        let engine = self.engine.clone();
        let mut scheduling = tokio::spawn({
            let stop = stop.clone();
            async move { engine.schedule(stop).await }
        });
        tracing::info!(generation = %self.engine.generation().digest.short(), "ready");
        let trouble = tokio::select! {
            // The scheduler ends when it is told to, too.
            biased;
            () = stop.cancelled() => None,
            // Without its scheduler a service only looks alive; whoever started it starts it again.
            ended = &mut scheduling => Some(format!("the scheduler ended early: {ended:?}")),
            () = self.until_directory_is_gone() => Some(format!(
                "the data directory `{}` was removed or replaced; another host could start in its place",
                self.data_directory.display()
            )),
        };
        if let Some(trouble) = &trouble {
            tracing::error!("{trouble}; the service ends");
            stop.cancel();
        }
        let watched = watching.await;
        has_watched.cancel();
        let recorded = recording.await;
        let scheduled = if scheduling.is_finished() {
            Ok(())
        } else {
            scheduling.await
        };
        // Attempts have their time whatever became of the others.
        self.engine.shut_down(grace).await;
        self.stop_socket.cancel();
        ended.cancel();
        let kept = keeping.await;
        tracing::info!("stopped");
        watched.and(recorded).and(scheduled).and(kept)?;
        trouble.map_or(Ok(()), |trouble| Err(anyhow::anyhow!(trouble)))
    }

    async fn until_directory_is_gone(&self) {
        while self.lock.is_in_place() {
            tokio::time::sleep(LOOK_AT_LOCK_EVERY).await;
        }
    }

    /// What can be asked of it.
    pub fn operations(&self) -> &dyn Operations {
        &self.desk
    }

    /// Lets what runs come to its end.
    pub async fn close(&self) {
        self.engine.shut_down(COMMAND_GRACE).await;
        self.engine.sign_what_is_due().await;
        self.stop_socket.cancel();
    }

    async fn build(folder: &Path, lock: DataLock, allocation: Allocation) -> anyhow::Result<Self> {
        let data_directory = data_directory(folder)?;
        let foundation = Foundation::lay(&data_directory, allocation)?;
        let started = last_good::start(folder, &data_directory, foundation.workshop()).await;
        let started = started.map_err(|diagnostics| refuse(&diagnostics))?;
        let shelf = Arc::new(Shelf::new(&data_directory, Arc::clone(&foundation.loader)));
        let parts = ReloadParts {
            folder: folder.to_owned(),
            data_directory: data_directory.clone(),
            loader: Arc::clone(&foundation.loader),
            standard: Arc::clone(&foundation.standard),
            clock: Arc::clone(&foundation.clock),
            shelf: Arc::clone(&shelf),
            pace: Pace::default(),
        };
        let reloader = Reloader::new(parts, started);
        let engine = foundation.engine(&data_directory, shelf, reloader.generation())?;
        let reload = reloader.status();
        Ok(Self {
            desk: desk(engine.clone(), myself(), reload.clone()).with_reloads(Arc::new(reloader.clone())),
            engine,
            reload,
            reloader,
            history: foundation.pruning(),
            data_directory,
            stop_socket: CancellationToken::new(),
            lock,
        })
    }

    fn refuse_broken_files(&self) -> anyhow::Result<()> {
        let status = self.reload.borrow();
        if status.accepted {
            return Ok(());
        }
        for diagnostic in &status.diagnostics {
            anstream::eprintln!("{diagnostic}\n");
        }
        Err(Ended::new(
            Exit::InvalidConfiguration,
            "the configuration is invalid; nothing was run",
        )
        .into())
    }

    fn answer_on_the_socket(&self) -> anyhow::Result<()> {
        let socket = Socket::bind(&self.data_directory)?;
        let (engine, reload) = (self.engine.clone(), self.reload.clone());
        let reloads: Arc<dyn Reloads> = Arc::new(self.reloader.clone());
        let act_as = Arc::new(move |actor| {
            let desk = desk(engine.clone(), actor, reload.clone());
            Arc::new(desk.with_reloads(Arc::clone(&reloads))) as Arc<dyn Operations>
        });
        let redactor = secrecy::redactor();
        let mask = Arc::new(move |text| redactor.mask_json(text));
        let stop = self.stop_socket.clone();
        tokio::spawn(async move {
            if let Err(error) = socket.serve(act_as, mask, stop).await {
                tracing::error!(%error, "the socket is closed");
            }
        });
        Ok(())
    }
}

/// Keeps in the audit log what became of each change of a file, of all of them and in their order.
async fn record_reloads(
    engine: Engine,
    mut reloads: mpsc::UnboundedReceiver<Reloaded>,
    stop: CancellationToken,
    watched: CancellationToken,
) {
    loop {
        let reloaded = tokio::select! {
            biased;
            reloaded = reloads.recv() => reloaded,
            // Nobody watches any more: what is there already is written down, and no more comes.
            () = watched.cancelled(), if !reloads.is_closed() => {
                reloads.close();
                continue;
            }
        };
        let Some(reloaded) = reloaded else { return };
        let record = record_of(&reloaded);
        while let Err(error) = engine.store().audit(record.clone()).await {
            tracing::error!(%error, "the change of the configuration cannot be recorded");
            tokio::select! {
                () = tokio::time::sleep(RECORD_AGAIN_AFTER) => {}
                () = stop.cancelled() => break,
            }
        }
    }
}

fn record_of(Reloaded { status, generation }: &Reloaded) -> AuditRecord {
    let mut payload = json!({ "diagnostics": status.diagnostics, "kept": status.kept });
    if status.accepted || status.kept {
        payload["procedures"] = carried_out(generation);
    }
    let action = if status.accepted {
        "configuration.accepted"
    } else {
        "configuration.refused"
    };
    AuditRecord {
        at: status.at,
        actor: Actor::Host,
        action: action.to_owned(),
        object: format!("generation:{}", generation.digest.hexadecimal()),
        revision: None,
        payload: secrecy::redactor().mask_value(payload),
    }
}

/// Which bytes carry out which procedure, and who signed them.
fn carried_out(generation: &Generation) -> Value {
    let procedures = generation.procedures.values().map(|ready| {
        let signature = ready.source.signature.as_ref();
        let carried_out = json!({
            "plugin": ready.procedure.plugin,
            "plugin_digest": ready.plugin.digest(),
            "signed_by": signature.map(|signature| &signature.key_id),
            "held_digest": ready.held.as_ref().map(|held| held.digest),
        });
        (ready.procedure.name.to_string(), carried_out)
    });
    Value::Object(procedures.collect())
}

async fn wait_for_lock(data_directory: &Path) -> anyhow::Result<DataLock> {
    let mut told = false;
    loop {
        if let Some(lock) = DataLock::take(data_directory, Role::Service)? {
            return Ok(lock);
        }
        let holder = DataLock::holder(data_directory);
        if holder.is_some_and(|holder| holder.role == Role::Service) {
            let process = holder.map_or(0, |holder| holder.pid);
            let message = format!(
                "another host (process {process}) serves `{}`",
                data_directory.display()
            );
            return Err(Ended {
                exit: Exit::NotPassed,
                message,
                hint: Some("`sopwith status` asks it".to_owned()),
            }
            .into());
        }
        if !told {
            tracing::info!("waiting for a command that uses `{}`", data_directory.display());
            told = true;
        }
        tokio::time::sleep(TRY_LOCK_EVERY).await;
    }
}
