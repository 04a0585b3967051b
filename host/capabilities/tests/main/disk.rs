//! Disks that are full, or that nobody may write to.

use crate::flow::{pipe, to_file};
use crate::world::{World, failure, names};
use rustix::mount::{MountFlags, UnmountFlags, mount, mount_remount, unmount};
use rustix::process::Signal;
use sopwith_core::digest::Digest;
use sopwith_core::failure::{Blame, FailureKind};
use sopwith_core::port::capabilities::{IfExists, Source, Stage, VerifyDepth};
use std::path::{Path, PathBuf};
use std::process::Command;
use tokio::signal::unix::{SignalKind, signal};

#[tokio::test]
async fn a_full_disk_is_the_hosts_to_mend_and_leaves_nothing_behind() {
    let world = World::new();
    let Some(_mounted) = SmallDisk::mount(&world.files()) else {
        eprintln!("skipped: only root can mount a small disk");
        return;
    };
    fill(&world, "the disk of directories.files has no room").await;
}

/// Set in the process whose files may not grow beyond a mebibyte.
const LIMITED: &str = "SOPWITH_TEST_LIMITED";

#[tokio::test]
async fn a_file_that_may_not_grow_is_the_hosts_to_mend_and_leaves_nothing_behind() {
    if std::env::var_os(LIMITED).is_some() {
        // As the host does, so that the write fails and nobody is ended.
        let _listening = signal(SignalKind::from_raw(Signal::XFSZ.as_raw())).unwrap();
        return fill(
            &World::new(),
            "cannot write `a` in directories.files: the file would be too large",
        )
        .await;
    }
    // The limit is one of a process, and this one has other tests. A shell of POSIX counts by half a kibibyte.
    let itself = std::env::current_exe().unwrap();
    let test = "disk::a_file_that_may_not_grow_is_the_hosts_to_mend_and_leaves_nothing_behind";
    let ended = Command::new("/bin/sh")
        .args(["-c", "ulimit -S -f 2048 && exec \"$0\" \"$@\""])
        .arg(itself)
        .args(["--exact", test])
        .env(LIMITED, "")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&ended.stdout);
    assert!(ended.status.success() && told.contains("1 passed"), "{ended:?}");
}

/// Writes four mebibytes that no compression makes fewer.
async fn fill(world: &World, message: &str) {
    let all = world.open().await;
    let noise: Vec<u8> = (0..1_u32 << 17)
        .flat_map(|i| *Digest::of(i.to_le_bytes()).as_bytes())
        .collect();
    for stages in [&[][..], &[Stage::CompressZstd(1)]] {
        let source = Source::Bytes(noise.clone());
        let failure = failure(
            all.flow()
                .move_bytes(pipe(source, stages), to_file("a", IfExists::Fail))
                .await,
        );
        assert_eq!((failure.kind, failure.blame), (FailureKind::Failed, Blame::Host));
        assert!(failure.message.contains(message), "{}", failure.message);
        assert_eq!(names(&world.files()), [""; 0]);
    }
}

#[tokio::test]
async fn a_database_with_a_log_on_a_disk_that_nobody_may_write_to_says_what_it_needs() {
    let world = World::new();
    let Some(mounted) = SmallDisk::mount(&world.files()) else {
        eprintln!("skipped: only root can mount a small disk");
        return;
    };
    let on_disk = world.files().join("app.db");
    std::fs::copy(world.app(), &on_disk).unwrap();
    std::fs::remove_file(world.app()).unwrap();
    std::os::unix::fs::symlink(&on_disk, world.app()).unwrap();
    mounted.protect();
    let all = world.open().await;
    let failure = failure(all.sql().verify("app", VerifyDepth::Quick).await);
    assert_eq!((failure.kind, failure.blame), (FailureKind::Failed, Blame::Host));
    assert!(
        failure.hint.unwrap().contains("`-wal` and `-shm`"),
        "{}",
        failure.message
    );
}

/// A disk of one mebibyte.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(path: &Path) -> Option<Self> {
        let mounted = mount("tmpfs", path, "tmpfs", MountFlags::empty(), Some(c"size=1m"));
        mounted.ok().map(|()| Self(path.to_owned()))
    }

    /// Lets nobody write to it any more.
    fn protect(&self) {
        mount_remount(&self.0, MountFlags::RDONLY, c"").unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = unmount(&self.0, UnmountFlags::DETACH);
    }
}
