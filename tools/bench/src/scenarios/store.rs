//! Durable posts over HTTP: how many a node on one core takes. `cargo bench -p server --bench posts` has what the store
//! takes without HTTP, compared with SQLite itself.

use std::time::Instant;

use anyhow::Result;

use super::Unit::PerSecond;
use super::{Bench, Sample, closed_loop, sample};
use crate::systems::tonesa;

/// Posts under way at any time; those that wait for the same disk sync are one group.
const WRITERS: usize = 64;
const TEXT: &str = "the shadow on the left side is what I would fix first";

pub fn run(bench: &Bench) -> Result<Vec<Sample>> {
    let one = posts_per_second(bench, 1)?;
    let many = posts_per_second(bench, WRITERS)?;
    Ok(vec![
        sample("posts to one upload", PerSecond, one),
        sample("posts to 64 uploads", PerSecond, many),
    ])
}

fn posts_per_second(bench: &Bench, uploads: usize) -> Result<f64> {
    let node = tonesa::node(bench, &[])?;
    let server = node.address();
    let uploads = tonesa::uploads(server, uploads)?;
    let start = Instant::now();
    let posts = closed_loop(server, WRITERS, bench.duration / 2, |number| {
        tonesa::post(&uploads[number % uploads.len()].id, TEXT, number)
    })?;
    Ok(posts as f64 / start.elapsed().as_secs_f64())
}
