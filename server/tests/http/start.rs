//! The real program: how it starts, and why it does not.

use std::fs;
use std::path::Path;
#[cfg(target_os = "linux")]
use std::process::Command;

use serde_json::Value;

use crate::common::program::{Program, program};
use crate::common::site;
#[cfg(target_os = "linux")]
use crate::process::ignoring_the_limits_signal;
use crate::process::said;

#[test]
fn help_and_version_are_told() {
    let help = program().arg("--help").output().unwrap();
    assert!(help.status.success());
    assert!(String::from_utf8_lossy(&help.stdout).contains("--env-file"));
    let version = program().arg("--version").output().unwrap();
    let version = String::from_utf8_lossy(&version.stdout);
    let begin = concat!("tonesa ", env!("CARGO_PKG_VERSION"), " (commit ");
    assert!(version.starts_with(begin), "{version}");
}

#[test]
fn a_wrong_value_stops_the_start_with_a_sentence_that_names_the_variable() {
    for (name, value) in [
        ("PORT", "99999"),
        ("PUBLIC_URL", "tonesa.example"),
        ("TONESA_BIND", "everywhere"),
        ("TONESA_MAX_UPLOAD_BYTES", "20MB"),
        ("TONESA_TRUSTED_PROXIES", "10.0.0.0/99"),
        ("TONESA_LOG", "=="),
    ] {
        let output = program().env(name, value).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(
            said(&output).starts_with(&format!("tonesa: {name} must be ")),
            "{}",
            said(&output)
        );
    }
}

#[test]
fn missing_files_and_folders_stop_the_start_with_a_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    let output = program().env("TONESA_SITE_DIR", &missing).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said(&output).contains("cargo xtask build"),
        "{}",
        said(&output)
    );

    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let output = program()
        .env("TONESA_SITE_DIR", site(folder.path()))
        .env("TONESA_DATA_DIR", &file)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said(&output).contains("TONESA_DATA_DIR"),
        "{}",
        said(&output)
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_low_hard_limit_of_open_files_is_warned_of_with_the_number_that_is_needed() {
    let mut shell = Command::new("/bin/sh");
    shell.env_clear();
    shell.args([
        "-c",
        "ulimit -n 900; exec \"$0\"",
        env!("CARGO_BIN_EXE_tonesa"),
    ]);
    let places = |sockets| {
        [
            ("TONESA_MAX_SOCKETS", sockets),
            ("TONESA_MAX_CONNECTIONS", "10"),
        ]
    };
    let low = Program::run(shell, &places("100"));
    let warned = low
        .start_log
        .lines()
        .find(|line| line.contains("open files"));
    let warned: Value = serde_json::from_str(warned.expect("a warning")).unwrap();
    assert_eq!(warned["level"], "WARN");
    let numbers = [&warned["allowed"], &warned["needed"]];
    assert_eq!(numbers, [900, 1_120], "{warned}");
    let enough = Program::start(&places("100"));
    assert!(
        !enough.start_log.contains("open files"),
        "{}",
        enough.start_log
    );
}

#[test]
fn variables_can_come_from_a_file_and_those_of_the_environment_come_first() {
    let folder = tempfile::tempdir().unwrap();
    let with_file = |content: &str| {
        let file = folder.path().join("env");
        fs::write(&file, content).unwrap();
        let mut program = program();
        program.arg("--env-file").arg(file);
        program
    };
    let output = with_file("# settings\nPORT=abc\n").output().unwrap();
    assert!(said(&output).contains("PORT must be"), "{}", said(&output));
    let output = with_file("PORT=abc\nPUBLIC_URL=x\n")
        .env("PORT", "0")
        .output()
        .unwrap();
    assert!(
        said(&output).contains("PUBLIC_URL must be"),
        "{}",
        said(&output)
    );
    let output = with_file("AWS_SECRET_ACCESS_KEY='my secret")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("--env-file"), "{}", said(&output));
    assert!(!said(&output).contains("my secret"), "{}", said(&output));
    let output = program()
        .args(["--env-file", "/nowhere/env"])
        .output()
        .unwrap();
    assert!(said(&output).contains("/nowhere/env"), "{}", said(&output));
}

#[test]
fn a_check_tells_whether_the_node_of_these_settings_is_ready() {
    let program_at = |port: u16, bind: &str| {
        let mut check = program();
        check.arg("--check").env("PORT", port.to_string());
        check.env("TONESA_BIND", bind).output().unwrap()
    };
    let running = Program::start(&[("TONESA_BIND", "0.0.0.0")]);
    let ready = program_at(running.address.port(), "0.0.0.0");
    assert!(ready.status.success(), "{}", said(&ready));
    let answer: Value = serde_json::from_slice(&ready.stdout).unwrap();
    assert_eq!(answer["backends"]["store"], "ok");
    assert_eq!(answer["kinds"]["store"], "sqlite");
    let port = running.address.port();
    drop(running);
    let gone = program_at(port, "127.0.0.1");
    assert_eq!(gone.status.code(), Some(1));
    assert!(said(&gone).contains("no node answers"), "{}", said(&gone));
}

#[cfg(target_os = "linux")]
#[test]
fn a_check_fails_when_a_backend_is_away_and_says_which() {
    let running = Program::run(ignoring_the_limits_signal(), &[]);
    running.fill_disk();
    let mut check = program();
    check.arg("--check");
    check.env("PORT", running.address.port().to_string());
    let unready = check.output().unwrap();
    assert_eq!(unready.status.code(), Some(1));
    assert!(
        said(&unready).contains(r#""store":"away""#),
        "{}",
        said(&unready)
    );
}

#[test]
fn a_port_that_is_taken_stops_the_start_with_a_sentence_that_names_its_variable() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for (variable, other) in [("PORT", "METRICS_PORT"), ("METRICS_PORT", "PORT")] {
        let folder = tempfile::tempdir().unwrap();
        let output = program()
            .env("TONESA_DATA_DIR", folder.path().join("data"))
            .env("TONESA_SITE_DIR", site(folder.path()))
            .env(other, "0")
            .env(variable, &port)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1));
        let sentence = said(&output);
        assert!(sentence.contains(&format!(" {variable} ")), "{sentence}");
        assert!(sentence.contains("cannot listen at"), "{sentence}");
    }
}

#[test]
fn a_second_program_in_the_same_data_folder_does_not_start() {
    let first = Program::start(&[]);
    let folder: &Path = first.folder.path();
    let output = program()
        .env("PORT", "0")
        .env("TONESA_DATA_DIR", folder.join("data"))
        .env("TONESA_SITE_DIR", folder.join("site"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("in use"), "{}", said(&output));
}
