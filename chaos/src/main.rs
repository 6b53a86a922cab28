//! Faults drawn from a seed.
mod balancer;
mod client;
mod fault;
mod ledger;
mod phase;
mod proxy;
mod schedule;
fn main() {}
