//! Where the host's key lies: a credential of systemd, or a file that is its owner's alone.

use super::file;
use super::key::HostKey;
use rustix::process::geteuid;
use sopwith_core::failure::{Blame, Failure, FailureKind};
use sopwith_core::port::Entropy;
use sopwith_core::port::capabilities::Answer;
use sopwith_core::secret::{KEY_CREDENTIAL, check_key_file};
use std::fs::{File, Metadata};
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// A key has less than half a KiB.
const KEY_BYTES_MAX: usize = 16 << 10;

/// Where the host's key is looked for.
#[derive(Debug, Clone)]
pub struct KeyPlace {
    file: PathBuf,
    credential: Option<PathBuf>,
}

impl KeyPlace {
    /// In this file, unless systemd handed the credential `sopwith-key` to the process.
    pub fn new(file: PathBuf, credentials_directory: Option<&Path>) -> Self {
        Self {
            file,
            credential: credentials_directory.map(|directory| directory.join(KEY_CREDENTIAL)),
        }
    }

    /// The file of the key, there or not.
    pub fn path(&self) -> &Path {
        self.credential().unwrap_or(&self.file)
    }

    fn credential(&self) -> Option<&Path> {
        self.credential
            .as_deref()
            .filter(|credential| credential.exists())
    }

    /// The key; none where there is no file.
    pub fn read(&self) -> Answer<Option<HostKey>> {
        let path = self.path();
        let content = match file::read(path, KEY_BYTES_MAX) {
            Ok(content) => content,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.unusable(&error.to_string())),
        };
        // The folder of the credentials is systemd's business.
        if self.credential().is_none() {
            self.check(&content.metadata)?;
        }
        let text = str::from_utf8(&content.bytes).map_err(|_| self.unusable("it is no text"))?;
        let key = HostKey::parse(text).map_err(|error| self.unusable(&error.to_string()))?;
        Ok(Some(key))
    }

    /// Makes a key where there is none.
    pub fn make(&self, entropy: &dyn Entropy) -> Answer<HostKey> {
        let path = self.path();
        let key = HostKey::generate(entropy);
        let written = write_new(path, key.to_text().as_bytes());
        written.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => {
                let message = format!("there is a key already: `{}`", path.display());
                Failure::new(FailureKind::Conflict, Blame::Operator, message)
                    .hint("a key is never overwritten, since what it sealed would be lost")
            }
            _ => Failure::host(format!("the key `{}` cannot be made: {error}", path.display())),
        })?;
        Ok(key)
    }

    fn check(&self, metadata: &Metadata) -> Answer<()> {
        let folder = self.file.parent().and_then(|folder| folder.metadata().ok());
        let user = geteuid().as_raw();
        let folder_owner = folder.map_or(user, |folder| folder.uid());
        check_key_file(metadata.mode(), metadata.uid(), user, folder_owner).map_err(|exposed| {
            let hint = exposed.mended_by(&self.file.display().to_string());
            self.unusable(&exposed.to_string()).hint(hint)
        })
    }

    fn unusable(&self, why: &str) -> Failure {
        let message = format!("the host's key `{}` cannot be used: {why}", self.path().display());
        Failure::new(FailureKind::Failed, Blame::Operator, message)
    }
}

/// Writes a file that is not there yet, whole or not at all, for its owner alone.
fn write_new(path: &Path, content: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path)?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::tests::Counting;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt as _, chown};
    use tempfile::TempDir;

    fn place() -> (TempDir, KeyPlace) {
        let folder = tempfile::tempdir().unwrap();
        let place = KeyPlace::new(
            folder.path().join("key"),
            Some(&folder.path().join("credentials")),
        );
        (folder, place)
    }

    fn said(place: &KeyPlace) -> String {
        let failure = place.read().unwrap_err();
        format!("{} {}", failure.message, failure.hint.unwrap_or_default())
    }

    #[test]
    fn a_key_is_made_once_for_its_owner_alone() {
        let (_folder, place) = place();
        assert!(place.read().unwrap().is_none());
        let made = place.make(&Counting::default()).unwrap();
        assert_eq!(place.path().metadata().unwrap().mode() & 0o777, 0o600);
        let read = place.read().unwrap().unwrap();
        assert_eq!(read.sealing_public(), made.sealing_public());
        assert_eq!(read.signing_public(), made.signing_public());
        let again = place.make(&Counting::default()).unwrap_err();
        assert_eq!(again.kind, FailureKind::Conflict);
        assert_eq!(
            place.read().unwrap().unwrap().sealing_public(),
            made.sealing_public()
        );
    }

    #[test]
    fn a_key_that_others_can_get_at_is_not_used() {
        let (folder, place) = place();
        place.make(&Counting::default()).unwrap();
        fs::set_permissions(place.path(), Permissions::from_mode(0o644)).unwrap();
        let said_of_mode = said(&place);
        assert!(said_of_mode.contains("644"), "{said_of_mode}");
        assert!(said_of_mode.contains("chmod 600 "), "{said_of_mode}");
        fs::set_permissions(place.path(), Permissions::from_mode(0o600)).unwrap();
        // Only an administrator can give a file away.
        if geteuid().is_root() {
            chown(place.path(), Some(12_345), None).unwrap();
            let said = said(&place);
            assert!(said.contains("12345") && said.contains("chown 0 "), "{said}");
            chown(folder.path(), Some(12_345), None).unwrap();
            place.read().unwrap();
        }
    }

    #[test]
    fn the_credential_goes_before_the_file() {
        let (folder, place) = place();
        let of_file = place.make(&Counting::default()).unwrap();
        let credentials = folder.path().join("credentials");
        fs::create_dir(&credentials).unwrap();
        let of_credential = HostKey::generate(&Counting::default());
        let path = credentials.join(KEY_CREDENTIAL);
        fs::write(&path, of_credential.to_text().as_bytes()).unwrap();
        // systemd hands them out with an access list, which shows as permissions of the group.
        fs::set_permissions(&path, Permissions::from_mode(0o440)).unwrap();
        let read = place.read().unwrap().unwrap();
        assert_eq!(read.sealing_public(), of_credential.sealing_public());
        fs::remove_file(path).unwrap();
        assert_eq!(
            place.read().unwrap().unwrap().sealing_public(),
            of_file.sealing_public()
        );
    }

    #[test]
    fn what_is_no_key_is_told_without_its_content() {
        let (_folder, place) = place();
        fs::create_dir(place.path()).unwrap();
        assert!(said(&place).contains("it is not a file"));
        fs::remove_dir(place.path()).unwrap();
        for content in ["hush".to_owned(), "hush".repeat(KEY_BYTES_MAX)] {
            write_new(place.path(), content.as_bytes()).unwrap();
            let said = said(&place);
            assert!(
                said.contains("cannot be used") && !said.contains("hush"),
                "{said}"
            );
            fs::remove_file(place.path()).unwrap();
        }
    }
}
