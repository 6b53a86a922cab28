//! The figures as tables, one for each scenario.

use std::fmt::Write as _;

use super::goals::Judged;
use super::{Figure, Results, range};
use crate::scenarios::Unit;
use crate::systems;

/// All tables, and at the end what must be reached.
pub fn of(results: &Results, goals: &[Judged]) -> String {
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
    text.push_str(&table_of_goals(goals));
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
        if !names.contains(&figure.name) {
            names.push(figure.name);
        }
    }
    for name in names {
        let of_name = |system: &str| {
            let is_it = |one: &&&Figure| one.name == name && one.system == system;
            figures.iter().find(is_it)
        };
        let unit = figures.iter().find(|one| one.name == name);
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

fn table_of_goals(goals: &[Judged]) -> String {
    if goals.is_empty() {
        return String::new();
    }
    let mut text =
        "### Goals\n\n| Tonesa's figure | goal | measured | |\n|---|---|---:|---|\n".to_owned();
    for goal in goals {
        let reached = if goal.is_reached {
            "reached"
        } else {
            "**missed**"
        };
        let measured = spread(goal.median, goal.range);
        let _ = writeln!(
            text,
            "| {} | {} | {measured} | {reached} |",
            goal.what, goal.goal
        );
    }
    text.push('\n');
    text
}

/// The median, and between which values it lies.
fn cell(figure: &Figure) -> String {
    spread(figure.median, range(&figure.values))
}

fn spread(median: f64, (least, most): (f64, f64)) -> String {
    if least < most {
        format!("{} ({} to {})", short(median), short(least), short(most))
    } else {
        short(median)
    }
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
    let (value, sign) = match value.abs() {
        large if large >= 1e6 => (value / 1e6, "M"),
        large if large >= 1e4 => (value / 1e3, "k"),
        _ => (value, ""),
    };
    let digits = match value.abs() {
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
