use super::*;

fn source(path: &str, text: &str) -> Source {
    let (path, text) = (path.to_owned(), text.to_owned());
    Source { path, text }
}

/// The violations of a server with these files.
fn faults_of(files: &[(&str, &str)]) -> Vec<String> {
    let sources = files
        .iter()
        .map(|(path, text)| source(&format!("{SERVER}{path}"), text));
    violations(&sources.collect::<Vec<_>>())
}

#[test]
fn a_layer_imports_from_those_below_it_only() {
    let store = ("store/mod.rs", "pub mod sqlite; pub trait Store {}");
    let state = ("http/state.rs", "use crate::store::Store;");
    assert!(faults_of(&[store, state]).is_empty());
    for planted in [
        "use crate::http::state::AppState;",
        "use crate::{http::{state}, ids};",
        "fn f() { crate::http::state::start(); }",
        "fn f() { println!(\"{}\", crate::http::state::NAME); }",
        "use super::super::http::state::*;",
    ] {
        let found = faults_of(&[store, state, ("store/sqlite.rs", planted)]);
        let expected = "server/src/store/sqlite.rs imports server/src/http/state.rs: ";
        assert!(
            found.iter().any(|fault| fault.starts_with(expected)),
            "{planted}: {found:?}"
        );
    }
}

#[test]
fn layers_beside_each_other_and_unknown_ones_are_violations() {
    let blob = ("blob/mod.rs", "use crate::store::Store;");
    assert_eq!(faults_of(&[blob, ("store/mod.rs", "")]).len(), 1);
    let helper = ("http/body.rs", "use crate::helpers::help;");
    assert_eq!(faults_of(&[helper, ("helpers.rs", "")]).len(), 1);
}

#[test]
fn tests_and_visibilities_import_what_they_like() {
    let files = [
        ("http/state.rs", ""),
        (
            "store/mod.rs",
            "#[cfg(test)] mod suite; #[cfg(test)] mod tests { use crate::http::state; }",
        ),
        ("store/suite.rs", "mod inner; use crate::http::state;"),
        ("store/suite/inner.rs", "use crate::http::state;"),
        ("hub/mod.rs", "mod rooms; use self::rooms::Rooms;"),
        ("hub/rooms.rs", "pub(in crate::hub) struct Rooms;"),
    ];
    assert_eq!(faults_of(&files), [""; 0]);
}

#[test]
fn files_that_import_each_other_are_named_with_their_way() {
    let files = [
        (
            "hub/mod.rs",
            "mod rooms; mod session; pub use session::Session;",
        ),
        ("hub/rooms.rs", "use super::Session;"),
        ("hub/session.rs", "fn f() { super::rooms::leave(); }"),
    ];
    let circle = "files import each other: server/src/hub/mod.rs -> server/src/hub/session.rs \
                  -> server/src/hub/rooms.rs -> server/src/hub/mod.rs";
    assert_eq!(faults_of(&files), [circle]);
}
