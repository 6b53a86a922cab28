//! An S3 server.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::process::pass_on_to_process;
use crate::{Launch, Process, http, ports, programs};

const BUCKET: &str = "tonesa";
const ACCESS_KEY: &str = "testbed";

/// SeaweedFS with one bucket and one identity; whoever signs with another key, or not at all, is refused, and a bucket
/// that does not exist is not made up by an upload.
pub struct S3 {
    process: Process,
    ports: Ports,
    secret_key: String,
}

/// Each of SeaweedFS' parts has a port for HTTP and one for gRPC. Left to itself it would take the usual ones, of which
/// there is one set on a machine.
struct Ports {
    s3: u16,
    filer: u16,
    all: Vec<(&'static str, u16)>,
}

impl S3 {
    /// Starts one and waits until its bucket is there.
    ///
    /// # Errors
    /// When there is no `weed`, or it does not start.
    pub fn start() -> Result<Self> {
        ports::retry(|| Self::start_at(Ports::free()?))
    }

    fn start_at(ports: Ports) -> Result<Self> {
        let folder = Process::folder()?;
        let secret_key = format!("{:032x}", rand::random::<u128>());
        let identities = folder.path().join("identities.json");
        fs::write(&identities, identity(&secret_key)).context("writing SeaweedFS' identities")?;
        let launch = Launch {
            name: format!("SeaweedFS at port {}", ports.s3),
            program: programs::WEED.find()?,
            arguments: arguments(folder.path(), &ports)?,
            environment: vec![("HOME".into(), folder.path().into())],
            leaves: ports.sockets(),
        };
        let s3 = Self {
            process: Process::start(launch, folder)?,
            ports,
            secret_key,
        };
        s3.wait()?;
        Ok(s3)
    }

    /// It counts as started when it refuses a request without a signature, as S3 does, and its file server knows the
    /// bucket, which is made last. To ask S3 itself for the bucket would take a signature.
    fn wait(&self) -> Result<()> {
        self.process.wait_until(|| {
            let bucket = format!("/buckets/{BUCKET}/");
            matches!(http::status(self.ports.s3, "/"), Ok(403))
                && matches!(http::status(self.ports.filer, &bucket), Ok(200))
        })
    }

    /// `http://127.0.0.1:PORT`
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.s3)
    }

    /// The bucket, which is there.
    pub fn bucket(&self) -> &str {
        BUCKET
    }

    /// The id of the key that may do everything.
    pub fn access_key(&self) -> &str {
        ACCESS_KEY
    }

    /// The key itself.
    pub fn secret_key(&self) -> &str {
        &self.secret_key
    }

    pass_on_to_process!();

    /// Starts it again at the same port with the same data, after ending it if it still runs, and waits until its bucket
    /// is there.
    ///
    /// # Errors
    /// When it does not start.
    pub fn restart(&self) -> Result<()> {
        self.process.restart()?;
        self.wait()
    }
}

impl Ports {
    fn free() -> Result<Self> {
        let names = [
            "s3.port",
            "filer.port",
            "s3.port.grpc",
            "filer.port.grpc",
            "master.port",
            "master.port.grpc",
            "volume.port",
            "volume.port.grpc",
            "admin.port",
            "admin.port.grpc",
        ];
        let all: Vec<_> = names
            .into_iter()
            .map(|name| Ok((name, ports::free_port()?)))
            .collect::<Result<_>>()?;
        Ok(Self {
            s3: all[0].1,
            filer: all[1].1,
            all,
        })
    }

    /// Each part that speaks gRPC listens at a socket in `/tmp` too, which cannot be told otherwise.
    fn sockets(&self) -> Vec<PathBuf> {
        let parts = self.all.iter().filter_map(|(name, port)| {
            let part = name.strip_suffix(".port.grpc")?;
            Some(PathBuf::from(format!(
                "/tmp/seaweedfs-{part}-grpc-{port}.sock"
            )))
        });
        parts.collect()
    }
}

fn arguments(folder: &Path, ports: &Ports) -> Result<Vec<OsString>> {
    let data = folder.join("data");
    fs::create_dir(&data).context("making SeaweedFS' folder")?;
    let mut arguments: Vec<OsString> = [
        "mini",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        "-s3.autoCreateBucket=false",
        "-s3.config=identities.json",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-s3.localSocket=s3.sock",
        "-filer.localSocket=filer.sock",
        "-webdav=false",
        "-admin.ui=false",
        "-master.telemetry=false",
        "-dir=data",
    ]
    .iter()
    .map(OsString::from)
    .collect();
    arguments.push(format!("-bucket={BUCKET}").into());
    arguments.extend(
        ports
            .all
            .iter()
            .map(|(name, port)| format!("-{name}={port}").into()),
    );
    Ok(arguments)
}

fn identity(secret_key: &str) -> String {
    format!(
        r#"{{"identities":[{{"name":"testbed","actions":["Admin","Read","Write","List","Tagging"],
"credentials":[{{"accessKey":"{ACCESS_KEY}","secretKey":"{secret_key}"}}]}}]}}"#
    )
}
