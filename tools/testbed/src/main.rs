//! `testbed [redis] [mongo] [s3]`: starts these servers, or all of them, and prints one line of JSON: the variables
//! with which a node of Tonesa uses them. They run until its standard input closes, or until it dies in another way.

use std::{
    any::Any,
    collections::BTreeMap,
    env,
    io::{self, Read},
};

use anyhow::{Result, bail};
use testbed::{Mongo, Redis, S3};

const ALL: [&str; 3] = ["redis", "mongo", "s3"];

fn main() -> Result<()> {
    let mut names: Vec<_> = env::args().skip(1).collect();
    if names.is_empty() {
        names = ALL.map(str::to_owned).to_vec();
    }
    let mut servers: Vec<Box<dyn Any>> = Vec::new();
    let mut variables = BTreeMap::new();
    for name in names {
        match name.as_str() {
            "redis" => {
                let redis = Redis::start()?;
                variables.insert("REDIS_URL", redis.url());
                servers.push(Box::new(redis));
            }
            "mongo" => {
                let mongo = Mongo::start()?;
                variables.insert("MONGO_URL", mongo.url_of_new_database());
                servers.push(Box::new(mongo));
            }
            "s3" => {
                let s3 = S3::start()?;
                variables.extend(s3.environment());
                servers.push(Box::new(s3));
            }
            other => bail!("{other:?} is none of {ALL:?}"),
        }
    }
    println!("{}", serde_json::to_string(&variables)?);
    io::copy(&mut io::stdin().lock().by_ref(), &mut io::sink())?;
    Ok(())
}
