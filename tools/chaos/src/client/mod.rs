//! A client that speaks the real protocol: the browser's own state machine, driven natively, and a simulated user.

mod api;
mod driver;
mod roles;
mod socket;
mod text;
mod user;

use std::time::Duration;

use anyhow::Result;
use app::live::ListedEntry;
use app::model::{AuthorSecret, Seq, UploadId};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::recorder::Recorder;
use crate::restores::Restores;

pub use api::Api;
pub use roles::{crowd, few, owner_in_crowd, owner_in_few};
pub use socket::watched;
pub use text::{MARKER_END, marker, random_text};

/// A part of a run, the same for all clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Users write.
    Writing,
    /// Clients send what is unsent and catch up; users start nothing.
    Quiet,
    /// Clients stop.
    Over,
}

/// What all clients of the same nodes share.
#[derive(Debug, Clone)]
pub struct Context {
    pub api: Api,
    pub recorder: Recorder,
    pub phase: watch::Receiver<Phase>,
    /// Of the nodes' store.
    pub restores: Restores,
}

/// What one client does.
#[derive(Debug, Clone)]
pub struct Role {
    /// Unique in the run.
    pub name: String,
    pub upload: UploadId,
    pub secret: AuthorSecret,
    pub seed: u64,
    /// Whether it is the upload's owner, and also deletes what others wrote.
    pub is_owner: bool,
    pub writes_long: bool,
    /// Whether it pauses reading its socket again and again.
    pub stalls: bool,
}

impl Role {
    /// Mean time between two messages.
    pub const PACE: Duration = Duration::from_secs(1);
}

/// How far a client is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Progress {
    /// The number of the last entry that it lists.
    pub cursor: Seq,
    /// Its own messages that are not listed with the stored ones yet, its deletions that have failed, and its calls
    /// that are not answered.
    pub unsent: usize,
    pub is_live: bool,
}

/// What a client lists at the end.
#[derive(Debug)]
pub struct Seen {
    pub name: String,
    pub upload: UploadId,
    /// The number of the first entry that is listed.
    pub first: Seq,
    pub listed: Vec<ListedEntry>,
}

/// Clients of the same nodes.
pub struct Clients {
    pub progress: Vec<(Role, watch::Receiver<Progress>)>,
    tasks: JoinSet<Option<Seen>>,
}

impl Clients {
    /// Starts a client for each role.
    pub fn start(roles: Vec<Role>, context: &Context) -> Self {
        let (mut all, mut tasks) = (Vec::new(), JoinSet::new());
        for role in roles {
            let (progress, receiver) = watch::channel(Progress::default());
            all.push((role.clone(), receiver));
            tasks.spawn(user::live(role, context.clone(), progress));
        }
        Self {
            progress: all,
            tasks,
        }
    }

    /// What those list that could open the page, once the run is over.
    pub async fn finish(mut self) -> Result<Vec<Seen>> {
        let mut seen = Vec::new();
        while let Some(client) = self.tasks.join_next().await {
            seen.extend(client?);
        }
        Ok(seen)
    }
}
