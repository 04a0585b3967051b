//! Reads every file of a configuration folder, and nothing else.

use crate::diagnostic::{Diagnostic, Severity};
use crate::path;
use crate::signature::{self, SignatureFile};
use serde_json::{Value, json};
use sopwith_core::digest::Digest;
use sopwith_core::name::PluginName;
use sopwith_core::port::RolledBack;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The name of the host's file.
pub const HOST_FILE: &str = "sopwith.toml";
pub(crate) const PROCEDURES: &str = "procedures";
pub(crate) const PLUGINS: &str = "plugins";

/// No file of settings is longer; it was put there by mistake.
pub(crate) const TEXT_BYTES_MAX: u64 = 1 << 20;
/// An interpreter with its libraries has some 20 MB.
const PLUGIN_BYTES_MAX: u64 = 64 << 20;
/// Minisign's own comments have some 9,000 bytes at most.
const SIGNATURE_BYTES_MAX: u64 = 16 << 10;

/// The content of every file of a configuration.
#[derive(Debug, Clone)]
pub struct Inputs {
    /// The folder, as an absolute path.
    pub folder: PathBuf,
    /// The digest of all content.
    pub digest: Digest,
    pub(crate) host: Option<String>,
    pub(crate) procedures: BTreeMap<String, String>,
    pub(crate) plugins: BTreeMap<String, PluginFile>,
    pub(crate) problems: Vec<Diagnostic>,
    /// The plugins whose bytes are those of before instead of those in the folder.
    pub(crate) rolled_back: BTreeMap<PluginName, RolledBack>,
}

/// The bytes of a plugin, and where they are from.
#[derive(Debug, Clone)]
pub(crate) struct PluginFile {
    pub(crate) path: PathBuf,
    pub(crate) bytes: Arc<[u8]>,
    pub(crate) digest: Digest,
    pub(crate) signature: SignatureFile,
}

impl Inputs {
    /// Reads a folder; what cannot be read is a diagnostic of whatever is made of it.
    pub fn read(folder: &Path) -> Self {
        let folder = path::absolute(folder);
        let mut reading = Reading::default();
        let host = reading.text(&folder.join(HOST_FILE));
        let mut procedures = BTreeMap::new();
        for (stem, file) in reading.list(&folder.join(PROCEDURES), "toml") {
            if let Some(text) = reading.text(&file) {
                procedures.insert(stem, text);
            }
        }
        let mut plugins = BTreeMap::new();
        for (stem, path) in reading.list(&folder.join(PLUGINS), "wasm") {
            if let Some(bytes) = reading.bytes(&path, PLUGIN_BYTES_MAX) {
                let signature = read_signature(&path);
                plugins.insert(stem, PluginFile::new(path, bytes.into(), signature));
            }
        }
        reading.signatures_of_nothing(&folder, &plugins);
        Self::new(folder, host, procedures, plugins, reading.problems)
    }

    pub(crate) fn new(
        folder: PathBuf,
        host: Option<String>,
        procedures: BTreeMap<String, String>,
        plugins: BTreeMap<String, PluginFile>,
        problems: Vec<Diagnostic>,
    ) -> Self {
        Self {
            digest: Digest::of(""),
            folder,
            host,
            procedures,
            plugins,
            problems,
            rolled_back: BTreeMap::new(),
        }
        .digested()
    }

    /// The same with the digest of what it has come to.
    pub(crate) fn digested(mut self) -> Self {
        let Self {
            host,
            procedures,
            plugins,
            problems,
            ..
        } = &self;
        let digests = |texts: &BTreeMap<String, String>| -> Value {
            let entries = texts
                .iter()
                .map(|(stem, text)| (stem.clone(), json!(Digest::of(text))));
            Value::Object(entries.collect())
        };
        let content = json!({
            "host": host.as_ref().map(Digest::of),
            "procedures": digests(procedures),
            "plugins": plugins.iter().map(|(stem, file)| (stem, file.digest)).collect::<BTreeMap<_, _>>(),
            "signatures": plugins.iter().map(|(stem, file)| (stem, &file.signature)).collect::<BTreeMap<_, _>>(),
            "problems": problems,
        });
        self.digest = Digest::of(content.to_string());
        self
    }

    /// The plugins that somebody went back with.
    pub fn rolled_back(&self) -> &BTreeMap<PluginName, RolledBack> {
        &self.rolled_back
    }

    /// The path of the host's file.
    pub(crate) fn host_file(&self) -> PathBuf {
        self.folder.join(HOST_FILE)
    }

    /// The file of the signature of a plugin, if there is one.
    pub(crate) fn signature_of(&self, plugin: &PluginName) -> Option<String> {
        match &self.plugins.get(plugin.as_str())?.signature {
            SignatureFile::Text(text) => Some(text.clone()),
            SignatureFile::Missing | SignatureFile::Unreadable(_) => None,
        }
    }

    /// The path of a procedure's file.
    pub(crate) fn procedure_file(&self, stem: &str) -> PathBuf {
        self.folder.join(PROCEDURES).join(format!("{stem}.toml"))
    }
}

impl PluginFile {
    pub(crate) fn new(path: PathBuf, bytes: Arc<[u8]>, signature: SignatureFile) -> Self {
        Self {
            digest: Digest::of(&bytes),
            path,
            bytes,
            signature,
        }
    }
}

#[derive(Debug, Default)]
struct Reading {
    problems: Vec<Diagnostic>,
}

impl Reading {
    fn problem(&mut self, path: &Path, message: String) {
        self.problems
            .push(Diagnostic::about(path::as_written(path), message));
    }

    fn unreadable(&mut self, directory: &Path, error: &io::Error) {
        let message = format!("the directory cannot be read: {error}");
        let problem = Diagnostic::about(path::as_written(directory), message);
        let hint = "make it a directory that the user of the host can read";
        self.problems.push(problem.hint(hint));
    }

    fn text(&mut self, path: &Path) -> Option<String> {
        let bytes = self.bytes(path, TEXT_BYTES_MAX)?;
        match String::from_utf8(bytes) {
            Ok(text) => Some(text),
            Err(error) => {
                let readable = &error.as_bytes()[..error.utf8_error().valid_up_to()];
                let line = readable.split(|byte| *byte == b'\n').count();
                self.problem(path, format!("the file is not UTF-8 text from line {line} on"));
                None
            }
        }
    }

    fn bytes(&mut self, path: &Path, most: u64) -> Option<Vec<u8>> {
        match read_bounded(path, most) {
            Ok(bytes) => Some(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound && path.ends_with(HOST_FILE) => {
                let missing = Diagnostic::about(path::as_written(path), format!("there is no `{HOST_FILE}`"));
                let hint = "`sopwith init` writes one; `--config DIR` names another folder";
                self.problems.push(missing.hint(hint));
                None
            }
            Err(error) => {
                self.problem(path, format!("the file cannot be read: {error}"));
                None
            }
        }
    }

    /// The files with this extension by their stems; no directory is an empty one.
    fn list(&mut self, directory: &Path, extension: &str) -> BTreeMap<String, PathBuf> {
        let entries = match fs::read_dir(directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return BTreeMap::new(),
            Err(error) => {
                self.unreadable(directory, &error);
                return BTreeMap::new();
            }
        };
        let mut files = BTreeMap::new();
        for entry in entries {
            match entry {
                Ok(entry) => {
                    let path = entry.path();
                    // Editors keep their own files beside the edited one, with a dot in front.
                    let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
                    if !hidden && path.extension() == Some(OsStr::new(extension)) {
                        self.note(path, &mut files);
                    }
                }
                Err(error) => self.unreadable(directory, &error),
            }
        }
        files
    }

    /// Who misspells the name of a signature believes that a plugin is signed.
    fn signatures_of_nothing(&mut self, folder: &Path, plugins: &BTreeMap<String, PluginFile>) {
        for (name, path) in self.list(&folder.join(PLUGINS), signature::EXTENSION) {
            let signed = name.strip_suffix(".wasm");
            if signed.is_some_and(|stem| plugins.contains_key(stem)) {
                continue;
            }
            let problem = Diagnostic::about(path::as_written(&path), "this is the signature of no plugin");
            let hint = "that of `NAME.wasm` is `NAME.wasm.minisig`, in the same folder";
            self.problems.push(Diagnostic {
                severity: Severity::Warning,
                ..problem.hint(hint)
            });
        }
    }

    fn note(&mut self, path: PathBuf, files: &mut BTreeMap<String, PathBuf>) {
        let Some(stem) = path.file_stem().and_then(OsStr::to_str) else {
            self.problem(&path, "the name of this file is not UTF-8".to_owned());
            return;
        };
        files.insert(stem.to_owned(), path);
    }
}

/// The signature that lies beside a plugin.
fn read_signature(plugin: &Path) -> SignatureFile {
    let path = plugin.with_added_extension(signature::EXTENSION);
    match read_bounded(&path, SIGNATURE_BYTES_MAX).map(String::from_utf8) {
        Ok(Ok(text)) => SignatureFile::Text(text),
        Ok(Err(_)) => SignatureFile::Unreadable("it is not UTF-8 text".to_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound && !path.is_symlink() => SignatureFile::Missing,
        Err(error) => SignatureFile::Unreadable(error.to_string()),
    }
}

/// Reads a plain file of at most so many bytes.
pub(crate) fn read_bounded(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let file = open_plain(path)?;
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        let message = format!("it is larger than {}", crate::quantity::written_bytes(most));
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    Ok(bytes)
}

/// Opens a file or a directory; to open a pipe would wait for somebody to write into it.
pub(crate) fn open_plain(path: &Path) -> io::Result<fs::File> {
    let kind = fs::metadata(path)?.file_type();
    if !kind.is_file() && !kind.is_dir() {
        return Err(io::Error::other("it is no plain file"));
    }
    fs::File::open(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt as _;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_name_that_is_not_utf8_is_a_problem_and_no_panic() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(PROCEDURES)).unwrap();
        let name = OsString::from_vec(b"bad\xff.toml".to_vec());
        fs::write(folder.path().join(PROCEDURES).join(name), "").unwrap();
        let problems = Inputs::read(folder.path()).problems;
        let told = |one: &Diagnostic| one.message == "the name of this file is not UTF-8";
        assert!(problems.iter().any(told), "{problems:?}");
    }

    #[test]
    fn only_plain_files_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let device = folder.path().join("a.toml");
        symlink("/dev/null", &device).unwrap();
        let error = read_bounded(&device, TEXT_BYTES_MAX).unwrap_err();
        assert_eq!(error.to_string(), "it is no plain file");
    }
}
