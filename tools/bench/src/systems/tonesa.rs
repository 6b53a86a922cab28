//! A node of Tonesa, its limits out of the way.

use std::fmt::Display;
use std::net::SocketAddr;
use std::rc::Rc;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use testbed::{Mongo, Node, Redis};

use super::{Ground, Held, Instance, Pair, Speech, System, Wants, local, touched};
use crate::http::{self, Client};
use crate::load::{Script, Step};
use crate::ws;

/// A whole picture in as few bytes as it takes: one pixel.
const PICTURE: &[u8] = include_bytes!("pixel.gif");

/// What stands in the way of a load that no people make, and what would be logged of it.
const ENVIRONMENT: [(&str, &str); 6] = [
    ("TONESA_TOUCHES_PER_SECOND", "0"),
    ("TONESA_MAX_SOCKETS", "1000000"),
    ("TONESA_MAX_SOCKETS_PER_ADDRESS", "1000000"),
    ("TONESA_MAX_CONNECTIONS", "1000000"),
    ("TONESA_MAX_CONNECTIONS_PER_ADDRESS", "1000000"),
    ("TONESA_LOG", "warn,server::app::run=info"),
];

/// The operations that read, as labels of the store's metric.
const READS: [&str; 2] = [r#"operation="upload""#, r#"operation="messages""#];

pub struct Tonesa;

/// An upload that was made for the bench.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Upload {
    /// Its 24-digit id.
    pub id: String,
    /// The end of its link.
    #[serde(rename = "shortID")]
    pub short_id: String,
}

impl System for Tonesa {
    fn name(&self) -> &'static str {
        "tonesa"
    }

    fn title(&self) -> &'static str {
        "Tonesa"
    }

    fn start(&self, ground: &Ground, wants: Wants<'_>) -> Result<Instance> {
        let metrics = testbed::free_port()?;
        let node = node(ground, &[("METRICS_PORT", &metrics.to_string())])?;
        let uploads = uploads(&node, wants.rooms)?;
        Ok(Instance {
            metrics: Some(local(metrics)),
            ..instance(node, &uploads)
        })
    }

    /// Both know the same uploads, so they share a database too. What it is does not matter here: nothing is stored
    /// while something is measured.
    fn start_pair(&self, ground: &Ground, rooms: usize) -> Result<Pair> {
        let (redis, mongo) = (Redis::start()?, Mongo::start()?);
        let (redis_url, mongo_url) = (redis.url(), mongo.url_of_new_database());
        let shared = [("REDIS_URL", &*redis_url), ("MONGO_URL", &*mongo_url)];
        let (first, second) = (node(ground, &shared)?, node(ground, &shared)?);
        let uploads = uploads(&first, rooms)?;
        let (first, second) = (instance(first, &uploads), instance(second, &uploads));
        Ok(Pair {
            first,
            second,
            publish: Some(Box::new(move |room, stamp| {
                publish(&uploads[room].id, stamp)
            })),
            redis,
            _store: Some(mongo),
        })
    }
}

fn instance(node: Node, uploads: &Rc<Vec<Upload>>) -> Instance {
    Instance {
        address: address(&node),
        metrics: None,
        held: Held::Node(node),
        speech: speech(uploads),
    }
}

/// Where a node listens.
pub fn address(node: &Node) -> SocketAddr {
    local(node.port())
}

/// How many uploads and pages of messages a node has read from its store, by its metrics.
///
/// # Errors
/// When it does not tell.
pub fn store_reads(metrics: SocketAddr) -> Result<f64> {
    let text = String::from_utf8(Client::connect(metrics)?.get("/metrics")?)?;
    let reads: Result<Vec<f64>, _> = text
        .lines()
        .filter_map(|line| line.strip_prefix("tonesa_store_call_duration_seconds_count"))
        .filter(|line| READS.iter().any(|operation| line.contains(operation)))
        .filter_map(|line| Some(line.rsplit_once(' ')?.1.parse()))
        .collect();
    let reads = reads?;
    ensure!(reads.len() >= READS.len(), "no reads of the store are told");
    Ok(reads.iter().sum())
}

/// Starts a node on the system's core.
///
/// # Errors
/// When it does not start.
pub fn node(ground: &Ground, environment: &[(&str, &str)]) -> Result<Node> {
    let environment = [&ENVIRONMENT, environment].concat();
    ground
        .cores
        .on_system(|| Node::start(&ground.tonesa, &environment))
}

/// Uploads a small picture.
///
/// # Errors
/// When it is refused.
pub fn upload(client: &mut Client) -> Result<Upload> {
    let answer = client.upload("pixel.gif", PICTURE)?;
    serde_json::from_slice(&answer).context("reading the answer to an upload")
}

fn uploads(node: &Node, count: usize) -> Result<Rc<Vec<Upload>>> {
    let mut client = Client::connect(address(node))?;
    let uploads: Result<Vec<_>> = (0..count).map(|_| upload(&mut client)).collect();
    Ok(Rc::new(uploads?))
}

/// The request that posts a message. `number` makes its `clientMessageID`.
pub fn post(upload: &str, content: &str, number: impl Display) -> String {
    let message =
        format!(r#"{{"authorName":"Mira","content":"{content}","clientMessageID":"m{number}"}}"#);
    http::post(&format!("/api/uploads/{upload}/messages"), &message)
}

/// The protocol `tonesa.v1`, one upload for each room.
fn speech(uploads: &Rc<Vec<Upload>>) -> Speech {
    let [watched, touched, posted] = std::array::from_fn(|_| Rc::clone(uploads));
    Speech {
        script: Box::new(move |room| Script {
            request: ws::request("/api/socket", Some("tonesa.v1")),
            steps: vec![Step {
                after: "",
                send: format!(
                    r#"{{"type":"watch","data":{{"uploadID":"{}","after":null}}}}"#,
                    watched[room].id
                ),
            }],
            ready: r#""watched""#,
        }),
        event: Box::new(move |room, stamp| {
            format!(
                r#"{{"type":"touch","data":{{"uploadID":"{}","x":{stamp},"y":0.25,"tab":"bench"}}}}"#,
                touched[room].id
            )
        }),
        post: Some(Box::new(move |room, stamp| {
            // The stamp stands in the message once: in its text.
            let number = stamp.rsplit('.').next().unwrap_or_default();
            post(&posted[room].id, stamp, number)
        })),
    }
}

/// The command with which a node publishes a touch: `t` for its class, then the frame.
fn publish(upload: &str, stamp: &str) -> String {
    let payload = format!("t{}", touched(upload, stamp));
    let channel = format!("upload:{upload}");
    format!(
        "*3\r\n$7\r\nPUBLISH\r\n${}\r\n{channel}\r\n${}\r\n{payload}\r\n",
        channel.len(),
        payload.len()
    )
}
