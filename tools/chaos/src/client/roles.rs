//! Who uses the nodes. Of the uploads that the nodes share, one is busy: its texts are long, and some who watch it
//! stall.

use std::time::Duration;

use app::model::{AuthorSecret, UploadId};

use super::{Deletes, Role};

/// One of so many clients is a visitor.
const VISITOR_RATIO: usize = 5;
/// One of so many residents of the busy upload stalls. So do all its visitors, who leave in the midst of it.
const STALL_RATIO: usize = 4;
/// How many write on the standalone node.
const WRITERS: usize = 3;
/// Mean time between two messages of somebody who reads: longer than most runs.
const READER_PACE: Duration = Duration::from_hours(1);

/// The clients of the nodes that share the backends, spread over the uploads.
pub fn crowd(count: usize, pace: Duration, uploads: &[UploadId], seed: u64) -> Vec<Role> {
    let mut busy_residents = 0;
    let role = |number| {
        let is_visitor = number % VISITOR_RATIO == VISITOR_RATIO - 2;
        let is_busy = number % uploads.len() == uploads.len() - 1;
        busy_residents += usize::from(is_busy && !is_visitor);
        let name = format!("c{number}");
        Role {
            upload: uploads[number % uploads.len()],
            secret: secret(&name),
            name,
            seed: seed.wrapping_mul(1_000).wrapping_add(number as u64),
            pace,
            stays: !is_visitor,
            stalls: is_busy && (is_visitor || busy_residents % STALL_RATIO == 0),
            writes_long: is_busy,
            // The first client of each upload is its owner.
            deletes: deletes(number < uploads.len()),
        }
    };
    (0..count).map(role).collect()
}

/// The clients of the standalone node: some write, and one reads. That one does not learn from the answers to its own
/// posts that a backup was restored.
pub fn few(pace: Duration, upload: UploadId, seed: u64) -> Vec<Role> {
    let role = |number| {
        let name = format!("s{number}");
        Role {
            upload,
            secret: secret(&name),
            name,
            seed: seed.wrapping_mul(1_000).wrapping_sub(1 + number as u64),
            pace: if number < WRITERS { pace } else { READER_PACE },
            stays: true,
            stalls: false,
            writes_long: false,
            deletes: deletes(number == 0),
        }
    };
    (0..=WRITERS).map(role).collect()
}

fn deletes(is_owner: bool) -> Deletes {
    if is_owner { Deletes::All } else { Deletes::Own }
}

/// The secret of the owner of the n-th of the uploads that the nodes share.
pub fn owner_in_crowd(number: usize) -> AuthorSecret {
    secret(&format!("c{number}"))
}

/// The secret of the owner of the standalone node's uploads.
pub fn owner_in_few() -> AuthorSecret {
    secret("s0")
}

fn secret(name: &str) -> AuthorSecret {
    let secret = format!("the-secret-of-client-{name}-of-a-run");
    secret.parse().expect("it is long enough")
}
