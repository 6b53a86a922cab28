//! What took how long.

use std::{
    fmt,
    time::{Duration, Instant},
};

/// Stages in the order in which they ran.
#[derive(Default)]
pub struct Timings(Vec<(String, Duration, bool)>);

impl Timings {
    /// Runs a stage and notes its time, whether it succeeds or not.
    pub fn measure<T, E>(
        &mut self,
        name: &str,
        stage: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let start = Instant::now();
        let result = stage();
        self.0
            .push((name.to_owned(), start.elapsed(), result.is_ok()));
        result
    }
}

impl fmt::Display for Timings {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total: Duration = self.0.iter().map(|(_, time, _)| *time).sum();
        for (name, time, passed) in &self.0 {
            let verdict = if *passed { "passed" } else { "FAILED" };
            writeln!(
                out,
                "xtask: {name:<8} {verdict} in {:>6.1} s",
                time.as_secs_f64()
            )?;
        }
        write!(
            out,
            "xtask: {:<8}        in {:>6.1} s",
            "all",
            total.as_secs_f64()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::Timings;

    #[test]
    fn a_failed_stage_is_listed_as_such() {
        let mut timings = Timings::default();
        let passed: Result<(), ()> = timings.measure("fmt", || Ok(()));
        let failed: Result<(), &str> = timings.measure("unit", || Err("no"));
        assert_eq!((passed, failed), (Ok(()), Err("no")));
        let table = timings.to_string();
        assert!(table.contains("fmt      passed"), "{table}");
        assert!(table.contains("unit     FAILED"), "{table}");
    }
}
