//! Nodes cache the pages that they have rendered: what is deleted then must not stay in them.

use app::model::{AuthorSecret, Upload};

use crate::client::{Api, marker};
use crate::recorder::Recorder;
use crate::restores;

/// Has all nodes render an upload's page, and then deletes the newest message that it shows. That the text is nowhere
/// afterwards is checked with the others.
pub async fn delete_newest(
    nodes: &[Api],
    upload: &Upload,
    owner: &AuthorSecret,
    recorder: &Recorder,
) {
    let (short_id, id) = (upload.short_id, upload.id);
    let newest = nodes[0].newest(id).await.ok();
    let newest = newest.and_then(|page| page.messages().last().cloned());
    let Some(newest) = newest else {
        return recorder.violation(format!("{short_id} has no message, or cannot be read"));
    };
    let marker = marker(newest.client_message_id.as_str());
    for node in nodes {
        match node.get(&format!("/u/{short_id}")).await {
            Ok((200, page)) if String::from_utf8_lossy(&page).contains(&marker) => {}
            Ok((status, _)) => recorder.violation(format!(
                "a page ({status}) does not show the newest message, {marker}"
            )),
            Err(failure) => recorder.violation(format!("a page cannot be read: {failure}")),
        }
    }
    let message = (newest.seq, newest.id);
    recorder.on_delete(id, message, newest.client_message_id);
    let begin = restores::now();
    let answer = nodes[0].delete_message(id, message, owner).await;
    let times = [begin, restores::now()];
    recorder.on_deleted(newest.id, times, &answer, false);
    if let Err(failure) = answer {
        recorder.violation(format!("after all repairs a deletion failed: {failure}"));
    }
}
