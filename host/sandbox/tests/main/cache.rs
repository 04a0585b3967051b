//! The compile cache: nothing is compiled twice, and nothing is run from it that this host did not
//! put there.

use crate::guests::fixture;
use crate::stage::{POOLING, limits, run, settings};
use async_trait::async_trait;
use serde_json::json;
use sopwith_core::digest::Digest;
use sopwith_core::port::{Artefacts, PluginLoader as _, StoreError, Stored};
use sopwith_sandbox::{Allocation, CacheSettings, Compilations, Sandbox, Unfit};
use sopwith_store::SqliteStore;
use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, lchown, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

const COMPILED: Compilations = Compilations {
    compiled: 1,
    cached: 0,
};
const CACHED: Compilations = Compilations {
    compiled: 0,
    cached: 1,
};

/// A data directory with a cache and a record.
struct Data {
    folder: TempDir,
    record: Arc<SqliteStore>,
}

impl Data {
    /// With the plugin `noop` in its cache.
    async fn with_noop() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let record = SqliteStore::open(&folder.path().join("history.db")).expect("a record");
        let data = Self {
            folder,
            record: Arc::new(record),
        };
        assert_eq!(data.start().await, COMPILED);
        data
    }

    fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    fn sandbox(&self, allocation: Allocation, artefacts: Arc<dyn Artefacts>) -> Sandbox {
        let cache = CacheSettings {
            directory: self.cache(),
            artefacts,
            unfit: Unfit::Rebuild,
        };
        Sandbox::new(settings(allocation, Some(cache))).expect("a sandbox")
    }

    /// A host that starts runs the right plugin; how it came to it.
    async fn start(&self) -> Compilations {
        let sandbox = self.sandbox(Allocation::OnDemand, self.record.clone());
        load_and_run(&sandbox, "noop", "nothing").await;
        sandbox.compilations()
    }

    /// The files that have code in them.
    fn artefacts(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        list(&self.cache(), &mut found);
        found.retain(|path| path.extension().is_none());
        found
    }

    /// After this was done to the code of `noop`, a host that starts compiles it anew, and the one
    /// after that does not.
    async fn check(&self, tamper: impl FnOnce(&Path)) {
        let [artefact] = &self.artefacts()[..] else {
            panic!("not one plugin: {:?}", self.artefacts());
        };
        tamper(artefact);
        assert_eq!(self.start().await, COMPILED);
        assert_eq!(self.start().await, CACHED);
        assert_eq!(self.artefacts(), std::slice::from_ref(artefact));
    }
}

fn list(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            list(&path, found);
        } else {
            found.push(path);
        }
    }
}

async fn load_and_run(sandbox: &Sandbox, name: &str, action: &str) {
    let plugin = sandbox.load(fixture(name)).await.expect("a plugin");
    assert_eq!(plugin.manifest().name.as_str(), name);
    let ended = run(&*plugin, action, json!({}), limits()).await;
    assert!(ended.result.is_ok(), "{ended:?}");
}

/// Changes a byte of the code, so that the engine sees nothing wrong with the file.
fn change_a_byte(artefact: &Path) {
    let packed = fs::read(artefact).expect("the artefact");
    let mut code = zstd::decode_all(&packed[..]).expect("it is packed");
    let middle = code.len() / 2;
    code[middle] ^= 1;
    let packed = zstd::encode_all(&code[..], 0).expect("packed again");
    fs::write(artefact, packed).expect("a file");
}

#[tokio::test]
async fn second_start_compiles_nothing_whatever_the_allocator() {
    let data = Data::with_noop().await;
    for allocation in [POOLING, Allocation::OnDemand] {
        let sandbox = data.sandbox(allocation, data.record.clone());
        load_and_run(&sandbox, "noop", "nothing").await;
        assert_eq!(sandbox.compilations(), CACHED);
    }
}

#[tokio::test]
async fn code_with_a_changed_byte_is_not_run() {
    Data::with_noop().await.check(change_a_byte).await;
}

#[tokio::test]
async fn code_of_another_plugin_in_the_place_of_the_right_one_is_not_run() {
    let data = Data::with_noop().await;
    let [noop] = &data.artefacts()[..] else {
        panic!("there is one plugin");
    };
    let sandbox = data.sandbox(Allocation::OnDemand, data.record.clone());
    sandbox.load(fixture("exerciser")).await.expect("a plugin");
    let artefacts = data.artefacts();
    let other = artefacts
        .iter()
        .find(|path| *path != noop)
        .expect("the other one");
    fs::copy(other, noop).expect("a copy");
    assert_eq!(data.start().await, COMPILED);
    assert_eq!(data.start().await, CACHED);
}

#[tokio::test]
async fn the_engine_alone_would_run_whatever_lies_there() {
    let data = Data::with_noop().await;
    let noop = data.artefacts().remove(0);
    let sandbox = data.sandbox(Allocation::OnDemand, data.record.clone());
    sandbox.load(fixture("exerciser")).await.expect("a plugin");
    let other = data.artefacts().into_iter().find(|path| *path != noop);
    fs::copy(other.expect("the other one"), &noop).expect("a copy");
    let name = noop
        .strip_prefix(data.cache())
        .expect("it lies beneath")
        .display()
        .to_string();
    let forged = Digest::of(fs::read(&noop).expect("the code"));
    let forgery = BTreeMap::from([(name, Some(forged))]);
    data.record.set_artefacts(forgery).await.expect("a change");
    let sandbox = data.sandbox(Allocation::OnDemand, data.record.clone());
    let plugin = sandbox.load(fixture("noop")).await.expect("a plugin");
    assert_eq!(plugin.manifest().name.as_str(), "exerciser");
}

#[tokio::test]
async fn code_that_changes_while_the_host_runs_is_not_run() {
    let data = Data::with_noop().await;
    let sandbox = data.sandbox(Allocation::OnDemand, data.record.clone());
    for _ in 0..2 {
        load_and_run(&sandbox, "noop", "nothing").await;
    }
    assert_eq!(sandbox.compilations().compiled, 0);
    change_a_byte(&data.artefacts()[0]);
    load_and_run(&sandbox, "noop", "nothing").await;
    assert_eq!(sandbox.compilations().compiled, 1);
}

#[tokio::test]
async fn a_file_that_this_host_did_not_put_there_is_taken_away() {
    let data = Data::with_noop().await;
    let planted = data.artefacts()[0].with_file_name("planted");
    fs::write(&planted, "code of somebody else").expect("a file");
    assert_eq!(data.start().await, CACHED);
    assert!(!planted.exists());
}

#[tokio::test]
async fn code_behind_a_link_is_not_run() {
    let data = Data::with_noop().await;
    let outside = data.folder.path().join("outside");
    let away = |artefact: &Path| {
        fs::rename(artefact, &outside).expect("a rename");
        symlink(&outside, artefact).expect("a link");
    };
    data.check(away).await;
    assert!(outside.exists());
}

#[tokio::test]
async fn code_that_others_could_have_changed_is_not_run() {
    let data = Data::with_noop().await;
    let open = |_: &Path| fs::set_permissions(data.cache(), Permissions::from_mode(0o777)).expect("a mode");
    data.check(open).await;
}

#[tokio::test]
async fn code_of_somebody_else_is_not_run() {
    let data = Data::with_noop().await;
    let artefact = &data.artefacts()[0];
    if let Err(error) = lchown(artefact, Some(54_321), None) {
        return println!("passed over: files cannot be given away here: {error}");
    }
    data.check(|_| {}).await;
}

#[tokio::test]
async fn code_that_the_record_does_not_know_is_not_run() {
    let data = Data::with_noop().await;
    let known = data.record.artefacts().await.expect("the record");
    assert_eq!(known.len(), 1);
    let forgotten = known.into_keys().map(|name| (name, None)).collect();
    data.record.set_artefacts(forgotten).await.expect("a change");
    data.check(|_| {}).await;
}

#[tokio::test]
async fn without_a_record_everything_is_compiled() {
    let data = Data::with_noop().await;
    let sandbox = data.sandbox(Allocation::OnDemand, Arc::new(Broken));
    load_and_run(&sandbox, "noop", "nothing").await;
    assert_eq!(sandbox.compilations(), COMPILED);
}

#[tokio::test]
async fn what_is_gone_is_forgotten() {
    let data = Data::with_noop().await;
    data.check(|artefact| fs::remove_file(artefact).expect("the file"))
        .await;
    fs::remove_file(&data.artefacts()[0]).expect("the file");
    let sandbox = data.sandbox(Allocation::OnDemand, data.record.clone());
    let broken = sandbox.load((*b"no component").into()).await;
    assert!(broken.is_err());
    assert_eq!(
        data.record.artefacts().await.expect("the record"),
        BTreeMap::new()
    );
}

#[tokio::test]
async fn what_a_killed_host_left_half_written_is_in_nobodys_way() {
    let data = Data::with_noop().await;
    let cut_off = |artefact: &Path| {
        let unfinished = artefact.with_extension("wip-atomic-write-mod");
        fs::rename(artefact, unfinished).expect("a rename");
    };
    data.check(cut_off).await;
}

/// A record that cannot be read or written.
struct Broken;

#[async_trait]
impl Artefacts for Broken {
    async fn artefacts(&self) -> Stored<BTreeMap<String, Digest>> {
        Err(StoreError::Broken("the disk is gone".to_owned()))
    }

    async fn set_artefacts(&self, _: BTreeMap<String, Option<Digest>>) -> Stored<()> {
        Err(StoreError::Broken("the disk is gone".to_owned()))
    }
}
