//! The parts of HTTP and of Redis' and MongoDB's protocols that are needed to check that a server answers, and to make
//! a cluster or a replica set of it.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use bson::{Document, doc};

/// A server on this machine that takes longer is frozen.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
const OP_MSG: i32 = 2013;
/// A message's length, its number, the number that it answers, and its operation: four bytes each.
const MONGO_HEADER: usize = 16;
/// Flags (four bytes) and the kind of the only section (one byte).
const MONGO_BEFORE_DOCUMENT: usize = 5;

fn send(port: u16, request: &[u8]) -> Result<BufReader<TcpStream>> {
    let address = ([127, 0, 0, 1], port).into();
    let mut stream = TcpStream::connect_timeout(&address, ANSWER_TIMEOUT)?;
    stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
    stream.write_all(request)?;
    Ok(BufReader::new(stream))
}

/// The status of the answer to a GET request.
pub(crate) fn http_status(port: u16, path: &str) -> Result<u16> {
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n");
    let mut line = String::new();
    send(port, request.as_bytes())?.read_line(&mut line)?;
    let status = line.split(' ').nth(1).context("no status line")?;
    Ok(status.parse()?)
}

/// The answer to a Redis command whose words are separated by spaces: a string or a number.
pub(crate) fn redis(port: u16, command: &str) -> Result<String> {
    let mut answer = send(port, format!("{command}\r\n").as_bytes())?;
    let mut line = String::new();
    answer.read_line(&mut line)?;
    let line = line.trim_end();
    match line.split_at_checked(1) {
        Some(("+" | ":", text)) => Ok(text.to_owned()),
        Some(("$", length)) => {
            let mut text = vec![0; length.parse().context("a bulk string's length")?];
            answer.read_exact(&mut text)?;
            Ok(String::from_utf8(text)?)
        }
        Some(("-", problem)) => bail!("Redis refuses {command}: {problem}"),
        _ => bail!("Redis answers {command} with {line:?}"),
    }
}

/// The answer to a command of MongoDB's database `admin`; it may report a failure (`ok: 0`).
pub(crate) fn mongo(port: u16, mut command: Document) -> Result<Document> {
    command.extend(doc! { "$db": "admin" });
    let document = command.to_vec()?;
    let length = i32::try_from(MONGO_HEADER + MONGO_BEFORE_DOCUMENT + document.len())?;
    let mut message: Vec<u8> = [length, 1, 0, OP_MSG, 0]
        .into_iter()
        .flat_map(i32::to_le_bytes)
        .collect();
    message.push(0);
    message.extend(document);
    let mut answer = send(port, &message)?;
    answer.read_exact(&mut [0; MONGO_HEADER + MONGO_BEFORE_DOCUMENT])?;
    Ok(Document::from_reader(answer)?)
}
