//! The figures as tables, one for each scenario, with charts of the fan-out, and the goals.

use std::fmt::Write as _;

use clap::ValueEnum;

use super::goals::GOALS;
use super::{Figure, Results, median, range};
use crate::scenarios::{Scenario, Unit, name, title};
use crate::systems::System;

pub fn write(results: &Results) -> String {
    let mut text = String::new();
    for scenario in Scenario::value_variants() {
        let figures = results.figures.iter();
        let figures: Vec<_> = figures.filter(|one| one.scenario == *scenario).collect();
        if !figures.is_empty() {
            let _ = writeln!(text, "### {}\n\n{}", title(scenario), table(&figures));
        }
        if matches!(scenario, Scenario::Light | Scenario::Saturation) {
            text += &chart(&figures);
        }
    }
    let goals = GOALS.iter().filter_map(|goal| goal.row(results));
    let rows: Vec<_> = goals.map(Vec::from).collect();
    if !rows.is_empty() {
        let columns = ["Tonesa's figure", "goal", "measured", ""].map(str::to_owned);
        let _ = writeln!(text, "### Goals\n\n{}", markdown(&columns, &rows));
    }
    for (scenario, system, error) in &results.failures {
        let (scenario, system) = (name(scenario), title(system));
        let _ = writeln!(text, "Not measured: {scenario}, {system}: {error}");
    }
    text
}

/// One row for each figure, one column for each system.
fn table(figures: &[&Figure]) -> String {
    let systems: Vec<_> = System::value_variants()
        .iter()
        .filter(|system| figures.iter().any(|one| one.system == **system))
        .collect();
    let mut columns = vec!["figure".to_owned()];
    columns.extend(systems.iter().map(|system| title(*system)));
    let mut rows: Vec<Vec<String>> = Vec::new();
    for Figure { name, unit, .. } in figures {
        let heading = format!("{name}{}", suffix(*unit));
        if rows.iter().any(|row| row[0] == heading) {
            continue;
        }
        let cells = systems.iter().map(|system| {
            let mut figures = figures.iter();
            let figure = figures.find(|one| one.name == *name && one.system == **system);
            figure.map_or_else(String::new, |figure| median_and_range(&figure.values))
        });
        rows.push([heading].into_iter().chain(cells).collect());
    }
    markdown(&columns, &rows)
}

fn markdown(columns: &[String], rows: &[Vec<String>]) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let separator = format!("|---|{}\n", "---:|".repeat(columns.len() - 1));
    let rows: String = rows.iter().map(|row| line(row)).collect();
    line(columns) + &separator + &rows
}

/// The deliveries of each system as a bar chart of Mermaid, which GitHub draws.
fn chart(figures: &[&Figure]) -> String {
    let (mut systems, mut medians) = (Vec::new(), Vec::new());
    for figure in figures.iter().filter(|one| one.name == "deliveries") {
        systems.push(format!("\"{}\"", title(&figure.system)));
        medians.push(format!("{:.0}", median(&figure.values)));
    }
    if systems.is_empty() {
        return String::new();
    }
    let (systems, medians) = (systems.join(", "), medians.join(", "));
    let unit = suffix(figures[0].unit);
    format!(
        "```mermaid\nxychart-beta horizontal\n    x-axis [{systems}]\n    y-axis \"deliveries{unit}\"\n    \
         bar [{medians}]\n```\n\n"
    )
}

pub fn median_and_range(values: &[f64]) -> String {
    let median = short(median(values));
    match range(values) {
        (lowest, highest) if lowest < highest => {
            format!("{median} ({} to {})", short(lowest), short(highest))
        }
        _ => median,
    }
}

fn suffix(unit: Unit) -> &'static str {
    match unit {
        Unit::PerCpuSecond => " per CPU-second",
        Unit::PerSecond => " per second",
        Unit::Milliseconds => ", ms",
        Unit::Kibibytes => ", KiB",
        Unit::Ratio | Unit::Count => "",
    }
}

/// Three digits, and a letter for thousands or millions.
fn short(value: f64) -> String {
    let (value, letter) = match value.abs() {
        large if large >= 1e6 => (value / 1e6, "M"),
        large if large >= 1e4 => (value / 1e3, "k"),
        _ => (value, ""),
    };
    let digits = match value.abs() {
        value if value >= 100.0 || value == 0.0 => 0,
        value if value >= 10.0 => 1,
        _ => 2,
    };
    format!("{value:.digits$}{letter}")
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn figures_have_three_digits() {
        let texts = [0.0, 0.123, 12.34, 9_876.0, 123_456.0, 6_400_000.0].map(short);
        assert_eq!(texts, ["0", "0.12", "12.3", "9876", "123k", "6.40M"]);
    }
}
