//! A disk that is full: nothing half-made stays, nothing unrecorded happens, and room mends it.

use crate::place::Place;
use crate::procedures::backup;
use rusqlite::Connection;
use rustix::fs::{StatVfs, statvfs};
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// A small disk of its own, until it is dropped.
struct Disk {
    path: PathBuf,
}

impl Disk {
    /// Mounts one over a folder of the place; none, with the reason printed, where that is not allowed.
    fn over(place: &Place, folder: &str, mebibytes: u32) -> Option<Self> {
        let path = place.path(folder);
        fs::create_dir_all(&path).expect("a folder");
        let size = std::ffi::CString::new(format!("size={mebibytes}m,mode=0700")).expect("no zero in it");
        match mount(
            "tmpfs",
            &path,
            "tmpfs",
            MountFlags::empty(),
            Some(size.as_c_str()),
        ) {
            Ok(()) => Some(Self { path }),
            Err(error) => {
                println!("left out: a disk cannot be mounted: {error}");
                None
            }
        }
    }

    /// Takes all room but this many bytes.
    fn fill(&self, but: u64) {
        let free = |space: StatVfs| space.f_bavail * space.f_frsize;
        let taken = free(statvfs(&self.path).expect("a disk")).saturating_sub(but);
        let mut filler = fs::File::create(self.filler()).expect("a file");
        let block = vec![0; 4096];
        for _ in 0..taken / 4096 {
            filler.write_all(&block).expect("room");
        }
    }

    /// Gives the room back.
    fn make_room(&self) {
        fs::remove_file(self.filler()).expect("the file that takes the room");
    }

    fn filler(&self) -> PathBuf {
        self.path.join(".filler")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Whoever still has a file open there keeps it alive and out of sight.
        let _ = unmount(&self.path, UnmountFlags::DETACH);
    }
}

/// A database whose bytes zstd cannot make fewer.
fn database(place: &Place, mebibytes: u32) {
    let path = place.path("app/app.db");
    let connection = Connection::open(path).expect("a database");
    let rows = format!(
        "CREATE TABLE t (x BLOB); WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {})
         INSERT INTO t SELECT randomblob(65536) FROM n",
        mebibytes * 16
    );
    connection.execute_batch(&rows).expect("rows");
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("the folder");
    let names = entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("text"));
    names.filter(|name| name != ".filler").collect()
}

#[test]
fn a_disk_that_fills_up_during_a_backup_keeps_nothing_partial_and_blames_the_host() {
    let place = Place::new();
    let Some(disk) = Disk::over(&place, "backups", 16) else {
        return;
    };
    database(&place, 6);
    backup(&place, "compress = \"zstd\"");
    // It fits neither while it is made nor, as the second time, before it begins.
    for room in [3 << 20, 0] {
        disk.fill(room);
        let ended = place.sopwith(&["run", "clinic-backup"]);
        assert_eq!(ended.code, Some(1), "{ended:?}");
        let run = &place.json(&["show", "clinic-backup"])["details"]["run"];
        assert_eq!(run["state"], "failed", "{run:#}");
        assert_eq!(run["failure"]["blame"], "host", "{run:#}");
        assert_eq!(run["failure"]["hint"], "make room on the disk", "{run:#}");
        assert_eq!(names(&disk.path), Vec::<String>::new());
        assert!(place.good(&["audit", "verify"]).contains("holds"));
        disk.make_room();
    }
    place.good(&["run", "clinic-backup"]);
    place.good(&["run", "clinic-backup", "verify"]);
    assert_eq!(names(&disk.path).len(), 2, "a backup and its manifest");
}

#[test]
fn no_change_goes_out_when_the_record_cannot_be_written() {
    let place = Place::new();
    let Some(disk) = Disk::over(&place, "state", 24) else {
        return;
    };
    place.compiled("state");
    database(&place, 1);
    backup(&place, "");
    place.good(&["run", "clinic-backup"]);
    let recorded = || {
        let runs = place.json(&["runs", "--limit", "100"]);
        let runs = runs.as_array().expect("a list").clone();
        let shown = runs
            .iter()
            .map(|run| place.good(&["show", run["id"].as_str().expect("an id")]));
        shown.collect::<String>()
    };
    for room in [0, 8 << 10, 48 << 10, 64 << 10, 80 << 10] {
        let before = names(&place.path("backups"));
        disk.fill(room);
        let mut run = place.start(&["run", "clinic-backup"]);
        // It ends, or says that it waits for room and goes on when there is some.
        run.says("trying again");
        let after = names(&place.path("backups"));
        disk.make_room();
        let code = run.end();
        if room == 0 {
            assert_ne!(code, Some(0), "not even the wish could be recorded");
            assert_eq!(after, before, "a change went out without a record");
        }
        let record = recorded();
        for name in names(&place.path("backups")) {
            assert!(
                record.contains(&name),
                "no record tells of {name}, with room for {room}"
            );
        }
    }
    assert!(place.good(&["audit", "verify"]).contains("holds"));
    place.good(&["run", "clinic-backup"]);
}
