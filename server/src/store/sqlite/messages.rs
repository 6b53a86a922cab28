use std::num::NonZeroU32;

use app::model::{
    AuthorTag, ClientMessageId, Message, MessageId, MessagePage, Point, Seq, UploadId,
};
use rusqlite::{Connection, OptionalExtension, Params, Row, params};

use super::error::Failure;
use super::row::{count_invalid, moment, optional, parsed, point};
use super::uploads::{self, UploadKey};
use crate::store::{Appended, Draft, Position, Select};

const INSERT: &str =
    "INSERT INTO messages (upload, seq, id, author_name, content, client_message_id, created_at,
        author, at_x, at_y, places)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
    ON CONFLICT (upload, client_message_id) DO NOTHING";
const SELECT: &str =
    "SELECT seq, id, author_name, content, client_message_id, created_at, author, at_x, at_y, places
    FROM messages";

/// An upload's conversation, within one transaction.
struct Conversation<'c> {
    connection: &'c Connection,
    upload: UploadId,
    key: UploadKey,
}

/// Appends drafts to an upload's conversation, except those that are stored already.
pub(super) fn append(
    connection: &Connection,
    upload: UploadId,
    drafts: Vec<Draft>,
) -> Result<Vec<Appended>, Failure> {
    let conversation = Conversation::open(connection, upload)?;
    let mut last = conversation.last()?;
    let mut appended = Vec::with_capacity(drafts.len());
    for draft in drafts {
        let position = last.next(&draft);
        appended.push(if conversation.insert(position, &draft)? {
            last = position;
            Appended::New(draft.into_message(upload, position))
        } else {
            Appended::Known(conversation.known(draft.client_message_id())?)
        });
    }
    Ok(appended)
}

/// Reads a page of an upload's conversation, and its head.
pub(super) fn page(
    connection: &Connection,
    upload: UploadId,
    select: Select,
    limit: usize,
) -> Result<MessagePage, Failure> {
    let conversation = Conversation::open(connection, upload)?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    Ok(MessagePage {
        messages: conversation.select(select, limit)?,
        head: conversation.head()?,
    })
}

/// Counts invalid rows among the last messages of the newest uploads.
pub(super) fn count_invalid_rows(connection: &Connection, limit: u32) -> rusqlite::Result<usize> {
    let mut last =
        connection.prepare(&format!("{SELECT} ORDER BY upload DESC, seq DESC LIMIT ?1"))?;
    let any = UploadId::from_bytes([0; 12]);
    count_invalid(last.query_map([limit], |row| message(row, any))?)
}

impl<'c> Conversation<'c> {
    fn open(connection: &'c Connection, upload: UploadId) -> Result<Self, Failure> {
        Ok(Self {
            connection,
            upload,
            key: uploads::key(connection, upload)?,
        })
    }

    fn head(&self) -> rusqlite::Result<Seq> {
        self.connection
            .prepare_cached("SELECT max(seq) FROM messages WHERE upload = ?1")?
            .query_row([self.key.0], |row| row.get::<_, Option<i64>>(0))
            .map(|head| head.map_or(Seq::ZERO, |head| Seq::new(head.cast_unsigned())))
    }

    /// Reads the position of the last message.
    fn last(&self) -> rusqlite::Result<Position> {
        let sql = "SELECT seq, places FROM messages WHERE upload = ?1 ORDER BY seq DESC LIMIT 1";
        let last = self
            .connection
            .prepare_cached(sql)?
            .query_row([self.key.0], |row| position(row, 0, 1))
            .optional()?;
        Ok(last.unwrap_or_default())
    }

    /// Returns whether the draft was new.
    fn insert(&self, position: Position, draft: &Draft) -> rusqlite::Result<bool> {
        let message = &draft.message;
        let inserted = self.connection.prepare_cached(INSERT)?.execute(params![
            self.key.0,
            number(position.seq),
            draft.id.as_bytes(),
            message.author_name.as_str(),
            message.content.as_str(),
            message.client_message_id.as_str(),
            draft.created_at.unix_millis(),
            message.author.as_ref().map(AuthorTag::as_str),
            message.at.map(Point::x),
            message.at.map(Point::y),
            position.places,
        ])?;
        Ok(inserted == 1)
    }

    fn known(&self, id: &ClientMessageId) -> rusqlite::Result<Message> {
        self.connection
            .prepare_cached(&format!(
                "{SELECT} WHERE upload = ?1 AND client_message_id = ?2"
            ))?
            .query_row(params![self.key.0, id.as_str()], |row| {
                message(row, self.upload)
            })
    }

    fn select(&self, select: Select, limit: i64) -> rusqlite::Result<Vec<Message>> {
        let key = self.key.0;
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

    /// Reads the nearest messages before `seq`, oldest first.
    fn backwards(&self, seq: Seq, limit: i64) -> rusqlite::Result<Vec<Message>> {
        let mut messages = self.read(
            "upload = ?1 AND seq < ?2 ORDER BY seq DESC LIMIT ?3",
            params![self.key.0, number(seq), limit],
        )?;
        messages.reverse();
        Ok(messages)
    }

    fn read(&self, condition: &str, params: impl Params) -> rusqlite::Result<Vec<Message>> {
        self.connection
            .prepare_cached(&format!("{SELECT} WHERE {condition}"))?
            .query_map(params, |row| message(row, self.upload))?
            .collect()
    }
}

fn message(row: &Row<'_>, upload: UploadId) -> rusqlite::Result<Message> {
    let Position { seq, places } = position(row, 0, 9)?;
    let at = point(row, 7, 8)?;
    Ok(Message {
        id: MessageId::from_bytes(row.get(1)?),
        upload_id: upload,
        seq,
        author_name: parsed(row, 2)?,
        content: parsed(row, 3)?,
        client_message_id: parsed(row, 4)?,
        created_at: moment(row, 5)?,
        author: optional(row, 6)?,
        at,
        pin: at.and(NonZeroU32::new(places)),
    })
}

fn position(row: &Row<'_>, seq: usize, places: usize) -> rusqlite::Result<Position> {
    Ok(Position {
        seq: Seq::new(row.get::<_, i64>(seq)?.cast_unsigned()),
        places: row.get::<_, Option<u32>>(places)?.unwrap_or_default(),
    })
}

/// SQLite's integers are signed, so a greater cursor becomes one beyond every message.
fn number(seq: Seq) -> i64 {
    i64::try_from(seq.get()).unwrap_or(i64::MAX)
}
