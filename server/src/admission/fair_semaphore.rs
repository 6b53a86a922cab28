//! A semaphore that is fair by client address.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// A number of permits. One address holds at most all but one of them (if there is only one, that one), so that another
/// finds one free, unless several addresses are active. A free permit goes to the waiting address that holds the fewest,
/// and among those to the one that was served longest ago; within an address callers are served in order. So a caller
/// waits for about one permit of each other address, however many of their callers wait.
///
/// Work that is done for no client takes turns as one more address, `None`.
///
/// The callers limit how many may wait.
#[derive(Debug, Clone)]
pub struct FairSemaphore(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    max: usize,
    max_per_address: usize,
    /// Permits that are held, by address. No entry is zero.
    held: HashMap<Option<IpAddr>, usize>,
    /// The waiting addresses, the one that was served longest ago first. No queue is empty.
    queues: VecDeque<AddressQueue>,
}

#[derive(Debug)]
struct AddressQueue {
    address: Option<IpAddr>,
    waiting: VecDeque<oneshot::Sender<FairPermit>>,
}

/// A permit. When it is dropped, the next caller gets one.
#[derive(Debug)]
pub struct FairPermit {
    semaphore: FairSemaphore,
    address: Option<IpAddr>,
}

impl FairSemaphore {
    /// Makes one with `max` permits, all but one of them at most for one address.
    pub fn new(max: usize) -> Self {
        Self(Arc::new(Mutex::new(State {
            max,
            max_per_address: max.saturating_sub(1).max(1),
            held: HashMap::new(),
            queues: VecDeque::new(),
        })))
    }

    /// Waits for a permit. Dropping the future leaves the queue.
    pub async fn acquire(&self, address: Option<IpAddr>) -> FairPermit {
        let (sender, receiver) = oneshot::channel();
        self.lock().enqueue(address, sender);
        self.serve_next();
        receiver
            .await
            .expect("a sender is kept until it gets its permit, as long as its receiver exists")
    }

    /// Returns how many permits are held.
    pub fn held(&self) -> usize {
        self.lock().held()
    }

    /// Returns how many callers wait.
    pub fn waiting(&self) -> usize {
        let mut state = self.lock();
        state.remove_dropped();
        state.queues.iter().map(|queue| queue.waiting.len()).sum()
    }

    fn serve_next(&self) {
        loop {
            let next = self.lock().next();
            let Some((address, sender)) = next else {
                return;
            };
            let permit = FairPermit {
                semaphore: self.clone(),
                address,
            };
            // If the receiver has just been dropped, dropping the permit serves the next caller.
            drop(sender.send(permit));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for FairPermit {
    fn drop(&mut self) {
        self.semaphore.lock().release(self.address);
        self.semaphore.serve_next();
    }
}

impl State {
    fn enqueue(&mut self, address: Option<IpAddr>, sender: oneshot::Sender<FairPermit>) {
        match self
            .queues
            .iter_mut()
            .find(|queue| queue.address == address)
        {
            Some(queue) => queue.waiting.push_back(sender),
            None => self.queues.push_back(AddressQueue {
                address,
                waiting: VecDeque::from([sender]),
            }),
        }
    }

    fn held(&self) -> usize {
        self.held.values().sum()
    }

    /// Returns the next caller, if a permit is free.
    fn next(&mut self) -> Option<(Option<IpAddr>, oneshot::Sender<FairPermit>)> {
        self.remove_dropped();
        if self.held() >= self.max {
            return None;
        }
        let held = |queue: &AddressQueue| self.held.get(&queue.address).copied().unwrap_or(0);
        // The first one of those that hold equally many.
        let (index, _) = (self.queues.iter().enumerate())
            .filter(|(_, queue)| held(queue) < self.max_per_address)
            .min_by_key(|(_, queue)| held(queue))?;
        let mut queue = self.queues.remove(index)?;
        let (address, sender) = (queue.address, queue.waiting.pop_front()?);
        if !queue.waiting.is_empty() {
            self.queues.push_back(queue);
        }
        *self.held.entry(address).or_default() += 1;
        Some((address, sender))
    }

    fn release(&mut self, address: Option<IpAddr>) {
        self.move_to_back(address);
        if let Some(count) = self.held.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                self.held.remove(&address);
            }
        }
    }

    /// Moves the queue of an address that was served to the back, after the others.
    fn move_to_back(&mut self, address: Option<IpAddr>) {
        let index = self
            .queues
            .iter()
            .position(|queue| queue.address == address);
        if let Some(queue) = index.and_then(|index| self.queues.remove(index)) {
            self.queues.push_back(queue);
        }
    }

    /// Removes callers that were dropped; otherwise the queues would grow with callers that come and go.
    fn remove_dropped(&mut self) {
        for queue in &mut self.queues {
            queue.waiting.retain(|sender| !sender.is_closed());
        }
        self.queues.retain(|queue| !queue.waiting.is_empty());
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::pin::Pin;

    use futures::FutureExt;

    use super::*;

    const A: Option<IpAddr> = Some(address(1));
    const B: Option<IpAddr> = Some(address(2));
    const C: Option<IpAddr> = None;

    const fn address(number: u8) -> IpAddr {
        IpAddr::V4(Ipv4Addr::new(192, 0, 2, number))
    }

    type Waiting<'a> = Pin<Box<dyn Future<Output = FairPermit> + 'a>>;

    fn wait(semaphore: &FairSemaphore, address: Option<IpAddr>) -> Waiting<'_> {
        let mut waiting: Waiting<'_> = Box::pin(semaphore.acquire(address));
        assert!(permit_of(&mut waiting).is_none());
        waiting
    }

    /// Returns the permit, if it was given.
    fn permit_of(waiting: &mut Waiting<'_>) -> Option<FairPermit> {
        waiting.now_or_never()
    }

    #[tokio::test]
    async fn an_address_with_many_callers_leaves_a_permit_to_others() {
        let semaphore = FairSemaphore::new(2);
        let first = semaphore.acquire(A).await;
        let mut more: Vec<_> = (0..5).map(|_| wait(&semaphore, A)).collect();
        let b = semaphore.acquire(B).await;
        let mut c = wait(&semaphore, C);
        drop(first);
        let c = permit_of(&mut c).expect("C's permit");
        assert!(permit_of(&mut more[0]).is_none());
        drop((b, c));
        assert!(permit_of(&mut more[0]).is_some());
        drop(more);
        assert_eq!((semaphore.held(), semaphore.waiting()), (0, 0));
    }

    #[tokio::test]
    async fn addresses_with_many_callers_take_turns() {
        let semaphore = FairSemaphore::new(1);
        let mut held = Some(semaphore.acquire(A).await);
        let mut queues: Vec<_> = [A, A, A, A, B, B, C, C]
            .map(|address| (address, wait(&semaphore, address)))
            .into();
        let mut order = Vec::new();
        while !queues.is_empty() {
            drop(held.take());
            let (index, permit) = (queues.iter_mut().enumerate())
                .find_map(|(index, (_, waiting))| Some((index, permit_of(waiting)?)))
                .expect("someone's permit");
            order.push(queues.remove(index).0);
            held = Some(permit);
        }
        assert_eq!(order, [B, C, A, B, C, A, A, A]);
    }

    #[tokio::test]
    async fn dropped_callers_leave_nothing_and_their_permit_goes_to_the_next() {
        let semaphore = FairSemaphore::new(1);
        let held = semaphore.acquire(A).await;
        for _ in 0..1_000 {
            drop(wait(&semaphore, B));
        }
        assert_eq!(semaphore.waiting(), 0);
        let leaves = wait(&semaphore, B);
        let mut stays = wait(&semaphore, C);
        drop(held);
        // The permit was given to a caller that is dropped.
        drop(leaves);
        assert!(permit_of(&mut stays).is_some());
    }
}
