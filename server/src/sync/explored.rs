//! What is made within [`explore`] is shuttle's, which works only there, and everything else the usual one: so all unit
//! tests are one program.

use std::cell::Cell;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::Ordering;
use std::sync::{LockResult, PoisonError, atomic};

use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};
use shuttle::{Config, MaxSteps, Runner};

/// In so many schedules each test is run, unless the variable `SHUTTLE_SCHEDULES` says otherwise.
const SCHEDULES: usize = 10_000;
/// Most defects need only few switches between tasks (Burckhardt et al., "A Randomized Scheduler with Probabilistic
/// Guarantees of Finding Bugs").
const SWITCHES: usize = 3;
/// A schedule with more steps never ends.
const MAX_STEPS: usize = 20_000;
/// What a task needs in a build without optimisation.
const STACK: usize = 256 * 1024;

thread_local! {
    static IS_EXPLORING: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread explores schedules.
pub fn is_exploring() -> bool {
    IS_EXPLORING.get()
}

/// Runs a test in many schedules: half of them are random at every step, and the others have few switches. A panic, or
/// that no task can go on, ends it, and prints the schedule, which `shuttle::replay` repeats.
///
/// Tokio's primitives may be used, and are one step each. Its timers never expire.
pub fn explore(test: impl Fn() + Clone + Send + Sync + 'static) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    // Some of the code asks for the current runtime, and for its time.
    let _inside = runtime.enter();
    let _exploring = Exploring::begin();
    let wanted = std::env::var("SHUTTLE_SCHEDULES").ok();
    let schedules: usize = wanted.map_or(SCHEDULES, |it| it.parse().expect("a number"));
    let half = schedules.div_ceil(2);
    run(RandomScheduler::new(half), test.clone());
    run(PctScheduler::new(SWITCHES, half), test);
}

/// This thread explores schedules until it is dropped.
struct Exploring;

impl Exploring {
    fn begin() -> Self {
        IS_EXPLORING.set(true);
        Self
    }
}

impl Drop for Exploring {
    fn drop(&mut self) {
        IS_EXPLORING.set(false);
    }
}

fn run(scheduler: impl Scheduler + 'static, test: impl Fn() + Send + Sync + 'static) {
    let mut config = Config::new();
    config.stack_size = STACK;
    config.max_steps = MaxSteps::FailAfter(MAX_STEPS);
    // It warns that it knows only the strongest ordering of atomic numbers.
    config.silence_warnings = true;
    Runner::new(scheduler, config).run(test);
}

/// See [`std::sync::Mutex`].
#[derive(Debug)]
pub enum Mutex<T> {
    /// Outside.
    Usual(std::sync::Mutex<T>),
    /// Within [`explore`].
    Explored(shuttle::sync::Mutex<T>),
}

/// See [`std::sync::MutexGuard`].
#[derive(Debug)]
pub enum MutexGuard<'a, T> {
    /// Outside.
    Usual(std::sync::MutexGuard<'a, T>),
    /// Within [`explore`].
    Explored(shuttle::sync::MutexGuard<'a, T>),
}

impl<T> Mutex<T> {
    /// See [`std::sync::Mutex::new`].
    pub fn new(value: T) -> Self {
        if is_exploring() {
            Self::Explored(shuttle::sync::Mutex::new(value))
        } else {
            Self::Usual(std::sync::Mutex::new(value))
        }
    }

    /// See [`std::sync::Mutex::lock`].
    pub fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        match self {
            Self::Usual(mutex) => guarded(mutex.lock(), MutexGuard::Usual),
            Self::Explored(mutex) => guarded(mutex.lock(), MutexGuard::Explored),
        }
    }
}

fn guarded<G, T>(locked: LockResult<G>, guard: impl Fn(G) -> T) -> LockResult<T> {
    match locked {
        Ok(locked) => Ok(guard(locked)),
        Err(poisoned) => Err(PoisonError::new(guard(poisoned.into_inner()))),
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        match self {
            Self::Usual(guard) => guard,
            Self::Explored(guard) => guard,
        }
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        match self {
            Self::Usual(guard) => guard,
            Self::Explored(guard) => guard,
        }
    }
}

macro_rules! atomic_number {
    ($name:ident, $number:ty, $($method:ident),*) => {
        /// See the one of the same name in [`std::sync::atomic`].
        #[derive(Debug)]
        pub enum $name {
            /// Outside.
            Usual(atomic::$name),
            /// Within [`explore`].
            Explored(shuttle::sync::atomic::$name),
        }

        impl $name {
            pub fn new(value: $number) -> Self {
                if is_exploring() {
                    Self::Explored(shuttle::sync::atomic::$name::new(value))
                } else {
                    Self::Usual(atomic::$name::new(value))
                }
            }

            pub fn load(&self, ordering: Ordering) -> $number {
                match self {
                    Self::Usual(number) => number.load(ordering),
                    Self::Explored(number) => number.load(ordering),
                }
            }

            $(pub fn $method(&self, value: $number, ordering: Ordering) -> $number {
                match self {
                    Self::Usual(number) => number.$method(value, ordering),
                    Self::Explored(number) => number.$method(value, ordering),
                }
            })*
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new(0)
            }
        }
    };
}

atomic_number!(AtomicU64, u64, fetch_add, fetch_or);
atomic_number!(AtomicUsize, usize, fetch_add, fetch_sub);
