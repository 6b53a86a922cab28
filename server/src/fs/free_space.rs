//! How much of a disk is free.

use std::io;
use std::path::Path;

/// Returns how many bytes this program may still write to the disk of a folder.
///
/// # Errors
/// When the file system does not tell.
pub fn free_space(folder: &Path) -> io::Result<u64> {
    let disk = rustix::fs::statvfs(folder)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}
