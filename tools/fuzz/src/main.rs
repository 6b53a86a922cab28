//! The program that `cargo xtask fuzz` runs: libFuzzer, and the target that `FUZZ_TARGET` names. Without that variable it
//! prints the names of all targets.
#![no_main]

use std::path::Path;
use std::sync::OnceLock;
use std::{env, fs, process};

use fuzz::{Target, all, pass_panics_of_dependencies};
use libfuzzer_sys::fuzz_target;

/// The name of the target, and a folder for its seeds.
const TARGET: &str = "FUZZ_TARGET";
const SEEDS: &str = "FUZZ_SEEDS";

static CHOSEN: OnceLock<Target> = OnceLock::new();

fuzz_target!(
    init: initialise(),
    |bytes: &[u8]| {
        let target = CHOSEN.get().expect("libFuzzer initialises first");
        (target.run)(bytes);
    }
);

/// Called once, before inputs are read.
fn initialise() {
    let Ok(name) = env::var(TARGET) else {
        for target in all() {
            println!("{}", target.name);
        }
        process::exit(0);
    };
    let Some(target) = all().find(|target| target.name == name) else {
        eprintln!("there is no target {name}");
        process::exit(2);
    };
    if let Some(folder) = env::var_os(SEEDS) {
        fs::create_dir_all(&folder).expect("the folder for seeds can be created");
        for (number, seed) in (target.seeds)().iter().enumerate() {
            let file = Path::new(&folder).join(number.to_string());
            fs::write(file, seed).expect("a seed can be written");
        }
    }
    pass_panics_of_dependencies();
    _ = CHOSEN.set(target);
}
