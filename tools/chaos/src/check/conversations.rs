//! What the nodes return from the store.

use std::collections::{HashMap, HashSet};
use std::num::NonZeroU32;

use app::live::failure::ApiFailure;
use app::model::{LogEntry, Message, Seq, UploadId};

use super::first_few;
use crate::client::{Api, sequence_error};

/// All messages of each upload, in their order.
pub type Conversations = HashMap<UploadId, Vec<Message>>;

/// Reads every conversation on every node; what the first node returns, and what is wrong with it.
pub async fn read(
    nodes: &[Api],
    uploads: &[UploadId],
) -> Result<(Conversations, Vec<String>), ApiFailure> {
    let (mut conversations, mut errors) = (Conversations::new(), Vec::new());
    for upload in uploads {
        let mut copies = Vec::new();
        for node in nodes {
            match whole(node, *upload).await? {
                Ok(messages) => copies.push(messages),
                Err(error) => errors.push(error),
            }
        }
        if copies.is_empty() {
            continue;
        }
        let first = copies.swap_remove(0);
        errors.extend(copies.iter().filter_map(|other| difference(&first, other)));
        let error = sequence_error(Seq::ZERO, first.iter().map(|it| it.seq));
        errors.extend(error.map(|error| format!("in the store {error}")));
        errors.extend(repetitions(&first));
        errors.extend(wrong_pin(&first));
        conversations.insert(*upload, first);
    }
    Ok((conversations, first_few(errors)))
}

async fn whole(node: &Api, upload: UploadId) -> Result<Result<Vec<Message>, String>, ApiFailure> {
    let mut messages: Vec<Message> = Vec::new();
    loop {
        let last = messages.last().map_or(Seq::ZERO, |message| message.seq);
        let page = node.after(upload, last).await?;
        if page.entries.is_empty() {
            return Ok(Ok(messages));
        }
        if let Some(error) = sequence_error(last, page.entries.iter().map(LogEntry::seq)) {
            // There may be no end of such pages.
            let node = node.choose_node();
            return Ok(Err(format!("node {node} returns a page in which {error}")));
        }
        messages.extend(page.messages().cloned());
    }
}

/// Nodes share one store: they must return the same.
fn difference(first: &[Message], other: &[Message]) -> Option<String> {
    let length = first.len().max(other.len());
    let at = (0..length).find(|at| first.get(*at) != other.get(*at))?;
    Some(format!(
        "two nodes return different messages from number {} on",
        at + 1
    ))
}

/// A `clientMessageID` names one message.
fn repetitions(messages: &[Message]) -> Vec<String> {
    let mut names = HashSet::new();
    let again = messages
        .iter()
        .filter(|it| !names.insert(&it.client_message_id));
    let describe = |it: &Message| {
        let (name, seq) = (&it.client_message_id, it.seq);
        format!("the store has {name} twice, the second time as {seq}")
    };
    again.map(describe).collect()
}

/// Places are numbered in the order of their messages, without holes.
fn wrong_pin(messages: &[Message]) -> Option<String> {
    let mut places = 0;
    let wrong = messages.iter().find(|message| {
        places += u32::from(message.at.is_some());
        message.pin != message.at.and(NonZeroU32::new(places))
    })?;
    let (seq, pin) = (wrong.seq, wrong.pin);
    Some(format!(
        "in the store {seq} has pin {pin:?} after {places} places, itself included"
    ))
}

#[cfg(test)]
mod tests {
    use super::super::fixture::messages;
    use super::*;

    #[test]
    fn a_name_that_comes_twice_is_found() {
        let mut twice = messages(1..=3);
        assert!(repetitions(&twice).is_empty());
        twice[2].client_message_id = twice[0].client_message_id.clone();
        let found = repetitions(&twice);
        assert_eq!(found, ["the store has m1 twice, the second time as 3"]);
    }

    #[test]
    fn pins_with_a_hole_out_of_order_or_without_a_place_are_found() {
        assert_eq!(wrong_pin(&messages(1..=6)), None);
        assert!(wrong_pin(&messages([1, 3, 4])).is_some());
        assert!(wrong_pin(&messages([4, 2])).is_some());
        let mut placeless = messages(1..=2);
        placeless[1].at = None;
        assert!(wrong_pin(&placeless).is_some());
    }

    #[test]
    fn nodes_that_return_different_messages_are_found() {
        let whole = messages(1..=3);
        assert_eq!(difference(&whole, &whole), None);
        assert!(difference(&whole, &messages(1..=2)).is_some());
        assert!(difference(&whole, &messages([1, 2, 4])).is_some());
    }
}
