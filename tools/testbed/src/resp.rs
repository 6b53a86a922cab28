//! As much of Redis' protocol as it takes to see that a server answers, and to make a cluster.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    time::Duration,
};

use anyhow::{Context, Result, bail};

/// A server on this machine that takes longer than this is frozen.
const ANSWERS_WITHIN: Duration = Duration::from_secs(1);

/// Sends one command, its words parted by spaces, and gives its answer: a simple or a bulk string.
pub(crate) fn call(port: u16, command: &str) -> Result<String> {
    let address = ([127, 0, 0, 1], port).into();
    let mut stream = TcpStream::connect_timeout(&address, ANSWERS_WITHIN)?;
    stream.set_read_timeout(Some(ANSWERS_WITHIN))?;
    stream.write_all(format!("{command}\r\n").as_bytes())?;
    let mut answer = BufReader::new(stream);
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
