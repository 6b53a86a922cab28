//! Tests with a real S3 server. Rare faults, such as a lost answer, are tested with a fake one in `rare`.

mod keys;
mod kit;
mod large;
mod outage;
mod presigned;
mod rare;
mod start;

use self::kit::open;
use crate::blob::conformance::blob_suite;

blob_suite!(open());
