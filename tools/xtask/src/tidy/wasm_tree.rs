//! What the browser's program depends on.

use anyhow::Result;

use crate::workspace::Workspace;

/// Storage and server machinery, and what is too large for a browser. (`regex` is in the tree by Leptos' own
/// configuration crate, but the linker leaves it out.)
const NOT_FOR_BROWSERS: [&str; 14] = [
    "aws-config",
    "aws-sdk-s3",
    "axum",
    "bson",
    "chrono",
    "hyper",
    "leptos_axum",
    "libsqlite3-sys",
    "mongodb",
    "redis",
    "reqwest",
    "rusqlite",
    "server",
    "tokio",
];

/// Names each crate in the browser's dependency tree that must not be there.
pub fn violations(workspace: &Workspace) -> Result<Vec<String>> {
    let tree = workspace.cargo().args(["tree", "--package", "frontend"]);
    let tree = tree.args(["--target", "wasm32-unknown-unknown", "--edges", "normal"]);
    let tree = tree
        .args(["--prefix", "none", "--format", "{p}"])
        .quiet()
        .read()?;
    let names = tree.lines().filter_map(|line| line.split(' ').next());
    let names: Vec<_> = names.collect();
    let unwanted = NOT_FOR_BROWSERS.iter().filter(|name| names.contains(name));
    let violations = unwanted.map(|name| {
        format!("frontend: {name} is in the browser's dependency tree (`cargo tree -p frontend -i {name}`)")
    });
    Ok(violations.collect())
}
