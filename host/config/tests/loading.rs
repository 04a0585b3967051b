//! What a good configuration becomes.

use crate::support::{Folder, ManifestLoader, asking_for_more, manifest, standard, workshop};
use sopwith_config::{Loaded, load};
use sopwith_core::generation::{Generation, PluginOrigin};
use sopwith_core::grant::Access;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

async fn reload(folder: &Folder, previous: Option<&Generation>) -> Loaded {
    let (loader, standard) = (ManifestLoader::default(), standard());
    load(&folder.path(), workshop(&loader, &standard), previous).await
}

async fn good(folder: &Folder, previous: Option<&Generation>) -> Arc<Generation> {
    let loaded = reload(folder, previous).await;
    loaded
        .generation
        .unwrap_or_else(|| panic!("{:#?}", loaded.diagnostics))
}

#[tokio::test]
async fn a_good_folder_becomes_a_generation_with_defaults_filled_in() {
    let folder = Folder::new();
    folder.edit(
        "[settings]",
        "[limits]\nmemory = \"32 MiB\"\n\n[settings]\nkeep = { daily = 3 }",
    );
    let generation = good(&folder, None).await;
    let ready = &generation.procedures[&"clinic-backup".parse().unwrap()];
    let procedure = &ready.procedure;
    assert_eq!(procedure.summary, "Backs up a database");
    assert_eq!(
        procedure.settings["keep"],
        serde_json::json!({ "daily": 3, "monthly": 6 })
    );
    assert_eq!(procedure.settings["verify"], true);
    assert_eq!(procedure.schedules[0].inputs, serde_json::json!({ "note": "" }));
    assert_eq!(procedure.schedules[0].name.as_str(), "backup");
    assert_eq!(procedure.limits.memory_bytes, 32 << 20);
    assert_eq!(procedure.limits.timeout, Duration::from_mins(10));
    let restore = procedure.grants_of(&"restore".parse().unwrap());
    assert_eq!(
        restore.databases[&"app".parse().unwrap()].access(),
        Access::Replace
    );
    assert_eq!(generation.host.data_directory, folder.path().join("state"));
    assert!(ready.unavailable.is_empty());
}

#[tokio::test]
async fn a_revision_stays_while_only_comments_and_order_change() {
    let folder = Folder::new();
    let name = "clinic-backup".parse().unwrap();
    let before = good(&folder, None).await.procedures[&name].procedure.revision;
    folder.edit("plugin = \"backup\"", "# ours\nplugin   = 'backup'");
    let commented = good(&folder, None).await.procedures[&name].procedure.revision;
    folder.edit("15 4", "15 5");
    let edited = good(&folder, None).await.procedures[&name].procedure.revision;
    assert_eq!(before, commented);
    assert_ne!(before, edited);
}

#[tokio::test]
async fn a_file_takes_the_place_of_a_standard_plugin() {
    let folder = Folder::new();
    let mut mine = manifest("backup");
    "9.9.9".clone_into(&mut mine.version);
    folder.write("plugins/backup.wasm", &serde_json::to_string(&mine).unwrap());
    let generation = good(&folder, None).await;
    let available = &generation.plugins[&"backup".parse().unwrap()];
    let file = folder.path().join("plugins/backup.wasm");
    assert_eq!(available.source.origin, PluginOrigin::FileInsteadOfStandard(file));
    assert_eq!(available.plugin.manifest().version, "9.9.9");
}

#[tokio::test]
async fn what_is_loaded_already_is_not_loaded_again() {
    let folder = Folder::new();
    let (loader, standard) = (ManifestLoader::default(), standard());
    let first = load(&folder.path(), workshop(&loader, &standard), None).await;
    folder.edit("15 4", "15 5");
    let previous = first.generation.as_deref();
    load(&folder.path(), workshop(&loader, &standard), previous).await;
    assert_eq!(loader.loads.load(Ordering::Relaxed), standard.len());
}

#[tokio::test]
async fn a_plugin_that_asks_for_more_is_held_while_the_rest_goes_on() {
    let folder = Folder::new();
    let name = "clinic-backup".parse().unwrap();
    let before = good(&folder, None).await;
    folder.write("plugins/backup.wasm", &asking_for_more());
    let other = "plugin = \"smoke\"\n[settings]\nchecks = []\n";
    folder.write("procedures/clinic-smoke.toml", other);
    let after = good(&folder, Some(&before)).await;
    let ready = &after.procedures[&name];
    assert_eq!(ready.plugin.manifest().version, "1.0.0");
    let held = ready.held.as_ref().unwrap();
    assert_eq!(
        held.lacks[0].hint,
        "change under [grants]:  databases = { app = \"replace\" }"
    );
    assert_eq!(after.procedures.len(), 2);

    folder.edit("app = \"read\"", "app = \"replace\"");
    let granted = good(&folder, Some(&after)).await;
    let ready = &granted.procedures[&name];
    assert_eq!(
        (ready.plugin.manifest().version.as_str(), ready.held.is_some()),
        ("2.0.0", false)
    );
}

#[tokio::test]
async fn an_edited_procedure_is_not_saved_by_the_plugin_of_before() {
    let folder = Folder::new();
    let before = good(&folder, None).await;
    folder.write("plugins/backup.wasm", &asking_for_more());
    folder.edit("15 4", "15 5");
    let loaded = reload(&folder, Some(&before)).await;
    assert!(loaded.generation.is_none());
    assert!(
        loaded.diagnostics[0]
            .message
            .starts_with("procedure `clinic-backup` cannot start")
    );
}

#[tokio::test]
async fn a_schedule_names_its_instants_by_a_line_a_distance_or_one_by_one() {
    let folder = Folder::new();
    folder.edit(
        "[[schedule]]",
        r#"[[schedule]]
name = "spread"
cron = "H H(2-4) * * *"

[[schedule]]
name = "often"
every = "90s"

[[schedule]]
name = "once"
at = "2100-12-24T18:00"
time_zone = "Europe/Berlin"

[[schedule]]
"#,
    );
    let generation = good(&folder, None).await;
    let ready = &generation.procedures[&"clinic-backup".parse().unwrap()];
    let next = |name: &str| {
        let mut schedules = ready.procedure.schedules.iter();
        let schedule = schedules.find(|schedule| schedule.name.as_str() == name);
        let after = "2100-01-01T00:00:00Z".parse().unwrap();
        schedule.unwrap().next(after).unwrap().to_string()
    };
    assert_eq!(next("spread"), "2100-01-01T04:08:00Z", "its own time, for ever");
    assert_eq!(next("often"), "2100-01-01T00:01:30Z");
    assert_eq!(next("once"), "2100-12-24T17:00:00Z");
}

#[tokio::test]
async fn a_change_that_leaves_the_version_of_a_procedure_as_it_was_is_told() {
    let folder = Folder::new();
    let told = async |previous: &Generation| {
        let loaded = reload(&folder, Some(previous)).await;
        let told = loaded.diagnostics.iter().map(|one| one.message.clone());
        (told.collect::<Vec<_>>(), loaded.generation.expect("a good one"))
    };
    let edit = |version: u32, owner: &str| {
        let plugin = "plugin = \"backup\"\n";
        folder.edit(
            plugin,
            &format!("{plugin}version = {version}\nowner = \"{owner}\"\n"),
        );
    };
    edit(3, "anna");
    let before = good(&folder, None).await;
    assert_eq!(told(&before).await.0, Vec::<String>::new());

    edit(3, "berta");
    let (said, after) = told(&before).await;
    assert_eq!(
        said,
        ["the procedure `clinic-backup` has changed and is version 3 as before"]
    );
    assert_eq!(told(&after).await.0, Vec::<String>::new());

    edit(4, "clara");
    assert_eq!(told(&after).await.0, Vec::<String>::new());
}

#[tokio::test]
async fn name_servers_are_read_with_and_without_a_port() {
    let folder = Folder::new();
    folder.write(
        "sopwith.toml",
        "[egress]\nresolver = [\"127.0.0.1:5353\", \"192.0.2.53\", \"::1\", \"[::1]:5353\"]\n",
    );
    folder.remove("procedures/clinic-backup.toml");
    let servers = good(&folder, None).await.host.resolver.clone();
    let written: Vec<String> = servers.iter().map(ToString::to_string).collect();
    assert_eq!(
        written,
        ["127.0.0.1:5353", "192.0.2.53:53", "[::1]:53", "[::1]:5353"]
    );
}

#[tokio::test]
async fn a_new_resolver_waits_for_the_next_start() {
    let folder = Folder::new();
    let before = good(&folder, None).await;
    folder.write("sopwith.toml", "[egress]\nresolver = [\"127.0.0.1:5353\"]\n");
    folder.remove("procedures/clinic-backup.toml");
    let loaded = reload(&folder, Some(&before)).await;
    let said: Vec<&str> = loaded
        .diagnostics
        .iter()
        .map(|one| one.message.as_str())
        .collect();
    assert_eq!(
        said,
        [
            "the file is gone: the procedure `clinic-backup` is not run any more",
            "the new `resolver` takes effect when the host is started again"
        ]
    );
    assert_eq!(loaded.generation.unwrap().host.resolver, []);
}

#[tokio::test]
async fn a_new_data_directory_waits_for_the_next_start() {
    let folder = Folder::new();
    let before = good(&folder, None).await;
    folder.write("sopwith.toml", "[host]\ndata_directory = \"elsewhere\"\n");
    folder.remove("procedures/clinic-backup.toml");
    let loaded = reload(&folder, Some(&before)).await;
    let said: Vec<&str> = loaded
        .diagnostics
        .iter()
        .map(|one| one.message.as_str())
        .collect();
    assert_eq!(
        said,
        [
            "the file is gone: the procedure `clinic-backup` is not run any more",
            "the new `data_directory` takes effect when the host is started again"
        ]
    );
    assert_eq!(
        loaded.generation.unwrap().host.data_directory,
        before.host.data_directory
    );
}

#[tokio::test]
async fn a_file_that_is_linked_to_is_the_hosts_own_where_it_lies() {
    let folder = Folder::new();
    let file = folder.path().join("procedures/clinic-backup.toml");
    let aside = folder.path().join("backups/aside.toml");
    std::fs::create_dir_all(folder.path().join("backups")).unwrap();
    std::fs::rename(&file, &aside).unwrap();
    std::os::unix::fs::symlink(&aside, &file).unwrap();
    let loaded = reload(&folder, None).await;
    let said = &loaded.diagnostics[0].message;
    assert!(
        said.contains("contains a file that `procedures` links to"),
        "{said}"
    );
    assert!(loaded.generation.is_none());
}
