//! A standalone node: its database and its images are in its own folder. Its database is moved away and put back, which
//! must not lose anything.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};
use app::live::failure::ApiFailure;
use app::model::{Message, NewMessage};
use walkdir::WalkDir;

use crate::check;
use crate::client::Api;
use crate::managed_node::ManagedNode;
use crate::recorder::Recorder;
use crate::uploads::{self, Sent};

/// How old the images are made to look: a sweep spares files that are younger than a day.
const IMAGE_AGE: Duration = Duration::from_hours(72);
/// So few that a limit on how many images one sweep removes spares none of them.
const UPLOADS: usize = 8;

pub struct StandaloneNode(ManagedNode);

/// What the node acknowledged at the start of the run.
#[derive(Debug)]
pub struct Acknowledged {
    uploads: Vec<Sent>,
    messages: Vec<Message>,
}

impl StandaloneNode {
    pub fn start(number: usize, program: &Path, site: &str, recorder: Recorder) -> Result<Self> {
        let variables = [("TONESA_SITE_DIR", site)];
        ManagedNode::start(number, program, &variables, recorder).map(Self)
    }

    pub fn node(&self) -> &ManagedNode {
        &self.0
    }

    /// Moves the database away, as an operator would do with a broken one, and starts the node, which makes a new one.
    /// Blocks.
    pub fn move_database_away(&self) -> Result<()> {
        self.0.stop();
        let data = self.folder("data");
        make_old(&data.join("images")).context("making the images look old")?;
        move_database(&data, &self.folder("away")).context("moving the database away")?;
        self.0.restart()
    }

    /// Puts the database back in the place of the new one. Blocks.
    pub fn put_database_back(&self) -> Result<()> {
        self.0.stop();
        let data = self.folder("data");
        move_database(&data, &self.folder("unused")).context("moving the new database away")?;
        move_database(&self.folder("away"), &data).context("putting the database back")?;
        self.0.restart()
    }

    /// Uploads pictures, and posts a message for each.
    pub async fn fill(&self, api: &Api, seed: u64) -> Result<Acknowledged, ApiFailure> {
        let api = api.of_node(self.0.address());
        let uploads = uploads::first(UPLOADS, &api, seed).await?;
        let mut messages = Vec::new();
        for (number, (upload, _)) in uploads.iter().enumerate() {
            let content = format!("What is in picture {number}?");
            let new = NewMessage {
                author_name: "Ada".parse().expect("a name"),
                content: content.parse().expect("a text"),
                client_message_id: format!("lone-{number}").parse().expect("an id"),
                at: None,
                author: None,
            };
            messages.push(api.post(upload.id, &new, None).await?);
        }
        Ok(Acknowledged { uploads, messages })
    }

    fn folder(&self, name: &str) -> PathBuf {
        self.0.process().path().join(name)
    }
}

/// What was acknowledged and is lost.
pub async fn lost(api: &Api, acknowledged: &Acknowledged) -> Vec<String> {
    let Acknowledged { uploads, messages } = acknowledged;
    let nodes = std::slice::from_ref(api);
    let mut lost = check::uploads(nodes, uploads).await;
    let ids: Vec<_> = uploads.iter().map(|(upload, _)| upload.id).collect();
    match check::conversations(nodes, &ids).await {
        Ok((conversations, errors)) => {
            lost.extend(errors);
            lost.extend(check::acknowledged(messages, &conversations));
        }
        Err(failure) => lost.push(format!("its conversations cannot be read: {failure}")),
    }
    lost
}

fn make_old(folder: &Path) -> Result<()> {
    let then = SystemTime::now() - IMAGE_AGE;
    for entry in WalkDir::new(folder) {
        let entry = entry?;
        if entry.file_type().is_file() {
            let file = File::options().write(true).open(entry.path())?;
            file.set_modified(then)?;
        }
    }
    Ok(())
}

/// Moves the files of the database; SQLite keeps up to three.
fn move_database(from: &Path, to: &Path) -> Result<()> {
    let mut moved = 0;
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        if name.to_string_lossy().starts_with("tonesa.db") {
            fs::rename(entry.path(), to.join(name))?;
            moved += 1;
        }
    }
    ensure!(moved > 0, "there is none in {}", from.display());
    Ok(())
}
