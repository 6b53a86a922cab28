//! Durable posts over HTTP: what a node on one core takes of them. `cargo bench -p server --bench posts` has what the store
//! takes without HTTP, beside SQLite itself.

use std::time::Instant;

use anyhow::Result;

use super::{Bench, Sample, Unit, WORDS, closed_loop, sample};
use crate::http::Client;
use crate::systems::{System, tonesa};

/// Posts that are under way at any time: those that wait for the same disk sync are one group.
const WRITERS: usize = 64;

pub fn once(bench: &Bench, _: &dyn System) -> Result<Vec<Sample>> {
    let one = posts_per_second(bench, 1)?;
    let many = posts_per_second(bench, WRITERS)?;
    Ok(vec![
        sample("posts to one upload", Unit::PerSecond, one),
        sample("posts to 64 uploads", Unit::PerSecond, many),
    ])
}

fn posts_per_second(bench: &Bench, uploads: usize) -> Result<f64> {
    let node = tonesa::node(&bench.ground, &[])?;
    let address = tonesa::address(&node);
    let mut client = Client::connect(address)?;
    let uploads: Result<Vec<_>> = (0..uploads).map(|_| tonesa::upload(&mut client)).collect();
    let uploads = uploads?;
    let start = Instant::now();
    let posts = closed_loop(address, WRITERS, bench.duration / 2, |number| {
        let upload = &uploads[number % uploads.len()];
        tonesa::post(&upload.id, WORDS, number)
    })?;
    Ok(posts as f64 / start.elapsed().as_secs_f64())
}
