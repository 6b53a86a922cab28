//! Tests with a real S3 server; those of rare faults use a fake one.

mod fake_server;
mod foreign_objects;
mod helpers;
mod multipart;
mod outage;
mod presigned;
mod start;

use self::helpers::open;
use crate::blob::conformance::blob_suite;

blob_suite!(open());
