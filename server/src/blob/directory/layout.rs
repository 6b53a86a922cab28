use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use app::model::ShortId;
use tempfile::TempPath;

use crate::blob::BlobEntry;
use crate::fs::folder;

/// How many bytes a probe writes: more than a file system stores together with a file's name.
const PROBE_BYTES: usize = 8 * 1024;

/// The paths in the folder, and blocking operations on them.
pub(super) struct Layout {
    pub(super) root: PathBuf,
    pub(super) temporary: PathBuf,
}

impl Layout {
    pub fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            temporary: root.join("tmp"),
        }
    }

    pub fn temporary(&self) -> &Path {
        &self.temporary
    }

    /// Returns the path of a blob's file.
    pub fn path(&self, key: ShortId) -> PathBuf {
        path_in(&self.root, key)
    }

    /// Creates the folder for temporary files, or empties it.
    pub fn clear_temporary_files(&self) -> io::Result<()> {
        match fs::remove_dir_all(&self.temporary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        folder::create(&self.temporary)
    }

    /// Creates a file, and with `with_bytes` also writes and syncs some bytes: a full disk may still allow new names.
    pub fn probe(&self, with_bytes: bool) -> io::Result<()> {
        let mut file = tempfile::tempfile_in(&self.temporary)?;
        if with_bytes {
            file.write_all(&[1; PROBE_BYTES])?;
            file.sync_all()?;
        }
        Ok(())
    }

    /// Moves the file to its place. Its content is synced before its name is visible, and its name and those of the
    /// folders above it are synced before this returns.
    pub fn store(&self, key: ShortId, file: TempPath) -> io::Result<()> {
        let path = self.path(key);
        File::open(&file)?.sync_all()?;
        let inner = path.parent().unwrap_or(&self.root);
        fs::create_dir_all(inner)?;
        file.persist_noclobber(&path).map_err(|error| error.error)?;
        // Existing folders may be another call's that are not synced yet. Syncing an unchanged folder costs nothing.
        inner
            .ancestors()
            .take_while(|folder| folder.starts_with(&self.root))
            .try_for_each(folder::sync)
    }

    /// Returns the first `limit` blobs after `after`, in the order of their keys.
    pub fn list(&self, after: Option<ShortId>, limit: usize) -> io::Result<Vec<BlobEntry>> {
        list_in(&self.root, after, limit)
    }
}

/// Returns the path of a key's file or folder, two folders deep.
pub(super) fn path_in(root: &Path, key: ShortId) -> PathBuf {
    let name = name_of(key);
    root.join(&name[..2]).join(&name[2..4]).join(name)
}

/// Returns the first `limit` keys after `after` that have a file or folder, in their order, which is that of the names.
pub(super) fn list_in(
    root: &Path,
    after: Option<ShortId>,
    limit: usize,
) -> io::Result<Vec<BlobEntry>> {
    let after = after.map(name_of).unwrap_or_default();
    let mut found = Vec::new();
    for (outer, path) in names_in(root, 2, &after[..after.len().min(2)])? {
        let bound = after.strip_prefix(&outer).unwrap_or_default();
        for (inner, path) in names_in(&path, 2, &bound[..bound.len().min(2)])? {
            for (name, path) in names_in(&path, 16, &after)? {
                if found.len() == limit {
                    return Ok(found);
                }
                if name > after && name.starts_with(&format!("{outer}{inner}")) {
                    found.extend(entry(&name, &path)?);
                }
            }
        }
    }
    Ok(found)
}

/// Returns the key's eight bytes as 16 hexadecimal digits.
pub(super) fn name_of(key: ShortId) -> String {
    let bytes = key.as_str().bytes();
    let number = bytes.fold(0, |number, byte| number << 8 | u64::from(byte));
    format!("{number:016x}")
}

fn key_of(name: &str) -> Option<ShortId> {
    let number = u64::from_str_radix(name, 16).ok()?;
    str::from_utf8(&number.to_be_bytes()).ok()?.parse().ok()
}

/// Lists the entries of a folder whose names are this many hexadecimal digits, from `first` on, in order. Other entries
/// are not ours.
pub(super) fn names_in(
    folder: &Path,
    digits: usize,
    first: &str,
) -> io::Result<BTreeMap<String, PathBuf>> {
    let is_ours = |name: &str| {
        name.len() == digits && name.bytes().all(|b| b.is_ascii_hexdigit()) && name >= first
    };
    let mut names = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(OsStr::to_str);
        if let Some(name) = name.filter(|name| is_ours(name)) {
            names.insert(name.to_owned(), path);
        }
    }
    Ok(names)
}

/// Returns the entry for this file, unless its name is not a key or it is gone meanwhile.
pub(super) fn entry(name: &str, path: &Path) -> io::Result<Option<BlobEntry>> {
    let Some(key) = key_of(name) else {
        return Ok(None);
    };
    match path.metadata().and_then(|metadata| metadata.modified()) {
        Ok(modified) => Ok(Some(BlobEntry { key, modified })),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
