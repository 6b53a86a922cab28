//! Admission control: limits on concurrent connections, on the rate of actions, and on the bytes of responses, and fair
//! turns.

pub mod address_blocks;
pub mod fair_semaphore;
pub mod misses;
pub mod rate_limit;
pub mod response_budget;
pub mod slots;
pub mod token_buckets;
