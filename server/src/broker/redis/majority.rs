//! Decides between the answers of a cluster's servers.

use super::reason::Reason;
use super::slots::Shard;

/// Returns what more than half of the servers that answered say.
///
/// # Errors
/// [`Reason::ClusterDown`] if there is no majority; the last server's error if none answered.
pub fn decide(answers: Vec<Result<Vec<Shard>, Reason>>) -> Result<Vec<Shard>, Reason> {
    let mut last_error = Reason::Other;
    let mut answered = Vec::with_capacity(answers.len());
    for answer in answers {
        match answer {
            Ok(shards) => answered.push(shards),
            Err(reason) => last_error = reason,
        }
    }
    if answered.is_empty() {
        return Err(last_error);
    }
    let votes_for = |shards: &Vec<Shard>| answered.iter().filter(|other| *other == shards).count();
    let winner = answered
        .iter()
        .find(|shards| votes_for(shards) * 2 > answered.len());
    winner.cloned().ok_or(Reason::ClusterDown)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shards(port: u16) -> Vec<Shard> {
        vec![Shard {
            address: ("a".to_owned(), port),
            ranges: vec![(0, 16_383)],
        }]
    }

    /// The decision when servers answer with these ports and others do not answer.
    fn decided(ports: &[u16], silent: usize) -> Result<Vec<Shard>, Reason> {
        let answered = ports.iter().map(|port| Ok(shards(*port)));
        let silent = std::iter::repeat_n(Err(Reason::Timeout), silent);
        decide(answered.chain(silent).collect())
    }

    #[test]
    fn more_than_half_of_the_answers_decide() {
        assert_eq!(decided(&[1], 0), Ok(shards(1)));
        assert_eq!(decided(&[2, 1, 1], 0), Ok(shards(1)));
        assert_eq!(decided(&[2], 2), Ok(shards(2)));
    }

    #[test]
    fn a_plurality_is_not_enough() {
        for ports in [&[1, 2][..], &[1, 1, 2, 3], &[1, 1, 1, 2, 2, 3, 3]] {
            assert_eq!(decided(ports, 0), Err(Reason::ClusterDown), "{ports:?}");
        }
    }

    #[test]
    fn without_an_answer_the_error_is_returned() {
        assert_eq!(decided(&[], 2), Err(Reason::Timeout));
    }
}
