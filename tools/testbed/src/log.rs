//! What a process says.

use std::{
    fs::{File, OpenOptions},
    io::{Read, Write},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use anyhow::{Context, Result};

/// The file begins anew beyond this, so that a chatty server cannot fill the disk.
const MOST_IN_FILE: u64 = 32 * 1024 * 1024;
/// So much of the end is shown in errors.
const TAIL: usize = 64 * 1024;

/// The output of one run of a process: all of it in the file `log`, its end here.
#[derive(Clone)]
pub(crate) struct Log(Arc<Mutex<Written>>);

struct Written {
    file: File,
    in_file: u64,
    tail: Vec<u8>,
}

impl Log {
    /// Goes on writing to the file.
    pub(crate) fn append_to(path: &Path) -> Result<Self> {
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .with_context(|| format!("opening {}", path.display()))?;
        let in_file = file.metadata()?.len();
        Ok(Self(Arc::new(Mutex::new(Written {
            file,
            in_file,
            tail: Vec::new(),
        }))))
    }

    /// Notes what comes out of `source` until it closes.
    pub(crate) fn follow(&self, mut source: impl Read + Send + 'static) {
        let log = self.clone();
        thread::spawn(move || {
            let mut buffer = [0; 8 * 1024];
            // A failed read is the end of it: the process is gone.
            while let Ok(length @ 1..) = source.read(&mut buffer) {
                log.note(&buffer[..length]);
            }
        });
    }

    fn note(&self, bytes: &[u8]) {
        let mut written = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if written.in_file > MOST_IN_FILE && written.file.set_len(0).is_ok() {
            written.in_file = 0;
        }
        // The log is a help to people: a full disk shows elsewhere.
        if written.file.write_all(bytes).is_ok() {
            written.in_file += bytes.len() as u64;
        }
        written.tail.extend_from_slice(bytes);
        let excess = written.tail.len().saturating_sub(TAIL);
        written.tail.drain(..excess);
    }

    /// The end of it.
    pub(crate) fn tail(&self) -> String {
        let written = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&written.tail).into_owned()
    }
}
