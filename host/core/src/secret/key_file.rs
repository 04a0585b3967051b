//! Who may have the file of the host's key.

/// The name of the systemd credential that takes the place of the key's file.
pub const KEY_CREDENTIAL: &str = "sopwith-key";

/// Why a key is not the host's alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ExposedKey {
    /// Others may do something with it.
    #[error("its mode is {0:03o}, so others can get at it")]
    Mode(u32),
    /// It is somebody else's.
    #[error("it belongs to the user {owner}, and the host is the user {user}")]
    Owner {
        /// Whose it is.
        owner: u32,
        /// Whose it should be.
        user: u32,
    },
}

impl ExposedKey {
    /// The command that mends it.
    pub fn mended_by(self, file: &str) -> String {
        match self {
            Self::Mode(_) => format!("chmod 600 {file}"),
            Self::Owner { user, .. } => format!("chown {user} {file}"),
        }
    }
}

/// Checks who may have the file of the host's key: its owner alone, who is the user of the host,
/// the administrator, or the owner of the folder, who could put another file in its place anyway.
pub fn check_key_file(mode: u32, owner: u32, user: u32, folder_owner: u32) -> Result<(), ExposedKey> {
    let permissions = mode & 0o777;
    if permissions & 0o077 != 0 {
        return Err(ExposedKey::Mode(permissions));
    }
    if [user, 0, folder_owner].contains(&owner) {
        Ok(())
    } else {
        Err(ExposedKey::Owner { owner, user })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_its_owners_alone() {
        let check = |mode: u32, owner: u32| check_key_file(0o100_000 | mode, owner, 7, 8);
        assert_eq!(check(0o600, 7), Ok(()));
        assert_eq!(check(0o400, 0), Ok(()));
        assert_eq!(check(0o600, 8), Ok(()));
        assert_eq!(check(0o640, 7), Err(ExposedKey::Mode(0o640)));
        assert_eq!(check(0o604, 7), Err(ExposedKey::Mode(0o604)));
        assert_eq!(check(0o600, 9), Err(ExposedKey::Owner { owner: 9, user: 7 }));
    }
}
