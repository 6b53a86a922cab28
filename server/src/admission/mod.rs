//! Admission control: limits on concurrent connections, on the rate of actions, on the bytes of responses and on what
//! is stored, and fair turns.
//!
//! A client's address is its `ClientAddress::rate_limit_key` here: one for a whole IPv6 network.

pub mod address_blocks;
pub mod fair_semaphore;
pub mod misses;
pub mod rate_limit;
pub mod response_budget;
pub mod shared_counts;
pub mod slots;
pub mod storage_quota;
pub mod token_buckets;
