//! What the servers of a cluster agree on.

use super::reason::Reason;
use super::slots::Shard;

/// What more than half of the servers that answered say.
///
/// # Errors
/// [`Reason::ClusterDown`] when they do not agree; when none answered, why the last one did not.
pub fn count(answers: Vec<Result<Vec<Shard>, Reason>>) -> Result<Vec<Shard>, Reason> {
    let mut problem = Reason::Other;
    let mut said = Vec::with_capacity(answers.len());
    for answer in answers {
        match answer {
            Ok(shards) => said.push(shards),
            Err(reason) => problem = reason,
        }
    }
    if said.is_empty() {
        return Err(problem);
    }
    let votes_for = |shards: &Vec<Shard>| said.iter().filter(|other| *other == shards).count();
    let winner = said
        .iter()
        .find(|shards| votes_for(shards) * 2 > said.len());
    winner.cloned().ok_or(Reason::ClusterDown)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shards(port: u16) -> Vec<Shard> {
        vec![Shard {
            node: ("a".to_owned(), port),
            ranges: vec![(0, 16_383)],
        }]
    }

    /// The servers that say so; the others do not answer.
    fn counted(ports: &[u16], silent: usize) -> Result<Vec<Shard>, Reason> {
        let said = ports.iter().map(|port| Ok(shards(*port)));
        let silent = std::iter::repeat_n(Err(Reason::Timeout), silent);
        count(said.chain(silent).collect())
    }

    #[test]
    fn more_than_half_of_those_that_answer_decide() {
        assert_eq!(counted(&[1], 0), Ok(shards(1)));
        assert_eq!(counted(&[2, 1, 1], 0), Ok(shards(1)));
        assert_eq!(counted(&[2], 2), Ok(shards(2)));
    }

    #[test]
    fn the_most_votes_are_not_enough() {
        for torn in [&[1, 2][..], &[1, 1, 2, 3], &[1, 1, 1, 2, 2, 3, 3]] {
            assert_eq!(counted(torn, 0), Err(Reason::ClusterDown), "{torn:?}");
        }
    }

    #[test]
    fn without_an_answer_the_reason_is_told() {
        assert_eq!(counted(&[], 2), Err(Reason::Timeout));
    }
}
