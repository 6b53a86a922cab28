//! Fan-out as a chart: bars for each system, for light load and for saturation.

use std::fmt::Write as _;

use super::{Figure, Results, median};
use crate::report::markdown::short;
use crate::scenarios::{Scenario, title};
use crate::systems::System;

const WIDTH: u32 = 760;
const NAMES: u32 = 150;
const BAR: u32 = 22;
const ROW: u32 = 30;
const TITLE: u32 = 34;
/// The space for the number beside the longest bar.
const NUMBER: u32 = 90;

const STYLE: &str = "text{font:14px system-ui,sans-serif;fill:#1f2328}.title{font-weight:600}\
    .own{fill:#0b7285}.bare{fill:#868e96}.peer{fill:#a5b4c4}\
    @media(prefers-color-scheme:dark){text{fill:#e6edf3}.own{fill:#3bc9db}.peer{fill:#5c6b7a}}";

const CHARTS: [(Scenario, &str); 2] = [
    (
        Scenario::Light,
        "Light load: deliveries for each second of processor time",
    ),
    (
        Scenario::Saturation,
        "Saturation: deliveries a second, none lost, p99 within 50 ms",
    ),
];

/// An SVG; none if nothing of it was measured.
pub fn draw(results: &Results) -> Option<String> {
    let mut body = String::new();
    let mut height = 0;
    for (scenario, title) in CHARTS {
        let figures = results.figures.iter();
        let figures: Vec<_> = figures
            .filter(|one| one.scenario == scenario && one.name == "deliveries")
            .collect();
        if !figures.is_empty() {
            body += &chart(&mut height, title, &figures);
        }
    }
    (height > 0).then(|| {
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
             viewBox=\"0 0 {WIDTH} {height}\" role=\"img\"><style>{STYLE}</style>\n{body}</svg>\n"
        )
    })
}

/// One chart below the others, whose height grows by its own.
fn chart(height: &mut u32, heading: &str, figures: &[&Figure]) -> String {
    let medians = figures.iter().map(|one| median(&one.values));
    let longest = medians.clone().fold(1.0, f64::max);
    let mut y = *height + TITLE;
    let mut text = format!(
        "<text class=\"title\" x=\"0\" y=\"{}\">{heading}</text>\n",
        y - 12
    );
    for (figure, median) in figures.iter().zip(medians) {
        let length = f64::from(WIDTH - NAMES - NUMBER) * median / longest;
        let class = match figure.system {
            System::Tonesa => "own",
            System::Bare => "bare",
            _ => "peer",
        };
        let _ = writeln!(
            text,
            "<text x=\"0\" y=\"{baseline}\">{name}</text>\
             <rect class=\"{class}\" x=\"{NAMES}\" y=\"{y}\" width=\"{length:.1}\" height=\"{BAR}\" rx=\"3\"/>\
             <text x=\"{beside:.1}\" y=\"{baseline}\">{number}</text>",
            baseline = y + 16,
            name = title(&figure.system),
            beside = f64::from(NAMES) + length + 8.0,
            number = short(median),
        );
        y += ROW;
    }
    *height = y + 10;
    text
}
