//! What is written about settings, against what is read of them.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::Config;

type Names = BTreeSet<String>;

/// Every variable that a node asks for.
fn known() -> Names {
    let asked = RefCell::new(Names::new());
    let config = Config::from_env(&|name| {
        asked.borrow_mut().insert(name.to_owned());
        // Settings that others go with.
        let leads_to_others = name == "S3_BUCKET_NAME" || name.starts_with("AWS_");
        leads_to_others.then(|| "x".into())
    });
    config.unwrap();
    asked.into_inner()
}

fn read(file: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    fs::read_to_string(root.join(file)).unwrap()
}

fn is_name(text: &str) -> bool {
    let is_of_a_name =
        |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    text.len() > 2
        && !text.starts_with(|first: char| first.is_ascii_digit())
        && text.bytes().all(is_of_a_name)
}

/// The keys of the lines of a YAML mapping, of those lines that are set in capitals.
fn keys<'a>(lines: impl Iterator<Item = &'a str>) -> Names {
    let keys =
        lines.filter_map(|line| Some(line.trim().trim_start_matches("# ").split_once(':')?.0));
    keys.filter(|key| is_name(key)).map(str::to_owned).collect()
}

#[test]
fn the_table_of_the_readme_names_every_variable_and_no_other() {
    let readme = read("README.md");
    let rows = readme.lines().filter(|line| line.starts_with("| `"));
    let listed: Names = rows
        .flat_map(|row| row.split('`').skip(1).step_by(2))
        .filter(|name| is_name(name))
        .map(str::to_owned)
        .collect();
    assert_eq!(listed, known());
}

#[test]
fn what_is_set_for_containers_is_known() {
    let known = known();
    let compose = read("compose.yaml");
    let nodes = compose.split_once("x-node:").unwrap().1;
    let nodes = nodes.split_once("\nservices:").unwrap().0;
    let image = read("Dockerfile");
    let image = image.rsplit_once("\nFROM ").unwrap().1;
    let in_image = image.lines().filter_map(|line| {
        let assignment = line.trim_start_matches("ENV ").trim();
        Some(assignment.split_once('=')?.0).filter(|name| is_name(name))
    });
    for (file, names) in [
        ("compose.yaml", keys(nodes.lines())),
        ("Dockerfile", in_image.map(str::to_owned).collect()),
        (
            "configmap.yaml",
            keys(read("deploy/kubernetes/configmap.yaml").lines()),
        ),
        (
            "secret.example.yaml",
            keys(read("deploy/kubernetes/secret.example.yaml").lines()),
        ),
    ] {
        assert!(names.len() >= 2, "{file} sets {names:?}");
        let unknown: Vec<_> = names.difference(&known).collect();
        assert!(
            unknown.is_empty(),
            "{file} sets {unknown:?}, which no node reads"
        );
    }
}
