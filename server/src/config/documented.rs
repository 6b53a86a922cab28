//! Compares the documentation of settings with the settings.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use clap::{Arg, CommandFactory};

use super::Config;

type Names = BTreeSet<String>;

/// Lists every variable that a node reads, with its row of the README's table.
fn settings() -> Vec<(String, String)> {
    let command = Config::command();
    let with_row = |arg: &Arg| {
        let name = arg.get_env()?.to_str().unwrap().to_owned();
        let meaning = arg.get_help().map(ToString::to_string).unwrap_or_default();
        assert!(meaning.len() > 5, "{name} is not explained");
        let default = match arg.get_default_values() {
            [default] if !arg.is_hide_default_value_set() => {
                format!("`{}` ", default.to_str().unwrap())
            }
            _ => String::new(),
        };
        let row = format!("| `{name}` | {meaning} | {default}|");
        Some((name, row))
    };
    command.get_arguments().filter_map(with_row).collect()
}

fn known() -> Names {
    settings().into_iter().map(|(name, _)| name).collect()
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

/// Returns the keys in capital letters of the lines of a YAML mapping.
fn keys<'a>(lines: impl Iterator<Item = &'a str>) -> Names {
    let keys =
        lines.filter_map(|line| Some(line.trim().trim_start_matches("# ").split_once(':')?.0));
    keys.filter(|key| is_name(key)).map(str::to_owned).collect()
}

#[test]
fn the_readme_lists_the_settings_like_the_help() {
    let readme = read("README.md");
    let rows = readme.lines().filter(|line| line.starts_with("| `"));
    let expected: Vec<_> = settings().into_iter().map(|(_, row)| row).collect();
    assert_eq!(
        rows.collect::<Vec<_>>(),
        expected,
        "the tables should be:\n{}",
        expected.join("\n")
    );
}

#[test]
fn the_help_shows_no_value_of_a_secret() {
    let command = Config::command();
    for name in [
        "MONGO_URL",
        "REDIS_URL",
        "S3_ENDPOINT",
        "S3_PUBLIC_ENDPOINT",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "TONESA_ADMIN_TOKEN",
    ] {
        let mut of_name = command
            .get_arguments()
            .filter(|arg| arg.get_env().is_some_and(|env| env == name));
        assert!(of_name.next().unwrap().is_hide_env_values_set(), "{name}");
    }
}

#[test]
fn variables_of_the_container_files_are_known() {
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
