//! A standalone node: its database and its images are in its own folder. Its database is moved away and put back, which
//! must not lose anything, and a backup of it is restored, which must lose nothing but what was stored in between.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};
use walkdir::WalkDir;

use crate::balancer::Balancer;
use crate::environment::ADMIN_TOKEN;
use crate::managed_node::ManagedNode;
use crate::recorder::Recorder;
use crate::restores::Restores;

/// How old the images are made to look: a sweep spares files that are younger than a day.
const IMAGE_AGE: Duration = Duration::from_hours(72);

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

    /// Its folder with the database and the images.
    pub fn data(&self) -> PathBuf {
        self.folder("data")
    }

    /// Moves the database away, as an operator would do with a broken one, and starts the node, which makes a new one.
    /// Clients are kept away from it: it does not know their upload, for which they would give up. Blocks.
    pub fn move_database_away(&self) -> Result<()> {
        self.balancer.close();
        self.node.stop();
        make_old(&self.data().join("images")).context("making the images look old")?;
        copy_database(&self.data(), &self.folder("away")).context("copying the database")?;
        remove_database(&self.data()).context("removing the database")?;
        self.node.restart()
    }

    /// Puts the database back in the place of the new one. Blocks.
    pub fn put_database_back(&self) -> Result<()> {
        self.node.stop();
        copy_database(&self.folder("away"), &self.data()).context("putting the database back")?;
        self.node.restart()?;
        self.balancer.open();
        Ok(())
    }

    /// Makes a backup of the database. Blocks.
    pub fn back_up(&self) -> Result<()> {
        self.node.stop();
        copy_database(&self.data(), &self.folder("backup")).context("backing up")?;
        self.restores.on_backup();
        self.node.restart()
    }

    /// Puts the backup in the place of the database. Blocks.
    pub fn restore(&self) -> Result<()> {
        self.node.stop();
        copy_database(&self.folder("backup"), &self.data()).context("restoring the backup")?;
        self.restores.on_restore();
        self.node.restart()
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

/// Replaces the database in the one folder by that in the other.
fn copy_database(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    remove_database(to)?;
    let names = database_files(from)?;
    ensure!(!names.is_empty(), "there is none in {}", from.display());
    for name in names {
        fs::copy(from.join(&name), to.join(&name))?;
    }
    Ok(())
}

fn remove_database(folder: &Path) -> Result<()> {
    for name in database_files(folder)? {
        fs::remove_file(folder.join(name))?;
    }
    Ok(())
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
