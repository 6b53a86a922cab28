//! The figures as tables, one for each scenario.

use std::fmt::Write as _;

use super::{Figure, Results};
use crate::scenarios::Unit;
use crate::systems;

/// All tables.
pub fn of(results: &Results) -> String {
    let mut text = String::new();
    let mut scenarios: Vec<_> = results
        .figures
        .iter()
        .map(|figure| &figure.scenario)
        .collect();
    scenarios.dedup();
    for scenario in scenarios {
        let figures: Vec<_> = results
            .figures
            .iter()
            .filter(|figure| figure.scenario == *scenario)
            .collect();
        table(&mut text, &figures).expect("a text takes whatever is written to it");
    }
    for failure in &results.failures {
        let _ = writeln!(
            text,
            "Not measured: {}, {}: {}",
            failure.scenario, failure.system, failure.because
        );
    }
    text
}

/// One row for each figure, one column for each system.
fn table(text: &mut String, figures: &[&Figure]) -> std::fmt::Result {
    let systems: Vec<_> = systems::ALL
        .iter()
        .filter(|system| figures.iter().any(|one| one.system == system.name()))
        .collect();
    writeln!(text, "### {}\n", figures[0].title)?;
    write!(text, "| figure |")?;
    for system in &systems {
        write!(text, " {} |", system.title())?;
    }
    writeln!(text, "\n|---|{}", "---:|".repeat(systems.len()))?;
    let mut names: Vec<_> = Vec::new();
    for figure in figures {
        if !names.contains(&figure.figure) {
            names.push(figure.figure);
        }
    }
    for name in names {
        let of_name = |system: &str| {
            let is_it = |one: &&&Figure| one.figure == name && one.system == system;
            figures.iter().find(is_it)
        };
        let unit = figures.iter().find(|one| one.figure == name);
        let unit = unit.map_or("", |figure| words(figure.unit));
        write!(text, "| {name}{unit} |")?;
        for system in &systems {
            match of_name(system.name()) {
                Some(figure) => write!(text, " {} |", cell(figure))?,
                None => write!(text, " |")?,
            }
        }
        writeln!(text)?;
    }
    writeln!(text)
}

/// The median, and between which values it lies.
fn cell(figure: &Figure) -> String {
    let (least, most) = figure.range();
    if figure.values.len() == 1 {
        return short(figure.median);
    }
    format!(
        "{} ({} to {})",
        short(figure.median),
        short(least),
        short(most)
    )
}

fn words(unit: Unit) -> &'static str {
    match unit {
        Unit::PerCpuSecond => " per CPU-second",
        Unit::PerSecond => " per second",
        Unit::Milliseconds => ", ms",
        Unit::Kibibytes => ", KiB",
        Unit::Ratio | Unit::Count => "",
    }
}

/// Three digits, and a sign for thousands or millions.
pub fn short(value: f64) -> String {
    let (value, sign) = match value {
        large if large >= 1e6 => (large / 1e6, "M"),
        large if large >= 1e4 => (large / 1e3, "k"),
        small => (small, ""),
    };
    let digits = match value {
        value if value >= 100.0 || value == 0.0 => 0,
        value if value >= 10.0 => 1,
        _ => 2,
    };
    format!("{value:.digits$}{sign}")
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn figures_have_three_digits() {
        let told = [0.0, 0.123, 12.34, 9_876.0, 123_456.0, 6_400_000.0].map(short);
        assert_eq!(told, ["0", "0.12", "12.3", "9876", "123k", "6.40M"]);
    }
}
