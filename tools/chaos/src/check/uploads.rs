//! Every acknowledged upload is whole on every node, and what was deleted, blocked or has expired is gone at every
//! address.

use app::model::Upload;

use super::first_few;
use crate::client::Api;
use crate::restores::Restores;
use crate::uploads::Sent;

const GONE: u16 = 410;

/// Asks every node for every acknowledged upload that no restore can have lost.
pub async fn uploads(nodes: &[Api], sent: &[Sent], restores: &Restores) -> Vec<String> {
    let mut violations = Vec::new();
    for sent in sent.iter().filter(|it| !it.may_be_lost(restores)) {
        for node in nodes {
            let error = if sent.end.is_none() {
                not_whole(node, &sent.upload, &sent.bytes).await
            } else if sent.is_gone() {
                not_gone(node, sent).await
            } else {
                None
            };
            let (id, node) = (sent.upload.short_id, node.choose_node());
            violations.extend(error.map(|error| format!("upload {id} at {node}: {error}")));
        }
    }
    first_few(violations)
}

async fn not_whole(node: &Api, upload: &Upload, bytes: &[u8]) -> Option<String> {
    match node.upload(upload.id).await {
        Ok(stored) if stored == *upload => {}
        Ok(_) => return Some("it is not as it was acknowledged".into()),
        Err(failure) => return Some(format!("it is lost: {failure}")),
    }
    match node.get(&upload.content.url).await {
        Ok((200, served)) if served == bytes => None,
        Ok((status, served)) => {
            let length = served.len();
            Some(format!(
                "its picture differs from what was sent: {length} bytes, {status}"
            ))
        }
        Err(failure) => Some(format!("its picture cannot be read: {failure}")),
    }
}

async fn not_gone(node: &Api, sent: &Sent) -> Option<String> {
    for address in sent.addresses() {
        let status = node.get(&address).await.map(|(status, _)| status);
        if status != Ok(GONE) {
            let end = sent.end;
            return Some(format!("{end:?}, and {address} answers {status:?}"));
        }
    }
    None
}
