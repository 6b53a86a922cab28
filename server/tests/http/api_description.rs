//! The descriptions of the API: kept in docs/api, with examples that are right, and true about the server.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use reqwest::StatusCode;
use server::http::error::ProblemType;
use tokio::process::Command;

use crate::common::{TestNode, header};

const ADMIN_TOKEN: &str = "the-admin-token-of-these-tests";

fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A Python program that has the package `schemathesis`, which `cargo xtask setup` installs into `target/tools`.
fn python() -> Command {
    let program = env::current_exe().unwrap();
    let mut folders = program
        .ancestors()
        .map(|folder| folder.join("tools/schemathesis"));
    let packages = folders.find(|folder| folder.is_dir());
    let packages = packages.expect(
        "schemathesis is not in target/tools: `cargo xtask setup` installs it with Python 3.11 or newer and pip",
    );
    let mut python = Command::new("python3");
    python.env("PYTHONPATH", packages).kill_on_drop(true);
    python
}

async fn run(command: &mut Command) -> String {
    let output = command.output().await.expect("python3 can be started");
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert!(output.status.success(), "{}", text.concat());
    text.concat()
}

#[tokio::test]
async fn the_descriptions_are_kept_in_the_documentation() {
    let node = TestNode::start().await;
    for name in ["openapi", "asyncapi"] {
        let response = node.get(&format!("/api/{name}.json")).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(
            header(response.headers(), "content-type"),
            "application/json"
        );
        let served = response.text().await.unwrap();
        let kept = file("../docs/api").join(format!("{name}.json"));
        if env::var_os("UPDATE_EXPECT").is_some() {
            fs::write(&kept, &served).unwrap();
        }
        assert!(
            fs::read_to_string(&kept).unwrap_or_default() == served,
            "docs/api/{name}.json differs from what the server says. To write it anew:\n\
             UPDATE_EXPECT=1 cargo test --workspace --exclude frontend --test http -- api_description"
        );
    }
}

#[tokio::test]
async fn the_examples_are_as_their_schemas_say() {
    let node = TestNode::start().await;
    let script = file("tests/http/api_description/examples.py");
    let checked = run(python()
        .arg(script)
        .args(["openapi", "asyncapi"].map(|name| node.url(&format!("/api/{name}.json")))))
    .await;
    let golden = fs::read_dir(file("../app/tests/golden")).unwrap().count();
    assert_eq!(checked, format!("{golden} examples are valid\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_does_what_its_description_says() {
    let node = TestNode::with(&[("TONESA_ADMIN_TOKEN", ADMIN_TOKEN)]).await;
    let upload = node.uploaded().await;
    let message = node.post_text(upload.id, "a message").await;
    let folder = file("tests/http/api_description");
    let report = run(python()
        .args(["-m", "schemathesis.cli", "--config-file"])
        .arg(folder.join("schemathesis.toml"))
        .args(["run", &node.url("/api/openapi.json")])
        .env("SCHEMATHESIS_HOOKS", folder.join("hooks.py"))
        .env("TONESA_ADMIN_TOKEN", ADMIN_TOKEN)
        .env("TONESA_PAGE", node.url(&format!("/u/{}", upload.short_id)))
        .env("TONESA_UPLOAD", upload.short_id.to_string())
        .env("TONESA_MESSAGE", message.seq.to_string())
        .current_dir(node.folder.path()))
    .await;
    let before = report.split(" generated,").next().unwrap();
    let cases: usize = before.rsplit(' ').next().unwrap().parse().unwrap();
    assert!(cases >= 2_000, "{report}");
}

#[test]
fn the_protocol_lists_each_type_of_problem_with_its_status() {
    let protocol = fs::read_to_string(file("../docs/protocol.md")).unwrap();
    let listed = |line: &&str| line.starts_with("| `/problems/");
    let listed: Vec<_> = protocol.lines().filter(listed).collect();
    assert_eq!(listed.len(), ProblemType::ALL.len());
    for problem in ProblemType::ALL {
        let row = format!("| `{}` | {} | ", problem.uri(), problem.status().as_u16());
        assert!(listed.iter().any(|line| line.starts_with(&row)), "{row}");
    }
}
