//! Plugins that are signed, or should be.

use crate::support::{Folder, ManifestLoader, Signer, asking_for_more, manifest, now, standard, workshop};
use async_trait::async_trait;
use sopwith_config::last_good::{Started, start};
use sopwith_config::{Loaded, Severity, Workshop, has_errors, load};
use sopwith_core::digest::Digest;
use sopwith_core::generation::Generation;
use sopwith_core::port::{Plugin, PluginLoader, PluginProblem};
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

const PLUGIN: &str = "plugins/mine.wasm";
const SIGNATURE: &str = "plugins/mine.wasm.minisig";
const COMMENT: &str = "mine 1.0.0, built on a clean machine";

/// A folder whose procedure is carried out by a plugin of its own.
struct Scene {
    folder: Folder,
    signer: Signer,
}

impl Scene {
    /// With this text before everything else of `sopwith.toml`, and no signature.
    fn new(plugins: impl FnOnce(&Signer) -> String) -> Self {
        let (folder, signer) = (Folder::new(), Signer::new());
        folder.edit("\"backup\"\n\n[[", "\"mine\"\n\n[[");
        folder.write(PLUGIN, &mine());
        let scene = Self { folder, signer };
        scene.trust(&plugins(&scene.signer));
        scene
    }

    /// With a signature that is required and good.
    fn signed() -> Self {
        let scene = Self::new(|signer| Signer::trusted(&[signer]));
        scene.sign(&mine());
        scene
    }

    fn trust(&self, plugins: &str) {
        self.folder
            .write("sopwith.toml", &format!("{}\n{plugins}", Folder::HOST));
    }

    fn sign(&self, bytes: &str) {
        self.folder.write(SIGNATURE, &self.signer.sign(bytes, COMMENT));
    }

    async fn load(&self, previous: Option<&Generation>) -> Loaded {
        let (loader, standard) = (ManifestLoader::default(), standard());
        let came_of = load(&self.folder.path(), workshop(&loader, &standard), previous).await;
        if came_of.generation.is_none() {
            let loads = loader.loads.load(Ordering::Relaxed);
            assert!(loads <= standard.len(), "what is refused is not even compiled");
        }
        came_of
    }

    async fn good(&self, previous: Option<&Generation>) -> Arc<Generation> {
        let loaded = self.load(previous).await;
        loaded
            .generation
            .unwrap_or_else(|| panic!("{:#?}", loaded.diagnostics))
    }

    async fn start(&self) -> Started {
        let (loader, standard) = (ManifestLoader::default(), standard());
        let data_directory = self.folder.data_directory();
        let started = start(&self.folder.path(), &data_directory, workshop(&loader, &standard)).await;
        started.unwrap_or_else(|wrong| panic!("{wrong:#?}"))
    }

    /// The plugin is refused at the line that names it, with these words and this hint.
    async fn check(&self, why: &str, hint: &str) {
        let loaded = self.load(None).await;
        assert!(loaded.generation.is_none(), "{why}");
        let [told] = &loaded.diagnostics[..] else {
            panic!("{:#?}", loaded.diagnostics);
        };
        let named = "the plugin `mine` of the procedure `clinic-backup` is refused: ";
        assert!(told.message.starts_with(named), "{told}");
        assert!(told.message.contains(why), "{told}");
        assert!(
            told.file
                .as_ref()
                .unwrap()
                .ends_with("procedures/clinic-backup.toml")
        );
        assert_eq!(told.place.as_ref().unwrap().source, "plugin = \"mine\"");
        assert!(told.hint.as_ref().unwrap().contains(hint), "{told}");
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }
}

fn mine() -> String {
    serde_json::to_string(&manifest("backup")).unwrap()
}

/// A signature of minisign's own, over the bytes `test`, made before it hashed them first.
const LEGACY_KEY: &str = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";
const LEGACY: &str = "untrusted comment: signature from minisign secret key
RWQf6LRCGA9i59SLOFxz6NxvASXDJeRtuZykwQepbDEGt87ig1BNpWaVWuNrm73YiIiJbq71Wi+dP9eKL8OC351vwIasSSbXxwA=
trusted comment: timestamp:1555779966\tfile:test
QtKMXWyYcwdpZAlPF7tE2ENJkRd1ujvKjlj1m9RtHTBnZPa5WKU5uWRs5GoP5M/VqE81QFuMKI5k/SfNQUaOAA==
";

#[tokio::test]
async fn a_signed_plugin_is_used_and_says_who_signed_it() {
    let scene = Scene::signed();
    let generation = scene.good(None).await;
    let available = &generation.plugins[&"mine".parse().unwrap()];
    let signature = available.source.signature.as_ref().unwrap();
    assert_eq!(signature.trusted_comment, COMMENT);
    assert_eq!(signature.key, scene.signer.key());
    assert_eq!(signature.key_id.len(), 16);
    let ready = &generation.procedures[&"clinic-backup".parse().unwrap()];
    assert_eq!(ready.source, available.source);
    let standard = &generation.plugins[&"backup".parse().unwrap()];
    assert_eq!(standard.source.signature, None);
}

#[tokio::test]
async fn an_unsigned_plugin_is_refused_with_the_command_that_signs_it() {
    let scene = Scene::new(|signer| Signer::trusted(&[signer]));
    let command = format!("minisign -Sm {}", scene.path(PLUGIN).display());
    let why = "mine.wasm` is not signed, and `require_signatures` is set";
    scene.check(why, &command).await;
}

#[tokio::test]
async fn a_signature_that_does_not_fit_is_refused() {
    let scene = Scene::new(|signer| Signer::trusted(&[signer]));
    scene.sign("other bytes");
    scene
        .check("is not of these bytes", "copy the plugin and its signature again")
        .await;
    scene.sign(&mine());
    let good = std::fs::read_to_string(scene.path(SIGNATURE)).unwrap();
    scene.folder.write(SIGNATURE, &good.replace("clean", "dirty"));
    scene.check("is not of these bytes", "minisign -Sm").await;
    let stranger = Signer::new().sign(&mine(), COMMENT);
    scene.folder.write(SIGNATURE, &stranger);
    scene
        .check("which `keys` does not name", "add it to `[plugins] keys`")
        .await;
    for text in ["", "no signature at all\n", &good[..good.len() / 2]] {
        scene.folder.write(SIGNATURE, text);
        scene.check("is no signature of minisign", "minisign -Sm").await;
    }
}

#[tokio::test]
async fn a_legacy_signature_is_refused() {
    let scene = Scene::new(|_| format!("[plugins]\nrequire_signatures = true\nkeys = [\"{LEGACY_KEY}\"]\n"));
    scene.folder.write(PLUGIN, "test");
    scene.folder.write(SIGNATURE, LEGACY);
    scene
        .check("by the key E7620F1842B4E81F, is of the old kind", "minisign -SHm")
        .await;
}

#[tokio::test]
async fn what_is_no_plain_small_file_is_no_signature() {
    let scene = Scene::new(|signer| Signer::trusted(&[signer]));
    scene.folder.write(SIGNATURE, &"x".repeat(20_000));
    scene
        .check("cannot be read: it is larger than 16 KiB", "minisign -Sm")
        .await;
    std::fs::remove_file(scene.path(SIGNATURE)).unwrap();
    let made = std::process::Command::new("mkfifo")
        .arg(scene.path(SIGNATURE))
        .status();
    assert!(made.unwrap().success());
    scene
        .check("cannot be read: it is no plain file", "minisign -Sm")
        .await;
    std::fs::remove_file(scene.path(SIGNATURE)).unwrap();
    symlink("nowhere", scene.path(SIGNATURE)).unwrap();
    scene.check("cannot be read: No such file", "minisign -Sm").await;
}

#[tokio::test]
async fn a_link_to_a_good_signature_is_one() {
    let scene = Scene::signed();
    std::fs::rename(scene.path(SIGNATURE), scene.path("elsewhere")).unwrap();
    symlink(scene.path("elsewhere"), scene.path(SIGNATURE)).unwrap();
    scene.good(None).await;
}

#[tokio::test]
async fn a_signature_that_nobody_asks_for_has_to_be_good_once_there_are_keys() {
    let scene = Scene::new(|signer| format!("[plugins]\nkeys = [\"{}\"]\n", signer.key()));
    let unsigned = scene.good(None).await;
    assert_eq!(unsigned.plugins[&"mine".parse().unwrap()].source.signature, None);
    scene.sign("other bytes");
    scene.check("is not of these bytes", "minisign -Sm").await;
    // Also where no procedure names the plugin.
    scene.folder.remove("procedures/clinic-backup.toml");
    let loaded = scene.load(None).await;
    assert!(loaded.generation.is_none());
    assert!(loaded.diagnostics[0].file.as_ref().unwrap().ends_with(PLUGIN));
    scene.trust("");
    let loaded = scene.load(None).await;
    assert!(loaded.generation.is_some());
    assert_eq!(loaded.diagnostics[0].severity, Severity::Note);
    assert!(
        loaded.diagnostics[0]
            .message
            .contains("no key with which that could be verified")
    );
}

#[tokio::test]
async fn an_unsigned_plugin_that_nobody_names_is_not_at_hand() {
    let scene = Scene::new(|signer| Signer::trusted(&[signer]));
    scene.folder.remove("procedures/clinic-backup.toml");
    let loaded = scene.load(None).await;
    let generation = loaded.generation.unwrap();
    assert!(!generation.plugins.contains_key(&"mine".parse().unwrap()));
    assert_eq!(loaded.diagnostics[0].severity, Severity::Warning);
}

#[tokio::test]
async fn an_unsigned_file_does_not_make_way_for_the_standard_plugin_of_its_name() {
    let scene = Scene::new(|signer| Signer::trusted(&[signer]));
    scene.folder.write("plugins/backup.wasm", &mine());
    scene.folder.edit("15 4", "15 5");
    let loaded = scene.load(None).await;
    assert!(loaded.generation.is_none());
}

#[tokio::test]
async fn a_signature_of_no_plugin_is_told() {
    let scene = Scene::signed();
    scene.folder.write("plugins/mine.minisig", "misnamed");
    let loaded = scene.load(None).await;
    assert!(loaded.generation.is_some());
    assert_eq!(
        loaded.diagnostics[0].message,
        "this is the signature of no plugin"
    );
}

#[tokio::test]
async fn while_it_is_unclear_whether_signatures_are_required_no_file_is_compiled() {
    for broken in [
        "[plugins]\nrequire_signatures = \"yes\"\n",
        "[plugins]\nrequires_signatures = true\n",
        "[plugins]\nkeys = [\"minisign.pub\"]\n",
        "[plugins\nrequire_signatures = true\n",
    ] {
        let scene = Scene::new(|_| broken.to_owned());
        let loaded = scene.load(None).await;
        assert!(has_errors(&loaded.diagnostics));
        let mut files = loaded.diagnostics.iter().filter_map(|one| one.file.as_ref());
        assert!(files.all(|file| file.ends_with("sopwith.toml")));
    }
}

#[tokio::test]
async fn a_changed_list_of_keys_decides_anew() {
    let scene = Scene::signed();
    let before = scene.good(None).await;
    let other = Signer::new();
    scene.trust(&Signer::trusted(&[&other]));
    let loaded = scene.load(Some(&before)).await;
    assert!(loaded.generation.is_none());
    scene.trust(&Signer::trusted(&[&other, &scene.signer]));
    assert!(scene.load(Some(&before)).await.generation.is_some());
}

#[tokio::test]
async fn a_version_that_was_signed_with_a_key_of_before_does_not_go_on_in_the_place_of_a_held_one() {
    let scene = Scene::signed();
    let first = scene.start().await;
    let newer = Signer::new();
    scene.folder.write(PLUGIN, &asking_for_more());
    scene
        .folder
        .write(SIGNATURE, &newer.sign(&asking_for_more(), COMMENT));
    scene.trust(&Signer::trusted(&[&scene.signer, &newer]));
    let held = scene.good(Some(&first.generation)).await;
    let name = "clinic-backup".parse().unwrap();
    assert!(held.procedures[&name].held.is_some());
    assert_eq!(
        held.procedures[&name].source,
        first.generation.procedures[&name].source
    );
    assert!(scene.start().await.generation.procedures[&name].held.is_some());

    scene.trust(&Signer::trusted(&[&newer]));
    let (loader, standard) = (ManifestLoader::default(), standard());
    let refused = load(&scene.folder.path(), workshop(&loader, &standard), Some(&held)).await;
    assert!(refused.generation.is_none());
    let after = scene.start().await;
    assert!(after.kept, "what was good is kept with the keys of its time");
    assert!(after.generation.procedures[&name].held.is_some());
}

#[tokio::test]
async fn what_was_kept_is_verified_again() {
    let scene = Scene::signed();
    let first = scene.start().await;
    scene.folder.remove(PLUGIN);
    let kept = scene.start().await;
    assert!(kept.kept);
    assert_eq!(kept.generation.digest, first.generation.digest);
    let name = "mine".parse().unwrap();
    assert_eq!(
        kept.generation.plugins[&name].source,
        first.generation.plugins[&name].source
    );

    let record = scene.folder.data_directory().join("last-good.json");
    let text = std::fs::read_to_string(&record).unwrap();
    std::fs::write(&record, text.replace(COMMENT, "somebody else's words")).unwrap();
    let (loader, standard) = (ManifestLoader::default(), standard());
    let data_directory = scene.folder.data_directory();
    let started = start(
        &scene.folder.path(),
        &data_directory,
        workshop(&loader, &standard),
    )
    .await;
    assert!(started.is_err());
}

/// Puts other bytes into the plugin's file while it is being loaded.
struct Swapping {
    file: PathBuf,
    loader: ManifestLoader,
}

#[async_trait]
impl PluginLoader for Swapping {
    async fn load(&self, bytes: Arc<[u8]>) -> Result<Arc<dyn Plugin>, PluginProblem> {
        std::fs::write(&self.file, asking_for_more()).unwrap();
        self.loader.load(bytes).await
    }
}

#[tokio::test]
async fn the_bytes_that_were_verified_are_those_that_are_loaded_and_kept() {
    let scene = Scene::signed();
    let standard = standard();
    let loader = Swapping {
        file: scene.path(PLUGIN),
        loader: ManifestLoader::default(),
    };
    let workshop = Workshop {
        loader: &loader,
        standard: &standard,
        now: now(),
    };
    let data_directory = scene.folder.data_directory();
    let started = start(&scene.folder.path(), &data_directory, workshop).await;
    let generation = started.unwrap_or_else(|wrong| panic!("{wrong:#?}")).generation;
    let digest = Digest::of(mine());
    assert_eq!(
        generation.plugins[&"mine".parse().unwrap()].plugin.digest(),
        digest
    );
    let kept = data_directory.join(format!("plugins/{}.wasm", digest.hexadecimal()));
    assert_eq!(std::fs::read_to_string(kept).unwrap(), mine());
}
