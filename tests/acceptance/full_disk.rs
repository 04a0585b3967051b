//! A disk that is full: nothing half-made stays, nothing unrecorded happens, and room mends it.
//!
//! Where a small disk cannot be mounted, files that may not grow show the same.

use crate::golden::assert_golden;
use crate::place::{Place, Service};
use crate::procedures::backup;
use rusqlite::Connection;
use rustix::fs::{StatVfs, statvfs};
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};
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
                // Past what the harness keeps to itself.
                let _ = writeln!(std::io::stderr(), "left out: a disk cannot be mounted: {error}");
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

/// Lets no file of a host grow beyond so many bytes.
fn limit_files(host: &Service, bytes: Option<u64>) {
    let maximum = getrlimit(Resource::Fsize).maximum;
    let limit = Rlimit {
        current: bytes.or(maximum),
        maximum,
    };
    let pid = Pid::from_raw(host.pid().cast_signed());
    prlimit(pid, Resource::Fsize, limit).expect("a process of ours");
}

/// What the newest run of the backup says of its failure, with an `N` in the place of each number.
fn told(place: &Place) -> String {
    let run = &place.json(&["show", "clinic-backup"])["details"]["run"];
    assert_eq!(run["state"], "failed", "{run:#}");
    let failure = &run["failure"];
    let lines = ["message", "hint", "blame"].map(|key| {
        let text = failure[key].as_str().unwrap_or("none");
        format!("{key}: {text}\n")
    });
    let mut text = String::new();
    for letter in lines.concat().chars() {
        match letter {
            '0'..='9' if text.ends_with('N') => {}
            '0'..='9' => text.push('N'),
            other => text.push(other),
        }
    }
    text
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

/// All that the record tells of runs.
fn recorded(place: &Place) -> String {
    let runs = place.json(&["runs", "--limit", "100"]);
    let runs = runs.as_array().expect("a list").iter();
    runs.map(|run| place.good(&["show", run["id"].as_str().expect("an id")]))
        .collect()
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
        assert_golden(&place, "full-disk", &told(&place));
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
        let record = recorded(&place);
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

#[test]
fn a_backup_that_may_not_grow_to_its_end_keeps_nothing_partial_and_blames_the_host() {
    let place = Place::new();
    database(&place, 6);
    backup(&place, "compress = \"zstd\"");
    let host = place.serve();
    limit_files(&host, Some(3 << 20));
    let ended = place.sopwith(&["run", "clinic-backup"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_golden(&place, "file-that-may-not-grow", &told(&place));
    let backups = place.path("backups");
    assert_eq!(names(&backups), Vec::<String>::new());
    assert!(place.good(&["audit", "verify"]).contains("holds"));
    limit_files(&host, None);
    place.good(&["run", "clinic-backup"]);
    place.good(&["run", "clinic-backup", "verify"]);
    assert_eq!(names(&backups).len(), 2, "a backup and its manifest");
    assert_eq!(host.stop(), Some(0), "it outlived all of that");
}

#[test]
fn no_change_goes_out_when_the_record_may_not_grow() {
    let place = Place::new();
    database(&place, 0);
    backup(&place, "");
    let mut host = place.serve();
    place.good(&["run", "clinic-backup"]);
    let log = place.path("state/history.db-wal");
    for room in [0, 8 << 10, 48 << 10, 64 << 10, 80 << 10] {
        let before = names(&place.path("backups"));
        let length = fs::metadata(&log).expect("the log of the record").len();
        assert!(length > 32 << 10, "a backup has room where the record has none");
        limit_files(&host, Some(length + room));
        let mut run = place.start(&["run", "clinic-backup"]);
        // It ends, or its host says that it waits for room and goes on when there is some.
        while !run.has_ended() && !host.has_said("trying again") {}
        let after = names(&place.path("backups"));
        limit_files(&host, None);
        let code = run.end();
        println!(
            "{length} + {room}: {code:?}, {} files more",
            after.len() - before.len()
        );
        if room == 0 {
            assert_ne!(code, Some(0), "not even the wish could be recorded");
            assert_eq!(after, before, "a change went out without a record");
        }
        let record = recorded(&place);
        for name in names(&place.path("backups")) {
            assert!(
                record.contains(&name),
                "no record tells of {name}, with room for {room}"
            );
        }
    }
    assert!(place.good(&["audit", "verify"]).contains("holds"));
    place.good(&["run", "clinic-backup"]);
    assert_eq!(host.stop(), Some(0));
}
