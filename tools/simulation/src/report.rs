//! A page that shows what happens in the last round of a run. It is one file, and needs no server.

use serde_json::json;

use crate::Report;
use crate::trace::Line;

const PAGE: &str = include_str!("report/page.html");
const STYLE: &str = include_str!("report/page.css");
const MODEL: &str = include_str!("report/model.js");
const VIEW: &str = include_str!("report/view.js");

/// Writes the page of a run whose trace was kept.
pub fn page(report: &Report) -> String {
    let lines = last_round(&report.trace);
    let begin = lines.first().map_or(0, |line| line.at);
    let lines = lines
        .iter()
        .map(|line| json!([line.at, line.who, line.what]));
    let violation = report.violation.as_ref();
    let data = json!({
        "seed": report.plan.seed,
        "begin": begin,
        "end": report.length,
        "violation": violation.map(ToString::to_string),
        "property": violation.map(|it| it.property.meaning()),
        "lines": lines.collect::<Vec<_>>(),
    });
    // No text in it can end the script's element.
    let data = data.to_string().replace('<', "\\u003c");
    PAGE.replace("/*style*/", STYLE)
        .replace("/*model*/", MODEL)
        .replace("/*view*/", VIEW)
        .replace("/*data*/", &data)
}

fn last_round(lines: &[Line]) -> &[Line] {
    let is_begin = |line: &Line| line.who == "!" && line.what == "phase: meeting";
    let begin = lines.iter().rposition(is_begin).unwrap_or_default();
    &lines[begin..]
}
