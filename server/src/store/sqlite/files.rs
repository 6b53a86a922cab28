//! The files that are the database: told from others that were put in their place, and from some that are missing.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tracing::{error, info};

use super::error::OpenError;
use crate::store::StoreError;

/// The write-ahead log: what was committed and not written back into the database's own file yet.
fn log_of(database: &Path) -> PathBuf {
    let mut name = OsString::from(database);
    name.push("-wal");
    name.into()
}

/// SQLite drops a log whose database is missing or empty, and with it everything that was committed to it alone.
pub(super) fn refuse_log_alone(database: &Path) -> Result<(), OpenError> {
    let log = log_of(database);
    if length(database)? == 0 && length(&log)? > 0 {
        return Err(OpenError::LogAlone {
            file: database.to_owned(),
            log,
        });
    }
    Ok(())
}

/// 0 when there is no such file.
fn length(file: &Path) -> Result<u64, OpenError> {
    match file.metadata() {
        Ok(metadata) => Ok(metadata.len()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(OpenError::unusable(file, error)),
    }
}

/// The files that were opened. Clones share what was told of them.
#[derive(Clone)]
pub(super) struct OpenedFiles(Arc<Inner>);

struct Inner {
    database: (PathBuf, Identity),
    log: (PathBuf, Identity),
    /// Whether it was logged that they are not in place.
    is_told: AtomicBool,
    is_closed: AtomicBool,
}

impl OpenedFiles {
    /// Those of a database that is open, and has its log therefore.
    pub fn of(database: &Path) -> io::Result<Self> {
        let log = log_of(database);
        Ok(Self(Arc::new(Inner {
            database: (database.to_owned(), identity(database)?),
            log: (log.clone(), identity(&log)?),
            is_told: AtomicBool::new(false),
            is_closed: AtomicBool::new(false),
        })))
    }

    /// The database.
    pub fn database(&self) -> &Path {
        &self.0.database.0
    }

    /// The database is about to be closed, which removes the log.
    pub fn close(&self) {
        self.0.is_closed.store(true, Ordering::Relaxed);
    }

    /// Whether both still have their names. Connections that are open do not notice when they have not, and what is
    /// written then is found by nobody who opens the database later. A change is logged.
    ///
    /// # Errors
    /// [`StoreError::Moved`]; [`StoreError::Unavailable`] when they are closed.
    pub fn in_place(&self) -> Result<(), StoreError> {
        let Inner {
            database,
            log,
            is_told,
            is_closed,
        } = &*self.0;
        if is_closed.load(Ordering::Relaxed) {
            return Err(StoreError::Unavailable);
        }
        let is_here = |(path, opened): &(PathBuf, Identity)| {
            identity(path).is_ok_and(|identity| identity == *opened)
        };
        let is_in_place = is_here(database) && is_here(log);
        let was_told = is_told.swap(!is_in_place, Ordering::Relaxed);
        match (is_in_place, was_told) {
            (true, false) | (false, true) => {}
            (true, true) => info!(
                file = %database.0.display(),
                "the database is back in its place: the node writes again"
            ),
            (false, false) => error!(
                file = %database.0.display(),
                log = %log.0.display(),
                "the database or its write-ahead log was moved away, removed or replaced while the node runs: nothing is \
                 written any more. Put back what was there, all of it (tonesa.db with its -wal and -shm), or stop the \
                 node first (docs/operations.md, Backup)"
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

/// Device and inode.
#[cfg(unix)]
fn identity(file: &Path) -> io::Result<Identity> {
    use std::os::unix::fs::MetadataExt;
    let metadata = file.metadata()?;
    Ok((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
type Identity = ();

/// An open file cannot be moved there.
#[cfg(not(unix))]
fn identity(_file: &Path) -> io::Result<Identity> {
    Ok(())
}
