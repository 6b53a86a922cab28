use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use super::error::{Failure, OpenError};
use super::inspect::inspect;

/// "Tone": marks the file as Tonesa's, see <https://www.sqlite.org/pragma.html#pragma_application_id>.
const APPLICATION_ID: i32 = 0x546f_6e65;

/// How long a call waits for another program that has locked the file, say a backup. Less than a call may take.
const BUSY: Duration = Duration::from_secs(1);

/// What each schema version adds to the one before it. Never edit one that was released.
const MIGRATIONS: [&str; 2] = [
    "
    CREATE TABLE uploads (
        key INTEGER PRIMARY KEY,
        id BLOB NOT NULL UNIQUE,
        short_id TEXT NOT NULL UNIQUE,
        kind TEXT NOT NULL,
        url TEXT NOT NULL,
        media_type TEXT NOT NULL,
        size INTEGER NOT NULL,
        width INTEGER NOT NULL,
        height INTEGER NOT NULL,
        created_at INTEGER NOT NULL -- milliseconds since 1970 in UTC
    ) STRICT;

    -- Nothing asks for a message by its id, and 96 random bits do not repeat: no index pays for it.
    CREATE TABLE messages (
        upload INTEGER NOT NULL REFERENCES uploads (key),
        seq INTEGER NOT NULL,
        id BLOB NOT NULL,
        author_name TEXT NOT NULL,
        content TEXT NOT NULL,
        client_message_id TEXT NOT NULL,
        created_at INTEGER NOT NULL, -- milliseconds since 1970 in UTC
        PRIMARY KEY (upload, seq),
        UNIQUE (upload, client_message_id)
    ) STRICT, WITHOUT ROWID;

    CREATE INDEX messages_by_time ON messages (upload, created_at, seq);
",
    "
    -- At most one row: the id of the images that belong to this database.
    CREATE TABLE pairing (
        only INTEGER PRIMARY KEY CHECK (only = 1),
        id TEXT NOT NULL
    ) STRICT;
",
];

/// Opens the one connection that writes; makes or migrates the database.
pub(super) fn open_writer(file: &Path) -> Result<Connection, OpenError> {
    let unusable = |error| OpenError::unusable(file, error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(file, flags).map_err(unusable)?;
    connection.busy_timeout(BUSY).map_err(unusable)?;
    let version = version(&connection, file)?;
    make_durable(&connection, file)?;
    migrate(&mut connection, version).map_err(unusable)?;
    let complete = in_memory().map_err(unusable)?;
    inspect(&connection, file, &complete)?;
    Ok(connection)
}

/// Opens a connection that only reads.
pub(super) fn open_reader(file: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(BUSY)?;
    Ok(connection)
}

/// A database that has everything a new one has.
fn in_memory() -> rusqlite::Result<Connection> {
    let connection = Connection::open_in_memory()?;
    connection.execute_batch(&MIGRATIONS.concat())?;
    Ok(connection)
}

/// The schema that the file has: how many migrations have been applied, 0 when it is new.
fn version(connection: &Connection, file: &Path) -> Result<usize, OpenError> {
    let unusable = |error| OpenError::unusable(file, error);
    let number = |sql| connection.query_row(sql, [], |row| row.get::<_, i32>(0));
    let application = number("PRAGMA application_id").map_err(unusable)?;
    let version = number("PRAGMA user_version").map_err(unusable)?;
    let objects = number("SELECT count(*) FROM sqlite_schema").map_err(unusable)?;
    let new = application == 0 && version == 0 && objects == 0;
    if application != APPLICATION_ID && !new {
        return Err(OpenError::unusable(file, "it belongs to another program"));
    }
    match usize::try_from(version) {
        Ok(known) if known <= MIGRATIONS.len() => Ok(known),
        other => Err(OpenError::Newer {
            file: file.to_owned(),
            found: other.unwrap_or(usize::MAX),
            known: MIGRATIONS.len(),
        }),
    }
}

/// A commit is on the disk before it is answered, and readers do not wait for it.
fn make_durable(connection: &Connection, file: &Path) -> Result<(), OpenError> {
    let journal: String = connection
        .pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))
        .map_err(|error| OpenError::unusable(file, error))?;
    if journal != "wal" {
        let reason = "its file system cannot keep a write-ahead log";
        return Err(OpenError::unusable(file, reason));
    }
    set_up(connection).map_err(|error| OpenError::unusable(file, error))
}

fn set_up(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "synchronous", "full")?;
    // Apple's plain fsync does not reach the disk; elsewhere these change nothing.
    connection.pragma_update(None, "fullfsync", true)?;
    connection.pragma_update(None, "checkpoint_fullfsync", true)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // A negative size is in KiB. The index of client ids is hit at random places.
    connection.pragma_update(None, "cache_size", -16_384)?;
    // Bytes that the log keeps on the disk after it has been written back.
    connection.pragma_update(None, "journal_size_limit", 64 << 20)
}

/// Applies what is missing. It always writes, so that a file that cannot be written shows at the start.
fn migrate(connection: &mut Connection, version: usize) -> rusqlite::Result<()> {
    let all = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for migration in MIGRATIONS.iter().skip(version) {
        all.execute_batch(migration)?;
    }
    mark(&all)?;
    all.commit()
}

fn mark(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    mark_version(transaction)
}

fn mark_version(connection: &Connection) -> rusqlite::Result<()> {
    let version = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    connection.pragma_update(None, "user_version", version)
}

/// Writes what is there already: SQLite commits that to the disk like anything else.
pub(super) fn touch(connection: &Connection) -> Result<(), Failure> {
    Ok(mark_version(connection)?)
}

/// How much of the log is written back into the database, and what may wait for that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WriteBack {
    /// What readers do not need any more, while they go on.
    Passive,
    /// All of it, unless somebody reads; the log is empty then.
    Whole,
}

/// Writes the log back, so that little lies in it alone. Whether nothing is left in it.
pub(super) fn write_back(connection: &Connection, how: WriteBack) -> rusqlite::Result<bool> {
    let sql = match how {
        WriteBack::Passive => "PRAGMA wal_checkpoint(PASSIVE)",
        WriteBack::Whole => "PRAGMA wal_checkpoint(TRUNCATE)",
    };
    // A backup that reads for long is not waited for: the next time will do.
    connection.busy_timeout(Duration::ZERO)?;
    let is_busy = connection.query_row(sql, [], |row| row.get::<_, bool>(0));
    connection.busy_timeout(BUSY)?;
    Ok(!is_busy? && how == WriteBack::Whole)
}

/// Reads something that is always there.
pub(super) fn probe(connection: &Connection) -> Result<(), Failure> {
    connection
        .prepare_cached("SELECT count(*) FROM sqlite_schema")?
        .query_row([], |_| Ok(()))?;
    Ok(())
}
