//! The upload of a large picture: from its last byte to the response, compared with a bare decode.

use std::hint::black_box;
use std::net::SocketAddr;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use zune_core::bytestream::ZCursor;
use zune_jpeg::JpegDecoder;

use super::Unit::{Milliseconds, Ratio};
use super::{Bench, Sample, sample};
use crate::http::{self, Client};
use crate::report::median;
use crate::systems::tonesa;

const TRIES: usize = 5;
/// The bytes that are held back: the end of the form, and with it the end of the picture.
const LAST: usize = 64;
/// Long enough for all other bytes to be where the server keeps them.
const ARRIVAL: Duration = Duration::from_millis(500);

pub fn run(bench: &Bench) -> Result<Vec<Sample>> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../end2end/images/24-megapixels.jpg");
    let picture = std::fs::read(file)?;
    let node = tonesa::node(bench, &[])?;
    let (mut uploads, mut decodes) = (Vec::new(), Vec::new());
    for _ in 0..TRIES {
        uploads.push(upload(node.address(), &picture)?);
        let took = bench.cores.on_system(|| decode(&picture))?;
        decodes.push(took.as_secs_f64() * 1e3);
    }
    let (upload, decode) = (median(&uploads), median(&decodes));
    Ok(vec![
        sample("last byte to response", Milliseconds, upload),
        sample("bare decode", Milliseconds, decode),
        sample("upload / decode", Ratio, upload / decode),
    ])
}

/// How long it takes, in milliseconds.
fn upload(server: SocketAddr, picture: &[u8]) -> Result<f64> {
    let request = http::upload("24-megapixels.jpg", picture);
    let (before, last) = request.split_at(request.len() - LAST);
    let mut client = Client::connect(server)?;
    client.send(before)?;
    thread::sleep(ARRIVAL);
    let start = Instant::now();
    client.request(last)?;
    Ok(start.elapsed().as_secs_f64() * 1e3)
}

/// The fastest decode of a JPEG that a maintained library in Rust does; how long it took.
fn decode(picture: &[u8]) -> Result<Duration> {
    let start = Instant::now();
    let mut decoder = JpegDecoder::new(ZCursor::new(picture));
    let pixels = decoder.decode().map_err(|error| anyhow!("{error:?}"))?;
    black_box(pixels);
    Ok(start.elapsed())
}
