//! Every acknowledged upload is whole, on every node.

use app::model::Upload;

use super::first_few;
use crate::client::Api;
use crate::uploads::Sent;

/// Reads every acknowledged upload on every node.
pub async fn uploads(nodes: &[Api], acknowledged: &[Sent]) -> Vec<String> {
    let mut violations = Vec::new();
    for (upload, bytes) in acknowledged {
        for node in nodes {
            if let Some(error) = check(node, upload, bytes).await {
                let (id, node) = (&upload.short_id, node.choose_node());
                violations.push(format!("upload {id} at {node}: {error}"));
            }
        }
    }
    first_few(violations)
}

async fn check(node: &Api, upload: &Upload, bytes: &[u8]) -> Option<String> {
    match node.upload(upload.id).await {
        Ok(stored) if stored == *upload => {}
        Ok(_) => return Some("it is not as it was acknowledged".into()),
        Err(failure) => return Some(format!("it is lost: {failure}")),
    }
    match node.content(upload).await {
        Ok(served) if served == bytes => None,
        Ok(served) => Some(format!(
            "{} bytes are served, which differ from those that were sent",
            served.len()
        )),
        Err(_) => Some("its picture is lost".into()),
    }
}
