//! Who uses the nodes. Of the uploads that the nodes share, one is busy: its texts are long, and some who watch it
//! stall.

use app::model::{AuthorSecret, UploadId};

use super::Role;

/// The number of clients of the nodes that share the backends,
const CROWD: usize = 30;
/// and of the standalone node.
const FEW: usize = 4;
/// One of so many clients of the busy upload stalls.
const STALL_RATIO: usize = 3;

/// The clients of the nodes that share the backends, spread over the uploads; the last upload is the busy one.
pub fn crowd(uploads: &[UploadId], seed: u64) -> Vec<Role> {
    let count = uploads.len();
    let role = |number| {
        let is_busy = number % count == count - 1;
        Role {
            upload: uploads[number % count],
            // The first client of each upload is its owner.
            is_owner: number < count,
            writes_long: is_busy,
            stalls: is_busy && number / count % STALL_RATIO == 1,
            secret: owner_in_crowd(number),
            seed: seed.wrapping_mul(1_000).wrapping_add(number as u64),
            name: format!("c{number}"),
        }
    };
    (0..CROWD).map(role).collect()
}

/// The clients of the standalone node.
pub fn few(upload: UploadId, seed: u64) -> Vec<Role> {
    let role = |number| Role {
        name: format!("s{number}"),
        upload,
        secret: secret(&format!("s{number}")),
        seed: seed.wrapping_mul(1_000).wrapping_sub(1 + number as u64),
        is_owner: number == 0,
        writes_long: false,
        stalls: false,
    };
    (0..FEW).map(role).collect()
}

/// The secret of the owner of the n-th of the uploads that the nodes share, who is the n-th client.
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
