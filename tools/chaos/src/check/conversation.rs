//! What the nodes tell of the store.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;

use app::live::failure::ApiFailure;
use app::model::{Message, MessagePage, Seq, UploadId};
use reqwest::Client;

use super::told;
use crate::client::{after, misfit, read as answer};

/// All messages of each upload, in their order.
pub type Conversations = HashMap<UploadId, Vec<Message>>;

/// Reads every conversation on every node; what the first node tells, and where it is not as it must be.
///
/// # Errors
/// When a node does not answer.
pub async fn read(
    http: &Client,
    nodes: &[SocketAddr],
    uploads: &[UploadId],
) -> Result<(Conversations, Vec<String>), ApiFailure> {
    let (mut conversations, mut faults) = (Conversations::new(), Vec::new());
    for upload in uploads {
        let mut told_by = Vec::new();
        for node in nodes {
            match whole(http, *node, *upload).await? {
                Ok(messages) => told_by.push(messages),
                Err(fault) => faults.push(fault),
            }
        }
        if told_by.is_empty() {
            continue;
        }
        let first = told_by.swap_remove(0);
        faults.extend(told_by.iter().filter_map(|other| difference(&first, other)));
        faults.extend(holes(&first));
        faults.extend(repetitions(&first));
        conversations.insert(*upload, first);
    }
    Ok((conversations, told(faults)))
}

async fn whole(
    http: &Client,
    node: SocketAddr,
    upload: UploadId,
) -> Result<Result<Vec<Message>, String>, ApiFailure> {
    let mut messages: Vec<Message> = Vec::new();
    loop {
        let last = messages.last().map_or(Seq::ZERO, |message| message.seq);
        let url = format!("http://{node}{}", after(upload, last));
        let page: MessagePage = answer(http.get(url)).await?;
        if page.messages.is_empty() {
            return Ok(Ok(messages));
        }
        if let Some(fault) = misfit(last, &page.messages) {
            // It may be no end of such pages.
            return Ok(Err(format!("node {node} tells a page that {fault}")));
        }
        messages.extend(page.messages);
    }
}

/// Nodes share one store: they tell the same.
fn difference(first: &[Message], other: &[Message]) -> Option<String> {
    let differs = first
        .iter()
        .zip(other)
        .position(|(one, other)| one != other);
    let at =
        differs.or_else(|| (first.len() != other.len()).then_some(first.len().min(other.len())));
    at.map(|at| format!("two nodes tell different messages from the {}th on", at + 1))
}

/// Sequence numbers are 1, 2, 3 …
fn holes(messages: &[Message]) -> Option<String> {
    let numbers = messages.iter().map(|message| message.seq.get());
    (1..)
        .zip(numbers)
        .find(|(due, seq)| due != seq)
        .map(|(due, seq)| format!("the store has {seq} where {due} is due"))
}

/// A `clientMessageID` names one message.
fn repetitions(messages: &[Message]) -> Vec<String> {
    let mut names = HashSet::new();
    let again = messages
        .iter()
        .filter(|message| !names.insert(&message.client_message_id));
    again
        .map(|it| {
            format!(
                "the store has {} twice, the second time as {}",
                it.client_message_id, it.seq
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::fixture::messages;
    use super::*;

    #[test]
    fn a_whole_conversation_has_no_faults() {
        let whole = messages(1..=5);
        assert_eq!(difference(&whole, &whole), None);
        assert_eq!(holes(&whole), None);
        assert!(repetitions(&whole).is_empty());
    }

    #[test]
    fn holes_are_found() {
        assert!(holes(&messages([1, 2, 4])).is_some());
        assert!(holes(&messages([2, 3])).is_some());
        assert!(holes(&messages([1, 2, 2])).is_some());
    }

    #[test]
    fn a_name_that_comes_twice_is_found() {
        let mut twice = messages(1..=3);
        twice[2].client_message_id = twice[0].client_message_id.clone();
        assert_eq!(
            repetitions(&twice),
            ["the store has m1 twice, the second time as 3"]
        );
    }

    #[test]
    fn nodes_that_tell_different_things_are_found() {
        assert!(difference(&messages(1..=3), &messages(1..=2)).is_some());
        assert!(difference(&messages(1..=3), &messages([1, 2, 4])).is_some());
    }
}
