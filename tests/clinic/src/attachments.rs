//! Attachments: files in a directory, and the rows that speak of them.

use std::fs;
use std::path::Path;

use jiff::Timestamp;
use rusqlite::{Connection, params};
use uuid::Uuid;

use crate::schema::DEFAULT_TENANT;
use crate::{Error, clock};

/// A kind of file that the clinic keeps.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FileKind {
    pub(crate) media_type: &'static str,
    pub(crate) extension: &'static str,
    /// The bytes that each file of this kind begins with.
    pub(crate) magic: &'static [u8],
}

/// The kinds of file that the clinic keeps.
pub(crate) const FILE_KINDS: [FileKind; 3] = [
    FileKind {
        media_type: "text/plain",
        extension: "txt",
        magic: b"",
    },
    FileKind {
        media_type: "application/pdf",
        extension: "pdf",
        magic: b"%PDF-1.7\n",
    },
    FileKind {
        media_type: "image/png",
        extension: "png",
        magic: b"\x89PNG\r\n\x1a\n",
    },
];

/// The row of one attachment.
#[derive(Debug)]
pub(crate) struct Attachment {
    pub(crate) id: Uuid,
    pub(crate) patient: Option<i64>,
    pub(crate) kind: FileKind,
    pub(crate) size_bytes: u32,
}

impl Attachment {
    /// The name of the file: a UUID and an extension.
    pub(crate) fn file_name(&self) -> String {
        format!("{}.{}", self.id, self.kind.extension)
    }

    /// The path of the file, relative to the directory of attachments.
    ///
    /// Folders by the first two digits keep each of them small.
    pub(crate) fn path(&self) -> String {
        let name = self.file_name();
        format!("{}/{name}", &name[..2])
    }
}

/// Writes an attachment's file, whole or not at all.
pub(crate) fn write_file(directory: &Path, attachment: &Attachment, content: &[u8]) -> Result<(), Error> {
    let path = directory.join(attachment.path());
    let folder = path.parent().unwrap_or(directory);
    fs::create_dir_all(folder).map_err(Error::file(folder))?;
    let partial = path.with_extension("partial");
    fs::write(&partial, content).map_err(Error::file(&partial))?;
    fs::rename(&partial, &path).map_err(Error::file(&path))
}

/// Inserts an attachment's row.
pub(crate) fn insert_row(
    connection: &Connection,
    attachment: &Attachment,
    now: Timestamp,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO attachments
                 (id, tenant_id, patient_id, file_name, media_type, size_bytes, path, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            attachment.id.to_string(),
            DEFAULT_TENANT,
            attachment.patient,
            attachment.file_name(),
            attachment.kind.media_type,
            attachment.size_bytes,
            attachment.path(),
            clock::text(now)
        ])?;
    Ok(())
}
