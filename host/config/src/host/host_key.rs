//! Looks whether the host's key is the host's alone.

use super::Reading;
use crate::document::at;
use crate::path::{as_written, shell_word};
use rustix::process::geteuid;
use sopwith_core::secret::{KEY_CREDENTIAL, check_key_file};
use std::env;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// The name of the file of the host's key, which lies beside `sopwith.toml` unless `key_file` says
/// otherwise.
pub const KEY_FILE: &str = "key";

/// Where systemd put the credentials of this process.
pub fn credentials_directory() -> Option<PathBuf> {
    env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from)
}

impl Reading<'_> {
    /// Tells of a key that others can get at. Returns whether there is a key.
    pub(super) fn host_key(&mut self, file: &Path, is_named: bool) -> bool {
        // The folder of the credentials is systemd's business.
        if credentials_directory().is_some_and(|directory| directory.join(KEY_CREDENTIAL).exists()) {
            return true;
        }
        let place = at(["host", "key_file"]);
        let Ok(metadata) = file.metadata() else {
            if is_named {
                let warning = self.document.warning(&place, "the key of the host is not there");
                let hint = "`sopwith secrets init-key` makes one; where there was one before, bring it back";
                self.push(warning.hint(hint));
            }
            return false;
        };
        let user = geteuid().as_raw();
        let folder = file.parent().and_then(|folder| folder.metadata().ok());
        let folder_owner = folder.map_or(user, |folder| folder.uid());
        if let Err(exposed) = check_key_file(metadata.mode(), metadata.uid(), user, folder_owner) {
            let shown = as_written(file);
            let message = format!(
                "the key of the host, `{}`, is not its own: {exposed}",
                shown.display()
            );
            self.error(&place, message, &exposed.mended_by(&shell_word(&shown)));
        }
        true
    }
}
