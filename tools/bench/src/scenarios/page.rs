//! The page that a link opens, beside a file of the same size from the same server.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use super::{Bench, Sample, Unit, closed_loop, sample};
use crate::http::{self, Client};
use crate::systems::{System, tonesa};
use crate::usage::ProcessorTime;

const MESSAGES: usize = 50;
/// More than there are connections, so that no two requests are about the same page at the same time.
const PAGES: usize = 64;
const CONNECTIONS: usize = 16;
const FILE: &str = "bench.html";

pub fn once(bench: &Bench, _: &dyn System) -> Result<Vec<Sample>> {
    let site = copy_of_site(bench)?;
    // Static files are read at the start: a first node says how long the page is, a second one is measured.
    let (plain, gzip) = {
        let (address, _node) = node(bench, site.path())?;
        let [page] = &pages(address, 1)?[..] else {
            bail!("one page was asked for");
        };
        let mut client = Client::connect(address)?;
        (client.get(page)?, client.get_compressed(page)?)
    };
    let file = site.path().join("public").join(FILE);
    fs::write(&file, &plain)?;
    fs::write(file.with_extension("html.gz"), &gzip)?;
    let (address, node) = node(bench, site.path())?;
    let process = node.process().id().context("the node runs")?;
    let pages = pages(address, PAGES)?;
    let file = [format!("/{FILE}")];
    let rate = |paths: &[String], request: fn(&str, usize) -> String| {
        requests_per_cpu_second(bench, (address, process), paths, request)
    };
    let beside = [
        (rate(&pages[..1], plain_page)?, rate(&file, plain_page)?),
        (rate(&pages[..1], compressed)?, rate(&file, compressed)?),
    ];
    let in_turn = rate(&pages, compressed)?;
    let anew = rate(&pages[..1], from_another_host)?;
    let [(page, file), (page_gzip, file_gzip)] = beside;
    Ok(vec![
        sample("page with 50 messages", Unit::PerCpuSecond, page),
        sample("file of the same size", Unit::PerCpuSecond, file),
        sample("page / file", Unit::Ratio, page / file),
        sample("size of the page", Unit::Kibibytes, kibibytes(&plain)),
        sample("page, gzip", Unit::PerCpuSecond, page_gzip),
        sample("file, gzip", Unit::PerCpuSecond, file_gzip),
        sample("page / file, gzip", Unit::Ratio, page_gzip / file_gzip),
        sample("size of the page, gzip", Unit::Kibibytes, kibibytes(&gzip)),
        sample("64 pages in turn, gzip", Unit::PerCpuSecond, in_turn),
        sample("64 pages / file, gzip", Unit::Ratio, in_turn / file_gzip),
        sample("rendered anew, gzip", Unit::PerCpuSecond, anew),
    ])
}

fn kibibytes(bytes: &[u8]) -> f64 {
    bytes.len() as f64 / 1024.0
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

/// The paths of pages with messages.
fn pages(address: SocketAddr, number: usize) -> Result<Vec<String>> {
    let mut client = Client::connect(address)?;
    (0..number).map(|_| page(&mut client)).collect()
}

fn page(client: &mut Client) -> Result<String> {
    let upload = tonesa::upload(client)?;
    for number in 0..MESSAGES {
        let text = format!("Message {number}: the shadow on the left is what I would fix first.");
        client.send(tonesa::post(&upload.id, &text, number).as_bytes())?;
        client.answer()?;
    }
    Ok(format!("/u/{}", upload.short_id))
}

fn plain_page(path: &str, _: usize) -> String {
    http::get(path)
}

fn compressed(path: &str, _: usize) -> String {
    http::get_compressed(path)
}

/// A page tells where it was asked for: it is rendered for each host.
fn from_another_host(path: &str, number: usize) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: {number}.example\r\naccept-encoding: gzip\r\n\r\n")
}

/// Asks for these paths in turn, as often as answers come.
fn requests_per_cpu_second(
    bench: &Bench,
    (address, process): (SocketAddr, u32),
    paths: &[String],
    request: fn(&str, usize) -> String,
) -> Result<f64> {
    let before = ProcessorTime::of(process)?;
    let answers = closed_loop(address, CONNECTIONS, bench.duration / 2, |number| {
        request(&paths[number % paths.len()], number)
    })?;
    let used = ProcessorTime::of(process)?.since(&before);
    Ok(answers as f64 / used.as_secs_f64())
}
