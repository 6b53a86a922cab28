//! The examples of docs/protocol.md.

use std::path::Path;

use serde_json::{Deserializer, Value};

use crate::golden_files;

/// The values of the blocks of JSON.
fn examples(markdown: &str) -> Vec<Value> {
    let blocks = markdown.split("\n```json\n").skip(1);
    let blocks = blocks.map(|rest| rest.split("\n```").next().unwrap());
    blocks
        .flat_map(|block| Deserializer::from_str(block).into_iter())
        .map(Result::unwrap)
        .collect()
}

#[test]
fn the_protocol_shows_each_golden_file_once_and_nothing_else() {
    let protocol = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/protocol.md");
    let examples = examples(&std::fs::read_to_string(protocol).unwrap());
    let golden: Vec<_> = golden_files().collect();
    for (name, value) in &golden {
        let shown = examples.iter().filter(|example| *example == value);
        assert_eq!(shown.count(), 1, "docs/protocol.md has {name} once");
    }
    for example in &examples {
        let is_golden = golden.iter().any(|(_, value)| value == example);
        assert!(is_golden, "no golden file is {example}");
    }
}
