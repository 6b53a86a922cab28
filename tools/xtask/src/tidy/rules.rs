//! Rules on single files.

/// A longer file has more than one subject.
const MAX_LINES: usize = 400;

/// Who may name which driver: the crate, and what the path of its module starts with.
const DRIVERS: [(&str, &str); 5] = [
    ("rusqlite", "server/src/store/sqlite"),
    ("mongodb", "server/src/store/mongo"),
    ("bson", "server/src/store/mongo"),
    ("redis", "server/src/broker/redis"),
    ("aws_sdk_s3", "server/src/blob/s3"),
];

/// What does not ship may name all of them.
const NOT_SHIPPED: [&str; 2] = ["server/benches/", "tools/"];

/// A text file of the project, named by its path from the root.
pub struct Source {
    pub path: String,
    pub text: String,
}

/// All that is wrong with a Rust file.
pub fn violations(source: &Source) -> Vec<String> {
    let drivers = DRIVERS.iter();
    let drivers = drivers.filter_map(|(driver, home)| names_a_driver(source, driver, home));
    let others = [is_too_long(source), reads_the_environment(source)];
    others.into_iter().flatten().chain(drivers).collect()
}

/// Package managers ask the registry that they are set to, not one that a lock file remembers.
pub fn names_a_registry(source: &Source) -> Option<String> {
    let at = find(source, |line| line.contains("\"resolved\""))?;
    Some(format!(
        "{at}: a lock file names no registry (`npm install` with this folder's .npmrc)"
    ))
}

fn is_too_long(source: &Source) -> Option<String> {
    let (path, lines) = (&source.path, source.text.lines().count());
    (lines > MAX_LINES).then(|| format!("{path}: {lines} lines, of at most {MAX_LINES}"))
}

fn reads_the_environment(source: &Source) -> Option<String> {
    let is_inside = |folder| source.path.starts_with(folder);
    if !["app/", "frontend/", "server/src/"]
        .into_iter()
        .any(is_inside)
        || is_inside("server/src/config")
        // Tests only.
        || is_inside("server/src/sync/explored.rs")
    {
        return None;
    }
    let at = find(source, |line| line.contains("env::var"))?;
    Some(format!(
        "{at}: the environment is read in server/src/config only"
    ))
}

fn names_a_driver(source: &Source, driver: &str, home: &str) -> Option<String> {
    let path = &source.path;
    let is_test_or_tool =
        path.contains("/tests/") || NOT_SHIPPED.iter().any(|it| path.starts_with(it));
    // Beside `mod redis;` the name is the module's: the compiler does not let it be both.
    let declares_module = find(source, |line| line.ends_with(&format!("mod {driver};"))).is_some();
    if path.starts_with(home) || is_test_or_tool || declares_module {
        return None;
    }
    let at = find(source, |line| names_crate(line, driver))?;
    Some(format!("{at}: {driver} is named in {home}* only"))
}

/// Whether the crate is used in this line. In `broker::redis::…` the name is a module's.
fn names_crate(line: &str, name: &str) -> bool {
    let uses = [
        format!("{name}::"),
        format!("use {name};"),
        format!("use {name} as "),
    ];
    let is_identifier = |ch: char| ch.is_alphanumeric() || ch == '_';
    uses.iter().any(|usage| {
        line.match_indices(usage.as_str()).any(|(at, _)| {
            let before = &line[..at];
            let path = before.strip_suffix("::").unwrap_or(before);
            !path.ends_with(is_identifier)
        })
    })
}

/// Path and number of the first line, comments left out, for which this is true.
fn find(source: &Source, is_it: impl Fn(&str) -> bool) -> Option<String> {
    let mut lines = source.text.lines();
    let at =
        lines.position(|line| !line.trim_start().starts_with("//") && is_it(line.trim_end()))?;
    Some(format!("{}:{}", source.path, at + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(path: &str, text: &str) -> Source {
        Source {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    fn count(path: &str, text: &str) -> usize {
        violations(&source(path, text)).len()
    }

    #[test]
    fn a_driver_is_named_by_its_own_module_and_the_tools_only() {
        let text = "//! Rows.\nuse rusqlite::Connection;\n";
        assert_eq!(count("server/src/store/sqlite/rows.rs", text), 0);
        assert_eq!(count("tools/testbed/src/wire.rs", text), 0);
        assert_eq!(
            violations(&source("server/src/http/routes/uploads.rs", text)),
            [
                "server/src/http/routes/uploads.rs:2: rusqlite is named in server/src/store/sqlite* only"
            ]
        );
    }

    #[test]
    fn a_module_with_a_driver_s_name_is_not_the_driver() {
        for text in [
            "use crate::broker::redis::Redis;",
            "mod redis;\npub use redis::Redis;",
            "// redis::Client",
        ] {
            assert_eq!(count("server/src/broker/mod.rs", text), 0, "{text}");
        }
        for text in [
            "use redis::Client;",
            "let x = ::redis::Client::open(url);",
            "use redis as r;",
        ] {
            assert_eq!(count("server/src/http/state.rs", text), 1, "{text}");
        }
    }

    #[test]
    fn the_environment_is_read_by_the_configuration_only() {
        let text = "let port = std::env::var(\"PORT\");";
        assert_eq!(count("server/src/config.rs", text), 0);
        assert_eq!(count("server/src/lib.rs", text), 1);
        assert_eq!(count("app/src/lib.rs", text), 1);
    }

    #[test]
    fn long_files_and_lock_files_with_registries_are_found() {
        assert_eq!(count("app/src/lib.rs", &"\n".repeat(400)), 0);
        assert_eq!(count("app/src/lib.rs", &"\n".repeat(401)), 1);
        let is_found = |text| names_a_registry(&source("package-lock.json", text)).is_some();
        assert!(!is_found("\"version\": \"1.0.0\""));
        assert!(is_found("\"resolved\": \"somewhere\""));
    }
}
