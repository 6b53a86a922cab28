//! A node of Tonesa, its limits out of the way.

use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;

use anyhow::{Context, Result};
use serde::Deserialize;
use testbed::Node;

use super::{Ground, Held, Instance, Speech, System, Wants};
use crate::http::Client;
use crate::load::{Script, Step};

/// A whole picture in as few bytes as it takes: one pixel.
const PICTURE: &[u8] = include_bytes!("pixel.gif");

/// What stands in the way of a load that no people make, and what would be logged of it.
const ENVIRONMENT: [(&str, &str); 4] = [
    ("TONESA_TOUCHES_PER_SECOND", "0"),
    ("TONESA_MAX_SOCKETS", "1000000"),
    ("TONESA_MAX_SOCKETS_PER_ADDRESS", "1000000"),
    ("TONESA_LOG", "warn,server::run=info"),
];

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
        let node = node(ground, &[])?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, node.port()));
        let mut client = Client::connect(address)?;
        let uploads: Result<Vec<_>> = (0..wants.rooms).map(|_| upload(&mut client)).collect();
        Ok(Instance {
            address,
            held: Held::Node(node),
            speech: speech(uploads?),
        })
    }
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

/// The protocol `tonesa.v1`, one upload for each room.
pub fn speech(uploads: Vec<Upload>) -> Speech {
    let uploads = Rc::new(uploads);
    let of_touches = Rc::clone(&uploads);
    Speech {
        script: Box::new(move |room| Script {
            request: crate::ws::request("/api/socket", Some("tonesa.v1")),
            steps: vec![Step {
                after: "",
                send: format!(
                    r#"{{"type":"watch","data":{{"uploadID":"{}","after":null}}}}"#,
                    uploads[room].id
                ),
            }],
            ready: r#""watched""#,
        }),
        event: Box::new(move |room, stamp| {
            format!(
                r#"{{"type":"touch","data":{{"uploadID":"{}","x":0.5,"y":0.25,"tab":"{stamp}"}}}}"#,
                of_touches[room].id
            )
        }),
    }
}
