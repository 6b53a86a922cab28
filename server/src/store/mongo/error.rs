use std::time::Duration;

use mongodb::error::{Error, ErrorKind};
use thiserror::Error;
use tokio::time::timeout;
use tracing::error;

use super::documents::Malformed;
use super::told::{Told, told};
use crate::store::StoreError;

/// How long a call waits: less than the 3 seconds in which it has to answer.
const PATIENCE: Duration = Duration::from_millis(2_600);

/// Error codes: wrong user or password; unknown user; not allowed to; Atlas' own code for all of these.
const REFUSED: [i32; 4] = [18, 11, 13, 8_000];
/// Why the database cannot be used. Each text says what to do about it; none holds anything of the URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum OpenError {
    /// The URL is no connection string.
    #[error(
        "MONGO_URL is not a connection string of MongoDB; write it as mongodb://user:password@host:27017/database, \
         with special characters of user and password percent-encoded"
    )]
    Url,
    /// A TLS option of the URL names a file that is not there or not right.
    #[error(
        "MONGO_URL asks for TLS with certificate files that cannot be used; mend its tls options"
    )]
    Tls,
    /// The names of a `mongodb+srv` URL's servers cannot be looked up.
    #[error(
        "the host in MONGO_URL cannot be looked up in the DNS; mend the host, or name the servers in mongodb://"
    )]
    Host,
    /// No server answers.
    #[error(
        "no MongoDB server that takes writes answers at the address in MONGO_URL; start it, or mend the host, the \
         port, the replica set or the tls options"
    )]
    Unreachable,
    /// The server does not know the user, or does not let it in or at the database.
    #[error(
        "MongoDB refused the login of MONGO_URL; mend its user, password or authSource, or let the user read and \
         write the database"
    )]
    Refused,
    /// The server answers, but does not make the indexes.
    #[error(
        "MongoDB does not make the indexes in the database of MONGO_URL ({0}); remove what is in their way, or name \
         another database"
    )]
    Indexes(Told),
    /// One of the two collections is not there, although the other one holds something.
    #[error(
        "the database of MONGO_URL has lost its collection {0}, while the other one is there; restore the whole database \
         from a backup, or make the collection (db.createCollection(\"{0}\")) to go on without what it held"
    )]
    Missing(&'static str),
}

impl OpenError {
    /// What a failure to read the URL means.
    pub(super) fn of_url(error: &Error) -> Self {
        match *error.kind {
            ErrorKind::DnsResolve { .. } => Self::Host,
            ErrorKind::InvalidTlsConfig { .. } => Self::Tls,
            _ => Self::Url,
        }
    }

    /// What a failure to prepare the database means.
    pub(super) fn of_server(error: &Error) -> Self {
        match &*error.kind {
            ErrorKind::Authentication { .. } => Self::Refused,
            ErrorKind::Command(command) if REFUSED.contains(&command.code) => Self::Refused,
            ErrorKind::Command(_) | ErrorKind::Write(_) => Self::Indexes(told(error)),
            ErrorKind::InvalidTlsConfig { .. } => Self::Tls,
            _ => Self::Unreachable,
        }
    }
}

/// Why a job was not done.
#[derive(Debug)]
pub(super) enum Failure {
    /// The store says no: part of its contract.
    Refused(StoreError),
    /// The driver or the server says no.
    Driver(Error),
    /// A document is not what this program writes.
    Malformed(Malformed),
    /// Other nodes were always faster in taking the next sequence number.
    Outrun,
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

/// Waits for an answer, but not for too long, and says what a failure means to the caller. A call to the driver that
/// is given up costs it the connection: what the server still answers there is for nobody.
pub(super) async fn in_time<T>(
    call: impl Future<Output = Result<T, Failure>>,
) -> Result<T, StoreError> {
    let failure = match timeout(PATIENCE, call).await {
        Ok(Ok(answer)) => return Ok(answer),
        Ok(Err(failure)) => failure,
        Err(_) => {
            error!("MongoDB did not answer in time");
            return Err(StoreError::Unavailable);
        }
    };
    match failure {
        Failure::Refused(error) => return Err(error),
        Failure::Driver(error) => error!(error = %told(&error), "MongoDB did not do it"),
        Failure::Malformed(Malformed {
            collection,
            id,
            field,
        }) => error!(
            collection,
            ?id,
            field,
            "a document in MongoDB cannot be read"
        ),
        Failure::Outrun => error!("too many nodes write to one conversation in MongoDB"),
    }
    Err(StoreError::Unavailable)
}
