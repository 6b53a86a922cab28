//! A MongoDB server.

use std::{env, ffi::OsString};

use anyhow::{Context, Result};
use bson::doc;

use crate::{Launch, Process, ports, programs, wire};

/// A MongoDB server: the one that the environment's `MONGO_URL` names; else a `mongod` of its own, a replica set of one
/// member; else FerretDB, which speaks the same protocol.
pub struct Mongo {
    own: Option<Own>,
    url: String,
}

struct Own {
    process: Process,
    port: u16,
    /// Is it a `mongod`, which has to be told that it is a replica set?
    is_mongod: bool,
}

impl Mongo {
    /// Starts one and waits until it can be written to.
    ///
    /// # Errors
    /// When there is no program for it, or it does not start.
    pub fn start() -> Result<Self> {
        if let Some(url) = env::var("MONGO_URL").ok().filter(|url| !url.is_empty()) {
            return Ok(Self { own: None, url });
        }
        ports::retry(|| {
            let port = ports::free_port()?;
            let own = Own::start(port)?;
            let parameters = if own.is_mongod {
                "?replicaSet=testbed"
            } else {
                ""
            };
            let url = format!("mongodb://127.0.0.1:{port}/{parameters}");
            Ok(Self {
                own: Some(own),
                url,
            })
        })
    }

    /// The connection string, which names no database unless `MONGO_URL` does: a fresh name for each test is the
    /// caller's.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// The connection string with a new database's name in it, so that tests that share a server do not meet.
    pub fn url_of_new_database(&self) -> String {
        with_database(
            &self.url,
            &format!("testbed_{:016x}", rand::random::<u64>()),
        )
    }

    /// Was it started here? One that `MONGO_URL` names cannot be frozen or ended.
    pub fn is_own(&self) -> bool {
        self.own.is_some()
    }

    /// Its process, for its log and the like.
    ///
    /// # Errors
    /// When it is not an own one.
    pub fn process(&self) -> Result<&Process> {
        Ok(&self.own()?.process)
    }

    /// Stops it in its tracks: connections stay open, and nothing answers.
    ///
    /// # Errors
    /// When it does not run or is not an own one.
    pub fn freeze(&self) -> Result<()> {
        self.process()?.freeze()
    }

    /// Lets it go on.
    ///
    /// # Errors
    /// When it does not run or is not an own one.
    pub fn thaw(&self) -> Result<()> {
        self.process()?.thaw()
    }

    /// Ends it at once.
    ///
    /// # Errors
    /// When it is not an own one.
    pub fn kill(&self) -> Result<()> {
        self.process()?.kill()
    }

    /// Starts it again at the same port with the same data, after ending it if it still runs, and waits until it can be
    /// written to.
    ///
    /// # Errors
    /// When it does not start or is not an own one.
    pub fn restart(&self) -> Result<()> {
        let own = self.own()?;
        own.process.restart()?;
        own.wait()
    }

    fn own(&self) -> Result<&Own> {
        self.own
            .as_ref()
            .context("MONGO_URL names the MongoDB server: it is not ours to freeze or to end")
    }
}

impl Own {
    fn start(port: u16) -> Result<Self> {
        let folder = Process::folder()?;
        let mongod = programs::MONGOD.look();
        let is_mongod = mongod.is_some();
        let launch = match mongod {
            Some(program) => Launch {
                name: format!("mongod at port {port}"),
                program,
                arguments: mongod_arguments(port),
                environment: Vec::new(),
                leaves: Vec::new(),
            },
            None => Launch {
                name: format!("FerretDB at port {port}"),
                program: programs::FERRETDB.find()?,
                arguments: vec![format!("127.0.0.1:{port}").into(), folder.path().into()],
                environment: Vec::new(),
                leaves: Vec::new(),
            },
        };
        let own = Self {
            process: Process::start(launch, folder)?,
            port,
            is_mongod,
        };
        own.wait()?;
        Ok(own)
    }

    /// A `mongod` of a replica set takes writes only after it has elected itself.
    fn wait(&self) -> Result<()> {
        self.process.wait_until(|| {
            let Ok(answer) = wire::call(self.port, doc! { "hello": 1 }) else {
                return false;
            };
            if answer.get_bool("isWritablePrimary").unwrap_or(false) {
                return true;
            }
            if self.is_mongod && !answer.contains_key("setName") {
                self.initiate();
            }
            false
        })
    }

    /// Tells it that it is the one member of the set. A failure shows by the set not coming to be: it may be too early
    /// to tell, or told already.
    fn initiate(&self) {
        let member = doc! { "_id": 0, "host": format!("127.0.0.1:{}", self.port) };
        let set = doc! { "_id": "testbed", "members": [member] };
        let _ = wire::call(self.port, doc! { "replSetInitiate": set });
    }
}

fn mongod_arguments(port: u16) -> Vec<OsString> {
    let port = port.to_string();
    let arguments = [
        "--dbpath",
        ".",
        "--bind_ip",
        "127.0.0.1",
        "--port",
        &port,
        "--replSet",
        "testbed",
        "--wiredTigerCacheSizeGB",
        "0.25",
        "--nounixsocket",
    ];
    arguments.iter().map(OsString::from).collect()
}

/// `mongodb://hosts/?parameters` names the database between its hosts and its parameters.
fn with_database(url: &str, database: &str) -> String {
    let (address, parameters) = match url.split_once('?') {
        Some((address, parameters)) => (address, format!("?{parameters}")),
        None => (url, String::new()),
    };
    let (scheme, rest) = address.split_once("://").unwrap_or(("mongodb", address));
    let hosts = rest.split('/').next().unwrap_or_default();
    format!("{scheme}://{hosts}/{database}{parameters}")
}

#[cfg(test)]
mod tests {
    use super::with_database;

    #[test]
    fn the_database_stands_between_hosts_and_parameters() {
        for (url, expected) in [
            ("mongodb://127.0.0.1:1/", "mongodb://127.0.0.1:1/new"),
            ("mongodb://a,b", "mongodb://a,b/new"),
            (
                "mongodb+srv://me:pass@a/old?replicaSet=x&authSource=admin",
                "mongodb+srv://me:pass@a/new?replicaSet=x&authSource=admin",
            ),
        ] {
            assert_eq!(with_database(url, "new"), expected);
        }
    }
}
