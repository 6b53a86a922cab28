//! The meaning of the driver's errors, and what may be logged of them.

use std::fmt;

use mongodb::error::{Error, ErrorKind, InsertManyError, WriteFailure};

/// See <https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml>.
const DUPLICATE_KEY: i32 = 11_000;
const NOT_IMPLEMENTED: i32 = 238;
/// The server is shutting down, or is not or no longer the primary: another one will be.
const NOT_PRIMARY_CODES: [i32; 8] = [189, 91, 10_107, 10_058, 11_600, 11_602, 13_435, 13_436];

/// Returns whether a document with the same key exists already.
pub(super) fn is_duplicate(error: &Error) -> bool {
    match &*error.kind {
        ErrorKind::Write(WriteFailure::WriteError(error)) => error.code == DUPLICATE_KEY,
        ErrorKind::InsertMany(InsertManyError {
            write_errors: Some(errors),
            ..
        }) => errors.iter().any(|error| error.code == DUPLICATE_KEY),
        _ => false,
    }
}

/// Returns whether the server lacks what the command asks for, as those that only speak MongoDB's protocol may.
pub(super) fn is_not_implemented(error: &Error) -> bool {
    matches!(&*error.kind, ErrorKind::Command(error) if error.code == NOT_IMPLEMENTED)
}

/// Returns how many documents of a failed ordered insert are certainly stored, on a majority.
pub(super) fn stored_count(error: &Error) -> usize {
    match &*error.kind {
        ErrorKind::InsertMany(InsertManyError {
            write_errors: Some(errors),
            write_concern_error: None,
            ..
        }) => errors.first().map_or(0, |error| error.index),
        _ => 0,
    }
}

/// Returns whether the same call may succeed when it is repeated at once: the connection was lost, or the primary
/// changed.
pub(super) fn is_transient(error: &Error) -> bool {
    match &*error.kind {
        ErrorKind::Io(_) | ErrorKind::ConnectionPoolCleared { .. } => true,
        ErrorKind::Command(error) => NOT_PRIMARY_CODES.contains(&error.code),
        _ => false,
    }
}

/// What may be logged and shown of a driver's error. Its own text is left out, since it may contain addresses and what
/// people wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorSummary {
    what: &'static str,
    code: Option<i32>,
}

impl fmt::Display for ErrorSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => write!(f, "{}, code {code}", self.what),
            None => f.write_str(self.what),
        }
    }
}

pub(super) fn summarize(error: &Error) -> ErrorSummary {
    let (what, code) = match &*error.kind {
        ErrorKind::Io(_) => ("the connection failed", None),
        ErrorKind::ConnectionPoolCleared { .. } => ("the server's connections were closed", None),
        ErrorKind::ServerSelection { .. } => ("no server accepts writes", None),
        ErrorKind::Authentication { .. } => ("the login was refused", None),
        ErrorKind::Command(error) => ("the command was refused", Some(error.code)),
        ErrorKind::Write(WriteFailure::WriteError(error)) => {
            ("the write was refused", Some(error.code))
        }
        ErrorKind::Write(WriteFailure::WriteConcernError(error)) => {
            ("no majority has the write", Some(error.code))
        }
        ErrorKind::InsertMany(error) => summarize_insert(error),
        ErrorKind::Shutdown => ("the node is shutting down", None),
        _ => ("the driver failed", None),
    };
    ErrorSummary { what, code }
}

fn summarize_insert(error: &InsertManyError) -> (&'static str, Option<i32>) {
    let refused = error
        .write_errors
        .as_ref()
        .and_then(|errors| errors.first());
    match (refused, &error.write_concern_error) {
        (Some(error), _) => ("the insert was refused", Some(error.code)),
        (None, Some(error)) => ("no majority has the insert", Some(error.code)),
        (None, None) => ("the insert failed", None),
    }
}
