//! The page that a link opens, beside a file of the same size from the same server.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use tempfile::TempDir;

use super::{Bench, Sample, Unit, closed_loop, sample};
use crate::http::{self, Client};
use crate::systems::{System, tonesa};

const MESSAGES: usize = 50;
const CONNECTIONS: usize = 16;
const FILE: &str = "bench.html";

pub fn once(bench: &Bench, _: &dyn System) -> Result<Vec<Sample>> {
    let site = copy_of_site(bench)?;
    // Static files are read at the start: a first node says how long the page is, a second one is measured.
    let bytes = {
        let (address, _node) = node(bench, site.path())?;
        let page = page(address)?;
        Client::connect(address)?.get(&page)?
    };
    fs::write(site.path().join("public").join(FILE), &bytes)?;
    let (address, _node) = node(bench, site.path())?;
    let page = page(address)?;
    let rendered = requests_per_second(bench, address, &page)?;
    let file = requests_per_second(bench, address, &format!("/{FILE}"))?;
    Ok(vec![
        sample("page with 50 messages", Unit::PerSecond, rendered),
        sample("file of the same size", Unit::PerSecond, file),
        sample("page / file", Unit::Ratio, rendered / file),
        sample(
            "size of the page",
            Unit::Kibibytes,
            bytes.len() as f64 / 1024.0,
        ),
    ])
}

fn copy_of_site(bench: &Bench) -> Result<TempDir> {
    let folder = bench
        .ground
        .tonesa
        .parent()
        .context("a program lies in a folder")?;
    let copy = tempfile::tempdir()?;
    copy_all(&folder.join("site"), copy.path())?;
    Ok(copy)
}

fn copy_all(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_all(&entry.path(), &to)?;
        } else {
            fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}

fn node(bench: &Bench, site: &Path) -> Result<(SocketAddr, testbed::Node)> {
    let site = site.to_string_lossy();
    let node = tonesa::node(&bench.ground, &[("TONESA_SITE_DIR", &site)])?;
    Ok((tonesa::address(&node), node))
}

/// The path of a page with messages.
fn page(address: SocketAddr) -> Result<String> {
    let mut client = Client::connect(address)?;
    let upload = tonesa::upload(&mut client)?;
    for number in 0..MESSAGES {
        let text = format!("Message {number}: the shadow on the left is what I would fix first.");
        client.send(tonesa::post(&upload.id, &text, number).as_bytes())?;
        client.answer()?;
    }
    Ok(format!("/u/{}", upload.short_id))
}

fn requests_per_second(bench: &Bench, address: SocketAddr, path: &str) -> Result<f64> {
    let request = http::get(path);
    let start = Instant::now();
    let answers = closed_loop(address, CONNECTIONS, bench.duration / 2, |_| {
        request.clone()
    })?;
    Ok(answers as f64 / start.elapsed().as_secs_f64())
}
