//! Reads values where operators keep them past Sopwith: in the environment, in files, in credentials
//! of systemd.

use super::file::{self, Content};
use jiff::Timestamp;
use sopwith_core::failure::{Blame, Failure, FailureKind};
use sopwith_core::name::ResourceName;
use sopwith_core::port::capabilities::Answer;
use sopwith_core::secret::{InvalidSecret, SecretStore, SecretValue, environment_file};
use std::env;
use std::io;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

/// The value that stands in a store.
pub(super) struct Found {
    pub(super) value: SecretValue,
    /// Since when, where the store tells.
    pub(super) since: Option<Timestamp>,
}

/// A store that is read without running anything.
pub(super) struct Outside {
    pub(super) name: ResourceName,
    pub(super) store: SecretStore,
    pub(super) credentials_directory: Option<PathBuf>,
}

impl Outside {
    /// The value that stands there now.
    pub(super) fn read(&self) -> Answer<Found> {
        match &self.store {
            SecretStore::Environment { variable } => self.variable(variable),
            SecretStore::EnvFile { path, variable } => self.line(path, variable),
            SecretStore::File { path } => self.file(path),
            SecretStore::Credential { name } => self.credential(name),
            SecretStore::Command { .. } | SecretStore::Sealed => {
                unreachable!("neither lies outside where it could be read")
            }
        }
    }

    fn variable(&self, variable: &str) -> Answer<Found> {
        let Some(value) = env::var_os(variable) else {
            let hint = format!("set it where the host is started:  {variable}=…");
            let why = format!("the environment of the host has no `{variable}`");
            return Err(missing(&self.name, &why).hint(hint));
        };
        let value = SecretValue::new(value.into_vec()).map_err(|error| self.invalid(error))?;
        Ok(Found { value, since: None })
    }

    fn line(&self, path: &Path, variable: &str) -> Answer<Found> {
        let content = self.content(path)?;
        let file = path.display();
        let text = str::from_utf8(&content.bytes)
            .map_err(|_| unreadable(&self.name, &format!("`{file}` is not text")))?;
        let found = environment_file::find(text, variable)
            .map_err(|unclear| unreadable(&self.name, &format!("`{file}`, {unclear}")))?;
        let Some(value) = found else {
            let why = format!("`{file}` does not set `{variable}`");
            return Err(missing(&self.name, &why).hint(format!("add a line to it:  {variable}=…")));
        };
        let value = SecretValue::new(value.as_bytes().to_vec());
        self.found(value, &content)
    }

    fn file(&self, path: &Path) -> Answer<Found> {
        let content = self.content(path)?;
        self.found(SecretValue::of_text(content.bytes.clone()), &content)
    }

    fn credential(&self, name: &str) -> Answer<Found> {
        let hand_out = |failure: Failure| {
            failure.hint(format!(
                "hand it to the service, under [Service] of its unit:  LoadCredential={name}:/path/to/file"
            ))
        };
        let Some(directory) = &self.credentials_directory else {
            let why = "systemd handed no credentials to this process";
            return Err(hand_out(missing(&self.name, why)));
        };
        let content = self.content(&directory.join(name)).map_err(|failure| {
            if failure.kind == FailureKind::NotFound {
                let why = format!("systemd handed no credential `{name}` to this process");
                return hand_out(missing(&self.name, &why));
            }
            failure
        })?;
        self.found(SecretValue::of_text(content.bytes.clone()), &content)
    }

    fn content(&self, path: &Path) -> Answer<Content> {
        // One newline at the end is not part of a value.
        file::read(path, SecretValue::BYTES_MAX + 2).map_err(|error| {
            let file = path.display();
            match error.kind() {
                io::ErrorKind::NotFound => missing(&self.name, &format!("there is no file `{file}`"))
                    .hint(format!("put the value into  {file}")),
                io::ErrorKind::PermissionDenied => {
                    unreadable(&self.name, &format!("the user of the host may not read `{file}`"))
                }
                _ => unreadable(&self.name, &format!("`{file}`: {error}")),
            }
        })
    }

    fn found(&self, value: Result<SecretValue, InvalidSecret>, content: &Content) -> Answer<Found> {
        Ok(Found {
            value: value.map_err(|error| self.invalid(error))?,
            since: Some(content.written_at()),
        })
    }

    fn invalid(&self, error: InvalidSecret) -> Failure {
        unreadable(&self.name, &error.to_string())
    }
}

/// There is no value.
pub(super) fn missing(secret: &ResourceName, why: &str) -> Failure {
    failure(
        FailureKind::NotFound,
        format!("the secret `{secret}` is missing: {why}"),
        secret,
    )
}

/// There may be a value, but it cannot be had.
pub(super) fn unreadable(secret: &ResourceName, why: &str) -> Failure {
    let message = format!("the secret `{secret}` cannot be read: {why}");
    failure(FailureKind::Failed, message, secret)
}

fn failure(kind: FailureKind, message: String, secret: &ResourceName) -> Failure {
    Failure::new(kind, Blame::Operator, message).with("resource", format!("secrets.{secret}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, File};
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    fn read(store: SecretStore, credentials: Option<&Path>) -> Result<Vec<u8>, String> {
        let outside = Outside {
            name: "X".parse().unwrap(),
            store,
            credentials_directory: credentials.map(Path::to_owned),
        };
        let found = outside.read().map_err(|failure| failure.message)?;
        Ok(found.value.expose().to_vec())
    }

    fn of_file(path: &Path) -> Result<Vec<u8>, String> {
        read(
            SecretStore::File {
                path: path.to_owned(),
            },
            None,
        )
    }

    #[test]
    fn a_variable_of_the_environment_is_read() {
        let of = |variable: &str| {
            let variable = variable.to_owned();
            read(SecretStore::Environment { variable }, None)
        };
        assert_eq!(of("CARGO_PKG_NAME").unwrap(), env!("CARGO_PKG_NAME").as_bytes());
        let said = of("SOPWITH_NOT_SET").unwrap_err();
        assert_eq!(
            said,
            "the secret `X` is missing: the environment of the host has no `SOPWITH_NOT_SET`"
        );
    }

    #[test]
    fn a_line_of_an_environment_file_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".env");
        let of = |variable: &str| {
            let (path, variable) = (path.clone(), variable.to_owned());
            read(SecretStore::EnvFile { path, variable }, None)
        };
        assert!(of("KEY").unwrap_err().contains("there is no file"));
        fs::write(
            &path,
            "# keys\nexport KEY='hush ${x}' # yes\nEMPTY=\nBAD=${KEY}\n",
        )
        .unwrap();
        assert_eq!(of("KEY").unwrap(), b"hush ${x}");
        assert!(of("EMPTY").unwrap_err().ends_with("it is empty"));
        assert!(of("NONE").unwrap_err().ends_with(".env` does not set `NONE`"));
        assert!(of("BAD").unwrap_err().contains("line 4: "));
        fs::write(&path, b"KEY=\xff").unwrap();
        assert!(of("KEY").unwrap_err().ends_with("is not text"));
    }

    #[test]
    fn a_file_is_read_whole_but_for_one_newline() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        for (content, value) in [
            (&b"hush\n"[..], &b"hush"[..]),
            (b"-----BEGIN\nabc\n-----END\n\n", b"-----BEGIN\nabc\n-----END\n"),
            (b"\0\xff\n", b"\0\xff"),
        ] {
            fs::write(&path, content).unwrap();
            assert_eq!(of_file(&path).unwrap(), value);
        }
        let link = folder.path().join("link");
        symlink(&path, &link).unwrap();
        assert_eq!(of_file(&link).unwrap(), b"\0\xff");
        let largest = vec![b'x'; SecretValue::BYTES_MAX];
        fs::write(&path, [&largest[..], b"\r\n"].concat()).unwrap();
        assert_eq!(of_file(&path).unwrap(), largest);
    }

    #[test]
    fn what_is_missing_unreadable_or_too_large_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let check = |expected: &str| {
            let said = of_file(&path).unwrap_err();
            assert!(said.contains(expected), "{said}");
        };
        check("there is no file");
        fs::write(&path, "\n").unwrap();
        check("it is empty");
        for more in [1, 2, 3, 100_000] {
            fs::write(&path, vec![b'x'; SecretValue::BYTES_MAX + more]).unwrap();
            check("it has more than");
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
        if File::open(&path).is_err() {
            check("the user of the host may not read");
        }
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        check("it is not a file");
        fs::remove_dir(&path).unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &path,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RWXU,
            0,
        )
        .unwrap();
        check("it is not a file");
    }

    #[test]
    fn a_credential_of_systemd_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let of = |directory| {
            let name = "token".to_owned();
            read(SecretStore::Credential { name }, directory)
        };
        assert!(of(None).unwrap_err().ends_with("no credentials to this process"));
        assert!(
            of(Some(folder.path()))
                .unwrap_err()
                .contains("no credential `token`")
        );
        fs::write(folder.path().join("token"), "hush\n").unwrap();
        assert_eq!(of(Some(folder.path())).unwrap(), b"hush");
    }
}
