//! A MongoDB server.

use std::env;

use anyhow::{Context, Result};
use bson::doc;

use crate::{Launch, Process, ports, probe, programs};

/// A MongoDB server: the one that the environment's `MONGO_URL` names; else a `mongod` as a replica set of one member;
/// else FerretDB, which speaks the same protocol.
pub struct Mongo {
    own: Option<Process>,
    url: String,
}

impl Mongo {
    /// Starts a MongoDB server, unless `MONGO_URL` names one, and waits until it can be written to.
    pub fn start() -> Result<Self> {
        if let Some(url) = env::var("MONGO_URL").ok().filter(|url| !url.is_empty()) {
            return Ok(Self { own: None, url });
        }
        ports::start_at_free_port(|port| {
            let (launch, parameters) = if let Some(program) = programs::MONGOD.find() {
                let launch = Launch::new(format!("mongod at port {port}"), program)?
                    .args(["--dbpath", ".", "--bind_ip", "127.0.0.1"])
                    .args(["--port", &port.to_string(), "--replSet", "testbed"])
                    .args(["--wiredTigerCacheSizeGB", "0.25", "--nounixsocket"])
                    .ready_when(move |_| is_writable(port) || initiate(port));
                (launch, "?replicaSet=testbed")
            } else {
                let program = programs::FERRETDB.require()?;
                let launch = Launch::new(format!("FerretDB at port {port}"), program)?
                    .args([format!("127.0.0.1:{port}"), ".".to_owned()])
                    .ready_when(move |_| is_writable(port));
                (launch, "")
            };
            Ok(Self {
                own: Some(launch.start()?),
                url: format!("mongodb://127.0.0.1:{port}/{parameters}"),
            })
        })
    }

    /// The connection string, which names no database unless `MONGO_URL` does.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// The connection string with a new database's name in it, so that tests that share a server do not affect each
    /// other.
    pub fn url_of_new_database(&self) -> String {
        let name = format!("testbed_{:016x}", rand::random::<u64>());
        with_database(&self.url, &name)
    }

    /// Whether the server was started here: one that `MONGO_URL` names cannot be frozen or killed.
    pub fn is_own(&self) -> bool {
        self.own.is_some()
    }

    /// The server's process, if it was started here.
    pub fn process(&self) -> Result<&Process> {
        self.own
            .as_ref()
            .context("MONGO_URL names the MongoDB server: it cannot be frozen or killed from here")
    }

    /// As [`Process::freeze`].
    pub fn freeze(&self) -> Result<()> {
        self.process()?.freeze()
    }

    /// As [`Process::thaw`].
    pub fn thaw(&self) -> Result<()> {
        self.process()?.thaw()
    }

    /// As [`Process::kill`].
    pub fn kill(&self) -> Result<()> {
        self.process()?.kill()
    }

    /// As [`Process::restart`].
    pub fn restart(&self) -> Result<()> {
        self.process()?.restart()
    }
}

fn is_writable(port: u16) -> bool {
    probe::mongo(port, doc! { "hello": 1 })
        .is_ok_and(|answer| answer.get_bool("isWritablePrimary").unwrap_or(false))
}

/// Makes a `mongod` the only member of its replica set, so that it elects itself. The command fails while the server is
/// starting and when it has been initiated before, so its answer is ignored. The server is not writable yet in any
/// case.
fn initiate(port: u16) -> bool {
    let member = doc! { "_id": 0, "host": format!("127.0.0.1:{port}") };
    let set = doc! { "_id": "testbed", "members": [member] };
    let _ = probe::mongo(port, doc! { "replSetInitiate": set });
    false
}

/// `mongodb://hosts/?parameters` names the database between its hosts and its parameters.
fn with_database(url: &str, database: &str) -> String {
    let (address, parameters) = url.split_at(url.find('?').unwrap_or(url.len()));
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
                "mongodb+srv://me:pass@a/old?x=y",
                "mongodb+srv://me:pass@a/new?x=y",
            ),
        ] {
            assert_eq!(with_database(url, "new"), expected);
        }
    }
}
