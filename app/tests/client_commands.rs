//! What a node makes of a client's frames: a command, a refusal that leaves the socket open, or a broken protocol.

use app::event::{ClientCommand, CommandError, CommandName, Refusal, RefusalCode};

const UPLOAD: &str = "674312a0b1c2d3e4f5061728";

fn refusal(frame: &str) -> Refusal {
    match ClientCommand::parse(frame) {
        Err(CommandError::Refused(refusal)) => refusal,
        other => panic!("{frame}: {other:?}"),
    }
}

fn touch(x: &str, y: &str, tab: &str) -> String {
    format!(r#"{{"type":"touch","data":{{"uploadID":"{UPLOAD}","x":{x},"y":{y},"tab":"{tab}"}}}}"#)
}

#[test]
fn a_frame_that_is_no_command_breaks_the_protocol() {
    let frames = [
        "",
        "watch",
        "null",
        "[]",
        "{}",
        r#"{"type":"watch"}"#,
        r#"{"type":"watch","data":null}"#,
        r#"{"type":"watch","data":{}}"#,
        r#"{"type":"watch","data":{"uploadID":7}}"#,
        r#"{"type":"dance","data":{"uploadID":"aB3dE9xZ"}}"#,
        r#"{"type":"Watch","data":{"uploadID":"aB3dE9xZ"}}"#,
        r#"{"data":{"uploadID":"aB3dE9xZ"}}"#,
        r#"{"type":"watch","data":{"uploadID":"aB3dE9xZ","after":-1}}"#,
        r#"{"type":"watch","data":{"uploadID":"aB3dE9xZ","after":1.5}}"#,
        r#"{"type":"watch","data":{"uploadID":"aB3dE9xZ","after":"7"}}"#,
        r#"{"type":"watch","data":{"uploadID":"aB3dE9xZ"}} and more"#,
        r#"{"type":"unwatch","data":{"uploadID":"aB3dE9xZ"}"#,
        r#"{"type":"touch","data":{"uploadID":"aB3dE9xZ","x":0.5,"tab":"t"}}"#,
    ];
    let odd_numbers = ["NaN", "1e999", "null", "\"0.5\"", "true"].map(|x| touch(x, "0.5", "t"));
    for frame in frames
        .iter()
        .copied()
        .chain(odd_numbers.iter().map(String::as_str))
    {
        let parsed = ClientCommand::parse(frame);
        assert!(
            matches!(parsed, Err(CommandError::Malformed(_))),
            "{frame}: {parsed:?}"
        );
    }
}

#[test]
fn a_coordinate_that_is_no_fraction_is_refused() {
    for (x, y) in [
        ("1.0000001", "0"),
        ("0", "-0.1"),
        ("-1", "2"),
        ("0.5", "1e300"),
    ] {
        let refusal = refusal(&touch(x, y, "t"));
        assert_eq!(refusal.command, CommandName::Touch);
        assert_eq!(refusal.code, RefusalCode::InvalidField);
        assert_eq!(refusal.upload_id, UPLOAD);
        assert!(refusal.detail.contains("fractions"), "{}", refusal.detail);
    }
}

#[test]
fn a_touch_on_the_edge_is_a_command() {
    for (x, y) in [("0", "1"), ("1.0", "0.0"), ("-0.0", "1")] {
        assert!(ClientCommand::parse(&touch(x, y, "t")).is_ok(), "{x}, {y}");
    }
}

#[test]
fn a_tab_with_an_impossible_name_is_refused() {
    for tab in ["", "a b", "<b>", &"x".repeat(33)] {
        assert_eq!(
            refusal(&touch("0", "0", tab)).code,
            RefusalCode::InvalidField
        );
    }
}

#[test]
fn an_upload_that_cannot_exist_is_not_found_and_named_as_the_client_did() {
    for command in ["watch", "unwatch"] {
        let frame = format!(r#"{{"type":"{command}","data":{{"uploadID":"../x"}}}}"#);
        let refusal = refusal(&frame);
        assert_eq!(refusal.code, RefusalCode::NotFound);
        assert_eq!(refusal.upload_id, "../x");
    }
}

#[test]
fn a_watch_without_a_cursor_is_one_that_has_nothing() {
    let frame = r#"{"type":"watch","data":{"uploadID":"aB3dE9xZ"}}"#;
    assert!(matches!(
        ClientCommand::parse(frame),
        Ok(ClientCommand::Watch { after: None, .. })
    ));
}

#[test]
fn an_impossible_id_of_the_last_message_is_refused() {
    for id in ["", "7", "0123456789abcdef0123456g"] {
        let frame = format!(
            r#"{{"type":"watch","data":{{"uploadID":"{UPLOAD}","after":7,"afterID":"{id}"}}}}"#
        );
        let refusal = refusal(&frame);
        assert_eq!(refusal.command, CommandName::Watch);
        assert_eq!(refusal.code, RefusalCode::InvalidField);
    }
    let frame =
        format!(r#"{{"type":"watch","data":{{"uploadID":"{UPLOAD}","after":7,"afterID":null}}}}"#);
    assert!(matches!(
        ClientCommand::parse(&frame),
        Ok(ClientCommand::Watch { after_id: None, .. })
    ));
}

/// A `watch` and a `touch` with these fields of `viewer` and of the touch.
fn named(fields: &str) -> [String; 2] {
    [
        format!(
            r#"{{"type":"watch","data":{{"uploadID":"{UPLOAD}","after":7,"viewer":{{{fields}}}}}}}"#
        ),
        format!(
            r#"{{"type":"touch","data":{{"uploadID":"{UPLOAD}","x":0,"y":0,"tab":"t",{fields}}}}}"#
        ),
    ]
}

fn name_of(frame: &str) -> Option<String> {
    let name = match ClientCommand::parse(frame) {
        Ok(ClientCommand::Watch { viewer, .. }) => viewer.and_then(|viewer| viewer.name),
        Ok(ClientCommand::Touch { name, .. }) => name,
        other => panic!("{frame}: {other:?}"),
    };
    name.map(String::from)
}

#[test]
fn a_name_is_cut_to_the_limit_of_an_alias_and_an_empty_one_is_none() {
    let longest = "é".repeat(40);
    for frame in named(&format!(r#""name":" {longest}xyz""#)) {
        assert_eq!(name_of(&frame), Some(longest.clone()));
    }
    for empty in [r#""name":"""#, r#""name":" \u200b""#, r#""name":null"#] {
        for frame in named(empty) {
            assert_eq!(name_of(&frame), None, "{frame}");
        }
    }
}

#[test]
fn an_impossible_author_name_or_stroke_is_refused() {
    let [_, empty] = named(r#""stroke":"""#);
    let [_, long] = named(r#""stroke":"aaaaaaaaaaaaaaaaa""#);
    let [_, dash] = named(r#""stroke":"a-b""#);
    let author = named(r#""author":"LDKULX5SV2""#);
    let no_author = named(r#""author":"""#);
    let control = named(r#""name":"a\u0007b""#);
    let fields = [author, no_author, control].into_iter().flatten();
    for frame in [empty, long, dash].into_iter().chain(fields) {
        let refusal = refusal(&frame);
        assert_eq!(refusal.code, RefusalCode::InvalidField, "{frame}");
        assert_eq!(refusal.upload_id, UPLOAD);
    }
}

#[test]
fn a_viewer_may_be_absent() {
    for viewer in ["", r#","viewer":null"#] {
        let frame = format!(r#"{{"type":"watch","data":{{"uploadID":"{UPLOAD}"{viewer}}}}}"#);
        assert!(matches!(
            ClientCommand::parse(&frame),
            Ok(ClientCommand::Watch { viewer: None, .. })
        ));
    }
}

#[test]
fn the_largest_cursor_is_a_cursor() {
    let frame = format!(
        r#"{{"type":"watch","data":{{"uploadID":"aB3dE9xZ","after":{}}}}}"#,
        u64::MAX
    );
    match ClientCommand::parse(&frame) {
        Ok(ClientCommand::Watch {
            after: Some(after), ..
        }) => assert_eq!(after.next(), after),
        other => panic!("{other:?}"),
    }
}
