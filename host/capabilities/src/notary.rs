//! Signs the audit log with the host's key, and tells anchors of it.

use crate::commands::{Launcher, run_for_host};
use crate::secrets::{HostKey, Vault};
use async_trait::async_trait;
use sopwith_core::audit::{PublicKey, Signer};
use sopwith_core::failure::{Blame, Failure, FailureKind};
use sopwith_core::generation::Anchor;
use sopwith_core::name::ResourceName;
use sopwith_core::port::Notary;
use sopwith_core::port::capabilities::Answer;
use sopwith_core::resource::Resources;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::Arc;

/// How much of what a command says of its failure is told.
const SAID_BYTES_MAX: usize = 1_000;
/// No line of an anchor is longer.
const LINE_BYTES_MAX: u64 = 4 << 10;

/// The notary of a host.
pub(crate) struct HostNotary {
    vault: Arc<Vault>,
    launcher: Arc<Launcher>,
}

impl HostNotary {
    pub(crate) fn new(vault: Arc<Vault>, launcher: Arc<Launcher>) -> Self {
        Self { vault, launcher }
    }

    async fn send_to_command(
        &self,
        name: &ResourceName,
        resources: &Resources,
        lines: Vec<u8>,
    ) -> Answer<()> {
        let Some(command) = resources.commands.get(name) else {
            let message = format!("sopwith.toml has no [commands.{name}]");
            return Err(Failure::new(FailureKind::NotFound, Blame::Operator, message));
        };
        let means = (&*self.vault, &*self.launcher, self.vault.clock());
        let output = run_for_host(means, resources, (name, command), lines, SAID_BYTES_MAX).await?;
        if output.exit_code == 0 {
            return Ok(());
        }
        let said = self.vault.mask(&output.stderr);
        let message = format!(
            "the command `{name}` ended with {}: {}",
            output.exit_code,
            said.trim()
        );
        Err(Failure::new(FailureKind::Failed, Blame::Outside, message))
    }
}

#[async_trait]
impl Notary for HostNotary {
    async fn signer(&self, is_first: bool) -> Answer<Arc<dyn Signer>> {
        let key: HostKey = self.vault.key_or_make(is_first).await?;
        Ok(Arc::new(key))
    }

    fn public_key(&self) -> Answer<Option<PublicKey>> {
        Ok(self.vault.key_place().read()?.map(|key| key.public_key()))
    }

    async fn send(&self, anchor: &Anchor, resources: &Resources, lines: Vec<u8>) -> Answer<()> {
        match anchor {
            Anchor::Command(name) => self.send_to_command(name, resources, lines).await,
            Anchor::File(path) => {
                let (file, shown) = (path.clone(), path.display().to_string());
                let appended = tokio::task::spawn_blocking(move || append(&file, &lines)).await;
                let appended = appended.unwrap_or_else(|error| Err(io::Error::other(error)));
                appended.map_err(|error| {
                    let message = format!("`{shown}` cannot be written: {error}");
                    Failure::new(FailureKind::Failed, Blame::Operator, message)
                })
            }
        }
    }
}

/// Adds whole lines to the end of a file; on the disk when it returns.
fn append(path: &Path, lines: &[u8]) -> io::Result<()> {
    let is_new = !path.exists();
    let mut options = File::options();
    // A pipe that nobody reads would hold the host up.
    let nonblocking = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or_default();
    options
        .append(true)
        .read(true)
        .create(true)
        .mode(0o600)
        .custom_flags(nonblocking);
    let mut file = options.open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    let length = whole_lines(&file)?;
    let written = file.write_all(lines).and_then(|()| file.sync_all());
    if written.is_err() {
        // A line that is there in part would be taken for damage.
        let _ = file.set_len(length);
    }
    written?;
    if is_new && let Some(folder) = path.parent() {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// The length of the file, once a line is gone from its end that a crash has left there in part.
fn whole_lines(file: &File) -> io::Result<u64> {
    let length = file.metadata()?.len();
    let from = length.saturating_sub(LINE_BYTES_MAX);
    let mut end = vec![0; usize::try_from(length - from).unwrap_or_default()];
    file.read_exact_at(&mut end, from)?;
    let torn = end.iter().rev().take_while(|byte| **byte != b'\n').count() as u64;
    if torn == 0 {
        return Ok(length);
    }
    if torn > LINE_BYTES_MAX - 1 {
        return Err(io::Error::other(
            "its end is no line of an anchor; name a file of its own",
        ));
    }
    file.set_len(length - torn)?;
    Ok(length - torn)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn lines_are_added_whole_and_a_torn_one_is_mended() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("anchor");
        append(&path, b"one\n").unwrap();
        append(&path, b"two\nthree\n").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"one\ntwo\nthree\n");
        fs::write(&path, b"one\ntw").unwrap();
        append(&path, b"two\n").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"one\ntwo\n");
    }

    #[test]
    fn what_is_no_file_of_lines_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        assert!(append(folder.path(), b"one\n").is_err());
        assert!(append(&folder.path().join("no/such/folder"), b"one\n").is_err());
        let path = folder.path().join("image");
        fs::write(&path, vec![b'x'; 100_000]).unwrap();
        assert!(append(&path, b"one\n").is_err());
        assert_eq!(fs::metadata(&path).unwrap().len(), 100_000);
        let pipe = folder.path().join("pipe");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &pipe,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RWXU,
            0,
        )
        .unwrap();
        assert!(append(&pipe, b"one\n").is_err());
    }
}
