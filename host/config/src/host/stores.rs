//! Looks whether the values of secrets are where `sopwith.toml` says, and who else can read them.
//!
//! These are warnings: what is missing today keeps no host from starting, and the runs that need it
//! fail and say why.

use super::host_key::credentials_directory;
use crate::diagnostic::{Diagnostic, Severity};
use crate::document::{Document, Location, Part, at};
use crate::path::{as_written, shell_word};
use rustix::fs::OFlags;
use sopwith_core::name::ResourceName;
use sopwith_core::resource::Resources;
use sopwith_core::secret::{SecretStore, SecretValue, environment_file};
use std::collections::BTreeMap;
use std::env;
use std::fs::{File, Metadata};
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;
use zeroize::Zeroizing;

/// Everybody else may read or change it.
const OTHERS: u32 = 0o006;

/// What is not as it should be.
struct Trouble {
    severity: Severity,
    /// Whether it keeps the value from whoever needs it.
    keeps_value: bool,
    what: String,
    hint: Option<String>,
}

impl Trouble {
    fn new(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            keeps_value: true,
            what: what.into(),
            hint: Some(hint.into()),
        }
    }

    fn of_file(path: &Path, what: impl Into<String>) -> Self {
        let hint = format!("it is looked for at  {}", as_written(path).display());
        Self::new(what, hint)
    }
}

/// Warns of secrets that have no value, or whose files are not what they should be. Those without a value
/// are returned, each with why.
pub(super) fn check(
    resources: &Resources,
    has_key: bool,
    document: &Document,
    diagnostics: &mut Vec<Diagnostic>,
) -> BTreeMap<ResourceName, String> {
    let mut without_value = BTreeMap::new();
    for (name, secret) in &resources.secrets {
        let (key, troubles) = look(&secret.store, has_key);
        let place = place(name, key, document);
        for trouble in troubles {
            // What comes from the environment is in no message.
            let hint = trouble.hint.filter(|_| !document.written(&place).contains("{{"));
            let message = format!("the secret `{name}`: {}", trouble.what);
            let diagnostic = document.diagnostic(trouble.severity, &place, Part::Value, message);
            diagnostics.push(diagnostic.hint_if(hint));
            if trouble.keeps_value {
                without_value.insert(name.clone(), trouble.what);
            }
        }
    }
    without_value
}

/// The key that says where the value is, or the one that says in which store.
fn place(name: &ResourceName, key: &str, document: &Document) -> Location {
    let of_key = at(["secrets", name.as_str(), key]);
    match document.value.pointer(of_key.as_str()) {
        Some(_) => of_key,
        None => at(["secrets", name.as_str(), "store"]),
    }
}

/// The key that a trouble is told at, and the troubles.
fn look(store: &SecretStore, has_key: bool) -> (&'static str, Vec<Trouble>) {
    match store {
        SecretStore::Environment { variable } => ("variable", in_environment(variable)),
        SecretStore::EnvFile { path, variable } => match read(path) {
            Ok((content, metadata)) => {
                let found = in_file(path, &content, variable);
                (
                    "path",
                    found.into_iter().chain(open_to_others(path, &metadata)).collect(),
                )
            }
            Err(trouble) => ("path", vec![trouble]),
        },
        SecretStore::File { path } => match read(path) {
            Ok((content, metadata)) => {
                let found = whole(path, content);
                (
                    "path",
                    found.into_iter().chain(open_to_others(path, &metadata)).collect(),
                )
            }
            Err(trouble) => ("path", vec![trouble]),
        },
        SecretStore::Credential { name } => ("credential", handed_over(name).into_iter().collect()),
        SecretStore::Sealed if !has_key => {
            let what = "it needs the host's key, which is not there";
            let hint = "`sopwith secrets init-key` makes one; where there was one before, bring it back";
            ("store", vec![Trouble::new(what, hint)])
        }
        SecretStore::Sealed | SecretStore::Command { .. } => ("store", Vec::new()),
    }
}

fn in_environment(variable: &str) -> Vec<Trouble> {
    match env::var_os(variable) {
        Some(value) if !value.is_empty() => Vec::new(),
        Some(_) => vec![Trouble::new(
            format!("`{variable}` is empty in the environment"),
            format!("set it where the host is started:  {variable}=…"),
        )],
        None => vec![Trouble::new(
            format!("the environment has no `{variable}`"),
            format!("set it where the host is started:  {variable}=…"),
        )],
    }
}

fn in_file(path: &Path, content: &[u8], variable: &str) -> Option<Trouble> {
    let Ok(text) = str::from_utf8(content) else {
        return Some(Trouble::of_file(path, "its file is not text"));
    };
    match environment_file::find(text, variable) {
        Ok(Some(value)) if value.is_empty() => Some(Trouble::of_file(
            path,
            format!("`{variable}` is empty in its file"),
        )),
        Ok(Some(_)) => None,
        Ok(None) => Some(Trouble::of_file(
            path,
            format!("its file does not set `{variable}`"),
        )),
        Err(unclear) => Some(Trouble::of_file(
            path,
            format!("its file is not clear: {unclear}"),
        )),
    }
}

fn whole(path: &Path, content: Zeroizing<Vec<u8>>) -> Option<Trouble> {
    let error = SecretValue::of_text(content).err()?;
    Some(Trouble::of_file(path, format!("its file: {error}")))
}

fn handed_over(name: &str) -> Option<Trouble> {
    let hint = format!(
        "systemd hands it over, with this under [Service] of the unit:  LoadCredential={name}:/path/to/file"
    );
    match credentials_directory() {
        // Nobody but the service has it.
        None => Some(Trouble {
            severity: Severity::Note,
            keeps_value: false,
            ..Trouble::new("whether it is there can be seen in the service alone", hint)
        }),
        Some(directory) if directory.join(name).exists() => None,
        Some(_) => Some(Trouble::new(
            format!("systemd handed over no credential `{name}`"),
            hint,
        )),
    }
}

/// Everybody on the machine is more than an operator means.
fn open_to_others(path: &Path, metadata: &Metadata) -> Option<Trouble> {
    let mode = metadata.mode() & 0o777;
    let may = match mode & OTHERS {
        0 => return None,
        0o004 => "read",
        _ => "change",
    };
    let what = format!("everybody on this machine may {may} its file, whose mode is {mode:03o}");
    let hint = format!("chmod o-rwx {}", shell_word(&as_written(path)));
    Some(Trouble {
        keeps_value: false,
        ..Trouble::new(what, hint)
    })
}

/// Reads a file of the size of a secret.
fn read(path: &Path) -> Result<(Zeroizing<Vec<u8>>, Metadata), Trouble> {
    /// One newline at the end is not part of a value.
    const BYTES_MAX: usize = SecretValue::BYTES_MAX + 2;
    let cannot = |error: &io::Error| match error.kind() {
        io::ErrorKind::NotFound => Trouble::of_file(path, "its file does not exist"),
        _ => Trouble::of_file(path, format!("its file cannot be read: {error}")),
    };
    // A pipe that nobody writes to would never be open.
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let opened = File::options().read(true).custom_flags(flags).open(path);
    let file = opened.map_err(|error| cannot(&error))?;
    let metadata = file.metadata().map_err(|error| cannot(&error))?;
    if !metadata.is_file() {
        return Err(Trouble::of_file(path, "what is there is no file"));
    }
    let mut content = Zeroizing::new(Vec::with_capacity(BYTES_MAX + 1));
    let read = file.take(BYTES_MAX as u64 + 1).read_to_end(&mut content);
    read.map_err(|error| cannot(&error))?;
    if content.len() > BYTES_MAX {
        return Err(Trouble::of_file(path, "its file is too large for a secret"));
    }
    Ok((content, metadata))
}
