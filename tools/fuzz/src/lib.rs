//! What is fuzzed: each target takes any bytes, and panics if something does not hold. `cargo xtask fuzz` runs them with
//! libFuzzer; the tests run them with the seeds and with all inputs that ever failed (`inputs`).

pub mod seeds;
pub mod targets;

use std::collections::BTreeSet;
use std::panic;
use std::sync::{Mutex, PoisonError};

pub use targets::{Target, all};

/// What a line of the log begins with that says where a dependency panics; `tools/xtask/src/fuzz.rs` counts them.
const DEPENDENCY_PANIC: &str = "a dependency panics at ";

/// Lets a decoder's panic pass, which is caught by design: such an image is damaged. Each place where one panics is told
/// once. The panic hook of libFuzzer would end the process, as it does for panics in the project's own code, also where
/// they are caught.
pub fn pass_panics_of_dependencies() {
    let abort = panic::take_hook();
    // Bounded by the places where the code of dependencies can panic.
    let told = Mutex::new(BTreeSet::new());
    panic::set_hook(Box::new(move |info| {
        let place = info.location().filter(|it| is_of_a_dependency(it.file()));
        let Some(place) = place else {
            return abort(info);
        };
        let place = place.to_string();
        let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.insert(place.clone()) {
            eprintln!("{DEPENDENCY_PANIC}{place}");
        }
    }));
}

fn is_of_a_dependency(file: &str) -> bool {
    file.contains("/registry/src/") || file.starts_with("/rustc/")
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn every_seed_and_every_input_that_failed_passes_now() {
        for target in all() {
            let kept = Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("inputs")
                .join(target.name);
            let kept = fs::read_dir(kept).into_iter().flatten();
            let kept = kept.map(|file| fs::read(file.unwrap().path()).unwrap());
            let seeds = (target.seeds)();
            assert!(!seeds.is_empty(), "{}", target.name);
            for bytes in seeds.into_iter().chain(kept) {
                (target.run)(&bytes);
            }
        }
    }
}
