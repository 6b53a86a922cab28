//! Posts that are durable, beside what SQLite itself commits in groups of as many.

use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use super::{Bench, Sample, Unit, WORDS, closed_loop, sample};
use crate::http::Client;
use crate::systems::{System, tonesa};

/// Posts that are under way at any time: those that wait for the same disk sync are one group.
const WRITERS: usize = 64;

pub fn once(bench: &Bench, _: &dyn System) -> Result<Vec<Sample>> {
    let one = posts_per_second(bench, 1)?;
    let many = posts_per_second(bench, WRITERS)?;
    let bare = bare(bench)?;
    Ok(vec![
        sample("posts to one upload", Unit::PerSecond, one),
        sample("posts to 64 uploads", Unit::PerSecond, many),
        sample("rows of a bare program", Unit::PerSecond, bare),
        sample("one upload / bare", Unit::Ratio, one / bare),
        sample("64 uploads / bare", Unit::Ratio, many / bare),
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

/// [`crate::servers::commits`], on the system's core.
fn bare(bench: &Bench) -> Result<f64> {
    let program = std::env::current_exe()?;
    let seconds = (bench.duration / 2).as_secs().max(1).to_string();
    let output = bench.ground.cores.on_system(|| {
        let mut command = Command::new(program);
        command.args(["commits", &WRITERS.to_string(), &seconds]);
        Ok(command.output()?)
    })?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr));
    }
    let told = String::from_utf8_lossy(&output.stdout);
    told.trim()
        .parse()
        .context("the bare program tells no number")
}
