//! Changes of files while a host runs.

use crate::support::{Folder, Log, ManifestLoader, TurnedClock, standard, workshop};
use sopwith_config::last_good::{LastGood, start};
use sopwith_config::{Pace, ReloadParts, Reloaded, Reloader, Shelf};
use sopwith_core::generation::Generation;
use sopwith_core::port::operations::ReloadStatus;
use sopwith_core::schedule::When;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Longer than any test turns its clock.
const NEVER: Duration = Duration::from_secs(1 << 30);
/// A test that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(30);

struct Host {
    folder: Folder,
    clock: Arc<TurnedClock>,
    generation: watch::Receiver<Arc<Generation>>,
    status: watch::Receiver<ReloadStatus>,
    reloads: mpsc::UnboundedReceiver<Reloaded>,
    _end: DropGuard,
}

impl Host {
    async fn start(folder: Folder, poll: Duration) -> Self {
        let (loader, standard) = (Arc::new(ManifestLoader::default()), standard());
        let data_directory = folder.data_directory();
        let started = start(&folder.path(), &data_directory, workshop(&loader, &standard)).await;
        let clock = Arc::new(TurnedClock::new());
        let parts = ReloadParts {
            folder: folder.path(),
            shelf: Arc::new(Shelf::new(&data_directory, Arc::clone(&loader) as _)),
            data_directory,
            loader,
            standard: standard.into(),
            clock: Arc::clone(&clock) as _,
            pace: Pace {
                poll,
                ..Pace::default()
            },
        };
        let started = started.unwrap_or_else(|wrong| panic!("{wrong:#?}"));
        let reloader = Reloader::new(parts, started);
        let reloads = reloader.reloads();
        let (generation, status) = (reloader.generation(), reloader.status());
        let end = CancellationToken::new();
        tokio::spawn(reloader.watch(end.clone()));
        Self {
            folder,
            clock,
            generation,
            status,
            reloads,
            _end: end.drop_guard(),
        }
    }

    /// Turns the clock until a change was tried, and says what became of it.
    async fn tried(&mut self) -> ReloadStatus {
        let trying = async {
            while !self.status.has_changed().unwrap() {
                self.clock.turn(Duration::from_millis(100));
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, trying)
            .await
            .expect("the change was not noticed");
        self.status.borrow_and_update().clone()
    }

    fn cron(&self) -> String {
        let generation = self.generation.borrow();
        let ready = &generation.procedures[&"clinic-backup".parse().unwrap()];
        match &ready.procedure.schedules[0].when {
            When::Cron(cron) => cron.line().to_owned(),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_broken_file_changes_nothing_and_the_mended_one_is_taken_up() {
    let log = Log::start();
    let mut host = Host::start(Folder::new(), NEVER).await;
    host.folder.edit("cron = \"15 4 * * *\"", "cron = \"15 5 * * \"");
    let refused = host.tried().await;
    let logged = log.take();
    assert!(
        logged.trim_start().starts_with(
            "WARN the changed configuration was refused; what is in force stays\n WARN error: `15 5 * * `"
        ),
        "{logged}"
    );
    assert!(!refused.accepted);
    assert!(
        refused.diagnostics[0].contains("is not a cron line"),
        "{refused:?}"
    );
    assert_eq!(host.cron(), "15 4 * * *");

    host.folder.edit("15 4", "15 5");
    assert!(host.tried().await.accepted);
    assert_eq!(host.cron(), "15 5 * * *");
}

#[tokio::test]
async fn a_change_that_nothing_told_of_is_found_by_looking() {
    let folder = Folder::new();
    let outside = tempfile::tempdir().unwrap();
    let target = outside.path().join("backup.toml");
    let link = folder.path().join("procedures/linked.toml");
    std::fs::write(&target, "plugin = \"smoke\"\n[settings]\nchecks = []\n").unwrap();
    std::os::unix::fs::symlink(&target, link).unwrap();
    let mut host = Host::start(folder, Duration::from_secs(5)).await;
    std::fs::write(
        &target,
        "plugin = \"smoke\"\nowner = \"ops\"\n[settings]\nchecks = []\n",
    )
    .unwrap();
    assert!(host.tried().await.accepted);
    let generation = host.generation.borrow().clone();
    let linked = &generation.procedures[&"linked".parse().unwrap()];
    assert_eq!(linked.procedure.owner.as_deref(), Some("ops"));
}

#[tokio::test]
async fn what_was_refused_for_something_outside_is_taken_up_once_that_is_mended() {
    let outside = tempfile::tempdir().unwrap();
    let key = outside.path().join("key");
    std::fs::write(&key, "").unwrap();
    let open_to = |mode| std::fs::set_permissions(&key, std::fs::Permissions::from_mode(mode)).unwrap();
    open_to(0o644);
    let mut host = Host::start(Folder::new(), Duration::from_secs(5)).await;
    let before = std::fs::read_to_string(host.folder.path().join("sopwith.toml")).unwrap();
    host.folder
        .write("sopwith.toml", &format!("[host]\nkey_file = {key:?}\n{before}"));
    let refused = host.tried().await;
    assert!(!refused.accepted);
    assert!(refused.diagnostics[0].contains("is not its own"), "{refused:?}");
    open_to(0o600);
    assert!(host.tried().await.accepted);
}

#[tokio::test]
async fn a_new_plugin_and_its_procedure_start_without_a_restart() {
    let mut host = Host::start(Folder::new(), NEVER).await;
    let own = String::from_utf8(standard()[1].bytes.to_vec()).unwrap();
    host.folder.write("plugins/mine.wasm", &own[..own.len() / 2]);
    assert!(host.tried().await.accepted);
    host.folder.write(
        "procedures/mine.toml",
        "plugin = \"mine\"\n[settings]\nchecks = []\n",
    );
    assert!(!host.tried().await.accepted);
    host.folder.write("plugins/mine.wasm", &own);
    assert!(host.tried().await.accepted);
    let generation = host.generation.borrow().clone();
    assert!(generation.procedures.contains_key(&"mine".parse().unwrap()));
    let kept = LastGood::read(&host.folder.data_directory()).unwrap().unwrap();
    assert_eq!(kept.plugins().len(), 2);
}

#[tokio::test]
async fn a_host_that_started_on_what_was_kept_takes_up_the_mended_folder() {
    let Host { folder, .. } = Host::start(Folder::new(), NEVER).await;
    folder.edit("plugin = \"backup\"", "plugin = ");
    let log = Log::start();
    let mut host = Host::start(folder, NEVER).await;
    assert!(host.status.borrow().kept);
    tokio::task::yield_now().await;
    let logged = log.take();
    assert!(
        logged.contains("WARN the files are broken: the last good configuration is in force\n WARN error:"),
        "{logged}"
    );
    host.folder.edit("15 4", "15 5");
    let status = host.tried().await;
    assert!(status.accepted && !status.kept);
    assert_eq!(host.cron(), "15 5 * * *");
}

#[tokio::test]
async fn whoever_records_reloads_late_hears_of_each_with_what_was_in_force_then() {
    let mut host = Host::start(Folder::new(), NEVER).await;
    host.folder.edit("cron = \"15 4 * * *\"", "cron = \"15 5 * * \"");
    assert!(!host.tried().await.accepted);
    host.folder.edit("15 4", "15 6");
    assert!(host.tried().await.accepted);
    let reloads: Vec<_> = std::iter::from_fn(|| host.reloads.try_recv().ok()).collect();
    let accepted: Vec<_> = reloads.iter().map(|one| one.status.accepted).collect();
    assert_eq!(accepted, [true, false, true]);
    let [first, second, third] = &reloads[..] else {
        unreachable!("there are three");
    };
    assert_eq!(first.generation.digest, second.generation.digest);
    assert_eq!(third.generation.digest, host.generation.borrow().digest);
    assert_ne!(second.generation.digest, third.generation.digest);
}
