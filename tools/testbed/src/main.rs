//! `testbed [redis] [mongo] [s3]`: starts these servers, or all of them, and prints one line of JSON: the variables with
//! which a node of Tonesa uses them. They run until its standard input closes, or until it dies in another way.

use std::{
    any::Any,
    env,
    io::{self, Read},
};

use anyhow::{Result, bail};
use serde_json::{Map, Value, json};
use testbed::{Mongo, Redis, S3};

const ALL: [&str; 3] = ["redis", "mongo", "s3"];

fn main() -> Result<()> {
    let mut names: Vec<_> = env::args().skip(1).collect();
    if names.is_empty() {
        names = ALL.map(str::to_owned).to_vec();
    }
    let mut servers = Vec::new();
    let mut variables = Map::new();
    for name in names {
        let (server, Value::Object(own)) = start(&name)? else {
            bail!("{name}'s variables are not an object");
        };
        servers.push(server);
        variables.extend(own);
    }
    println!("{}", Value::Object(variables));
    io::copy(&mut io::stdin().lock().by_ref(), &mut io::sink())?;
    Ok(())
}

fn start(name: &str) -> Result<(Box<dyn Any>, Value)> {
    Ok(match name {
        "redis" => {
            let redis = Redis::start()?;
            let variables = json!({ "REDIS_URL": redis.url() });
            (Box::new(redis), variables)
        }
        "mongo" => {
            let mongo = Mongo::start()?;
            let variables = json!({ "MONGO_URL": mongo.url_of_new_database() });
            (Box::new(mongo), variables)
        }
        "s3" => {
            let s3 = S3::start()?;
            let variables = json!({
                "S3_ENDPOINT": s3.endpoint(),
                "S3_BUCKET_NAME": s3.bucket(),
                "AWS_REGION": "us-east-1",
                "AWS_ACCESS_KEY_ID": s3.access_key(),
                "AWS_SECRET_ACCESS_KEY": s3.secret_key(),
            });
            (Box::new(s3), variables)
        }
        other => bail!("{other:?} is none of {ALL:?}"),
    })
}
