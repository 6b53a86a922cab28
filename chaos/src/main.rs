//! Faults drawn from a seed.
fn main() {}
