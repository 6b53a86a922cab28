//! Nodes of Tonesa without limits.

use std::fmt::Display;
use std::net::SocketAddr;
use std::rc::Rc;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use testbed::{Mongo, Node, Redis};

use super::protocol::{Protocol, touched};
use super::{Instance, Pair, local};
use crate::http::{self, Client};
use crate::load::{Script, Step};
use crate::scenarios::Bench;
use crate::ws;

/// One pixel.
const PICTURE: &[u8] = include_bytes!("pixel.gif");

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

/// An upload that was made for the bench.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Upload {
    pub id: String,
    #[serde(rename = "shortID")]
    pub short_id: String,
}

pub(super) fn start(bench: &Bench, rooms: usize) -> Result<Instance> {
    let metrics = testbed::free_port()?;
    let node = node(bench, &[("METRICS_PORT", &metrics.to_string())])?;
    let uploads = Rc::new(uploads(node.address(), rooms)?);
    Ok(Instance {
        metrics: Some(local(metrics)),
        ..instance(node, &uploads)
    })
}

/// Both nodes know the same uploads, so they share a database too. Nothing is stored while something is measured.
pub(super) fn start_pair(bench: &Bench, rooms: usize) -> Result<Pair> {
    let (redis, mongo) = (Redis::start()?, Mongo::start()?);
    let (redis_url, mongo_url) = (redis.url(), mongo.url_of_new_database());
    let shared = [("REDIS_URL", &*redis_url), ("MONGO_URL", &*mongo_url)];
    let (first, second) = (node(bench, &shared)?, node(bench, &shared)?);
    let uploads = Rc::new(uploads(first.address(), rooms)?);
    Ok(Pair {
        first: instance(first, &uploads),
        second: instance(second, &uploads),
        publish: Some(Box::new(move |room, number| {
            publish(&uploads[room].id, number)
        })),
        redis,
        _store: Some(mongo),
    })
}

fn instance(node: Node, uploads: &Rc<Vec<Upload>>) -> Instance {
    Instance {
        address: node.address(),
        metrics: None,
        protocol: protocol(uploads),
        process: node.into(),
    }
}

/// Starts a node on the system's core.
pub fn node(bench: &Bench, environment: &[(&str, &str)]) -> Result<Node> {
    let environment = [&ENVIRONMENT, environment].concat();
    let program = &bench.tonesa;
    bench.cores.on_system(|| Node::start(program, &environment))
}

/// How many uploads and pages of messages a node has read from its store, by its metrics.
pub fn store_reads(metrics: SocketAddr) -> Result<f64> {
    let text = String::from_utf8(Client::connect(metrics)?.request(http::get("/metrics"))?)?;
    let reads: Result<Vec<f64>, _> = text
        .lines()
        .filter_map(|line| line.strip_prefix("tonesa_store_call_duration_seconds_count"))
        .filter(|line| READS.iter().any(|operation| line.contains(operation)))
        .filter_map(|line| Some(line.rsplit_once(' ')?.1.parse()))
        .collect();
    let reads = reads?;
    ensure!(
        reads.len() >= READS.len(),
        "the metrics have no reads of the store"
    );
    Ok(reads.iter().sum())
}

/// Uploads so many small pictures.
pub fn uploads(server: SocketAddr, count: usize) -> Result<Vec<Upload>> {
    let mut client = Client::connect(server)?;
    let uploads = (0..count).map(|_| {
        let response = client.request(http::upload("pixel.gif", PICTURE))?;
        serde_json::from_slice(&response).context("reading the response to an upload")
    });
    uploads.collect()
}

/// The request that posts a message. `number` makes its `clientMessageID`.
pub fn post(upload: &str, content: &str, number: impl Display) -> String {
    let message =
        format!(r#"{{"authorName":"Mira","content":"{content}","clientMessageID":"m{number}"}}"#);
    http::post(&format!("/api/uploads/{upload}/messages"), &message)
}

/// The protocol `tonesa.v1`, with one upload for each room.
fn protocol(uploads: &Rc<Vec<Upload>>) -> Protocol {
    let [watched, touched, posted] = std::array::from_fn(|_| Rc::clone(uploads));
    Protocol {
        script: Box::new(move |room| {
            let upload = &watched[room].id;
            let watch =
                format!(r#"{{"type":"watch","data":{{"uploadID":"{upload}","after":null}}}}"#);
            Script {
                request: ws::request("/api/socket", Some("tonesa.v1")),
                steps: vec![Step::new("", watch)],
                ready: r#""watched""#,
            }
        }),
        event: Box::new(move |room, number| {
            let upload = &touched[room].id;
            format!(
                r#"{{"type":"touch","data":{{"uploadID":"{upload}","x":{number},"y":0.25,"tab":"bench"}}}}"#
            )
        }),
        post: Some(Box::new(move |room, number| {
            // The whole number must stand in the message once: in its text.
            let digits = number.rsplit('.').next().unwrap_or_default();
            post(&posted[room].id, number, digits)
        })),
    }
}

/// The command with which a node publishes a touch: `t` for its class, then the frame.
fn publish(upload: &str, number: &str) -> String {
    let payload = format!("t{}", touched(upload, number));
    let channel = format!("upload:{upload}");
    format!(
        "*3\r\n$7\r\nPUBLISH\r\n${}\r\n{channel}\r\n${}\r\n{payload}\r\n",
        channel.len(),
        payload.len()
    )
}
