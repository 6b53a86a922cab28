use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::fs::folder::FolderError;
use crate::store::StoreError;

/// Why the data folder's database cannot be opened. Each text says what to do about it.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The folder is in use, or cannot be written to.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The file is damaged, cannot be read or written, or is not Tonesa's.
    #[error(
        "the database {} cannot be used ({reason}); restore it from a backup, or set TONESA_DATA_DIR to another, empty \
         folder (without its database, the images in this one belong to nothing)",
        .file.display()
    )]
    Unusable {
        /// The database.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The database's own file is missing or empty, and its write-ahead log is there.
    #[error(
        "the database {} is missing or empty, but its write-ahead log {} is there and may hold what was stored last; \
         put the database back beside it (with its -shm, if there is one), or move the log away too to begin with an \
         empty database",
        .file.display(), .log.display()
    )]
    LogAlone {
        /// The database.
        file: PathBuf,
        /// Its log.
        log: PathBuf,
    },
    /// A later version has changed the database in ways that this one does not know.
    #[error(
        "the database {} was written by a newer Tonesa (its schema is {found}, this program knows {known}); run that \
         one, or set TONESA_DATA_DIR to another folder",
        .file.display()
    )]
    Newer {
        /// The database.
        file: PathBuf,
        /// Its schema.
        found: usize,
        /// The newest schema that this program knows.
        known: usize,
    },
}

impl OpenError {
    pub(super) fn unusable(file: &Path, reason: impl ToString) -> Self {
        Self::Unusable {
            file: file.to_owned(),
            reason: reason.to_string(),
        }
    }
}

/// Why a job on a connection was not done.
#[derive(Debug)]
pub(super) enum Failure {
    /// The store says no: part of its contract.
    Refused(StoreError),
    /// The driver says no: a defect, or trouble with the disk.
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
