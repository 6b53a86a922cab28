//! Rules on single files.

/// One over this is two subjects.
const MOST_LINES: usize = 400;

/// Who may name which driver: the crate, and what the path of its module starts with.
const DRIVERS: [(&str, &str); 5] = [
    ("rusqlite", "server/src/store/sqlite"),
    ("mongodb", "server/src/store/mongo"),
    ("bson", "server/src/store/mongo"),
    ("redis", "server/src/broker/redis"),
    ("aws_sdk_s3", "server/src/blob/s3"),
];

/// What does not ship may talk to any server.
const TOOLS: [&str; 2] = ["server/benches/", "tools/"];

/// A text file of the project, named by its path from the root.
pub struct Source {
    pub path: String,
    pub text: String,
}

/// All that is wrong with a Rust file.
pub fn faults(source: &Source) -> Vec<String> {
    let mut faults: Vec<_> = is_too_long(source)
        .into_iter()
        .chain(reads_the_environment(source))
        .collect();
    faults.extend(
        DRIVERS
            .iter()
            .filter_map(|(driver, home)| names_a_driver(source, driver, home)),
    );
    faults
}

/// Package managers ask the registry that they are set to, not one that a lock file remembers.
pub fn names_a_registry(source: &Source) -> Option<String> {
    let line = line_with(source, |line| line.contains("\"resolved\""))?;
    Some(format!(
        "{}:{line}: a lock file names no registry (`npm install` with this folder's .npmrc)",
        source.path
    ))
}

fn is_too_long(source: &Source) -> Option<String> {
    let lines = source.text.lines().count();
    (lines > MOST_LINES).then(|| {
        format!(
            "{}: {lines} lines, where {MOST_LINES} are the most",
            source.path
        )
    })
}

fn reads_the_environment(source: &Source) -> Option<String> {
    let is_bound = source.path.starts_with("app/") || source.path.starts_with("frontend/");
    let is_bound = is_bound || source.path.starts_with("server/src/");
    if !is_bound || source.path.starts_with("server/src/config") {
        return None;
    }
    let line = line_with(source, |line| line.contains("env::var"))?;
    Some(format!(
        "{}:{line}: the environment is read in server/src/config only",
        source.path
    ))
}

fn names_a_driver(source: &Source, driver: &str, home: &str) -> Option<String> {
    let is_test = source.path.contains("/tests/");
    // Beside `mod redis;` the name is the module's: the compiler does not let it be both.
    let declares_module =
        line_with(source, |line| line.ends_with(&format!("mod {driver};"))).is_some();
    if source.path.starts_with(home)
        || TOOLS.iter().any(|tool| source.path.starts_with(tool))
        || is_test
        || declares_module
    {
        return None;
    }
    let line = line_with(source, |line| names_crate(line, driver))?;
    Some(format!(
        "{}:{line}: {driver} is named in {home}* only",
        source.path
    ))
}

/// Is the crate used in this line? Not so in `broker::redis::…`, which is a module of that name.
fn names_crate(line: &str, name: &str) -> bool {
    let used = [
        format!("{name}::"),
        format!("use {name};"),
        format!("use {name} as "),
    ];
    used.iter().any(|used| {
        line.match_indices(used.as_str()).any(|(at, _)| {
            let before = &line[..at];
            let is_inside_a_path = before
                .strip_suffix("::")
                .is_some_and(|path| path.ends_with(is_of_a_name));
            !is_inside_a_path && !before.ends_with(is_of_a_name)
        })
    })
}

fn is_of_a_name(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// The number of the first line, comments left out, of which this is true.
fn line_with(source: &Source, is_it: impl Fn(&str) -> bool) -> Option<usize> {
    source
        .text
        .lines()
        .position(|line| !line.trim_start().starts_with("//") && is_it(line.trim_end()))
        .map(|at| at + 1)
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

    #[test]
    fn a_driver_is_named_by_its_own_module_only() {
        let text = "//! Rows.\nuse rusqlite::Connection;\n";
        assert!(faults(&source("server/src/store/sqlite/rows.rs", text)).is_empty());
        let found = faults(&source("server/src/http/routes/uploads.rs", text));
        assert_eq!(
            found,
            [
                "server/src/http/routes/uploads.rs:2: rusqlite is named in server/src/store/sqlite* only"
            ]
        );
    }

    #[test]
    fn the_test_bed_may_name_drivers() {
        let text = "use bson::doc;";
        assert!(faults(&source("tools/testbed/src/wire.rs", text)).is_empty());
    }

    #[test]
    fn a_module_called_like_a_driver_is_not_the_driver() {
        for text in [
            "use crate::broker::redis::Redis;",
            "mod redis;\npub use redis::Redis;",
            "// redis::Client",
        ] {
            assert!(
                faults(&source("server/src/broker/mod.rs", text)).is_empty(),
                "{text}"
            );
        }
        for text in [
            "use redis::Client;",
            "let x = ::redis::Client::open(url);",
            "use redis as r;",
        ] {
            assert_eq!(
                faults(&source("server/src/http/state.rs", text)).len(),
                1,
                "{text}"
            );
        }
    }

    #[test]
    fn the_environment_is_read_by_the_configuration_only() {
        let text = "let port = std::env::var(\"PORT\");";
        assert!(faults(&source("server/src/config.rs", text)).is_empty());
        assert_eq!(faults(&source("server/src/lib.rs", text)).len(), 1);
        assert_eq!(faults(&source("app/src/lib.rs", text)).len(), 1);
    }

    #[test]
    fn a_file_of_more_than_400_lines_is_two() {
        assert!(faults(&source("app/src/lib.rs", &"\n".repeat(400))).is_empty());
        assert_eq!(
            faults(&source("app/src/lib.rs", &"\n".repeat(401))).len(),
            1
        );
    }

    #[test]
    fn a_lock_file_that_names_a_registry_is_refused() {
        assert!(names_a_registry(&source("package-lock.json", "\"version\": \"1.0.0\"")).is_none());
        assert!(
            names_a_registry(&source("package-lock.json", "\"resolved\": \"somewhere\"")).is_some()
        );
    }
}
