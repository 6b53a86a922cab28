//! Sweeping orphans with a whole node, and how it is reported.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use reqwest::{Client, StatusCode};
use serde_json::Value;
use server::config::SweepSchedule;
use server::ids::PairingId;
use tempfile::TempDir;
use testbed::Node;

use crate::common::{TestNode, file_form, pictures, site};

/// Sweeps continuously, and removes images in the sweep after the one that marked them.
fn sweep_continuously(schedule: &mut SweepSchedule) {
    *schedule = SweepSchedule {
        is_on: schedule.is_on,
        first_after: Duration::ZERO,
        jitter: Duration::ZERO,
        every: Duration::ZERO,
        pause: Duration::ZERO,
        mark_duration: Duration::ZERO,
        check_every: Duration::from_millis(5),
    };
}

/// Starts a node that sweeps continuously in this folder.
async fn sweeping(folder: TempDir, variables: &[(&str, &str)]) -> TestNode {
    let variables = [&[("METRICS_PORT", "0")], variables].concat();
    TestNode::with_config(folder, &variables, |config| {
        sweep_continuously(&mut config.sweep);
    })
    .await
}

async fn report(node: &TestNode) -> Value {
    let answer = node.get("/readyz").send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK, "the node works");
    answer.json::<Value>().await.unwrap()["sweep"].clone()
}

/// Waits until the node reports this state and problem.
async fn becomes(node: &TestNode, state: &str, problem: Option<&str>) {
    let waiting = async {
        loop {
            let report = report(node).await;
            let is_known = node.sweep.problem().map(|problem| problem.name()) == problem;
            let reported = report["state"].as_str().unwrap_or("on");
            if is_known && reported == state && report["problem"].as_str() == problem {
                assert_eq!(report["detail"].is_string(), problem.is_some());
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(10), waiting).await;
    assert!(
        waited.is_ok(),
        "{state} {problem:?}: {}",
        report(node).await
    );
}

/// Returns the value of a series of the node's metrics; 0 while there is none.
async fn metric_value(node: &TestNode, series: &str) -> u64 {
    let url = format!("http://{}/metrics", node.metrics.unwrap());
    let text = reqwest::get(url).await.unwrap().text().await.unwrap();
    let value = text.lines().find_map(|line| line.strip_prefix(series));
    value.map_or(0, |value| value.trim().parse().unwrap())
}

async fn grows(node: &TestNode, series: &str, by: u64) {
    let goal = metric_value(node, series).await + by;
    let waiting = async {
        while metric_value(node, series).await < goal {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(10), waiting).await;
    assert!(waited.is_ok(), "{series}");
}

/// Waits until the node has had several chances to sweep.
async fn has_had_time_to_sweep(node: &TestNode) {
    let checks = r#"tonesa_blob_call_duration_seconds_count{operation="pairing",outcome="ok"}"#;
    grows(node, checks, 8).await;
}

fn images(folder: &Path) -> PathBuf {
    folder.join("data/images")
}

/// Creates images that no upload refers to, two days old.
fn make_orphans(folder: &Path, count: usize) {
    let subfolder = images(folder).join("61/61");
    fs::create_dir_all(&subfolder).unwrap();
    for n in 0..count {
        let bytes = format!("aaaa{n:04}").into_bytes();
        let name = format!("{:016x}", u64::from_be_bytes(bytes.try_into().unwrap()));
        fs::write(subfolder.join(name), "bytes").unwrap();
    }
    age(&images(folder));
}

/// Makes all files two days old.
fn age(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            age(&path);
        } else {
            let file = File::options().write(true).open(path).unwrap();
            let then = SystemTime::now() - Duration::from_hours(48);
            file.set_modified(then).unwrap();
        }
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let copied = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &copied);
        } else {
            fs::copy(path, copied).unwrap();
        }
    }
}

#[tokio::test]
async fn an_orphan_is_marked_and_then_removed() {
    let folder = tempfile::tempdir().unwrap();
    let node = sweeping(folder, &[]).await;
    becomes(&node, "on", None).await;
    node.uploaded().await;
    make_orphans(node.folder.path(), 1);
    grows(&node, r#"tonesa_images_swept_total{what="removed"}"#, 1).await;
    assert_eq!(
        metric_value(&node, r#"tonesa_images_swept_total{what="set_aside"}"#).await,
        1
    );
    assert_eq!(node.blobs().await, 1);
    node.stop().await;
}

#[tokio::test]
async fn an_empty_database_removes_no_images_of_another() {
    let first = TestNode::start().await;
    becomes(&first, "on", None).await;
    for _ in 0..3 {
        first.uploaded().await;
    }
    let folder = tempfile::tempdir().unwrap();
    copy(&images(first.folder.path()), &images(folder.path()));
    age(&images(folder.path()));
    let node = sweeping(folder, &[]).await;
    becomes(&node, "stopped", Some("mismatch")).await;
    node.uploaded().await;
    has_had_time_to_sweep(&node).await;
    assert_eq!(node.blobs().await, 4);
    assert_eq!(
        metric_value(&node, r#"tonesa_sweep_problem{problem="mismatch"}"#).await,
        1
    );
    assert!(!images(node.folder.path()).join("orphans").exists());
    // Either the images' own database has to be restored, or an administrator declares that they belong to this one.
    let id = node.node.store.pair(PairingId::random()).await;
    becomes(&node, "stopped", Some("mismatch")).await;
    fs::write(
        images(node.folder.path()).join("pairing.id"),
        id.unwrap().to_string(),
    )
    .unwrap();
    becomes(&node, "on", None).await;
}

#[tokio::test]
async fn images_without_an_id_are_not_removed_by_an_empty_database() {
    let folder = tempfile::tempdir().unwrap();
    make_orphans(folder.path(), 3);
    let node = sweeping(folder, &[]).await;
    becomes(&node, "stopped", Some("unconfirmed")).await;
    has_had_time_to_sweep(&node).await;
    assert_eq!(node.blobs().await, 3);
}

#[tokio::test]
async fn nothing_is_removed_while_there_are_too_many_orphans() {
    let folder = tempfile::tempdir().unwrap();
    let node = sweeping(folder, &[]).await;
    becomes(&node, "on", None).await;
    make_orphans(node.folder.path(), 21);
    becomes(&node, "stopped", Some("too_many")).await;
    has_had_time_to_sweep(&node).await;
    assert_eq!(
        metric_value(&node, r#"tonesa_sweep_problem{problem="too_many"}"#).await,
        1
    );
    assert_eq!(node.blobs().await, 21);
    let mut entries = fs::read_dir(images(node.folder.path()).join("61/61")).unwrap();
    fs::remove_file(entries.next().unwrap().unwrap().path()).unwrap();
    becomes(&node, "on", None).await;
    assert_eq!(
        metric_value(&node, r#"tonesa_sweep_problem{problem="too_many"}"#).await,
        0
    );
}

#[tokio::test]
async fn nothing_is_removed_when_sweeping_is_off() {
    let folder = tempfile::tempdir().unwrap();
    let node = sweeping(folder, &[("TONESA_SWEEP", "0")]).await;
    becomes(&node, "off", None).await;
    make_orphans(node.folder.path(), 2);
    has_had_time_to_sweep(&node).await;
    assert_eq!(node.blobs().await, 2);
    assert!(!images(node.folder.path()).join("orphans").exists());
}

#[tokio::test]
async fn a_node_that_does_not_sweep_takes_back_marks_of_used_images() {
    let folder = tempfile::tempdir().unwrap();
    let node = sweeping(folder, &[("TONESA_SWEEP", "0")]).await;
    let (used, unknown) = (node.uploaded().await.short_id, "aaaa0000".parse().unwrap());
    let blobs = &node.node.blobs;
    // A node whose database is an older copy does this.
    for key in [used, unknown] {
        blobs.mark_orphan(key).await.unwrap();
    }
    let marked = async || {
        let marks = blobs.orphan_marks(None, 10).await.unwrap();
        marks.iter().map(|mark| mark.key).collect::<Vec<_>>()
    };
    node.wait_until("the mark is taken back", async || {
        !marked().await.contains(&used)
    })
    .await;
    has_had_time_to_sweep(&node).await;
    assert_eq!(marked().await, [unknown]);
}

#[tokio::test]
async fn nothing_is_swept_in_the_first_hours() {
    let folder = tempfile::tempdir().unwrap();
    let variables = [("METRICS_PORT", "0")];
    let node = TestNode::with_config(folder, &variables, |config| {
        let first_after = config.sweep.first_after;
        assert!(first_after >= Duration::from_hours(6));
        sweep_continuously(&mut config.sweep);
        config.sweep.first_after = first_after;
    })
    .await;
    becomes(&node, "on", None).await;
    make_orphans(node.folder.path(), 2);
    has_had_time_to_sweep(&node).await;
    assert!(!images(node.folder.path()).join("orphans").exists());
}

/// Waits for a process to report this state of sweeping.
async fn reported(node: &Node, is_so: impl Fn(&Value) -> bool) -> Value {
    let mut reported = Value::Null;
    for _ in 0..1_000 {
        if let Ok(answer) = reqwest::get(format!("{}/readyz", node.base())).await {
            reported = answer.json::<Value>().await.unwrap()["sweep"].clone();
            if is_so(&reported) {
                return reported;
            }
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{reported} {}", node.process().log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_moved_away_and_put_back_loses_no_images() {
    let folder = tempfile::tempdir().unwrap();
    let (data, site) = (folder.path().join("data"), site(folder.path()));
    let node = Node::start(
        Path::new(env!("CARGO_BIN_EXE_tonesa")),
        &[
            ("TONESA_DATA_DIR", data.to_str().unwrap()),
            ("TONESA_SITE_DIR", site.to_str().unwrap()),
        ],
    )
    .unwrap();
    reported(&node, |_| images(folder.path()).join("pairing.id").exists()).await;
    let upload = Client::new().post(format!("{}/api/uploads", node.base()));
    let upload = upload.multipart(file_form(pictures::png(3, 2)));
    let upload: Value = upload.send().await.unwrap().json().await.unwrap();
    node.process().kill().unwrap();
    let away = folder.path().join("away");
    fs::create_dir(&away).unwrap();
    for entry in fs::read_dir(&data).unwrap() {
        let path = entry.unwrap().path();
        if path.to_str().unwrap().contains("tonesa.db") {
            fs::rename(&path, away.join(path.file_name().unwrap())).unwrap();
        }
    }
    tokio::task::block_in_place(|| node.restart()).unwrap();
    reported(&node, |sweep| sweep["problem"] == "mismatch").await;
    let log = node.process().log();
    assert!(
        log.contains("no image is swept") && log.contains("restore"),
        "{log}"
    );
    node.process().kill().unwrap();
    for end in ["", "-wal", "-shm"] {
        drop(fs::remove_file(data.join(format!("tonesa.db{end}"))));
    }
    copy(&away, &data);
    tokio::task::block_in_place(|| node.restart()).unwrap();
    reported(&node, Value::is_null).await;
    let url = upload["content"]["url"].as_str().unwrap();
    let image = reqwest::get(format!("{}{url}", node.base())).await.unwrap();
    assert_eq!(image.status(), StatusCode::OK);
}
