//! Turns that are shared fairly by client address.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// A number of turns, of which one address holds all but one at most: whoever comes next finds one free unless several
/// addresses are at work. A free one goes to the waiting address that holds the fewest, and among those to the one that
/// was served longest ago; within an address the first comes first. So whoever waits does so for about one turn of each
/// other address, however many those have in line.
///
/// How many wait is bounded by whoever calls.
#[derive(Debug, Clone)]
pub(super) struct FairQueue(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    max: usize,
    max_per_address: usize,
    /// Turns that are held, by address. No entry is zero.
    held: HashMap<IpAddr, usize>,
    /// The addresses that wait, the one that was served longest ago first. No line is empty.
    lines: VecDeque<Line>,
}

#[derive(Debug)]
struct Line {
    address: IpAddr,
    waiting: VecDeque<oneshot::Sender<Turn>>,
}

/// A turn; the next one gets it when it is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    queue: FairQueue,
    address: IpAddr,
}

impl FairQueue {
    /// At most `max` turns at once, and one less for one address.
    pub fn new(max: usize) -> Self {
        Self(Arc::new(Mutex::new(State {
            max,
            max_per_address: max.saturating_sub(1).max(1),
            held: HashMap::new(),
            lines: VecDeque::new(),
        })))
    }

    /// Waits for a turn. Who stops waiting leaves the line.
    pub async fn turn(&self, address: IpAddr) -> Turn {
        let (sender, receiver) = oneshot::channel();
        self.lock().enqueue(address, sender);
        self.serve();
        receiver
            .await
            .expect("a sender stays in line until its turn, while somebody waits")
    }

    /// Turns that are held.
    pub fn held(&self) -> usize {
        self.lock().held()
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        let mut state = self.lock();
        state.forget_gone();
        state.lines.iter().map(|line| line.waiting.len()).sum()
    }

    fn serve(&self) {
        loop {
            let next = self.lock().next();
            let Some((address, sender)) = next else {
                return;
            };
            let turn = Turn {
                queue: self.clone(),
                address,
            };
            // Who has just left gives the turn back by not taking it.
            drop(sender.send(turn));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.queue.lock().release(self.address);
        self.queue.serve();
    }
}

impl State {
    fn enqueue(&mut self, address: IpAddr, sender: oneshot::Sender<Turn>) {
        self.forget_gone();
        match self.lines.iter_mut().find(|line| line.address == address) {
            Some(line) => line.waiting.push_back(sender),
            None => self.lines.push_back(Line {
                address,
                waiting: VecDeque::from([sender]),
            }),
        }
    }

    fn held(&self) -> usize {
        self.held.values().sum()
    }

    /// Whose turn it is, if one is free.
    fn next(&mut self) -> Option<(IpAddr, oneshot::Sender<Turn>)> {
        self.forget_gone();
        if self.held() >= self.max {
            return None;
        }
        let held = |line: &Line| self.held.get(&line.address).copied().unwrap_or(0);
        // The first of those that hold equally many.
        let (index, _) = (self.lines.iter().enumerate())
            .filter(|(_, line)| held(line) < self.max_per_address)
            .min_by_key(|(_, line)| held(line))?;
        let mut line = self.lines.remove(index)?;
        let (address, sender) = (line.address, line.waiting.pop_front()?);
        if !line.waiting.is_empty() {
            self.lines.push_back(line);
        }
        *self.held.entry(address).or_default() += 1;
        Some((address, sender))
    }

    fn release(&mut self, address: IpAddr) {
        self.put_last(address);
        if let Some(count) = self.held.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                self.held.remove(&address);
            }
        }
    }

    /// Who had its turn goes behind the others, with what it has in line.
    fn put_last(&mut self, address: IpAddr) {
        let index = self.lines.iter().position(|line| line.address == address);
        if let Some(line) = index.and_then(|index| self.lines.remove(index)) {
            self.lines.push_back(line);
        }
    }

    /// Else the lines would grow by whoever comes and goes.
    fn forget_gone(&mut self) {
        for line in &mut self.lines {
            line.waiting.retain(|sender| !sender.is_closed());
        }
        self.lines.retain(|line| !line.waiting.is_empty());
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;

    use futures::FutureExt;

    use super::*;

    const A: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const B: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));
    const C: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 3));

    type Waiting<'a> = Pin<Box<dyn Future<Output = Turn> + 'a>>;

    fn wait(queue: &FairQueue, address: IpAddr) -> Waiting<'_> {
        let mut waiting: Waiting<'_> = Box::pin(queue.turn(address));
        assert!(turn_of(&mut waiting).is_none());
        waiting
    }

    /// The turn, if it has come.
    fn turn_of(waiting: &mut Waiting<'_>) -> Option<Turn> {
        waiting.now_or_never()
    }

    #[tokio::test]
    async fn an_address_with_many_in_line_holds_one_turn_and_another_gets_its_own_at_once() {
        let queue = FairQueue::new(2);
        let first = queue.turn(A).await;
        let mut more: Vec<_> = (0..5).map(|_| wait(&queue, A)).collect();
        let b = queue.turn(B).await;
        let mut c = wait(&queue, C);
        drop(first);
        let c = turn_of(&mut c).expect("C's turn");
        assert!(turn_of(&mut more[0]).is_none());
        drop((b, c));
        assert!(turn_of(&mut more[0]).is_some());
        drop(more);
        assert_eq!((queue.held(), queue.waiting()), (0, 0));
    }

    #[tokio::test]
    async fn addresses_that_all_have_many_in_line_take_turns() {
        let queue = FairQueue::new(1);
        let mut held = Some(queue.turn(A).await);
        let mut lines: Vec<_> = [A, A, A, A, B, B, C, C]
            .map(|address| (address, wait(&queue, address)))
            .into();
        let mut order = Vec::new();
        while !lines.is_empty() {
            drop(held.take());
            let (index, turn) = (lines.iter_mut().enumerate())
                .find_map(|(index, (_, waiting))| Some((index, turn_of(waiting)?)))
                .expect("somebody's turn");
            order.push(lines.remove(index).0);
            held = Some(turn);
        }
        assert_eq!(order, [B, C, A, B, C, A, A, A]);
    }

    #[tokio::test]
    async fn who_leaves_the_line_leaves_nothing_and_a_turn_not_taken_goes_on() {
        let queue = FairQueue::new(1);
        let held = queue.turn(A).await;
        for _ in 0..1_000 {
            drop(wait(&queue, B));
        }
        assert_eq!(queue.waiting(), 0);
        let leaves = wait(&queue, B);
        let mut stays = wait(&queue, C);
        drop(held);
        // The turn was given, and is not taken.
        drop(leaves);
        assert!(turn_of(&mut stays).is_some());
    }
}
