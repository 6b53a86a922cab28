use app::event::ClientCommand;
use app::model::{Point, Seq, Viewer};

use crate::{golden, message_id, pins, short_id, upload_id, viewer};

#[track_caller]
fn pins_command(name: &str, command: &ClientCommand) {
    pins(name, command);
    assert_eq!(
        &ClientCommand::parse(&golden(name)).unwrap(),
        command,
        "parsing {name}"
    );
}

#[test]
fn watch() {
    let command = ClientCommand::Watch {
        upload_id: upload_id().to_string().parse().unwrap(),
        after: Some(Seq::new(6)),
        after_id: None,
        viewer: None,
    };
    pins_command("command_watch.json", &command);
    let checked = ClientCommand::Watch {
        upload_id: upload_id().to_string().parse().unwrap(),
        after: Some(Seq::new(6)),
        after_id: Some(message_id()),
        viewer: None,
    };
    pins_command("command_watch_checked.json", &checked);
    let anew = ClientCommand::Watch {
        upload_id: short_id().to_string().parse().unwrap(),
        after: None,
        after_id: None,
        viewer: None,
    };
    pins_command("command_watch_anew.json", &anew);
    let named = |viewer| ClientCommand::Watch {
        upload_id: upload_id().to_string().parse().unwrap(),
        after: Some(Seq::new(6)),
        after_id: None,
        viewer: Some(viewer),
    };
    pins_command("command_watch_named.json", &named(viewer()));
    pins_command("command_watch_unnamed.json", &named(Viewer::default()));
}

#[test]
fn unwatch() {
    let command = ClientCommand::Unwatch {
        upload_id: upload_id().to_string().parse().unwrap(),
    };
    pins_command("command_unwatch.json", &command);
}

#[test]
fn touch() {
    let command = ClientCommand::Touch {
        upload_id: upload_id().to_string().parse().unwrap(),
        at: Point::new(0.25, 0.5).unwrap(),
        tab: "q7".parse().unwrap(),
        author: None,
        name: None,
        stroke: None,
    };
    pins_command("command_touch.json", &command);
    let pointing = ClientCommand::Touch {
        upload_id: upload_id().to_string().parse().unwrap(),
        at: Point::new(0.25, 0.5).unwrap(),
        tab: "q7".parse().unwrap(),
        author: viewer().author,
        name: viewer().name,
        stroke: Some("s1".parse().unwrap()),
    };
    pins_command("command_touch_pointing.json", &pointing);
}
