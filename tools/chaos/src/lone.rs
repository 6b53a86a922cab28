//! A node that stands alone, with its database and its images in its own folder, beside those that share everything. Its
//! database is moved away and put back: that must cost nothing that it was given.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};
use app::live::failure::ApiFailure;
use app::model::{Message, NewMessage, Upload};
use reqwest::Client;
use testbed::Node;
use walkdir::WalkDir;

use crate::balancer::Balancer;
use crate::check;
use crate::client::Api;
use crate::held::Held;
use crate::uploads;

/// Where the node keeps its images, in its data folder.
const IMAGES: &str = "images";
/// What the names of the database's files begin with.
const DATABASE: &str = "tonesa.db";
/// Where the database is while it is away, beside the data folder.
const AWAY: &str = "away";
/// How old the images are made to look: a sweep leaves alone what is younger than a day.
const AGE: Duration = Duration::from_hours(72);
/// How many pictures it is given, so few that a bound on how many may be swept at once saves none of them.
const UPLOADS: usize = 8;

/// The node.
pub struct Lone(Held);

/// What the node acknowledged.
#[derive(Debug)]
pub struct Given {
    uploads: Vec<(Upload, Vec<u8>)>,
    messages: Vec<Message>,
}

impl Lone {
    /// Starts it. Blocks.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(program: &Path, site: &str) -> Result<Self> {
        let node = Node::start(program, &[("TONESA_SITE_DIR", site)])?;
        Ok(Self(Held::new(node)))
    }

    /// The node itself.
    pub fn held(&self) -> &Held {
        &self.0
    }

    /// Moves the database away, as somebody who follows advice about a broken one, and starts the node on the new one
    /// that it makes. Blocks.
    ///
    /// # Errors
    /// When that cannot be done.
    pub fn move_database_away(&self) -> Result<()> {
        self.0.stop();
        let (data, away) = (self.data(), self.away());
        make_old(&data.join(IMAGES)).context("making the images look old")?;
        fs::create_dir_all(&away)?;
        move_database(&data, &away).context("moving the database away")?;
        self.0.start()
    }

    /// Puts the database back in the place of the new one. Blocks.
    ///
    /// # Errors
    /// When that cannot be done.
    pub fn put_database_back(&self) -> Result<()> {
        self.0.stop();
        let data = self.data();
        for file in database_in(&data)? {
            fs::remove_file(file)?;
        }
        move_database(&self.away(), &data).context("putting the database back")?;
        self.0.start()
    }

    /// Gives it pictures and a message for each.
    ///
    /// # Errors
    /// When it does not take them.
    pub async fn give(&self, http: &Client, seed: u64) -> Result<Given, ApiFailure> {
        let balancer = Balancer::new([self.address()]);
        let uploads = uploads::first(UPLOADS, http, &balancer, seed).await?;
        let api = Api::new(http.clone(), balancer);
        let mut messages = Vec::new();
        for (number, (upload, _)) in uploads.iter().enumerate() {
            let new = NewMessage {
                author_name: "Ada".parse().expect("a name"),
                content: format!("What is in picture {number}?")
                    .parse()
                    .expect("a text"),
                client_message_id: format!("lone-{number}").parse().expect("an id"),
            };
            messages.push(api.post(upload.id, &new).await?);
        }
        Ok(Given { uploads, messages })
    }

    /// What it was given and has no more.
    pub async fn lost(&self, http: &Client, given: &Given) -> Vec<String> {
        let nodes = [self.address()];
        let mut lost = check::pictures(http, &nodes, &given.uploads).await;
        let ids: Vec<_> = given.uploads.iter().map(|(upload, _)| upload.id).collect();
        match check::conversations(http, &nodes, &ids).await {
            Ok((conversations, faults)) => {
                lost.extend(faults);
                let messages = given.messages.iter().cloned();
                let messages = messages.map(|it| (it.client_message_id.clone(), it));
                lost.extend(check::acknowledged(&messages.collect(), &conversations));
            }
            Err(failure) => lost.push(format!("its conversations cannot be read: {failure}")),
        }
        lost
    }

    fn address(&self) -> SocketAddr {
        self.0.address()
    }

    fn data(&self) -> PathBuf {
        self.0.node().process().path().join("data")
    }

    fn away(&self) -> PathBuf {
        self.0.node().process().path().join(AWAY)
    }
}

fn make_old(folder: &Path) -> Result<()> {
    let then = SystemTime::now() - AGE;
    for entry in WalkDir::new(folder) {
        let entry = entry?;
        if entry.file_type().is_file() {
            File::options()
                .write(true)
                .open(entry.path())?
                .set_modified(then)?;
        }
    }
    Ok(())
}

fn move_database(from: &Path, to: &Path) -> Result<()> {
    let files = database_in(from)?;
    ensure!(!files.is_empty(), "there is none in {}", from.display());
    for file in files {
        let name = file.file_name().context("a file has a name")?;
        fs::rename(&file, to.join(name))?;
    }
    Ok(())
}

/// The files of the database; SQLite keeps up to three.
fn database_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(DATABASE) {
            files.push(entry.path());
        }
    }
    Ok(files)
}
