//! Random numbers for ids and delays. They cannot be guessed, except on a thread that simulates nodes: there they follow
//! from a seed.

use std::cell::RefCell;
use std::convert::Infallible;

use rand::distr::{Distribution, StandardUniform};
use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng, TryRng};

thread_local! {
    static SEEDED: RefCell<Option<StdRng>> = const { RefCell::new(None) };
}

/// The generator of this thread.
#[derive(Debug, Clone, Copy)]
pub struct NodeRng;

/// Returns the generator of this thread.
pub fn rng() -> NodeRng {
    NodeRng
}

/// Returns a random value.
pub fn random<T>() -> T
where
    StandardUniform: Distribution<T>,
{
    rng().random()
}

/// Makes all further numbers on this thread follow from the seed. Only a simulation may do that: ids give access.
pub fn seed_thread(seed: u64) {
    SEEDED.set(Some(StdRng::seed_from_u64(seed)));
}

fn draw<T>(next: impl FnOnce(&mut dyn Rng) -> T) -> T {
    SEEDED.with_borrow_mut(|seeded| match seeded {
        Some(rng) => next(rng),
        None => next(&mut rand::rng()),
    })
}

impl TryRng for NodeRng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(draw(|rng| rng.next_u32()))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(draw(|rng| rng.next_u64()))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        draw(|rng| rng.fill_bytes(bytes));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn only_a_seeded_thread_repeats_its_numbers() {
        let numbers = |seed: Option<u64>| {
            let draw = move || {
                seed.into_iter().for_each(seed_thread);
                [random::<u64>(), random()]
            };
            thread::spawn(draw).join().unwrap()
        };
        assert_eq!(numbers(Some(7)), numbers(Some(7)));
        assert_ne!(numbers(Some(7)), numbers(Some(8)));
        assert_ne!(numbers(None), numbers(None));
    }
}
