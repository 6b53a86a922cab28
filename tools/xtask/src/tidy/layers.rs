//! Who may import whom: the server's layers, and no circle of files.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemMod, ItemUse, Macro, UseTree, VisRestricted};

use super::rules::Source;

const SERVER: &str = "server/src/";

/// From top to bottom: what a file imports lies in its own layer or further down. Those of one row know nothing of each
/// other.
const LAYERS: [&[&str]; 7] = [
    &["main", "lib"],
    &["app"],
    &["http"],
    &["hub"],
    &["websocket", "broker", "store", "blob", "image"],
    &["admission", "metrics", "config", "fs", "ids", "clock"],
    &["panics", "random", "sync"],
];

/// The crates in which no files import each other in a circle.
const WITHOUT_CIRCLES: [&str; 2] = ["app/src/", SERVER];

/// A module's path, from its crate.
type Module = Vec<String>;
/// The files that each file imports, tests left out.
type Imports = BTreeMap<String, BTreeSet<String>>;

/// All imports that the layers forbid, and all circles.
pub fn violations(sources: &[Source]) -> Vec<String> {
    let mut violations = upward(&imports(sources, SERVER));
    for root in WITHOUT_CIRCLES {
        violations.extend(circles(&imports(sources, root)));
    }
    violations
}

fn upward(imports: &Imports) -> Vec<String> {
    let pairs = imports
        .iter()
        .flat_map(|(file, imported)| imported.iter().map(move |it| (file, it)));
    let violations = pairs.filter(|(file, other)| !is_allowed(layer_of(file), layer_of(other)));
    violations
        .map(|(file, other)| format!("{file} imports {other}: a layer imports from those below it only (tools/xtask/src/tidy/layers.rs)"))
        .collect()
}

fn is_allowed(layer: &str, other: &str) -> bool {
    let row_of = |layer: &str| LAYERS.iter().position(|row| row.contains(&layer));
    layer == other
        || row_of(layer)
            .zip(row_of(other))
            .is_some_and(|(row, below)| row < below)
}

fn layer_of(file: &str) -> &str {
    let mut names = file.trim_start_matches(SERVER).split(['/', '.']);
    names.next().unwrap_or_default()
}

/// A shortest circle through each file that is in one, but for those that were named with an earlier one.
fn circles(imports: &Imports) -> Vec<String> {
    let mut named = BTreeSet::new();
    let mut violations = Vec::new();
    for file in imports.keys() {
        let circle = circle_through(file, imports);
        if let Some(circle) = circle.filter(|_| !named.contains(file)) {
            violations.push(format!("files import each other: {}", circle.join(" -> ")));
            named.extend(circle);
        }
    }
    violations
}

fn circle_through(start: &String, imports: &Imports) -> Option<Vec<String>> {
    let mut from: BTreeMap<&String, &String> = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(file) = queue.pop_front() {
        for other in imports.get(file).into_iter().flatten() {
            from.entry(other).or_insert_with(|| {
                queue.push_back(other);
                file
            });
        }
    }
    let mut circle = vec![start.clone()];
    let mut file = *from.get(start)?;
    while file != start {
        circle.push(file.clone());
        file = from[file];
    }
    circle.push(start.clone());
    circle.reverse();
    Some(circle)
}

fn imports(sources: &[Source], root: &str) -> Imports {
    let files: BTreeMap<Module, &Source> = sources
        .iter()
        .filter_map(|source| Some((module_of(source.path.strip_prefix(root)?), source)))
        .collect();
    let mut all = Imports::new();
    let mut tests = Vec::new();
    for (module, source) in &files {
        // What does not parse does not compile either.
        let Ok(file) = syn::parse_file(&source.text) else {
            continue;
        };
        let mut reader = Reader {
            files: &files,
            module: module.clone(),
            found: BTreeSet::new(),
            tests: Vec::new(),
        };
        reader.visit_file(&file);
        reader.found.remove(&source.path);
        tests.append(&mut reader.tests);
        all.insert(source.path.clone(), reader.found);
    }
    for (module, source) in &files {
        if tests.iter().any(|test| module.starts_with(test)) {
            all.remove(&source.path);
        }
    }
    all
}

fn module_of(path: &str) -> Module {
    let path = path.trim_end_matches(".rs").trim_end_matches("/mod");
    let names = path.split('/').filter(|name| *name != "lib");
    names.map(str::to_owned).collect()
}

/// Finds the files that one file imports.
struct Reader<'a> {
    files: &'a BTreeMap<Module, &'a Source>,
    module: Module,
    found: BTreeSet<String>,
    /// The modules that are declared for tests only.
    tests: Vec<Module>,
}

impl Reader<'_> {
    fn add(&mut self, path: &[String]) {
        let ups = path.iter().take_while(|name| *name == "super").count();
        let mut target = match path.first().map(String::as_str) {
            Some("crate") => path[1..].to_vec(),
            Some("self") => [&self.module, &path[1..]].concat(),
            Some("super") => {
                let parent = &self.module[..self.module.len().saturating_sub(ups)];
                [parent, &path[ups..]].concat()
            }
            // A module that is declared here.
            Some(name) if self.files.contains_key(&self.child(name)) => {
                [&self.module, path].concat()
            }
            _ => return,
        };
        while !target.is_empty() && !self.files.contains_key(&target) {
            target.pop();
        }
        if let Some(file) = self.files.get(&target) {
            self.found.insert(file.path.clone());
        }
    }

    fn child(&self, name: &str) -> Module {
        [&self.module[..], &[name.to_owned()]].concat()
    }

    fn add_tree(&mut self, before: &[String], tree: &UseTree) {
        let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        match tree {
            UseTree::Path(path) => self.add_tree(&with(&path.ident), &path.tree),
            UseTree::Name(name) => self.add(&with(&name.ident)),
            UseTree::Rename(name) => self.add(&with(&name.ident)),
            UseTree::Glob(_) => self.add(before),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.add_tree(before, tree);
                }
            }
        }
    }
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute
                .parse_args::<syn::Path>()
                .is_ok_and(|when| when.is_ident("test"))
    })
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        let attributes = match item {
            Item::Mod(it) => &it.attrs,
            Item::Use(it) => &it.attrs,
            Item::Fn(it) => &it.attrs,
            Item::Impl(it) => &it.attrs,
            _ => return visit::visit_item(self, item),
        };
        if !is_for_tests(attributes) {
            visit::visit_item(self, item);
        } else if let Item::Mod(module) = item {
            self.tests.push(self.child(&module.ident.to_string()));
        }
    }

    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        self.module.push(module.ident.to_string());
        visit::visit_item_mod(self, module);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.add_tree(&[], &item.tree);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names = path.segments.iter().map(|it| it.ident.to_string());
        let names = names.collect::<Vec<_>>();
        if names.len() > 1 {
            self.add(&names);
        }
        visit::visit_path(self, path);
    }

    /// Its arguments are no syntax yet: only what is named from the crate on is found in them.
    fn visit_macro(&mut self, called: &'ast Macro) {
        let text = called.tokens.to_string().replace(' ', "");
        for path in text.split("crate::").skip(1) {
            let end = path.find(|letter: char| !letter.is_alphanumeric() && !"_:".contains(letter));
            let path = &path[..end.unwrap_or(path.len())];
            let names = ["crate"].into_iter().chain(path.split("::"));
            self.add(&names.map(str::to_owned).collect::<Vec<_>>());
        }
    }

    /// `pub(in crate::hub)` imports nothing.
    fn visit_vis_restricted(&mut self, _: &'ast VisRestricted) {}
}

#[cfg(test)]
mod tests;
