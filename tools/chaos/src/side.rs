//! A deployment under test with all who use it: clients who write about some uploads, and uploads that come and end.
//! At last what clients list, what nodes answer and what is stored are compared with each other.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use app::model::{Upload, UploadId};
use tokio_util::task::AbortOnDropHandle;

use crate::check::{self, DeletedTexts, Known};
use crate::client::{self, Api, Clients, Context, Role, Seen};
use crate::environment::{Deployment, Environment};
use crate::managed_node::ManagedNode;
use crate::uploads::{self, Sent};
use crate::{cached_pages, convergence, health};

/// The number of conversations of the nodes that share the backends.
const CONVERSATIONS: usize = 3;
/// The number of uploads of the standalone node: so few that a limit on how many images one sweep removes spares none
/// of them.
const STANDALONE_UPLOADS: usize = 8;

pub struct Side {
    deployment: Deployment,
    environment: Arc<Environment>,
    context: Context,
    /// Those that the clients write about, and at the standalone node further ones that may not be swept.
    first_uploads: Vec<Sent>,
    clients: Clients,
    uploader: AbortOnDropHandle<Vec<Sent>>,
}

impl Side {
    /// Makes the first uploads, and starts the clients.
    pub async fn start(
        deployment: Deployment,
        environment: Arc<Environment>,
        context: Context,
        seed: u64,
    ) -> Result<Self> {
        let (count, name) = match deployment {
            Deployment::Shared => (CONVERSATIONS, 'e'),
            Deployment::Standalone => (STANDALONE_UPLOADS, 'l'),
        };
        let first_uploads = uploads::first(count, &context, seed, |number| match deployment {
            Deployment::Shared => client::owner_in_crowd(number),
            Deployment::Standalone => client::owner_in_few(),
        });
        let first_uploads = first_uploads.await.context("making the first uploads")?;
        let ids: Vec<_> = first_uploads.iter().map(|it| it.upload.id).collect();
        let roles = match deployment {
            Deployment::Shared => client::crowd(&ids, seed),
            Deployment::Standalone => client::few(ids[0], seed),
        };
        let uploader = uploads::keep_uploading(context.clone(), name, seed.wrapping_add(1));
        Ok(Self {
            clients: Clients::start(roles, &context),
            uploader: AbortOnDropHandle::new(tokio::spawn(uploader)),
            deployment,
            environment,
            context,
            first_uploads,
        })
    }

    /// Waits until all clients are connected. Returns how long that took, or after `timeout` who is not.
    pub async fn connect(&self, timeout: Duration) -> Result<Duration, String> {
        convergence::live(&self.clients.progress, timeout).await
    }

    /// Waits until all clients have all messages. Returns how long that took, or after `timeout` who lacks what.
    pub async fn converge(&self, timeout: Duration) -> Result<Duration, String> {
        let node = self.context.api.of_node(self.nodes()[0].address());
        convergence::caught_up(&node, &self.clients.progress, timeout).await
    }

    /// Deletes what the pages of all nodes show.
    pub async fn delete_what_is_shown(&self) {
        let nodes = self.nodes().iter();
        let nodes = nodes.map(|node| self.context.api.of_node(node.address()));
        let nodes: Vec<_> = nodes.collect();
        let roles = self.clients.progress.iter().map(|(role, _)| role);
        for Role { upload, secret, .. } in roles.filter(|role| role.is_owner) {
            if let Some(upload) = self.uploads().find(|it| it.id == *upload) {
                cached_pages::delete_newest(&nodes, upload, secret, &self.context.recorder).await;
            }
        }
    }

    /// Waits until all clients and uploads have ended.
    pub async fn end(self) -> Result<Ended> {
        let seen = self.clients.finish().await?;
        let ids = self.first_uploads.iter().map(|it| it.upload.id).collect();
        let further = self.uploader.await?;
        Ok(Ended {
            deployment: self.deployment,
            environment: self.environment,
            context: self.context,
            seen,
            conversations: ids,
            uploads: [self.first_uploads, further].concat(),
        })
    }

    fn nodes(&self) -> &[ManagedNode] {
        self.environment.nodes(self.deployment)
    }

    fn uploads(&self) -> impl Iterator<Item = &Upload> {
        self.first_uploads.iter().map(|it| &it.upload)
    }
}

/// What is left to compare when everybody has left.
pub struct Ended {
    deployment: Deployment,
    environment: Arc<Environment>,
    context: Context,
    pub seen: Vec<Seen>,
    conversations: Vec<UploadId>,
    /// All that were acknowledged.
    uploads: Vec<Sent>,
}

impl Ended {
    /// Returns the number of entries that are stored, and what was deleted.
    pub async fn check(&self) -> Result<(usize, DeletedTexts)> {
        let (deployment, environment) = (self.deployment, &self.environment);
        let Context {
            api,
            recorder,
            restores,
            ..
        } = &self.context;
        let nodes = health::answering(environment.nodes(deployment), api).await;
        // A node that does not answer is not compared: that is a violation already.
        let Some(node) = nodes.first() else {
            recorder.violation(format!("no node answers any more: {deployment:?}"));
            return Ok((0, DeletedTexts::default()));
        };
        let (count, texts) = self.compare(node).await;
        recorder.violations(check::uploads(&nodes, &self.uploads, restores).await);
        let unacknowledged = recorder.lock().unacknowledged.clone();
        let known = Known {
            uploads: &self.uploads,
            unacknowledged: &unacknowledged,
            restores,
        };
        let blobs = environment.blobs(deployment)?;
        recorder.violations(check::blobs(node, &blobs, &known).await?);
        let uploads = self.uploads.iter().map(|it| &it.upload);
        let conversations = uploads.filter(|it| self.conversations.contains(&it.id));
        let conversations: Vec<_> = conversations.cloned().collect();
        let store = environment.texts(deployment);
        let left = check::leftovers(&nodes, &conversations, &store, &texts);
        recorder.violations(left.await?);
        Ok((count, texts))
    }

    /// Compares the listed and the acknowledged messages with those that the node returns.
    async fn compare(&self, node: &Api) -> (usize, DeletedTexts) {
        let Context {
            recorder, restores, ..
        } = &self.context;
        match check::conversations(node, &self.conversations).await {
            Ok((conversations, errors)) => {
                recorder.violations(errors);
                let acknowledged = recorder.lock().acknowledged_in(&self.conversations);
                let (lost, kept): (Vec<_>, Vec<_>) = acknowledged
                    .into_iter()
                    .partition(|message| restores.is_lost(message.created_at));
                recorder.count("acknowledged message lost in a restore", lost.len());
                let deletions = recorder.lock().deletions.clone();
                recorder.violations(check::acknowledged(&kept, &conversations));
                recorder.violations(check::deletions(&deletions, &conversations, restores));
                recorder.violations(check::lists(&self.seen, &conversations));
                let texts = DeletedTexts::new(&conversations, &deletions, &self.uploads, restores);
                (conversations.values().map(Vec::len).sum(), texts)
            }
            Err(failure) => {
                recorder.violation(format!("the conversations cannot be read: {failure}"));
                (0, DeletedTexts::default())
            }
        }
    }
}
