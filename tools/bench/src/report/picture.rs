//! Fan-out as a picture: bars for each system, for light load and for saturation.

use std::fmt::Write as _;

use super::{Figure, Results};
use crate::report::markdown::short;
use crate::systems;

const WIDTH: u32 = 760;
const NAMES: u32 = 150;
const BAR: u32 = 22;
const ROW: u32 = 30;
const HEAD: u32 = 34;
/// What stands beside the longest bar.
const NUMBER: u32 = 90;

const STYLE: &str = "text{font:14px system-ui,sans-serif;fill:#1f2328}.title{font-weight:600}\
    .own{fill:#0b7285}.bare{fill:#868e96}.peer{fill:#a5b4c4}\
    @media(prefers-color-scheme:dark){text{fill:#e6edf3}.own{fill:#3bc9db}.peer{fill:#5c6b7a}}";

/// Which figures are shown, under which words.
const CHARTS: [(&str, &str); 2] = [
    (
        "light",
        "Light load: deliveries for each second of processor time",
    ),
    (
        "saturation",
        "Saturation: deliveries a second, none lost, p99 within 50 ms",
    ),
];

/// An SVG; none if nothing of it was measured.
pub fn of(results: &Results) -> Option<String> {
    let mut body = String::new();
    let mut top = 0;
    for (scenario, title) in CHARTS {
        let figures: Vec<_> = results
            .figures
            .iter()
            .filter(|one| one.scenario == scenario && one.name == "deliveries")
            .collect();
        if !figures.is_empty() {
            top = chart(&mut body, top, title, &figures);
        }
    }
    (top > 0).then(|| {
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{top}\" \
             viewBox=\"0 0 {WIDTH} {top}\" role=\"img\"><style>{STYLE}</style>\n{body}</svg>\n"
        )
    })
}

/// Draws one chart below `top`; where it ends.
fn chart(body: &mut String, top: u32, title: &str, figures: &[&Figure]) -> u32 {
    let most = figures.iter().map(|one| one.median).fold(1.0, f64::max);
    let mut y = top + HEAD;
    // A text takes whatever is written to it.
    let _ = writeln!(
        body,
        "<text class=\"title\" x=\"0\" y=\"{}\">{title}</text>",
        y - 12
    );
    for figure in figures {
        let length = f64::from(WIDTH - NAMES - NUMBER) * figure.median / most;
        let class = match figure.system {
            "tonesa" => "own",
            "floor" => "bare",
            _ => "peer",
        };
        let _ = writeln!(
            body,
            "<text x=\"0\" y=\"{text}\">{name}</text>\
             <rect class=\"{class}\" x=\"{NAMES}\" y=\"{y}\" width=\"{length:.1}\" height=\"{BAR}\" rx=\"3\"/>\
             <text x=\"{beside:.1}\" y=\"{text}\">{number}</text>",
            text = y + 16,
            name = title_of(figure.system),
            beside = f64::from(NAMES) + length + 8.0,
            number = short(figure.median),
        );
        y += ROW;
    }
    y + 10
}

fn title_of(system: &str) -> &str {
    let known = systems::ALL.iter().find(|one| one.name() == system);
    known.map_or(system, |one| one.title())
}
