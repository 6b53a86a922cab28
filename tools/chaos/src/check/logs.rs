//! No node has panicked, and neither a password nor a deleted text is in a log.

use std::fs;

use super::{DeletedTexts, first_few};
use crate::environment::Environment;

/// Reads the logs of all nodes.
pub fn logs(environment: &Environment, texts: &DeletedTexts) -> Vec<String> {
    let mut violations = Vec::new();
    for (number, node) in environment.all_nodes().enumerate() {
        match fs::read(node.process().path().join("log")) {
            Ok(log) => {
                let text = texts
                    .find(&log)
                    .map(|name| format!("its log has the text of {name}"));
                let log = String::from_utf8_lossy(&log);
                let found = log
                    .lines()
                    .filter_map(|line| check(line, environment.secrets()));
                violations.extend(found.chain(text).map(|it| format!("node {number}: {it}")));
            }
            Err(error) => {
                violations.push(format!("the log of node {number} cannot be read: {error}"));
            }
        }
    }
    first_few(violations)
}

fn check(line: &str, secrets: &[String]) -> Option<String> {
    if secrets.iter().any(|secret| line.contains(secret.as_str())) {
        // Not the line itself: it would be repeated here.
        Some("a line of its log has a password".to_owned())
    } else {
        let panicked = line.contains("panicked");
        panicked.then(|| format!("it panicked: {line}"))
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn panics_and_passwords_are_found_and_passwords_not_repeated() {
        let check = |line| check(line, &["hunter2".into()]);
        assert_eq!(check("all is well"), None);
        assert!(
            check("a task panicked: no")
                .unwrap()
                .contains("a task panicked: no")
        );
        let password = check("cannot reach redis://u:hunter2@host");
        assert!(!password.unwrap().contains("hunter2"));
    }
}
