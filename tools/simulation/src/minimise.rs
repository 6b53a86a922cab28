//! Makes the plan of a run that violates a property as small as possible, as long as it still violates the same one.

use crate::plan::{Does, Plan, Round};

/// How many seeds are tried with each smaller plan. What is left out changes all delays, and with them what happens.
const SEEDS: u64 = 6;
/// After so many runs the smallest plan so far is good enough.
const MAX_RUNS: usize = 4_000;

/// Makes a plan smaller, as long as its run `violates` the property. `tell` is told of every smaller one.
pub fn minimise(plan: Plan, violates: impl Fn(&Plan) -> bool, tell: impl FnMut(&Plan)) -> Plan {
    let mut smallest = Smallest {
        plan,
        violates,
        tell,
        runs: 0,
    };
    loop {
        let before = smallest.plan.rounds.clone();
        smallest.leave_out(|plan| &mut plan.rounds);
        for round in 0..smallest.plan.rounds.len() {
            smallest.leave_out(|plan| &mut plan.rounds[round].faults);
            smallest.leave_out(|plan| &mut plan.rounds[round].acts);
            smallest.leave_out(|plan| &mut plan.rounds[round].calm);
            smallest.leave_out(|plan| &mut plan.rounds[round].later);
            smallest.leave_out_people(round);
            smallest.simplify(round);
        }
        if smallest.plan.rounds == before || smallest.runs > MAX_RUNS {
            return smallest.plan;
        }
    }
}

struct Smallest<V, T> {
    plan: Plan,
    violates: V,
    tell: T,
    runs: usize,
}

impl<V: Fn(&Plan) -> bool, T: FnMut(&Plan)> Smallest<V, T> {
    /// Takes a smaller plan if it violates the property too, and returns whether it does.
    fn take(&mut self, smaller: &Plan) -> bool {
        for seed in (0..SEEDS).map(|further| smaller.seed.wrapping_add(further)) {
            if self.runs > MAX_RUNS {
                return false;
            }
            self.runs += 1;
            let rounds = smaller.rounds.clone();
            let smaller = Plan {
                seed,
                rounds,
                ..*smaller
            };
            if (self.violates)(&smaller) {
                self.plan = smaller;
                (self.tell)(&self.plan);
                return true;
            }
        }
        false
    }

    /// Leaves out parts of a list: halves first, then ever smaller parts (Zeller's delta debugging).
    fn leave_out<P: Clone>(&mut self, list: impl Fn(&mut Plan) -> &mut Vec<P>) {
        let mut size = list(&mut self.plan).len();
        while size > 0 {
            let mut begin = 0;
            while begin < list(&mut self.plan).len() {
                let mut smaller = self.plan.clone();
                let parts = list(&mut smaller);
                let end = parts.len().min(begin + size);
                parts.drain(begin..end);
                if !self.take(&smaller) {
                    begin += size;
                }
            }
            size /= 2;
        }
    }

    /// Leaves out clients with all that they do, and uploads.
    fn leave_out_people(&mut self, round: usize) {
        for upload in (0..self.plan.rounds[round].uploads.len()).rev() {
            while self.plan.rounds[round].uploads[upload].clients > 0 {
                let mut smaller = self.plan.clone();
                remove_last(&mut smaller.rounds[round], upload);
                if !self.take(&smaller) {
                    break;
                }
            }
        }
        self.leave_out(|plan| &mut plan.rounds[round].uploads);
    }

    /// Takes out what is not necessary of what is left.
    fn simplify(&mut self, round: usize) {
        self.change(round, |round| round.slow = None);
        self.change(round, |round| round.slow_store = None);
        self.change(round, |round| round.stores_fail = false);
        self.change(round, |round| {
            (round.quiet, round.later) = (0, Vec::new());
        });
        for upload in 0..self.plan.rounds[round].uploads.len() {
            self.change(round, |round| round.uploads[upload].expires = false);
            self.change(round, |round| round.uploads[upload].history = 0);
        }
        for act in 0..self.plan.rounds[round].calm.len() {
            self.change(round, |round| write_one(&mut round.calm[act].what.does));
        }
        for act in 0..self.plan.rounds[round].acts.len() {
            self.change(round, |round| write_one(&mut round.acts[act].what.does));
        }
    }

    fn change(&mut self, round: usize, change: impl FnOnce(&mut Round)) {
        let mut smaller = self.plan.clone();
        change(&mut smaller.rounds[round]);
        if smaller != self.plan {
            self.take(&smaller);
        }
    }
}

/// Removes the last client of an upload, with all that it does. The others keep what they do.
fn remove_last(round: &mut Round, upload: usize) {
    let before: usize = round.uploads[..=upload].iter().map(|it| it.clients).sum();
    let removed = before - 1;
    round.uploads[upload].clients -= 1;
    let stays = |client: &mut usize| {
        let is_other = *client != removed;
        *client -= usize::from(*client > removed);
        is_other
    };
    round.acts.retain_mut(|it| stays(&mut it.what.client));
    round.calm.retain_mut(|it| stays(&mut it.what.client));
    round.later.retain_mut(|it| stays(&mut it.what.client));
    round
        .faults
        .retain_mut(|it| it.what.client_mut().is_none_or(stays));
    round.slow = round.slow.filter(|slow| slow.what != removed);
    if let Some(slow) = &mut round.slow {
        slow.what -= usize::from(slow.what > removed);
    }
}

fn write_one(does: &mut Does) {
    if let Does::Write(count) = does {
        *count = 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::Fault;
    use crate::links::BrokerKind;

    #[test]
    fn what_is_left_is_necessary() {
        let rounds = (0..3).map(|number| Round::plan(7, number)).collect();
        let plan = Plan {
            seed: 7,
            broker: BrokerKind::Simulated,
            rounds,
        };
        let is_cause = |round: &Round| {
            let mut faults = round.faults.iter();
            let clients: usize = round.uploads.iter().map(|it| it.clients).sum();
            faults.any(|it| matches!(it.what, Fault::Frozen(_)))
                && round.calm.iter().any(|it| it.what.client == 1)
                && clients > 1
        };
        let violates = |plan: &Plan| plan.rounds.iter().any(is_cause);
        assert!(violates(&plan));
        let smallest = minimise(plan, violates, |_| {});
        let [round] = &*smallest.rounds else {
            panic!("{smallest:?}");
        };
        let sizes = (round.faults.len(), round.acts.len(), round.calm.len());
        assert_eq!(
            (sizes, round.uploads.len(), round.slow),
            ((1, 0, 1), 1, None)
        );
        assert_eq!(round.uploads[0].clients, 2);
    }
}
