//! A standalone node: its database and its images are in its own folder. Its database is moved away and put back, which
//! must not lose anything, and a backup of it is restored, which must lose nothing but what was stored in between.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};
use app::live::failure::ApiFailure;
use walkdir::WalkDir;

use crate::balancer::Balancer;
use crate::blobs::BlobStore;
use crate::check::TextStore;
use crate::client::{self, Api};
use crate::environment::ADMIN_TOKEN;
use crate::managed_node::ManagedNode;
use crate::recorder::Recorder;
use crate::restores::Restores;
use crate::uploads::{self, Sent};

/// How old the images are made to look: a sweep spares files that are younger than a day.
const IMAGE_AGE: Duration = Duration::from_hours(72);
/// So few that a limit on how many images one sweep removes spares none of them.
const UPLOADS: usize = 8;

pub struct StandaloneNode {
    node: ManagedNode,
    balancer: Balancer,
    restores: Restores,
}

impl StandaloneNode {
    pub fn start(number: usize, program: &Path, site: &str, recorder: Recorder) -> Result<Self> {
        let variables = [
            ("TONESA_SITE_DIR", site),
            ("TONESA_ADMIN_TOKEN", ADMIN_TOKEN),
        ];
        let node = ManagedNode::start(number, program, &variables, recorder)?;
        Ok(Self {
            balancer: Balancer::new([node.address()]),
            node,
            restores: Restores::default(),
        })
    }

    pub fn node(&self) -> &ManagedNode {
        &self.node
    }

    /// The way of its clients to it.
    pub fn balancer(&self) -> &Balancer {
        &self.balancer
    }

    pub fn restores(&self) -> &Restores {
        &self.restores
    }

    pub fn blobs(&self) -> BlobStore {
        BlobStore::Folder(self.folder("data/images"))
    }

    pub fn texts(&self) -> TextStore {
        TextStore::Folder(self.folder("data"))
    }

    /// Moves the database away, as an operator would do with a broken one, and starts the node, which makes a new one.
    /// Clients are kept away from it: it does not know their upload, for which they would give up. Blocks.
    pub fn move_database_away(&self) -> Result<()> {
        self.balancer.close();
        self.node.stop();
        let data = self.folder("data");
        make_old(&data.join("images")).context("making the images look old")?;
        move_database(&data, &self.folder("away")).context("moving the database away")?;
        self.node.restart()
    }

    /// Puts the database back in the place of the new one. Blocks.
    pub fn put_database_back(&self) -> Result<()> {
        self.node.stop();
        let data = self.folder("data");
        move_database(&data, &self.folder("unused")).context("moving the new database away")?;
        move_database(&self.folder("away"), &data).context("putting the database back")?;
        self.node.restart()?;
        self.balancer.open();
        Ok(())
    }

    /// Makes a backup of the database. Blocks.
    pub fn back_up(&self) -> Result<()> {
        self.node.stop();
        copy_database(&self.folder("data"), &self.folder("backup")).context("backing up")?;
        self.restores.on_backup();
        self.node.restart()
    }

    /// Puts the backup in the place of the database. Blocks.
    pub fn restore(&self) -> Result<()> {
        self.node.stop();
        let data = self.folder("data");
        move_database(&data, &self.folder("unused")).context("moving the database away")?;
        copy_database(&self.folder("backup"), &data).context("restoring the backup")?;
        self.restores.on_restore();
        self.node.restart()
    }

    /// Uploads pictures: the first one is written about, and none of them may be swept.
    pub async fn fill(
        &self,
        api: &Api,
        seed: u64,
        recorder: &Recorder,
    ) -> Result<Vec<Sent>, ApiFailure> {
        let api = api.of_node(self.node.address());
        uploads::first(UPLOADS, (&api, recorder), seed, |_| client::owner_in_few()).await
    }

    fn folder(&self, name: &str) -> PathBuf {
        self.node.process().path().join(name)
    }
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

fn move_database(from: &Path, to: &Path) -> Result<()> {
    remove_database(to)?;
    for name in database(from)? {
        fs::rename(from.join(&name), to.join(&name))?;
    }
    Ok(())
}

fn copy_database(from: &Path, to: &Path) -> Result<()> {
    remove_database(to)?;
    for name in database(from)? {
        fs::copy(from.join(&name), to.join(&name))?;
    }
    Ok(())
}

/// Makes room for a database.
fn remove_database(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    for name in database_files(folder)? {
        fs::remove_file(folder.join(name))?;
    }
    Ok(())
}

/// The names of the files of the database that is in the folder.
fn database(folder: &Path) -> Result<Vec<OsString>> {
    let names = database_files(folder)?;
    ensure!(!names.is_empty(), "there is none in {}", folder.display());
    Ok(names)
}

/// SQLite keeps up to three.
fn database_files(folder: &Path) -> Result<Vec<OsString>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        if name.to_string_lossy().starts_with("tonesa.db") {
            names.push(name);
        }
    }
    Ok(names)
}
