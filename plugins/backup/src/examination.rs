//! Verifies a backup: its file as it lies there, and the database that comes out of it.

use crate::manifest::{Compression, Manifest, Verification};
use crate::rows;
use crate::settings::Settings;
use crate::shelf::Backup;
use crate::words;
use sopwith::flow::Flow;
use sopwith::sql::{Depth, Scratch};
use sopwith::{Error, ErrorKind, Result, run};

const SQLITE_MAGIC: &[u8] = b"SQLite format 3\0";
const ZSTD_MAGIC: &[u8] = b"\x28\xb5\x2f\xfd";

/// Verifies a backup and writes down in its manifest what that came to; none where another run
/// removed the backup meanwhile.
pub(crate) fn prove(settings: &Settings, backup: &Backup) -> Result<Option<Backup>> {
    let problems = problems(settings, backup)?;
    let verification = Verification {
        at: run::now(),
        run: run::id(),
        depth: settings.check,
        problems,
    };
    backup.change(&settings.to, |manifest| {
        manifest.verification = Some(verification);
    })
}

fn problems(settings: &Settings, backup: &Backup) -> Result<Vec<String>> {
    if let Some(problem) = problem_at_rest(settings, backup)? {
        return Ok(vec![problem]);
    }
    let scratch = settings.database.scratch()?;
    let problems = unpack(settings, backup, &scratch)?;
    if !problems.is_empty() {
        return Ok(problems);
    }
    let problems = problems_within(&scratch, settings.check, &backup.manifest)?;
    scratch.discard()?;
    Ok(problems)
}

/// What can be seen without reading the file.
fn problem_at_rest(settings: &Settings, backup: &Backup) -> Result<Option<String>> {
    let meta = match settings.to.stat(&backup.name) {
        Ok(meta) if meta.is_file() => meta,
        Ok(meta) => return Ok(Some(format!("there is a {} instead of a file", meta.kind))),
        Err(error) if error.kind == ErrorKind::NotFound => return Ok(Some("the file is missing".to_owned())),
        Err(error) => return Err(error),
    };
    let magic = magic(backup.manifest.compression);
    let head = settings.to.read_part(&backup.name, 0, magic.len() as u64)?;
    Ok(problem_seen(&backup.manifest, meta.bytes, &head))
}

fn magic(compression: Compression) -> &'static [u8] {
    match compression {
        Compression::None => SQLITE_MAGIC,
        Compression::Zstd => ZSTD_MAGIC,
    }
}

fn problem_seen(manifest: &Manifest, bytes: u64, head: &[u8]) -> Option<String> {
    let expected = manifest.file.bytes;
    if bytes == 0 {
        Some("the file is empty".to_owned())
    } else if bytes != expected {
        let (bytes, expected) = (words::count(bytes, "byte"), words::number(expected));
        Some(format!("the file has {bytes} instead of {expected}"))
    } else if head != magic(manifest.compression) {
        let what = match manifest.compression {
            Compression::None => "an SQLite database",
            Compression::Zstd => "compressed by zstd",
        };
        Some(format!("the file does not begin like one that is {what}"))
    } else {
        None
    }
}

/// Unpacks the backup into the scratch database, and compares the digests.
fn unpack(settings: &Settings, backup: &Backup, scratch: &Scratch) -> Result<Vec<String>> {
    let (directory, manifest) = (&settings.to, &backup.manifest);
    let receipt = match backup.open(directory)?.to_database(scratch) {
        Ok(receipt) => receipt,
        Err(error) => return broken_or(error, settings, backup),
    };
    let mut problems = Vec::new();
    if receipt.source_digest != manifest.file.digest {
        problems.push(digest_problem(
            "file",
            &receipt.source_digest,
            &manifest.file.digest,
        ));
    }
    if receipt.sink_digest != manifest.source.digest {
        problems.push(digest_problem(
            "database in it",
            &receipt.sink_digest,
            &manifest.source.digest,
        ));
    }
    Ok(problems)
}

/// A flow fails over a broken file as over a full disk; the file's digest tells them apart.
fn broken_or(error: Error, settings: &Settings, backup: &Backup) -> Result<Vec<String>> {
    if !matches!(
        error.kind,
        ErrorKind::Failed | ErrorKind::Invalid | ErrorKind::Conflict
    ) {
        return Err(error);
    }
    let digest = settings.to.digest(&backup.name)?;
    if digest == backup.manifest.file.digest {
        return Err(error);
    }
    let changed = digest_problem("file", &digest, &backup.manifest.file.digest);
    Ok(vec![changed, format!("the file cannot be unpacked: {error}")])
}

fn digest_problem(what: &str, digest: &str, expected: &str) -> String {
    let (digest, expected) = (words::digest(digest), words::digest(expected));
    format!("the digest of the {what} is `{digest}…` instead of `{expected}…`")
}

/// What the engine and the manifest have to say of the database that came out.
fn problems_within(scratch: &Scratch, depth: Depth, manifest: &Manifest) -> Result<Vec<String>> {
    let mut problems = match scratch.verify(depth) {
        Ok(problems) => problems,
        Err(error) => return Ok(vec![rows::unreadable(error)?]),
    };
    problems.extend(rows::differences(scratch, &manifest.rows)?);
    problems.extend(schema_problem(scratch, manifest)?);
    Ok(problems)
}

fn schema_problem(scratch: &Scratch, manifest: &Manifest) -> Result<Option<String>> {
    let schema = match scratch.schema() {
        Ok(schema) => schema,
        Err(error) => return rows::unreadable(error).map(Some),
    };
    let digest = Flow::from_bytes(schema)?.to_nothing()?.source_digest;
    let differs = digest != manifest.schema_digest;
    Ok(differs.then(|| digest_problem("schema", &digest, &manifest.schema_digest)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::manifest_at;

    fn check(compression: Compression, bytes: u64, head: &[u8], expected: Option<&str>) {
        let mut manifest = manifest_at("2026-11-21T04:15:00Z");
        (manifest.compression, manifest.file.bytes) = (compression, 4_096);
        assert_eq!(problem_seen(&manifest, bytes, head).as_deref(), expected);
    }

    #[test]
    fn file_is_judged_by_size_and_beginning() {
        check(Compression::None, 4_096, SQLITE_MAGIC, None);
        check(Compression::Zstd, 4_096, ZSTD_MAGIC, None);
        check(Compression::None, 0, b"", Some("the file is empty"));
        let cut = "the file has 2,048 bytes instead of 4,096";
        check(Compression::None, 2_048, SQLITE_MAGIC, Some(cut));
        let foreign = "the file does not begin like one that is an SQLite database";
        check(Compression::None, 4_096, b"not a database!!", Some(foreign));
        let plain = "the file does not begin like one that is compressed by zstd";
        check(Compression::Zstd, 4_096, b"SQLi", Some(plain));
    }
}
