//! What SQLite itself commits: rows like those of messages, durable, in groups of one size.

use std::time::{Duration, Instant};

use anyhow::Result;
use rusqlite::{Connection, params};

/// As in the program's own database: the table, its indexes, and what makes it durable.
const SCHEMA: &str = "
    PRAGMA journal_mode = wal;
    PRAGMA synchronous = full;
    PRAGMA cache_size = -16384;
    CREATE TABLE messages (
        upload INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        id BLOB NOT NULL,
        author_name TEXT NOT NULL,
        content TEXT NOT NULL,
        client_message_id TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        PRIMARY KEY (upload, seq),
        UNIQUE (upload, client_message_id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX messages_by_time ON messages (upload, created_at, seq);
";
const INSERT: &str = "INSERT INTO messages VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

/// Commits groups for so many seconds, and prints the rows a second.
///
/// # Errors
/// When the disk refuses.
pub fn run(group: u32, seconds: u64) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut connection = Connection::open(folder.path().join("bare.db"))?;
    connection.execute_batch(SCHEMA)?;
    let start = Instant::now();
    let mut rows = 0_i32;
    while start.elapsed() < Duration::from_secs(seconds) {
        let transaction = connection.transaction()?;
        for _ in 0..group {
            rows += 1;
            let id = [rows.to_le_bytes(); 3].concat();
            let name = format!("m{rows}");
            let text = crate::scenarios::WORDS;
            transaction
                .prepare_cached(INSERT)?
                .execute(params![1, rows, id, "Mira", text, name, rows])?;
        }
        transaction.commit()?;
    }
    println!("{:.1}", f64::from(rows) / start.elapsed().as_secs_f64());
    Ok(())
}
