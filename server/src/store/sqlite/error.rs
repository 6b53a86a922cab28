use std::error::Error;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::fs::folder::FolderError;
use crate::store::StoreError;

/// Why the database in the data folder cannot be opened. Each text says what to do about it.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The folder is in use, or cannot be written to.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The file is damaged, cannot be read or written, or belongs to another program.
    #[error(
        "the database {} cannot be used ({source}); restore it from a backup, or set TONESA_DATA_DIR to another, empty \
         folder (without its database, the images in this one belong to nothing)",
        .file.display()
    )]
    Unusable {
        /// The database file.
        file: PathBuf,
        /// What is wrong with it.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The database file is missing or empty, but its write-ahead log exists.
    #[error(
        "the database {} is missing or empty, but its write-ahead log {} exists and may contain what was stored last; \
         put the database back beside it (with its -shm, if there is one), or move the log away too to start with an \
         empty database",
        .file.display(), .log.display()
    )]
    OrphanedLog {
        /// The database file.
        file: PathBuf,
        /// Its write-ahead log.
        log: PathBuf,
    },
    /// A later version of the program has changed the schema.
    #[error(
        "the database {} was written by a newer Tonesa (its schema is {found}, this program knows {known}); run that \
         one, or set TONESA_DATA_DIR to another folder",
        .file.display()
    )]
    Newer {
        /// The database file.
        file: PathBuf,
        /// The version of its schema.
        found: usize,
        /// The newest version that this program knows.
        known: usize,
    },
}

impl OpenError {
    pub(super) fn unusable(file: &Path, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Unusable {
            file: file.to_owned(),
            source: source.into(),
        }
    }
}

/// Why an operation failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// By the store's contract.
    Refused(StoreError),
    /// An error of the driver: a bug, or a problem with the disk.
    Driver(rusqlite::Error),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Driver(error)
    }
}
