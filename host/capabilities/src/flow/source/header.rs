//! Headers of a tar archive in the PAX format (POSIX.1-2001).

use rustix::fs::{FileType, Stat};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use tar::{EntryType, Header};
use uzers::{get_group_by_gid, get_user_by_uid};

/// What a block of an archive has.
pub(super) const BLOCK_BYTES: usize = 512;
/// What the fields of the older format can hold.
const NAME_BYTES_MAX: usize = 100;
const SIZE_MAX: u64 = 0o777_7777_7777;
const ID_MAX: u64 = 0o777_7777;

/// The blocks that stand before the content of an entry.
pub(super) fn blocks(path: &OsStr, link: Option<&OsStr>, stat: &Stat) -> Vec<u8> {
    let (kind, size) = match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => (EntryType::Directory, 0),
        FileType::Symlink => (EntryType::Symlink, 0),
        _ => (EntryType::Regular, u64::try_from(stat.st_size).unwrap_or(0)),
    };
    let mut name = path.as_bytes().to_vec();
    if kind == EntryType::Directory {
        name.push(b'/');
    }
    let link = link.map(OsStr::as_bytes).unwrap_or_default();
    let mut header = Header::new_ustar();
    header.set_entry_type(kind);
    header.set_mode(stat.st_mode & 0o7777);
    header.set_size(size.min(SIZE_MAX));
    header.set_uid(u64::from(stat.st_uid).min(ID_MAX));
    header.set_gid(u64::from(stat.st_gid).min(ID_MAX));
    header.set_mtime(u64::try_from(stat.st_mtime).unwrap_or(0));
    // A name that has no room here is left out; the number stands for it.
    let user = get_user_by_uid(stat.st_uid);
    let group = get_group_by_gid(stat.st_gid);
    let _ = user.map(|user| header.set_username(&user.name().to_string_lossy()));
    let _ = group.map(|group| header.set_groupname(&group.name().to_string_lossy()));
    put_name(&mut header, &name, link);
    header.set_cksum();

    let extended = extended(&name, link, size, stat);
    let mut blocks = Vec::new();
    if !extended.is_empty() {
        put_extended(&mut blocks, &extended);
    }
    blocks.extend_from_slice(header.as_bytes());
    blocks
}

fn put_name(header: &mut Header, name: &[u8], link: &[u8]) {
    if let Some(fields) = header.as_ustar_mut() {
        for (field, bytes) in [(&mut fields.name, name), (&mut fields.linkname, link)] {
            let length = bytes.len().min(NAME_BYTES_MAX);
            field[..length].copy_from_slice(&bytes[..length]);
        }
    }
}

/// What the fields of the older format cannot say.
fn extended(name: &[u8], link: &[u8], size: u64, stat: &Stat) -> Vec<u8> {
    let mut records = Vec::new();
    let needs_record = |text: &[u8]| text.len() > NAME_BYTES_MAX || !text.is_ascii();
    if [name, link].iter().any(|text| std::str::from_utf8(text).is_err()) {
        put_record(&mut records, "hdrcharset", b"BINARY");
    }
    if needs_record(name) {
        put_record(&mut records, "path", name);
    }
    if needs_record(link) {
        put_record(&mut records, "linkpath", link);
    }
    if size > SIZE_MAX {
        put_record(&mut records, "size", size.to_string().as_bytes());
    }
    for (key, id) in [("uid", stat.st_uid), ("gid", stat.st_gid)] {
        if u64::from(id) > ID_MAX {
            put_record(&mut records, key, id.to_string().as_bytes());
        }
    }
    if stat.st_mtime_nsec != 0 && stat.st_mtime >= 0 {
        let time = format!("{}.{:09}", stat.st_mtime, stat.st_mtime_nsec);
        put_record(&mut records, "mtime", time.as_bytes());
    }
    records
}

/// `LENGTH KEY=VALUE\n`, where the length counts itself.
fn put_record(records: &mut Vec<u8>, key: &str, value: &[u8]) {
    let rest = key.len() + value.len() + 3;
    let mut length = rest;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    records.extend_from_slice(format!("{length} {key}=").as_bytes());
    records.extend_from_slice(value);
    records.push(b'\n');
}

fn put_extended(blocks: &mut Vec<u8>, records: &[u8]) {
    let mut header = Header::new_ustar();
    header.set_entry_type(EntryType::XHeader);
    header.set_mode(0o600);
    header.set_size(records.len() as u64);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    put_name(&mut header, b"PaxHeaders/entry", b"");
    header.set_cksum();
    blocks.extend_from_slice(header.as_bytes());
    blocks.extend_from_slice(records);
    blocks.resize(blocks.len() + padding(records.len() as u64), 0);
}

/// How many bytes fill up the last block.
pub(super) fn padding(bytes: u64) -> usize {
    let last = usize::try_from(bytes % BLOCK_BYTES as u64).unwrap_or(0);
    (BLOCK_BYTES - last) % BLOCK_BYTES
}
