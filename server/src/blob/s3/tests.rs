//! Against a real S3 server; what one seldom does, as losing an answer, is played by `rare`.

mod addresses;
mod away;
mod keys;
mod kit;
mod large;
mod rare;
mod start;

use self::kit::open;
use crate::blob::conformance::blob_suite;

blob_suite!(open());
