//! What the nodes wrote into their logs.

use std::fs;

use crate::bed::Bed;

use super::told;

/// No node has panicked, and no password stands in a log.
pub fn logs(bed: &Bed) -> Vec<String> {
    let mut faults = Vec::new();
    for (number, node) in bed.nodes().enumerate() {
        match fs::read(node.process().path().join("log")) {
            Ok(log) => {
                let log = String::from_utf8_lossy(&log);
                faults.extend(
                    faults_of(&log, bed.secrets()).map(|it| format!("node {number}: {it}")),
                );
            }
            Err(error) => faults.push(format!("the log of node {number} cannot be read: {error}")),
        }
    }
    told(faults)
}

fn faults_of<'a>(log: &'a str, secrets: &'a [String]) -> impl Iterator<Item = String> + 'a {
    let lines = log.lines();
    lines.filter_map(|line| {
        if secrets.iter().any(|secret| line.contains(secret.as_str())) {
            // Not the line itself: it would be repeated here.
            Some("a line of its log holds a password".to_owned())
        } else if line.contains("panicked") {
            Some(format!("it panicked: {line}"))
        } else {
            None
        }
    })
}

#[cfg(test)]
mod tests {
    use super::faults_of;

    #[test]
    fn panics_and_passwords_are_found_and_passwords_not_repeated() {
        let log = "all is well\na task panicked: no\ncannot reach redis://u:hunter2@host\n";
        let faults: Vec<_> = faults_of(log, &["hunter2".into()]).collect();
        assert_eq!(faults.len(), 2);
        assert!(faults[0].contains("a task panicked: no"));
        assert!(!faults[1].contains("hunter2"));
    }
}
