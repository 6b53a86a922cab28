//! The page that a link opens, compared with a file of the same size from the same server.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use testbed::Node;

use super::Unit::{PerCpuSecond, Ratio};
use super::{Bench, Sample, closed_loop, sample};
use crate::http::{self, Client};
use crate::systems::tonesa;

const MESSAGES: usize = 50;
/// More than there are connections, so that no two requests are for the same page at the same time.
const PAGES: usize = 64;
const CONNECTIONS: usize = 16;
const FILE: &str = "bench.html";

pub fn run(bench: &Bench) -> Result<Vec<Sample>> {
    let folder = tempfile::tempdir()?;
    let site = folder.path().join("site");
    let built = bench.tonesa.with_file_name("site");
    let copied = Command::new("cp")
        .arg("-r")
        .arg(&built)
        .arg(&site)
        .status()?;
    ensure!(copied.success(), "{} was not copied", built.display());
    // Static files are read at the start: a first node makes the page that becomes the file, a second one is measured.
    let (plain, gzip) = {
        let node = node(bench, &site)?;
        let address = node.address();
        let page = &pages(address, 1)?[0];
        let mut client = Client::connect(address)?;
        (
            client.request(http::get(page))?,
            client.request(http::get_gzip(page))?,
        )
    };
    let file = site.join("public").join(FILE);
    fs::write(&file, &plain)?;
    fs::write(file.with_extension("html.gz"), &gzip)?;
    let node = node(bench, &site)?;
    let pages = pages(node.address(), PAGES)?;
    let file = [format!("/{FILE}")];
    let rate = |paths: &[String], request| requests_per_cpu_second(bench, &node, paths, request);
    let page_plain = rate(&pages[..1], http::get)?;
    let file_plain = rate(&file, http::get)?;
    let page_gzip = rate(&pages[..1], http::get_gzip)?;
    let file_gzip = rate(&file, http::get_gzip)?;
    let in_turn = rate(&pages, http::get_gzip)?;
    Ok(vec![
        sample("page with 50 messages", PerCpuSecond, page_plain),
        sample("file of the same size", PerCpuSecond, file_plain),
        sample("page / file", Ratio, page_plain / file_plain),
        sample("page, gzip", PerCpuSecond, page_gzip),
        sample("file, gzip", PerCpuSecond, file_gzip),
        sample("page / file, gzip", Ratio, page_gzip / file_gzip),
        sample("64 pages in turn, gzip", PerCpuSecond, in_turn),
        sample("64 pages / file, gzip", Ratio, in_turn / file_gzip),
    ])
}

fn node(bench: &Bench, site: &Path) -> Result<Node> {
    let site = site.to_str().context("a folder's name is not UTF-8")?;
    tonesa::node(bench, &[("TONESA_SITE_DIR", site)])
}

/// The paths of new pages with messages.
fn pages(server: SocketAddr, count: usize) -> Result<Vec<String>> {
    let mut client = Client::connect(server)?;
    let uploads = tonesa::uploads(server, count)?;
    for upload in &uploads {
        for number in 0..MESSAGES {
            let text =
                format!("Message {number}: the shadow on the left is what I would fix first.");
            client.request(tonesa::post(&upload.id, &text, number))?;
        }
    }
    Ok(uploads
        .iter()
        .map(|upload| format!("/u/{}", upload.short_id))
        .collect())
}

/// Requests these paths in turn.
fn requests_per_cpu_second(
    bench: &Bench,
    node: &Node,
    paths: &[String],
    request: fn(&str) -> String,
) -> Result<f64> {
    let before = node.processor_time()?;
    let duration = bench.duration / 2;
    let responses = closed_loop(node.address(), CONNECTIONS, duration, |number| {
        request(&paths[number % paths.len()])
    })?;
    let used = node.processor_time()?.saturating_sub(before);
    Ok(responses as f64 / used.as_secs_f64())
}
