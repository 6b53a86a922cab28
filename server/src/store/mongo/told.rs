//! What a driver's error means, and what is told of it.

use std::fmt;

use mongodb::error::{Error, ErrorKind, InsertManyError, WriteFailure};

/// See <https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml>.
const DUPLICATE_KEY: i32 = 11_000;
/// The server is leaving, or is not or no longer the primary: another will be.
const NO_PRIMARY: [i32; 8] = [189, 91, 10_107, 10_058, 11_600, 11_602, 13_435, 13_436];

/// Whether something with the same key is there already.
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

/// How many documents of an ordered insert are stored for certain, and by a majority, though it failed.
pub(super) fn stored_before(error: &Error) -> usize {
    match &*error.kind {
        ErrorKind::InsertMany(InsertManyError {
            write_errors: Some(errors),
            write_concern_error: None,
            ..
        }) => errors.first().map_or(0, |error| error.index),
        _ => 0,
    }
}

/// Whether the same call may well work at once: a connection was lost, or another server is to be asked.
pub(super) fn may_pass(error: &Error) -> bool {
    match &*error.kind {
        ErrorKind::Io(_) | ErrorKind::ConnectionPoolCleared { .. } => true,
        ErrorKind::Command(error) => NO_PRIMARY.contains(&error.code),
        _ => false,
    }
}

/// What is told of a driver's error. The texts of drivers and servers may hold addresses and what people wrote, so
/// they are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    what: &'static str,
    code: Option<i32>,
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => write!(f, "{}, code {code}", self.what),
            None => f.write_str(self.what),
        }
    }
}

pub(super) fn told(error: &Error) -> Told {
    let (what, code) = match &*error.kind {
        ErrorKind::Io(_) => ("the connection failed", None),
        ErrorKind::ConnectionPoolCleared { .. } => ("the server's connections were given up", None),
        ErrorKind::ServerSelection { .. } => ("no server takes writes", None),
        ErrorKind::Authentication { .. } => ("the login was refused", None),
        ErrorKind::Command(error) => ("the command was refused", Some(error.code)),
        ErrorKind::Write(WriteFailure::WriteError(error)) => {
            ("the write was refused", Some(error.code))
        }
        ErrorKind::Write(WriteFailure::WriteConcernError(error)) => {
            ("no majority has the write", Some(error.code))
        }
        ErrorKind::InsertMany(error) => of_insert(error),
        ErrorKind::Shutdown => ("the node is leaving", None),
        _ => ("the driver failed", None),
    };
    Told { what, code }
}

fn of_insert(error: &InsertManyError) -> (&'static str, Option<i32>) {
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
