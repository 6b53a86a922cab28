//! Who is let in: how many places there are, and how often one address may do something.

pub mod answer_bytes;
pub mod buckets;
pub mod misses;
pub mod rate_limit;
pub mod slots;
