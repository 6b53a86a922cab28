//! How the real program starts, and the errors that keep it from starting.

use std::fs;
use std::path::Path;
#[cfg(target_os = "linux")]
use std::process::Command;

use serde_json::Value;

use crate::common::program::{Program, program};
use crate::common::site;
#[cfg(target_os = "linux")]
use crate::process::program_ignoring_sigxfsz;
use crate::process::stderr;

#[test]
fn help_and_version_are_printed() {
    let help = program().arg("--help").output().unwrap();
    assert!(help.status.success());
    assert!(String::from_utf8_lossy(&help.stdout).contains("--env-file"));
    let version = program().arg("--version").output().unwrap();
    let version = String::from_utf8_lossy(&version.stdout);
    let begin = concat!("tonesa ", env!("CARGO_PKG_VERSION"), " (commit ");
    assert!(version.starts_with(begin), "{version}");
}

#[test]
fn a_wrong_value_is_refused_naming_the_variable() {
    for (name, value) in [
        ("PORT", "99999"),
        ("PUBLIC_URL", "tonesa.example"),
        ("TONESA_BIND", "everywhere"),
        ("TONESA_CONTACT", "abuse@tonesa.example"),
        ("TONESA_MAX_UPLOAD_BYTES", "20MB"),
        ("TONESA_TRUSTED_PROXIES", "10.0.0.0/99"),
        ("TONESA_LOG", "=="),
    ] {
        let output = program().env(name, value).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{name}");
        assert!(
            stderr(&output).starts_with(&format!("tonesa: {name} must be ")),
            "{}",
            stderr(&output)
        );
    }
}

#[test]
fn an_argument_that_a_subcommand_lacks_is_named() {
    let output = program().arg("inspect-image").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("<INPUT>"), "{}", stderr(&output));
}

#[test]
fn an_address_of_a_backend_that_is_not_understood_is_refused_naming_the_variable() {
    for name in ["MONGO_URL", "REDIS_URL"] {
        let folder = tempfile::tempdir().unwrap();
        let output = program()
            .env("TONESA_DATA_DIR", folder.path().join("data"))
            .env("TONESA_SITE_DIR", site(folder.path()))
            .env(name, "nonsense")
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2));
        let sentence = stderr(&output);
        assert!(
            sentence.starts_with(&format!("tonesa: {name} is not ")),
            "{sentence}"
        );
    }
}

#[test]
fn missing_files_and_folders_are_refused_naming_the_fix() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    let output = program().env("TONESA_SITE_DIR", &missing).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("cargo xtask build"),
        "{}",
        stderr(&output)
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
        stderr(&output).contains("TONESA_DATA_DIR"),
        "{}",
        stderr(&output)
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_low_limit_of_open_files_is_warned_of() {
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
fn the_environment_overrides_the_variables_of_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let with_file = |content: &str| {
        let file = folder.path().join("env");
        fs::write(&file, content).unwrap();
        let mut program = program();
        program.arg("--env-file").arg(file);
        program
    };
    let output = with_file("# settings\nPORT=abc\n").output().unwrap();
    assert!(
        stderr(&output).contains("PORT must be"),
        "{}",
        stderr(&output)
    );
    let output = with_file("PORT=abc\nPUBLIC_URL=x\n")
        .env("PORT", "0")
        .output()
        .unwrap();
    assert!(
        stderr(&output).contains("PUBLIC_URL must be"),
        "{}",
        stderr(&output)
    );
    let output = with_file("AWS_SECRET_ACCESS_KEY='my secret")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("--env-file"),
        "{}",
        stderr(&output)
    );
    assert!(
        !stderr(&output).contains("my secret"),
        "{}",
        stderr(&output)
    );
    let output = program()
        .args(["--env-file", "/nowhere/env"])
        .output()
        .unwrap();
    assert!(
        stderr(&output).contains("/nowhere/env"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_check_reports_whether_the_node_is_ready() {
    let program_at = |port: u16, bind: &str| {
        let mut check = program();
        check.arg("--check").env("PORT", port.to_string());
        check.env("TONESA_BIND", bind).output().unwrap()
    };
    let running = Program::start(&[("TONESA_BIND", "0.0.0.0")]);
    let ready = program_at(running.address.port(), "0.0.0.0");
    assert!(ready.status.success(), "{}", stderr(&ready));
    let answer: Value = serde_json::from_slice(&ready.stdout).unwrap();
    assert_eq!(answer["backends"]["store"], "ok");
    assert_eq!(answer["kinds"]["store"], "sqlite");
    let port = running.address.port();
    drop(running);
    let gone = program_at(port, "127.0.0.1");
    assert_eq!(gone.status.code(), Some(1));
    assert!(
        stderr(&gone).contains("no node answers"),
        "{}",
        stderr(&gone)
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_check_fails_naming_the_unavailable_backend() {
    let running = Program::run(program_ignoring_sigxfsz(), &[]);
    running.fill_disk();
    let mut check = program();
    check.arg("--check");
    check.env("PORT", running.address.port().to_string());
    let unready = check.output().unwrap();
    assert_eq!(unready.status.code(), Some(1));
    assert!(
        stderr(&unready).contains(r#""store":"away""#),
        "{}",
        stderr(&unready)
    );
}

#[test]
fn a_port_in_use_is_refused_naming_the_variable() {
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
        let sentence = stderr(&output);
        assert!(sentence.contains(&format!(" {variable} ")), "{sentence}");
        assert!(sentence.contains("cannot listen at"), "{sentence}");
    }
}

#[test]
fn a_data_folder_is_used_by_one_program_only() {
    let first = Program::start(&[]);
    let folder: &Path = first.folder.path();
    let output = program()
        .env("PORT", "0")
        .env("TONESA_DATA_DIR", folder.join("data"))
        .env("TONESA_SITE_DIR", folder.join("site"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("in use"), "{}", stderr(&output));
}
