//! What fuzzing begins with: the files of the tests, and a few texts.

use std::fs;
use std::path::Path;

use crate::targets::SEPARATOR;

/// Larger files make each run slow.
const MAX_BYTES: u64 = 12_000;

/// Frames of a client, with a zero mask, after the byte for the pieces.
pub fn frames() -> Vec<Vec<u8>> {
    let frame = |first: u8, payload: &[u8]| {
        let length = u8::try_from(payload.len()).expect("seeds are short");
        [&[first, 0x80 | length, 0, 0, 0, 0], payload].concat()
    };
    let fragments = [
        frame(1, b"a\xe2\x82"),
        frame(0x89, b"ping"),
        frame(0x80, b"\xac"),
    ]
    .concat();
    let frames = [
        frame(
            0x81,
            br#"{"type":"unwatch","data":{"uploadID":"zzzzzzzz"}}"#,
        ),
        frame(0x82, b"\xff"),
        frame(0x88, b"\x03\xe8bye"),
        frame(0x8a, b""),
        [&[0x81, 0xfe, 0, 126, 1, 2, 3, 4][..], &[b'x'; 126]].concat(),
        fragments,
    ];
    frames
        .iter()
        .map(|frame| [&[3], &frame[..]].concat())
        .collect()
}

/// The messages of the protocol.
pub fn json() -> Vec<Vec<u8>> {
    files("../../app/tests/golden", &["json"])
}

/// The messages of the protocol, and reports.
pub fn bodies() -> Vec<Vec<u8>> {
    let reports = [
        r#"{"reason":"Not\r\n\u00e4 picture of mine."}"#,
        r#"{"reason":"It is mine.","createdAt":"2026-11-24T12:00:01.456Z"}"#,
        "reason=It+is+mine%2C%0D%0A%C3%A4nd+private.&other=",
    ];
    let reports = reports.map(|report| report.as_bytes().to_vec());
    json().into_iter().chain(reports).collect()
}

/// Payloads of nodes about the upload of the tests, with what separates them.
pub fn payloads() -> Vec<Vec<u8>> {
    let compact = |json: &[u8]| {
        let value: serde_json::Value = serde_json::from_slice(json).expect("the tests are JSON");
        value.to_string()
    };
    let events: Vec<_> = json().iter().map(|json| compact(json)).collect();
    let viewers = |node: u64, count: u32, hello: bool| {
        format!(r#"p{{"node":{node},"count":{count},"people":[{{"name":"Ada"}}],"hello":{hello}}}"#)
    };
    let texts = ["m", "t", "p"].into_iter().flat_map(|class| {
        let payloads = events.iter().map(move |event| format!("{class}{event}"));
        payloads.filter(|it| it.contains("\"type\""))
    });
    let with = |kind: &str, from: &str, to: &str| {
        let event = events.iter().find(|it| it.contains(kind));
        let event = event.expect("there is such a test");
        let replaced = event.replace(from, to);
        assert_ne!(&replaced, event, "the test has {from}");
        format!("m{replaced}")
    };
    let posted = |seq: &str| with("messagePosted", "\"seq\":7", seq);
    let deleted = |numbers: &str| {
        let event = with("messageDeleted", "\"deletes\":7,", "");
        event.replace("\"seq\":9", numbers)
    };
    let mut seeds: Vec<Vec<u8>> = texts.map(String::into_bytes).collect();
    let pause = String::new;
    // Three messages are stored.
    let rows = [
        vec![
            viewers(1, 2, true),
            viewers(2, 3, false),
            viewers(1, 0, false),
        ],
        vec![posted("\"seq\":4"), posted("\"seq\":5"), pause()],
        vec![posted("\"seq\":6"), pause(), posted("\"seq\":4000")],
        vec![deleted("\"seq\":4,\"deletes\":2"), pause()],
        vec![deleted("\"seq\":5,\"deletes\":2"), pause()],
    ];
    let separated = |row: &Vec<String>| {
        let payloads: Vec<_> = row.iter().map(String::as_bytes).collect();
        payloads.join(&SEPARATOR)
    };
    seeds.extend(rows.iter().map(separated));
    seeds
}

/// Forms with the boundary `x`, after the byte for the pieces.
pub fn forms() -> Vec<Vec<u8>> {
    let part = |name: &str, content: &str| {
        format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{content}\r\n")
    };
    let file = "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\n\
                Content-Type: image/png\r\n\r\n\x01PNG\r\n--xy\r\n";
    let forms = [
        format!("{file}--x--\r\n"),
        format!("{}{file}--x--", part("expiresIn", "3600")),
        format!("{file}{}--x--\r\n", part("expiresIn", "")),
        format!(
            "preamble\r\n{}{}--x--\r\n",
            part("other", "?"),
            part("file", "")
        ),
        "--x--\r\n".to_owned(),
    ];
    forms
        .iter()
        .map(|form| [&[7], form.as_bytes()].concat())
        .collect()
}

/// Values of settings, after the byte for the variable.
pub fn settings() -> Vec<Vec<u8>> {
    let values = [
        (0, "https://tonesa.example:8443/"),
        (0, "http://[::1]:9091"),
        (1, "redis://user:pass@host:6379/1"),
        (1, "rediss+cluster://a:1,b:2?protocol=resp3"),
        (1, "redis+sentinel://:p%40ss@a,b:26379,[::1]/master"),
        (1, "redis://a:1,redis://b:2"),
        (2, "mongodb://user:pass@a:27017,b/tonesa?tls=true"),
        (3, "https://s3.example:9000/path"),
        (5, "pictures"),
        (7, "mailto:abuse@tonesa.example?subject=x"),
        (7, "https://tonesa.example/contact"),
        (8, "https://a.example,http://b.example:8080"),
        (9, "*"),
        (10, "10.0.0.0/8,::1,192.0.2.0/24"),
        (11, "::"),
        (12, "info,server::hub=debug,[span{field=1}]=trace"),
        (13, "20971520"),
        (14, "an-admin-token-of-many-letters"),
    ];
    let values =
        values.map(|(variable, value): (u8, &str)| [&[variable], value.as_bytes()].concat());
    values.to_vec()
}

/// PNGs.
pub fn pngs() -> Vec<Vec<u8>> {
    images(&["png"])
}

/// JPEGs.
pub fn jpegs() -> Vec<Vec<u8>> {
    images(&["jpg"])
}

/// GIFs.
pub fn gifs() -> Vec<Vec<u8>> {
    images(&["gif"])
}

/// Files of the format `WebP`.
pub fn webps() -> Vec<Vec<u8>> {
    images(&["webp"])
}

fn images(kinds: &[&str]) -> Vec<Vec<u8>> {
    let folders = [
        "../../server/tests/images/codings",
        "../../end2end/images/odd",
        // As small as they get: a thousand of them take as long as ten of the others.
        "seeds",
    ];
    folders
        .iter()
        .flat_map(|folder| files(folder, kinds))
        .collect()
}

/// The small files in a folder with one of these extensions, in the order of their names.
fn files(folder: &str, kinds: &[&str]) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = fs::read_dir(&folder).expect("the folder of the tests is there");
    let mut paths: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    paths.sort();
    let is_seed = |path: &Path| {
        let kind = path.extension().and_then(|kind| kind.to_str());
        let length = path.metadata().map_or(u64::MAX, |it| it.len());
        kind.is_some_and(|kind| kinds.contains(&kind)) && length <= MAX_BYTES
    };
    let seeds = paths.iter().filter(|path| is_seed(path));
    seeds.filter_map(|path| fs::read(path).ok()).collect()
}
