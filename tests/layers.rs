//! Tests of the layers of the workspace: which crates a crate may depend on, by `cargo metadata`, and that no files of
//! a crate import each other in a circle, by their `use` lines and paths.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace").to_owned()
}

/// A crate of the workspace: its layer, its path below the root, and the names of the workspace's crates that it
/// depends on (without dev-dependencies).
struct Crate {
    layer: String,
    path: String,
    dependencies: Vec<String>,
}

fn crates() -> BTreeMap<String, Crate> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo metadata runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let root = metadata["workspace_root"].as_str().expect("a root").to_owned();
    let names: BTreeSet<&str> = packages.iter().filter_map(|package| package["name"].as_str()).collect();
    let of = |package: &serde_json::Value| {
        let manifest = Path::new(package["manifest_path"].as_str().expect("a manifest"));
        let path = manifest.parent().and_then(|folder| folder.strip_prefix(&root).ok()).expect("below the root");
        let path = path.to_string_lossy().into_owned();
        let layer = match path.strip_prefix("crates/") {
            Some(rest) => rest.split('/').next().expect("a layer"),
            None => path.as_str(),
        };
        let dependencies = package["dependencies"].as_array().expect("dependencies").iter();
        let ours = dependencies
            .filter(|dependency| dependency["kind"].as_str() != Some("dev"))
            .filter_map(|dependency| dependency["name"].as_str())
            .filter(|name| names.contains(name));
        Crate { layer: layer.to_owned(), dependencies: ours.map(str::to_owned).collect(), path }
    };
    packages.iter().map(|package| (package["name"].as_str().expect("a name").to_owned(), of(package))).collect()
}

const SERVICES: [&str; 3] = ["transmitter", "channel-emulator", "receiver"];

/// The layers and single crates that a crate of the given layer and path may depend on. Panics for an unknown layer.
fn allowed(layer: &str, path: &str) -> Vec<&'static str> {
    match (layer, path) {
        ("base" | "proto", _) => vec![],
        ("radio", _) => vec!["base", "radio"],
        ("report", _) => vec!["base", "report"],
        ("content", _) => vec!["base", "content", "latentlink-metrics"],
        ("learning", "crates/learning/nn") => vec!["base"],
        ("learning", "crates/learning/network") => {
            vec!["base", "latentlink-nn", "latentlink-phy", "latentlink-metrics"]
        }
        ("learning", _) => vec!["base", "learning", "radio", "content", "report"],
        ("service", _) => vec!["base", "proto", "service", "latentlink-phy", "latentlink-metrics"],
        (service, _) if SERVICES.contains(&service) => {
            vec!["base", "radio", "content", "report", "learning", "service", "proto"]
        }
        ("trainer", _) => vec!["base", "radio", "content", "report", "learning"],
        ("deploy" | "tests", _) => vec![
            "base",
            "radio",
            "content",
            "report",
            "learning",
            "service",
            "proto",
            "transmitter",
            "channel-emulator",
            "receiver",
            "trainer",
            "tests",
        ],
        _ => panic!("{path} is in no layer that this test knows"),
    }
}

#[test]
fn crates_depend_on_their_layers_alone() {
    let crates = crates();
    assert!(crates.len() > 20, "{}", crates.len());
    let mut wrong = Vec::new();
    for (name, Crate { layer, path, dependencies }) in &crates {
        let allowed = allowed(layer, path);
        for dependency in dependencies {
            let theirs = &crates[dependency].layer;
            if !allowed.contains(&theirs.as_str()) && !allowed.contains(&dependency.as_str()) {
                wrong.push(format!("{name} ({path}) depends on {dependency}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn heavy_parts_are_features_that_are_off_in_the_default_build() {
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["tree", "--offline", "-p", "latentlink", "-e", "normal", "--prefix", "none"])
        .current_dir(root())
        .output()
        .expect("cargo tree runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(tree.contains("latentlink-schemes"));
    for heavy in ["hdf5-pure", "openh264", "opus-pure"] {
        assert!(!tree.lines().any(|line| line.starts_with(heavy)), "{heavy} is in the default build");
    }
}

type Module = Vec<String>;

/// The source files below `source`, by module path; files of tests are left out.
fn modules(source: &Path) -> BTreeMap<Module, PathBuf> {
    fn walk(folder: &Path, prefix: &[String], found: &mut BTreeMap<Module, PathBuf>) {
        let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
        for path in entries {
            let stem = path.file_stem().expect("a name").to_string_lossy().into_owned();
            let module = [prefix, std::slice::from_ref(&stem)].concat();
            if path.is_dir() {
                walk(&path, &module, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                assert_ne!(stem, "mod", "{} is to be named after its module", path.display());
                let own = if prefix.is_empty() && ["lib", "main"].contains(&stem.as_str()) { vec![] } else { module };
                found.insert(own, path);
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(source, &[], &mut found);
    found.retain(|module, _| !module.iter().any(|part| part == "tests" || part.ends_with("_tests")));
    found
}

/// The text of a source file without comments and without its module of tests.
fn code(path: &Path) -> String {
    let text = std::fs::read_to_string(path).expect("a source file");
    let text = text.split("#[cfg(test)]\nmod tests {").next().expect("a part");
    text.lines().map(|line| line.split("//").next().expect("a part")).collect::<Vec<_>>().join("\n")
}

/// The single paths of a `use` tree.
fn expand(tree: &str) -> Vec<String> {
    let tree = tree.trim();
    let Some(open) = tree.find('{') else {
        return vec![tree.split(" as ").next().expect("a part").trim().to_owned()];
    };
    let (prefix, body) = (&tree[..open], tree[open + 1..].trim_end().trim_end_matches('}'));
    let mut parts = vec![String::new()];
    let mut depth = 0;
    // The closing brace of this group has been removed; braces of inner groups are complete unless they end the body.
    for c in body.chars() {
        depth += i32::from(c == '{') - i32::from(c == '}');
        match c {
            ',' if depth == 0 => parts.push(String::new()),
            c => parts.last_mut().expect("one").push(c),
        }
    }
    let inner = parts.iter().map(|part| part.trim()).filter(|part| !part.is_empty());
    inner
        .flat_map(|part| {
            expand(&format!("{prefix}{part}{}", "}".repeat(part.matches('{').count() - part.matches('}').count())))
        })
        .collect()
}

/// The paths that a file names, each with whether it is re-exported.
fn paths(code: &str) -> Vec<(String, bool)> {
    let mut found = Vec::new();
    let mut rest = String::new();
    let mut statement = String::new();
    for line in code.lines() {
        let start = line.trim_start();
        if statement.is_empty() && !(start.starts_with("use ") || start.starts_with("pub") && start.contains(" use ")) {
            rest += line;
            rest.push('\n');
            continue;
        }
        statement += line;
        if statement.contains(';') {
            let tree = statement.split(';').next().expect("a part");
            let (before, tree) = tree.split_once("use ").expect("a use");
            found.extend(expand(tree).into_iter().map(|path| (path, before.contains("pub"))));
            statement.clear();
        }
    }
    // Paths that are written out in full in expressions and types.
    let words = rest.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
    found.extend(words.filter(|word| word.contains("::")).map(|word| (word.trim_matches(':').to_owned(), false)));
    found
}

struct Sources {
    modules: BTreeSet<Module>,
    named: BTreeMap<Module, Vec<(String, bool)>>,
}

impl Sources {
    /// The file that a path named in `module` leads to; `None` if it is outside the crate. `depth` counts the
    /// re-exports followed.
    fn resolve(&self, module: &[String], path: &str, depth: usize) -> Option<Module> {
        let mut parts = path.split("::").peekable();
        let mut at = module.to_vec();
        match *parts.peek()? {
            "crate" => at.clear(),
            "self" | "super" => {}
            first if self.modules.contains(&[module, &[first.to_owned()]].concat()) => {}
            _ => return None,
        }
        while parts.next_if(|part| *part == "crate" || *part == "self").is_some() {}
        while parts.next_if(|part| *part == "super").is_some() {
            at.pop();
        }
        while let Some(part) = parts.peek() {
            let deeper = [at.as_slice(), &[(*part).to_owned()]].concat();
            if !self.modules.contains(&deeper) {
                break;
            }
            at = deeper;
            parts.next();
        }
        let item = parts.next();
        let exported = self.named.get(&at)?.iter().find(|(path, public)| *public && path.rsplit("::").next() == item);
        match exported {
            Some((path, _)) if depth < 6 => self.resolve(&at, path, depth + 1).or(Some(at)),
            _ => Some(at),
        }
    }

    /// The files that each file imports. Imports between a file and the files in the folder of its name are left out:
    /// they are one unit.
    fn imports(&self) -> BTreeMap<Module, BTreeSet<Module>> {
        let of = |module: &Module, named: &Vec<(String, bool)>| {
            let targets = named.iter().filter_map(|(path, _)| self.resolve(module, path, 0));
            targets.filter(|target| !target.starts_with(module) && !module.starts_with(target)).collect()
        };
        self.named.iter().map(|(module, named)| (module.clone(), of(module, named))).collect()
    }
}

/// A circle of imports that leads from `from` back to itself; `None` if there is none.
fn circle(imports: &BTreeMap<Module, BTreeSet<Module>>, from: &Module) -> Option<Vec<Module>> {
    let mut before: BTreeMap<&Module, &Module> = BTreeMap::new();
    let mut open: Vec<&Module> = vec![from];
    while let Some(module) = open.pop() {
        for next in imports.get(module).into_iter().flatten() {
            if next == from {
                let mut way = vec![from.clone(), module.clone()];
                let mut at = module;
                while let Some(earlier) = before.get(at) {
                    way.push((*earlier).clone());
                    at = earlier;
                }
                way.reverse();
                return Some(way);
            }
            if !before.contains_key(next) {
                before.insert(next, module);
                open.push(next);
            }
        }
    }
    None
}

fn sources(source: &Path) -> Sources {
    let files = modules(source);
    let named = files.iter().map(|(module, path)| (module.clone(), paths(&code(path)))).collect();
    Sources { modules: files.into_keys().collect(), named }
}

#[test]
fn no_files_of_a_crate_import_each_other_in_a_circle() {
    let mut wrong = Vec::new();
    let mut files = 0;
    for Crate { path, .. } in crates().values() {
        let source = root().join(path).join("src");
        if !source.is_dir() {
            continue;
        }
        let imports = sources(&source).imports();
        files += imports.len();
        let way = imports.keys().find_map(|module| circle(&imports, module));
        wrong.extend(
            way.map(|way| format!("{path}: {}", way.iter().map(|m| m.join("::")).collect::<Vec<_>>().join(" → "))),
        );
    }
    assert!(files > 400, "{files} files were read");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_circle_is_found_through_groups_and_re_exports() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("written");
    write("lib.rs", "mod a;\nmod b;\nmod c;\npub use b::B;\n");
    write("a.rs", "use crate::{B, c::C};\npub struct A;\n");
    write("b.rs", "pub struct B;\n// use crate::a::A;\n#[cfg(test)]\nmod tests {\n    use crate::a::A;\n}\n");
    write("c.rs", "pub struct C;\n");
    let found = |from: &str| circle(&sources(folder.path()).imports(), &vec![from.to_owned()]);
    assert_eq!(found("a"), None);
    write("b.rs", "pub struct B;\nfn f() { crate::a::A; }\n");
    assert_eq!(found("a").expect("a circle").len(), 3);
    write("b.rs", "pub struct B;\n");
    write("c.rs", "use super::{\n    a::A,\n};\npub struct C;\n");
    assert_eq!(found("c").expect("a circle").len(), 3);
}
