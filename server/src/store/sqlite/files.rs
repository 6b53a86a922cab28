//! Watches the identity of the database's files, to notice when they are moved away or replaced.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tracing::{error, info};

use super::error::OpenError;
use crate::store::StoreError;

/// The path of the write-ahead log: what was committed and not copied to the database file yet.
fn log_path(database: &Path) -> PathBuf {
    let mut name = OsString::from(database);
    name.push("-wal");
    name.into()
}

/// Refuses a log whose database is missing or empty. SQLite would delete it, with everything committed only to it.
pub(super) fn refuse_orphaned_log(database: &Path) -> Result<(), OpenError> {
    let log = log_path(database);
    if length(database)? == 0 && length(&log)? > 0 {
        return Err(OpenError::OrphanedLog {
            file: database.to_owned(),
            log,
        });
    }
    Ok(())
}

/// Returns the file's length; 0 if it does not exist.
fn length(file: &Path) -> Result<u64, OpenError> {
    match file.metadata() {
        Ok(metadata) => Ok(metadata.len()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(OpenError::unusable(file, error)),
    }
}

/// The files of an open database. Clones share their state.
#[derive(Clone)]
pub(super) struct OpenedFiles(Arc<Inner>);

struct Inner {
    database: (PathBuf, Identity),
    log: (PathBuf, Identity),
    /// Whether it was logged that they are not in place.
    is_logged: AtomicBool,
    is_closed: AtomicBool,
}

impl OpenedFiles {
    /// Remembers the files of a database that is open and therefore has a log.
    pub fn of(database: &Path) -> io::Result<Self> {
        let log = log_path(database);
        Ok(Self(Arc::new(Inner {
            database: (database.to_owned(), identity(database)?),
            log: (log.clone(), identity(&log)?),
            is_logged: AtomicBool::new(false),
            is_closed: AtomicBool::new(false),
        })))
    }

    /// Returns the path of the database file.
    pub fn database(&self) -> &Path {
        &self.0.database.0
    }

    /// Records that the database is about to be closed, which removes the log.
    pub fn close(&self) {
        self.0.is_closed.store(true, Ordering::Relaxed);
    }

    /// Checks that both files still have their names. Open connections do not notice when they have not, and what is
    /// written then is lost to anyone who opens the database later. A change is logged.
    ///
    /// # Errors
    /// [`StoreError::Moved`]; [`StoreError::Unavailable`] when the database is closed.
    pub fn check_in_place(&self) -> Result<(), StoreError> {
        let Inner {
            database,
            log,
            is_logged,
            is_closed,
        } = &*self.0;
        if is_closed.load(Ordering::Relaxed) {
            return Err(StoreError::Unavailable);
        }
        let is_unchanged = |(path, opened): &(PathBuf, Identity)| {
            identity(path).is_ok_and(|identity| identity == *opened)
        };
        let is_in_place = is_unchanged(database) && is_unchanged(log);
        let was_logged = is_logged.swap(!is_in_place, Ordering::Relaxed);
        match (is_in_place, was_logged) {
            (true, false) | (false, true) => {}
            (true, true) => info!(
                file = %database.0.display(),
                "the database is back in its place: the node writes again"
            ),
            (false, false) => error!(
                file = %database.0.display(),
                log = %log.0.display(),
                "the database or its write-ahead log was moved away, removed or replaced while the node runs: nothing \
                 is written any more. Restore what was there, all files (tonesa.db with its -wal and -shm), or stop \
                 the node first (docs/operations.md, Backup)"
            ),
        }
        if is_in_place {
            Ok(())
        } else {
            Err(StoreError::Moved)
        }
    }
}

#[cfg(unix)]
type Identity = (u64, u64);

/// The device and inode numbers.
#[cfg(unix)]
fn identity(file: &Path) -> io::Result<Identity> {
    use std::os::unix::fs::MetadataExt;
    let metadata = file.metadata()?;
    Ok((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
type Identity = ();

/// Open files cannot be moved on this system.
#[cfg(not(unix))]
fn identity(_file: &Path) -> io::Result<Identity> {
    Ok(())
}
