use std::num::NonZeroU32;

use app::model::{
    AuthorTag, ClientMessageId, DeletedMessage, Deletion, LogEntry, LogPage, Message, MessageId,
    Point, Seq, Timestamp, UploadId,
};
use rusqlite::{Connection, OptionalExtension, Params, Row, params};

use super::error::Failure;
use super::heads::Head;
use super::row::{count_invalid, moment, optional, optional_moment, parsed, point, secret_hash};
use super::uploads::{self, UploadRow};
use crate::store::{
    Appended, Deleted, DeletionDraft, Draft, MessageRef, Position, Requester, SecretHash, Select,
    StoreError,
};

const INSERT: &str = "INSERT INTO entries (upload, seq, id, created_at, places, client_message_id,
        owner, author_name, content, author, at_x, at_y)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
    ON CONFLICT (upload, client_message_id) DO NOTHING";
const INSERT_DELETION: &str = "INSERT INTO entries (upload, seq, id, created_at, places, deletes) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
const CLEAR: &str =
    "UPDATE entries SET deleted_at = ?3, author_name = NULL, content = NULL, author = NULL,
        at_x = NULL, at_y = NULL
    WHERE upload = ?1 AND seq = ?2";
const SELECT: &str =
    "SELECT seq, places, id, created_at, client_message_id, deleted_at, author_name,
        content, author, at_x, at_y, deletes
    FROM entries";

/// An upload's log, within one transaction.
struct Log<'c> {
    connection: &'c Connection,
    upload: UploadId,
    row: UploadRow,
}

/// What [`append`] has done, and the head if there is a new one.
pub(super) type Done<T> = (T, Option<Head>);

/// Appends drafts to an upload's log, except those that are stored already.
pub(super) fn append(
    connection: &Connection,
    upload: UploadId,
    drafts: Vec<Draft>,
) -> Result<Done<Vec<Appended>>, Failure> {
    let log = Log::open(connection, upload)?;
    let start = log.last()?;
    let mut last = start;
    let mut appended = Vec::with_capacity(drafts.len());
    for draft in drafts {
        let position = last.next(&draft);
        appended.push(if log.insert(position, &draft)? {
            last = position;
            Appended::New(draft.into_message(upload, position))
        } else {
            Appended::Known(log.known(draft.client_message_id())?)
        });
    }
    Ok((appended, (last > start).then(|| log.head_at(last.seq))))
}

/// Deletes a message of an upload's log.
pub(super) fn delete_message(
    connection: &Connection,
    upload: UploadId,
    message: MessageRef,
    by: Requester,
    draft: DeletionDraft,
) -> Result<Done<Deleted>, Failure> {
    let log = Log::open(connection, upload)?;
    let (owner, is_deleted) = log.owner(message)?.ok_or(StoreError::NotFound)?;
    if !by.may_delete(&[owner, log.row.owner]) {
        return Err(StoreError::Forbidden.into());
    }
    if is_deleted {
        return Ok((Deleted::Already, None));
    }
    let position = log.last()?.next_deletion();
    let deletion = Deletion {
        id: draft.id,
        upload_id: upload,
        seq: position.seq,
        deletes: message.seq,
        created_at: draft.created_at,
    };
    log.delete(&deletion, position)?;
    Ok((Deleted::New(deletion), Some(log.head_at(position.seq))))
}

/// Reads a page of an upload's log, and its head.
pub(super) fn page(
    connection: &Connection,
    upload: UploadId,
    select: Select,
    limit: usize,
) -> Result<LogPage, Failure> {
    let log = Log::open(connection, upload)?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    Ok(LogPage {
        entries: log.select(select, limit)?,
        head: log.head()?,
    })
}

/// Counts invalid rows among the last entries of the newest uploads.
pub(super) fn count_invalid_rows(connection: &Connection, limit: u32) -> rusqlite::Result<usize> {
    let mut last =
        connection.prepare(&format!("{SELECT} ORDER BY upload DESC, seq DESC LIMIT ?1"))?;
    let any = UploadId::from_bytes([0; 12]);
    count_invalid(last.query_map([limit], |row| entry(row, any))?)
}

impl<'c> Log<'c> {
    fn open(connection: &'c Connection, upload: UploadId) -> Result<Self, Failure> {
        Ok(Self {
            connection,
            upload,
            row: uploads::row(connection, upload)?,
        })
    }

    fn head_at(&self, seq: Seq) -> Head {
        Head {
            seq,
            expires_at: self.row.expires_at,
        }
    }

    fn head(&self) -> rusqlite::Result<Seq> {
        self.connection
            .prepare_cached("SELECT max(seq) FROM entries WHERE upload = ?1")?
            .query_row([self.row.key], |row| row.get::<_, Option<i64>>(0))
            .map(|head| head.map_or(Seq::ZERO, |head| Seq::new(head.cast_unsigned())))
    }

    /// Reads the position of the last entry.
    fn last(&self) -> rusqlite::Result<Position> {
        let sql = "SELECT seq, places FROM entries WHERE upload = ?1 ORDER BY seq DESC LIMIT 1";
        let last = self
            .connection
            .prepare_cached(sql)?
            .query_row([self.row.key], position)
            .optional()?;
        Ok(last.unwrap_or_default())
    }

    /// Returns whether the draft was new.
    fn insert(&self, position: Position, draft: &Draft) -> rusqlite::Result<bool> {
        let message = &draft.message;
        let inserted = self.connection.prepare_cached(INSERT)?.execute(params![
            self.row.key,
            number(position.seq),
            draft.id.as_bytes(),
            draft.created_at.unix_millis(),
            position.places,
            message.client_message_id.as_str(),
            draft.owner.as_ref().map(SecretHash::as_bytes),
            message.author_name.as_str(),
            message.content.as_str(),
            message.author.as_ref().map(AuthorTag::as_str),
            message.at.map(Point::x),
            message.at.map(Point::y),
        ])?;
        Ok(inserted == 1)
    }

    /// Reads the hash of the secret of a message's author, and whether it is deleted; `None` if there is no such
    /// message.
    fn owner(&self, message: MessageRef) -> rusqlite::Result<Option<(Option<SecretHash>, bool)>> {
        let sql = "SELECT owner, deleted_at FROM entries
            WHERE upload = ?1 AND seq = ?2 AND deletes IS NULL AND (?3 IS NULL OR id = ?3)";
        let id = message.id.as_ref().map(MessageId::as_bytes);
        let params = params![self.row.key, number(message.seq), id];
        self.connection
            .prepare_cached(sql)?
            .query_row(params, |row| {
                Ok((secret_hash(row, 0)?, optional_moment(row, 1)?.is_some()))
            })
            .optional()
    }

    fn delete(&self, deletion: &Deletion, position: Position) -> rusqlite::Result<()> {
        let at: Timestamp = deletion.created_at;
        self.connection.prepare_cached(CLEAR)?.execute(params![
            self.row.key,
            number(deletion.deletes),
            at.unix_millis(),
        ])?;
        let insert = params![
            self.row.key,
            number(position.seq),
            deletion.id.as_bytes(),
            at.unix_millis(),
            position.places,
            number(deletion.deletes),
        ];
        let mut statement = self.connection.prepare_cached(INSERT_DELETION)?;
        statement.execute(insert).map(drop)
    }

    fn known(&self, id: &ClientMessageId) -> rusqlite::Result<LogEntry> {
        self.connection
            .prepare_cached(&format!(
                "{SELECT} WHERE upload = ?1 AND client_message_id = ?2"
            ))?
            .query_row(params![self.row.key, id.as_str()], |row| {
                entry(row, self.upload)
            })
    }

    fn select(&self, select: Select, limit: i64) -> rusqlite::Result<Vec<LogEntry>> {
        let key = self.row.key;
        match select {
            // Only the head is needed, as for checking a cached page.
            _ if limit == 0 => Ok(Vec::new()),
            Select::Newest => self.backwards(Seq::new(u64::MAX), limit),
            Select::Before(seq) => self.backwards(seq, limit),
            Select::After(seq) => self.read(
                "upload = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3",
                params![key, number(seq), limit],
            ),
            Select::Since(moment) => self.read(
                "upload = ?1 AND created_at > ?2 ORDER BY created_at, seq LIMIT ?3",
                params![key, moment.unix_millis(), limit],
            ),
        }
    }

    /// Reads the nearest entries before `seq`, oldest first.
    fn backwards(&self, seq: Seq, limit: i64) -> rusqlite::Result<Vec<LogEntry>> {
        let mut entries = self.read(
            "upload = ?1 AND seq < ?2 ORDER BY seq DESC LIMIT ?3",
            params![self.row.key, number(seq), limit],
        )?;
        entries.reverse();
        Ok(entries)
    }

    fn read(&self, condition: &str, params: impl Params) -> rusqlite::Result<Vec<LogEntry>> {
        self.connection
            .prepare_cached(&format!("{SELECT} WHERE {condition}"))?
            .query_map(params, |row| entry(row, self.upload))?
            .collect()
    }
}

fn entry(row: &Row<'_>, upload_id: UploadId) -> rusqlite::Result<LogEntry> {
    let Position { seq, places } = position(row)?;
    let id = MessageId::from_bytes(row.get(2)?);
    let created_at = moment(row, 3)?;
    if let Some(deletes) = row.get::<_, Option<i64>>(11)? {
        return Ok(LogEntry::Deletion(Deletion {
            id,
            upload_id,
            seq,
            deletes: Seq::new(deletes.cast_unsigned()),
            created_at,
        }));
    }
    if let Some(deleted_at) = optional_moment(row, 5)? {
        return Ok(LogEntry::DeletedMessage(DeletedMessage {
            id,
            upload_id,
            seq,
            created_at,
            deleted_at,
        }));
    }
    let at = point(row, 9, 10)?;
    Ok(LogEntry::Message(Message {
        id,
        upload_id,
        seq,
        author_name: parsed(row, 6)?,
        content: parsed(row, 7)?,
        client_message_id: parsed(row, 4)?,
        created_at,
        author: optional(row, 8)?,
        at,
        pin: at.and(NonZeroU32::new(places)),
    }))
}

/// Reads the first two columns.
fn position(row: &Row<'_>) -> rusqlite::Result<Position> {
    Ok(Position {
        seq: Seq::new(row.get::<_, i64>(0)?.cast_unsigned()),
        places: row.get::<_, Option<u32>>(1)?.unwrap_or_default(),
    })
}

/// SQLite's integers are signed, so a greater cursor becomes one beyond every message.
fn number(seq: Seq) -> i64 {
    i64::try_from(seq.get()).unwrap_or(i64::MAX)
}
