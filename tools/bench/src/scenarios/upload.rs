//! The upload of a large picture: from its last byte to the answer, beside a bare decode.

use std::net::SocketAddr;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::{Bench, Sample, Unit, sample};
use crate::http::{self, Client};
use crate::report::median;
use crate::servers::decode;
use crate::systems::{System, tonesa};

const TRIES: usize = 5;
/// What is held back, in bytes: the end of the form, and with it the end of the picture.
const LAST: usize = 64;
/// Long enough for the rest to be where the server keeps it.
const ARRIVE: Duration = Duration::from_millis(500);

pub fn once(bench: &Bench, _: &dyn System) -> Result<Vec<Sample>> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../end2end/images/24-megapixels.jpg");
    let picture = std::fs::read(file)?;
    let node = tonesa::node(&bench.ground, &[])?;
    let address = tonesa::address(&node);
    let (mut uploads, mut decodes) = (Vec::new(), Vec::new());
    for _ in 0..TRIES {
        uploads.push(upload(address, &picture)?);
        let bare = bench.ground.cores.on_system(|| decode::once(&picture))?;
        decodes.push(bare.as_secs_f64() * 1e3);
    }
    let (upload, decode) = (median(&uploads), median(&decodes));
    Ok(vec![
        sample("last byte to answer", Unit::Milliseconds, upload),
        sample("bare decode", Unit::Milliseconds, decode),
        sample("upload / decode", Unit::Ratio, upload / decode),
    ])
}

/// In milliseconds.
fn upload(address: SocketAddr, picture: &[u8]) -> Result<f64> {
    let request = http::upload("24-megapixels.jpg", picture);
    let (before, last) = request.split_at(request.len() - LAST);
    let mut client = Client::connect(address)?;
    client.send(before)?;
    thread::sleep(ARRIVE);
    let start = Instant::now();
    client.send(last)?;
    client.answer()?;
    Ok(start.elapsed().as_secs_f64() * 1e3)
}
