use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use super::error::{Failure, OpenError};
use super::inspect::inspect;

/// "Tone": marks the file as Tonesa's, see <https://www.sqlite.org/pragma.html#pragma_application_id>.
const APPLICATION_ID: i32 = 0x546f_6e65;

/// How long a call waits for another program that has locked the file, such as a backup. Less than a call may take.
const BUSY_TIMEOUT: Duration = Duration::from_secs(1);

/// The changes of each schema version. Never edit one that was released.
pub(super) const MIGRATIONS: [&str; 5] = [
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

    -- Nothing reads a message by its id, and 96 random bits do not repeat: no unique index is needed.
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
    "
    ALTER TABLE messages ADD COLUMN author TEXT;
    -- Both or neither.
    ALTER TABLE messages ADD COLUMN at_x REAL;
    ALTER TABLE messages ADD COLUMN at_y REAL;
    -- How many messages up to this one have a place; NULL for those of earlier versions, which had none.
    ALTER TABLE messages ADD COLUMN places INTEGER;
",
    "
    -- Messages and deletions. What a deleted message says is NULL.
    CREATE TABLE entries (
        upload INTEGER NOT NULL REFERENCES uploads (key),
        seq INTEGER NOT NULL,
        id BLOB NOT NULL,
        created_at INTEGER NOT NULL, -- milliseconds since 1970 in UTC
        -- How many messages up to this entry have or had a place; NULL in those of earlier versions, which had none.
        places INTEGER,
        -- Of messages, also of deleted ones. The owner is the hash of the author's secret.
        client_message_id TEXT,
        owner BLOB,
        deleted_at INTEGER,
        -- What a message says.
        author_name TEXT,
        content TEXT,
        author TEXT,
        at_x REAL,
        at_y REAL,
        -- The number of the message that a deletion deletes.
        deletes INTEGER,
        PRIMARY KEY (upload, seq),
        UNIQUE (upload, client_message_id),
        CHECK ((deletes IS NULL) = (client_message_id IS NOT NULL)),
        CHECK ((content IS NULL) = (deletes IS NOT NULL OR deleted_at IS NOT NULL))
    ) STRICT, WITHOUT ROWID;
    INSERT INTO entries (upload, seq, id, created_at, places, client_message_id, author_name, content, author, at_x, at_y)
        SELECT upload, seq, id, created_at, places, client_message_id, author_name, content, author, at_x, at_y
        FROM messages;
    DROP TABLE messages;
    CREATE INDEX entries_by_time ON entries (upload, created_at, seq);

    -- The hash of the owner's secret.
    ALTER TABLE uploads ADD COLUMN owner BLOB;
    ALTER TABLE uploads ADD COLUMN expires_at INTEGER;
    ALTER TABLE uploads ADD COLUMN deleted_at INTEGER;
    -- When its log and its images were removed.
    ALTER TABLE uploads ADD COLUMN removed_at INTEGER;
    CREATE INDEX deleted_uploads ON uploads (deleted_at) WHERE deleted_at IS NOT NULL AND removed_at IS NULL;
    CREATE INDEX expiring_uploads ON uploads (expires_at) WHERE expires_at IS NOT NULL AND removed_at IS NULL;
",
    "
    -- The newest reports of each upload, until it is removed.
    CREATE TABLE reports (
        key INTEGER PRIMARY KEY,
        upload INTEGER NOT NULL REFERENCES uploads (key),
        reason TEXT NOT NULL,
        created_at INTEGER NOT NULL -- milliseconds since 1970 in UTC
    ) STRICT;
    CREATE INDEX reports_by_upload ON reports (upload, key);

    -- The SHA-256 of images that are refused.
    CREATE TABLE blocked_images (
        content BLOB PRIMARY KEY
    ) STRICT, WITHOUT ROWID;

    -- From which nothing is taken.
    CREATE TABLE blocked_addresses (
        address TEXT PRIMARY KEY,
        until INTEGER NOT NULL -- milliseconds since 1970 in UTC
    ) STRICT, WITHOUT ROWID;
",
];

/// Opens the connection for writing, and creates or migrates the database.
pub(super) fn open_writer(file: &Path) -> Result<Connection, OpenError> {
    let unusable = |error| OpenError::unusable(file, error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(file, flags).map_err(unusable)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(unusable)?;
    let version = version(&connection, file)?;
    make_durable(&connection, file)?;
    migrate(&mut connection, version).map_err(unusable)?;
    let complete = in_memory().map_err(unusable)?;
    inspect(&connection, file, &complete)?;
    Ok(connection)
}

/// Opens a connection for reading.
pub(super) fn open_reader(file: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    Ok(connection)
}

/// Makes an empty database with the newest schema.
fn in_memory() -> rusqlite::Result<Connection> {
    let connection = Connection::open_in_memory()?;
    connection.execute_batch(&MIGRATIONS.concat())?;
    Ok(connection)
}

/// Returns the version of the file's schema: how many migrations were applied, 0 for a new file.
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

/// Makes every commit durable before it returns, without blocking readers.
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
    // On Apple's systems a plain fsync does not reach the disk; elsewhere these have no effect.
    connection.pragma_update(None, "fullfsync", true)?;
    connection.pragma_update(None, "checkpoint_fullfsync", true)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // What is deleted is overwritten in the file.
    connection.pragma_update(None, "secure_delete", true)?;
    // A negative size is in KiB. The index of client ids is accessed at random places.
    connection.pragma_update(None, "cache_size", -16_384)?;
    // To how many bytes the log is truncated after a checkpoint.
    connection.pragma_update(None, "journal_size_limit", 64 << 20)
}

/// Applies the missing migrations. Always writes, so that a file that cannot be written is found at the start.
fn migrate(connection: &mut Connection, version: usize) -> rusqlite::Result<()> {
    let all = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for migration in MIGRATIONS.iter().skip(version) {
        all.execute_batch(migration)?;
    }
    mark_as_ours(&all)?;
    all.commit()
}

fn mark_as_ours(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    mark_version(transaction)
}

fn mark_version(connection: &Connection) -> rusqlite::Result<()> {
    let version = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    connection.pragma_update(None, "user_version", version)
}

/// Writes a value that is stored already; SQLite syncs that like any other commit.
pub(super) fn rewrite_version(connection: &Connection) -> Result<(), Failure> {
    Ok(mark_version(connection)?)
}

/// Makes a checkpoint: copies the write-ahead log into the database file and empties the log, as far as no reader uses
/// it, so that little data is in the log alone, and nothing for long that was deleted. Returns whether the log is empty
/// now.
pub(super) fn checkpoint(connection: &Connection) -> rusqlite::Result<bool> {
    // Does not wait for a long reader such as a backup: the next checkpoint is soon enough.
    connection.busy_timeout(Duration::ZERO)?;
    let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
    let is_busy = connection.query_row(sql, [], |row| row.get::<_, bool>(0));
    connection.busy_timeout(BUSY_TIMEOUT)?;
    Ok(!is_busy?)
}

/// Reads something that always exists.
pub(super) fn read_probe(connection: &Connection) -> Result<(), Failure> {
    connection
        .prepare_cached("SELECT count(*) FROM sqlite_schema")?
        .query_row([], |_| Ok(()))?;
    Ok(())
}
