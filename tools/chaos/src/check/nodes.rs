//! The nodes' own health: their processes, their memory, what they did wrong, and what they wrote into their logs.

use std::fs;

use super::told;
use crate::bed::Bed;
use crate::memory::Memory;

/// No node has ended by itself, fallen silent, panicked, or grown without an end, and no password stands in a log.
pub fn nodes(bed: &Bed, memory: &[Memory]) -> Vec<String> {
    let fallen = memory.iter().enumerate().filter(|(_, it)| it.has_fallen);
    let mut faults: Vec<_> = fallen
        .map(|(number, _)| format!("node {number} ended by itself"))
        .collect();
    let grown = memory.iter().enumerate().filter(|(_, it)| it.runs_away());
    faults.extend(grown.map(|(number, it)| format!("node {number} holds {} MiB", it.last)));
    let busy = memory
        .iter()
        .enumerate()
        .filter(|(_, it)| it.load.runs_away());
    faults.extend(busy.map(|(number, it)| {
        let percent = it.load.most;
        format!(
            "node {number} used {percent} % of a processor for seconds: it goes round in circles"
        )
    }));
    for (number, held) in bed.held().enumerate() {
        let complaints = held.complaints().into_iter();
        faults.extend(complaints.map(|it| format!("node {number}: {it}")));
        match fs::read(held.node().process().path().join("log")) {
            Ok(log) => {
                let log = String::from_utf8_lossy(&log);
                let found = faults_of(&log, bed.secrets());
                faults.extend(found.map(|it| format!("node {number}: {it}")));
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
