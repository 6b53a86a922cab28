//! What clients saw, what nodes answer and what is stored, compared with each other.

use anyhow::Result;
use app::model::Upload;

use crate::blobs::BlobStore;
use crate::check::{self, DeletedTexts, Known, TextStore};
use crate::client::{Api, Seen};
use crate::recorder::Recorder;
use crate::restores::Restores;
use crate::uploads::Sent;

/// What is compared with each other: of nodes that share a store.
pub struct Comparison<'a> {
    pub name: &'static str,
    /// Those that answer.
    pub nodes: Vec<Api>,
    pub seen: &'a [Seen],
    pub conversations: &'a [Upload],
    /// The acknowledged ones.
    pub uploads: &'a [Sent],
    pub blobs: BlobStore,
    pub texts: TextStore,
    pub restores: &'a Restores,
}

impl Comparison<'_> {
    /// Returns the number of messages, and what was deleted.
    pub async fn check(&self, recorder: &Recorder) -> Result<(usize, DeletedTexts)> {
        let Self {
            nodes, restores, ..
        } = self;
        // A node that does not answer is not compared: that is a violation already.
        let Some(node) = nodes.first() else {
            let name = self.name;
            recorder.violation(format!("the {name} do not answer any more"));
            return Ok((0, DeletedTexts::default()));
        };
        let (count, texts) = self.compare(recorder).await;
        recorder.violations(check::uploads(nodes, self.uploads, restores).await);
        let unacknowledged = recorder.lock().unacknowledged.clone();
        let known = Known {
            uploads: self.uploads,
            unacknowledged: &unacknowledged,
            restores,
        };
        recorder.violations(check::blobs(node, &self.blobs, &known).await?);
        let left = check::leftovers(nodes, self.conversations, &self.texts, &texts);
        recorder.violations(left.await?);
        Ok((count, texts))
    }

    /// Compares the listed and the acknowledged messages with those that these nodes return. Returns the number of
    /// messages, and what was deleted.
    async fn compare(&self, recorder: &Recorder) -> (usize, DeletedTexts) {
        let restores = self.restores;
        let uploads: Vec<_> = self.conversations.iter().map(|upload| upload.id).collect();
        match check::conversations(&self.nodes, &uploads).await {
            Ok((conversations, errors)) => {
                recorder.violations(errors);
                let acknowledged = recorder.lock().acknowledged_in(&uploads);
                let (lost, kept): (Vec<_>, Vec<_>) = acknowledged
                    .into_iter()
                    .partition(|message| restores.is_lost(message.created_at));
                recorder.count("acknowledged message lost in a restore", lost.len());
                let deletions = recorder.lock().deletions.clone();
                recorder.violations(check::acknowledged(&kept, &conversations));
                recorder.violations(check::deletions(&deletions, &conversations, restores));
                recorder.violations(check::lists(self.seen, &conversations));
                let texts = DeletedTexts::new(&conversations, &deletions, self.uploads, restores);
                (conversations.values().map(Vec::len).sum(), texts)
            }
            Err(failure) => {
                recorder.violation(format!("the conversations cannot be read: {failure}"));
                (0, DeletedTexts::default())
            }
        }
    }
}
