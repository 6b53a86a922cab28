use std::time::Duration;

use mongodb::error::{Error, ErrorKind};
use thiserror::Error;
use tokio::time::timeout;
use tracing::error;

use super::documents::Malformed;
use super::driver_error::{ErrorSummary, summarize};
use crate::store::StoreError;

/// How long a call may take: less than the 3 seconds within which it has to return.
const CALL_TIMEOUT: Duration = Duration::from_millis(2_600);

/// Error codes: authentication failed; user not found; unauthorized; Atlas' own code for all of these.
const AUTH_ERROR_CODES: [i32; 4] = [18, 11, 13, 8_000];

/// Why the database cannot be used. Each text says what to do about it; none contains anything of the URL, which may
/// hold secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum OpenError {
    /// The URL is not a connection string.
    #[error(
        "MONGO_URL is not a connection string of MongoDB; write it as mongodb://user:password@host:27017/database, \
         with special characters of user and password percent-encoded"
    )]
    Url,
    /// A TLS option of the URL names a file that is missing or invalid.
    #[error(
        "MONGO_URL asks for TLS with certificate files that cannot be used; fix its tls options"
    )]
    Tls,
    /// The servers of a `mongodb+srv` URL cannot be looked up.
    #[error(
        "the host in MONGO_URL cannot be looked up in the DNS; fix the host, or name the servers in mongodb://"
    )]
    Host,
    /// No server answers.
    #[error(
        "no MongoDB server that takes writes answers at the address in MONGO_URL; start it, or fix the host, the \
         port, the replica set or the tls options"
    )]
    Unreachable,
    /// The server refuses the login, or the user lacks rights on the database.
    #[error(
        "MongoDB refused the login of MONGO_URL; fix its user, password or authSource, or let the user read and \
         write the database"
    )]
    Refused,
    /// The server does not create the indexes.
    #[error(
        "MongoDB does not create the indexes in the database of MONGO_URL ({0}); remove what is in their way, or name \
         another database"
    )]
    Indexes(ErrorSummary),
    /// One of the two collections is missing, although the other one contains something.
    #[error(
        "the database of MONGO_URL has lost its collection {0}, while the other one exists; restore the whole database \
         from a backup, or create the collection (db.createCollection(\"{0}\")) to go on without what it held"
    )]
    Missing(&'static str),
    /// A later version of the program has written to the database.
    #[error(
        "the database of MONGO_URL was written by a newer Tonesa (its schema is {found}, this program knows {known}); \
         run that one, or name another database"
    )]
    Newer {
        /// The version of its schema.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
}

impl OpenError {
    /// Maps an error of parsing the URL.
    pub(super) fn of_url(error: &Error) -> Self {
        match *error.kind {
            ErrorKind::DnsResolve { .. } => Self::Host,
            ErrorKind::InvalidTlsConfig { .. } => Self::Tls,
            _ => Self::Url,
        }
    }

    /// Maps an error of preparing the database.
    pub(super) fn of_server(error: &Error) -> Self {
        match &*error.kind {
            ErrorKind::Authentication { .. } => Self::Refused,
            ErrorKind::Command(command) if AUTH_ERROR_CODES.contains(&command.code) => {
                Self::Refused
            }
            ErrorKind::Command(_) | ErrorKind::Write(_) => Self::Indexes(summarize(error)),
            ErrorKind::InvalidTlsConfig { .. } => Self::Tls,
            _ => Self::Unreachable,
        }
    }
}

/// Why an operation failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// By the store's contract.
    Refused(StoreError),
    /// An error of the driver or the server.
    Driver(Error),
    /// A document that this program did not write.
    Malformed(Malformed),
    /// Other nodes always took the next sequence number first.
    Contended,
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Driver(error)
    }
}

impl From<Malformed> for Failure {
    fn from(error: Malformed) -> Self {
        Self::Malformed(error)
    }
}

/// Runs an operation with the timeout of most calls; see [`with_timeout_of`].
pub(super) async fn with_timeout<T>(
    call: impl Future<Output = Result<T, Failure>>,
) -> Result<T, StoreError> {
    with_timeout_of(CALL_TIMEOUT, call).await
}

/// Runs an operation with a timeout, logs its failure, and maps that to the caller's error. The driver closes the
/// connection of an operation that timed out, so that no later call reads its reply.
pub(super) async fn with_timeout_of<T>(
    limit: Duration,
    call: impl Future<Output = Result<T, Failure>>,
) -> Result<T, StoreError> {
    let failure = match timeout(limit, call).await {
        Ok(Ok(answer)) => return Ok(answer),
        Ok(Err(failure)) => failure,
        Err(_) => {
            error!("MongoDB timed out");
            return Err(StoreError::Unavailable);
        }
    };
    match failure {
        Failure::Refused(error) => return Err(error),
        Failure::Driver(error) => error!(error = %summarize(&error), "MongoDB failed"),
        Failure::Malformed(malformed) => log_malformed(&malformed),
        Failure::Contended => error!("too many nodes write to one log in MongoDB"),
    }
    Err(StoreError::Unavailable)
}

/// Logs that a document is invalid.
pub(super) fn log_malformed(malformed: &Malformed) {
    let Malformed {
        collection,
        id,
        field,
    } = malformed;
    error!(collection, ?id, field, "a document in MongoDB is invalid");
}
