//! `testbed [redis] [mongo] [s3]`: starts these servers, or all of them, and tells on one line of JSON the variables with
//! which a node of Tonesa uses them. They live until its standard input closes, or until it dies in another way.

use std::{
    env,
    io::{self, Read},
    process::ExitCode,
};

use anyhow::{Result, bail};
use serde_json::{Map, Value};
use testbed::{Mongo, Redis, S3};

const ALL: [&str; 3] = ["redis", "mongo", "s3"];

/// What is held until the end, and what is told about it.
#[derive(Default)]
struct Servers {
    redis: Option<Redis>,
    mongo: Option<Mongo>,
    s3: Option<S3>,
    variables: Map<String, Value>,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("testbed: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let asked: Vec<_> = env::args().skip(1).collect();
    let names = if asked.is_empty() {
        ALL.map(str::to_owned).to_vec()
    } else {
        asked
    };
    let mut servers = Servers::default();
    for name in names {
        servers.start(&name)?;
    }
    println!("{}", Value::Object(servers.variables.clone()));
    // Nothing is expected to be said; what counts is the end.
    io::copy(&mut io::stdin().lock().by_ref(), &mut io::sink())?;
    Ok(())
}

impl Servers {
    fn start(&mut self, name: &str) -> Result<()> {
        match name {
            "redis" => {
                let redis = Redis::start()?;
                self.tell("REDIS_URL", redis.url());
                self.redis = Some(redis);
            }
            "mongo" => {
                let mongo = Mongo::start()?;
                self.tell("MONGO_URL", mongo.url_of_new_database());
                self.mongo = Some(mongo);
            }
            "s3" => {
                let s3 = S3::start()?;
                self.tell("S3_ENDPOINT", s3.endpoint());
                self.tell("S3_BUCKET_NAME", s3.bucket());
                self.tell("AWS_REGION", "us-east-1");
                self.tell("AWS_ACCESS_KEY_ID", s3.access_key());
                self.tell("AWS_SECRET_ACCESS_KEY", s3.secret_key());
                self.s3 = Some(s3);
            }
            other => bail!("{other:?} is none of {ALL:?}"),
        }
        Ok(())
    }

    fn tell(&mut self, variable: &str, value: impl Into<Value>) {
        self.variables.insert(variable.to_owned(), value.into());
    }
}
