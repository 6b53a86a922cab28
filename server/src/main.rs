//! The program `tonesa`: one node.

fn main() {}
