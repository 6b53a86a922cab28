//! Rates of an address that spreads over several nodes, with Redis between them.

use std::time::{Duration, Instant, SystemTime};

use app::model::Upload;
use reqwest::Client;
use serde_json::json;
use testbed::Redis;

use crate::common::program::Program;
use crate::common::{file_form, pictures};

const HERE: &str = "192.0.2.1";
const THERE: &str = "192.0.2.2";
const RATE: usize = 10;
/// Enough that their waiting would show.
const MANY: usize = 100;

struct Nodes {
    programs: [Program; 2],
    upload: Upload,
    client: Client,
}

impl Nodes {
    async fn start(redis: &str, rate: usize) -> Self {
        let mongo = testbed::shared::mongo().url_of_new_database();
        let programs = [(); 2].map(|()| {
            Program::start(&[
                ("REDIS_URL", redis),
                ("MONGO_URL", &mongo),
                ("TONESA_TRUSTED_PROXIES", "127.0.0.1"),
                ("TONESA_MESSAGES_PER_MINUTE", &rate.to_string()),
            ])
        });
        let client = Client::new();
        let form = file_form(pictures::png(3, 2));
        let request = client.post(programs[0].url("/api/uploads")).multipart(form);
        let upload = request.send().await.unwrap().json().await.unwrap();
        Self {
            programs,
            upload,
            client,
        }
    }

    async fn post(&self, node: usize, n: usize, address: &str) -> u16 {
        let path = format!("/api/uploads/{}/messages", self.upload.id);
        let message = json!({"content": "hi", "clientMessageID": format!("m{n}")});
        let request = self
            .client
            .post(self.programs[node].url(&path))
            .json(&message);
        let request = request.header("x-forwarded-for", address);
        request.send().await.unwrap().status().as_u16()
    }
}

fn minute() -> u64 {
    SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs() / 60
}

async fn assert_counted_together(redis: &str) {
    let nodes = Nodes::start(redis, RATE).await;
    // Each with addresses of its own, once more if a minute has ended meanwhile.
    for last in 10.. {
        let start = minute();
        let address = format!("192.0.2.{last}");
        let mut allowed = 0;
        for n in 0..2 * RATE {
            let status = nodes.post(n % 2, 100 * last + n, &address).await;
            assert!(status == 201 || status == 429, "{status}");
            allowed += usize::from(status == 201);
        }
        assert_eq!(nodes.post(1, 100 * last + 99, THERE).await, 201);
        if minute() == start {
            assert_eq!(allowed, RATE);
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_allow_an_address_together_what_one_does() {
    assert_counted_together(&testbed::shared::redis().url()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_counts_too() {
    assert_counted_together(&testbed::shared::cluster().url()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_do_not_wait_for_a_redis_that_hangs() {
    let redis = Redis::start().unwrap();
    let nodes = Nodes::start(&redis.url(), MANY).await;
    assert_eq!(nodes.post(0, 1, HERE).await, 201);
    redis.freeze().unwrap();
    let start = Instant::now();
    // The same message again is counted and not published, which would wait for Redis too.
    for _ in 1..MANY {
        assert_eq!(nodes.post(0, 1, HERE).await, 200);
    }
    // One waits for 50 ms; if each did, they would take 5 s.
    let time = start.elapsed();
    assert!(time < Duration::from_secs(3), "{time:?}");
    // The node still counts for itself; a few more are allowed by now.
    let mut last = 200;
    for _ in 0..MANY {
        last = nodes.post(0, 1, HERE).await;
        if last != 200 {
            break;
        }
    }
    assert_eq!(last, 429);
    redis.thaw().unwrap();
}
