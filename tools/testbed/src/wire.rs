//! As much of MongoDB's wire protocol as it takes to see that a server answers, and to make it a replica set:
//! `OP_MSG` with one document each way.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use bson::{Document, doc};

const ANSWERS_WITHIN: Duration = Duration::from_secs(2);
const OP_MSG: i32 = 2013;
/// Length, request, response to, operation.
const HEADER: usize = 16;
/// Flags (4 bytes) and the kind of the one section (1 byte) come before the document.
const BEFORE_DOCUMENT: usize = 5;
/// No answer to these questions is nearly so long.
const LONGEST_ANSWER: usize = 1024 * 1024;

/// Calls a command of the database `admin` and gives the answer, which may tell of a failure (`ok: 0`).
pub(crate) fn call(port: u16, mut command: Document) -> Result<Document> {
    let address = ([127, 0, 0, 1], port).into();
    let mut stream = TcpStream::connect_timeout(&address, ANSWERS_WITHIN)?;
    stream.set_read_timeout(Some(ANSWERS_WITHIN))?;
    command.extend(doc! { "$db": "admin" });
    stream.write_all(&message(&command)?)?;
    let mut header = [0; HEADER];
    stream.read_exact(&mut header)?;
    let length = i32::from_le_bytes([header[0], header[1], header[2], header[3]]);
    let rest = usize::try_from(length)?.checked_sub(HEADER);
    let rest = rest.filter(|rest| (BEFORE_DOCUMENT..LONGEST_ANSWER).contains(rest));
    let mut body = vec![0; rest.context("an answer of an impossible length")?];
    stream.read_exact(&mut body)?;
    Ok(Document::from_reader(&body[BEFORE_DOCUMENT..])?)
}

fn message(command: &Document) -> Result<Vec<u8>> {
    let document = command.to_vec()?;
    let length = HEADER + BEFORE_DOCUMENT + document.len();
    ensure!(length < LONGEST_ANSWER, "a command of {length} bytes");
    let mut message = Vec::with_capacity(length);
    for number in [i32::try_from(length)?, 1, 0, OP_MSG, 0] {
        message.extend(number.to_le_bytes());
    }
    message.push(0);
    message.extend(document);
    Ok(message)
}
