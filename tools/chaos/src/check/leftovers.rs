//! What was deleted is nowhere any more: in no answer of a node, in no log, and in no file of a store.

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use app::live::failure::ApiFailure;
use app::model::{LogEntry, Seq, Upload};
use futures::TryStreamExt;
use mongodb::Client;
use mongodb::bson::{RawDocumentBuf, doc};
use tokio::fs;
use tokio::time::{Instant, sleep};
use walkdir::WalkDir;

use super::{Conversations, first_few};
use crate::client::{Api, MARKER_END, watched};
use crate::recorder::Deletions;
use crate::restores::Restores;
use crate::uploads::{End, Sent};

/// The write-ahead log of an idle database is emptied after a second.
const TIMEOUT: Duration = Duration::from_secs(15);
const INTERVAL: Duration = Duration::from_millis(500);
/// So many entries are watched for: a node has them in memory, and they fit into a frame.
const WATCHED: u64 = 30;

/// The names of deleted texts, which are in each part of them.
#[derive(Debug, Default)]
pub struct DeletedTexts(HashSet<String>);

/// Where texts are stored.
#[derive(Debug)]
pub enum TextStore {
    /// In all files of a folder.
    Folder(PathBuf),
    /// In all documents of a database of a MongoDB server.
    Database(String),
}

impl DeletedTexts {
    /// Those of messages and of uploads whose deletion was confirmed and cannot be lost.
    pub fn new(
        conversations: &Conversations,
        deletions: &Deletions,
        uploads: &[Sent],
        restores: &Restores,
    ) -> Self {
        let stored = || conversations.values().flatten();
        let deleted = stored().filter_map(|entry| match entry {
            LogEntry::DeletedMessage(message) => deletions.get(&message.id),
            LogEntry::Message(_) | LogEntry::Deletion(_) => None,
        });
        let deleted = deleted.filter(|deletion| deletion.is_final(restores));
        let mut names: HashSet<_> = deleted.map(|it| it.key.as_str().to_owned()).collect();
        // What a restore has lost may have been posted anew.
        for message in stored().filter_map(LogEntry::message) {
            names.remove(message.client_message_id.as_str());
        }
        let removed = |it: &&Sent| matches!(it.end, Some(End::Deleted | End::Blocked));
        let ended = uploads.iter().filter(removed);
        let ended = ended.filter(|it| it.is_gone() && !it.may_be_lost(restores));
        names.extend(ended.map(|it| it.message.clone()));
        Self(names)
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// The name of one that is in these bytes.
    pub fn find(&self, bytes: &[u8]) -> Option<&str> {
        let ends = bytes.windows(MARKER_END.len()).enumerate();
        let ends = ends.filter(|(_, window)| *window == MARKER_END.as_bytes());
        let longest = self.0.iter().map(String::len).max().unwrap_or_default();
        ends.map(|(end, _)| &bytes[end.saturating_sub(longest)..end])
            .find_map(|before| {
                // Without something between them, the column before it may end with a letter.
                let starts = 0..before.len();
                let mut names = starts.filter_map(|start| str::from_utf8(&before[start..]).ok());
                names.find_map(|name| self.0.get(name))
            })
            .map(String::as_str)
    }
}

/// Looks for them in what the nodes answer about these uploads, and in their store.
pub async fn leftovers(
    nodes: &[Api],
    uploads: &[Upload],
    store: &TextStore,
    texts: &DeletedTexts,
) -> Result<Vec<String>> {
    let mut errors = Vec::new();
    for node in nodes {
        for upload in uploads {
            let found = in_answers(node, upload, texts).await?;
            let found = found.into_iter();
            errors.extend(found.map(|found| format!("node {}: {found}", node.choose_node())));
        }
    }
    let begin = Instant::now();
    loop {
        let found = store.find(texts).await?;
        if found.is_none() || begin.elapsed() > TIMEOUT {
            errors.extend(found);
            return Ok(first_few(errors));
        }
        sleep(INTERVAL).await;
    }
}

async fn in_answers(
    node: &Api,
    upload: &Upload,
    texts: &DeletedTexts,
) -> Result<Vec<String>, ApiFailure> {
    let mut errors = Vec::new();
    let mut search = |what: &str, bytes: &[u8]| {
        let found = texts.find(bytes);
        errors.extend(found.map(|name| format!("{what} has the deleted text of {name}")));
    };
    let (_, page) = node.get(&format!("/u/{}", upload.short_id)).await?;
    search("a page", &page);
    let head = node.newest(upload.id).await?.head;
    let mut after = Seq::ZERO;
    while after < head {
        let (_, log) = node.get(&Api::after_path(upload.id, after)).await?;
        search("a page of the log", &log);
        after = Api::end_of_page(after);
    }
    let after = Seq::new(head.get().saturating_sub(WATCHED));
    match watched(node.choose_node(), upload.id, after).await {
        Ok(frame) => search("the answer to a watch", frame.as_bytes()),
        Err(error) => errors.push(format!("a watch failed: {error}")),
    }
    Ok(errors)
}

impl TextStore {
    async fn find(&self, texts: &DeletedTexts) -> Result<Option<String>> {
        match self {
            Self::Folder(folder) => in_files(folder, texts).await,
            Self::Database(url) => in_documents(url, texts).await,
        }
    }
}

async fn in_files(folder: &PathBuf, texts: &DeletedTexts) -> Result<Option<String>> {
    for entry in WalkDir::new(folder) {
        let entry = entry?;
        if entry.file_type().is_file() {
            let path = entry.path();
            // One that has gone meanwhile has nothing.
            let bytes = fs::read(path).await.unwrap_or_default();
            if let Some(name) = texts.find(&bytes) {
                let file = path.display();
                return Ok(Some(format!("{file} has the deleted text of {name}")));
            }
        }
    }
    Ok(None)
}

async fn in_documents(url: &str, texts: &DeletedTexts) -> Result<Option<String>> {
    let client = Client::with_uri_str(url).await?;
    let database = client.default_database();
    let database = database.context("the connection string names a database")?;
    for collection in database.list_collection_names().await? {
        let documents = database.collection::<RawDocumentBuf>(&collection);
        let mut documents = documents.find(doc! {}).await?;
        while let Some(document) = documents.try_next().await? {
            if let Some(name) = texts.find(document.as_bytes()) {
                let found = format!("a document of {collection} has the deleted text of {name}");
                return Ok(Some(found));
            }
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{id, log_with_deletion, messages, upload};
    use super::*;
    use crate::recorder::AskedDeletion;

    fn texts(names: &[&str]) -> DeletedTexts {
        DeletedTexts(names.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn a_deleted_text_is_found_in_whatever_is_around_it() {
        let texts = texts(&["c3-17", "c13-1"]);
        for around in [
            "c3-17:=:see",
            "\u{ff}Adac3-17:=: ",
            "c3c13-1:=: ",
            "\0狐c3-17:=:狐",
        ] {
            assert!(texts.find(around.as_bytes()).is_some(), "{around}");
        }
        let broken = [b"\xf0\x9f\xa6c3-17:=:".as_slice(), b"\xff"].concat();
        assert_eq!(texts.find(&broken), Some("c3-17"));
        // The third is an entry of an index, with the number 58.
        for other in [
            "c3-1:=:c3-171:=:",
            "\"c3-17\"",
            "\u{1}c3-17:\n\u{4}",
            "c3-17",
            ":=:",
            "",
        ] {
            assert_eq!(texts.find(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn a_confirmed_deletion_s_text_is_searched_for() {
        let message = messages([2]).remove(0);
        let mut asked = AskedDeletion {
            upload: upload(),
            seq: message.seq,
            key: message.client_message_id,
            confirmed: Vec::new(),
        };
        let conversations = Conversations::from([(upload(), log_with_deletion(4, 2))]);
        let count = |asked: &AskedDeletion| {
            let deletions = Deletions::from([(id(2), asked.clone())]);
            DeletedTexts::new(&conversations, &deletions, &[], &Restores::default()).len()
        };
        assert_eq!(count(&asked), 0);
        asked.confirmed.push([message.created_at; 2]);
        assert_eq!(count(&asked), 1);
    }
}
