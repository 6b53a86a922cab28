//! What the browser's program is made of.

use anyhow::Result;

use crate::workspace::Workspace;

/// Storage and server machinery, and what is too heavy to send to a browser. (`regex` is in the tree by Leptos' own
/// configuration crate, but the linker leaves it out; the size budget would notice it.)
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

/// Names each crate in the browser's dependency tree that does not belong there.
pub fn faults(workspace: &Workspace) -> Result<Vec<String>> {
    let tree = workspace
        .cargo()
        .args([
            "tree",
            "--package",
            "frontend",
            "--target",
            "wasm32-unknown-unknown",
            "--edges",
            "normal",
        ])
        .args(["--prefix", "none", "--format", "{p}"])
        .quiet()
        .read()?;
    Ok(unwanted(&tree)
        .map(|name| format!("frontend: {name} is in the browser's dependency tree (`cargo tree -p frontend -i {name}`)"))
        .collect())
}

fn unwanted(tree: &str) -> impl Iterator<Item = &'static str> {
    let names: Vec<_> = tree
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    NOT_FOR_BROWSERS
        .into_iter()
        .filter(move |name| names.contains(name))
}

#[cfg(test)]
mod tests {
    use super::unwanted;

    #[test]
    fn a_server_crate_is_found_by_its_whole_name() {
        let tree = "frontend v0.1.0 (/somewhere)\nserver_fn v0.8.13\nserde v1.0.0\ntokio v1.54.0\n";
        assert_eq!(unwanted(tree).collect::<Vec<_>>(), ["tokio"]);
    }
}
