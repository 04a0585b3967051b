//! Starts on what was kept when the folder is broken.

use crate::support::{Folder, ManifestLoader, asking_for_more, standard, workshop};
use sopwith_config::last_good::{LastGood, Started, load, start};
use sopwith_config::{Diagnostic, Severity, Shelf};
use sopwith_core::digest::Digest;
use sopwith_core::port::PluginShelf as _;
use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;

async fn started(folder: &Folder) -> Result<Started, Vec<Diagnostic>> {
    let (loader, standard) = (ManifestLoader::default(), standard());
    start(
        &folder.path(),
        &folder.data_directory(),
        workshop(&loader, &standard),
    )
    .await
}

async fn good_start(folder: &Folder) -> Started {
    started(folder).await.unwrap_or_else(|wrong| panic!("{wrong:#?}"))
}

#[tokio::test]
async fn a_broken_folder_starts_on_what_was_kept_and_says_so() {
    let folder = Folder::new();
    let first = good_start(&folder).await;
    assert!(!first.kept);
    folder.edit("plugin = \"backup\"", "plugin = ");
    let second = good_start(&folder).await;
    assert!(second.kept);
    assert!(!second.diagnostics.is_empty());
    assert_eq!(second.generation.digest, first.generation.digest);
    assert_eq!(second.generation.host, first.generation.host);
}

#[tokio::test]
async fn a_broken_folder_without_anything_kept_does_not_start() {
    let folder = Folder::new();
    folder.edit("plugin = \"backup\"", "plugin = ");
    assert!(started(&folder).await.is_err_and(|wrong| !wrong.is_empty()));
}

#[tokio::test]
async fn a_plugin_that_was_removed_is_still_there_to_start_on() {
    let folder = Folder::new();
    let own = String::from_utf8(standard()[0].bytes.to_vec()).unwrap();
    folder.write("plugins/mine.wasm", &own);
    folder.edit("\"backup\"\n\n[[", "\"mine\"\n\n[[");
    let first = good_start(&folder).await;
    folder.remove("plugins/mine.wasm");
    let second = good_start(&folder).await;
    assert!(second.kept);
    assert_eq!(second.generation.digest, first.generation.digest);
}

#[tokio::test]
async fn a_wrong_file_in_the_place_of_a_plugin_is_told_once_with_the_way_back() {
    let folder = Folder::new();
    let own = |plugin: usize| String::from_utf8(standard()[plugin].bytes.to_vec()).unwrap();
    folder.write("plugins/mine.wasm", &own(0));
    folder.edit("\"backup\"\n\n[[", "\"mine\"\n\n[[");
    let procedure = fs::read_to_string(folder.path().join("procedures/clinic-backup.toml")).unwrap();
    folder.write("procedures/second.toml", &procedure);
    assert!(!good_start(&folder).await.kept);
    for (file, what) in [
        ("nonsense", "cannot be loaded: it is not a WebAssembly component"),
        (own(1).as_str(), "is another one than before: its file is `smoke`"),
    ] {
        folder.write("plugins/mine.wasm", file);
        let second = good_start(&folder).await;
        assert!(second.kept);
        let about = second.diagnostics.iter();
        let about: Vec<_> = about.filter(|one| one.severity == Severity::Error).collect();
        let [told] = about.as_slice() else {
            panic!("{about:#?}");
        };
        assert!(told.message.contains(what), "{told}");
        assert!(told.message.ends_with("this holds for `second`, too"), "{told}");
        let hint = told.hint.as_deref().unwrap_or_default();
        assert!(hint.contains("`sopwith plugins rollback mine`"), "{told}");
    }
}

#[tokio::test]
async fn a_held_plugin_is_still_held_after_a_restart() {
    let folder = Folder::new();
    good_start(&folder).await;
    folder.write("plugins/backup.wasm", &asking_for_more());
    for _ in 0..2 {
        let restarted = good_start(&folder).await;
        let ready = &restarted.generation.procedures[&"clinic-backup".parse().unwrap()];
        assert!(!restarted.kept);
        assert_eq!(ready.plugin.manifest().version, "1.0.0");
        assert!(ready.held.is_some());
    }
}

#[tokio::test]
async fn bytes_that_were_tampered_with_are_not_used() {
    let folder = Folder::new();
    good_start(&folder).await;
    for entry in fs::read_dir(folder.data_directory().join("plugins")).unwrap() {
        fs::write(entry.unwrap().path(), "{}").unwrap();
    }
    let (loader, standard) = (ManifestLoader::default(), standard());
    let problem = load(&folder.data_directory(), workshop(&loader, &standard)).await;
    let problem = problem.err().unwrap().to_string();
    assert!(
        problem.contains("does not have the digest in its name"),
        "{problem}"
    );
}

#[tokio::test]
async fn the_shelf_gives_out_what_is_named_and_lets_go_of_the_rest() {
    let folder = Folder::new();
    let first = good_start(&folder).await;
    let ready = &first.generation.procedures[&"clinic-backup".parse().unwrap()];
    let digest = ready.plugin.digest();
    let loader = Arc::new(ManifestLoader::default());
    let shelf = Shelf::new(&folder.data_directory(), loader);
    assert_eq!(shelf.plugin(digest).await.unwrap().digest(), digest);

    let kept = LastGood::read(&folder.data_directory()).unwrap().unwrap();
    assert_eq!(kept.plugins(), BTreeSet::from([digest]));
    let old = Digest::of("old");
    let path = format!("plugins/{}.wasm", old.hexadecimal());
    fs::write(folder.data_directory().join(path), "old").unwrap();
    assert_eq!(shelf.prune(&[old].into()).unwrap(), []);
    assert_eq!(shelf.prune(&BTreeSet::new()).unwrap(), [old]);
    assert!(shelf.plugin(old).await.is_err());
    assert!(shelf.plugin(digest).await.is_ok());
}
