//! The site folder: all that the program serves as files, made ready for it.
//!
//! ```text
//! site/manifest.json    {"css":"/assets/…","home":{"js":"/assets/…","wasm":"/assets/…"},"upload":{…}}
//! site/assets/          tonesa-<16 hex digits of the content's SHA-256>.{css,js,wasm}: immutable
//! site/public/          the project's public/ as it is
//! ```
//!
//! Beside each file that compresses stand the same bytes as `.br` and `.gz`.

mod bundle;
mod compress;
mod fingerprint;
mod names;
mod wasm;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use serde::Serialize;
use sha2::{Digest, Sha256};
use walkdir::WalkDir;

use crate::{setup::Toolbox, workspace::Workspace};

/// Addresses of the packaged files; the server reads them at its start.
#[derive(Default, Serialize)]
struct Manifest {
    css: String,
    #[serde(flatten)]
    programs: BTreeMap<&'static str, Program>,
}

/// Addresses of a page's program.
#[derive(Serialize)]
struct Program {
    js: String,
    wasm: String,
}

/// The programs of `frontend`: one for each page that is more than text.
const PROGRAMS: [&str; 2] = ["home", "upload"];

/// Makes sure that `<beside>/site` is that of the present sources, and gives its path.
pub fn package(workspace: &Workspace, toolbox: &Toolbox, beside: &Path) -> Result<PathBuf> {
    let modules = wasm::compile(workspace, toolbox.compiler)?;
    let inputs = PROGRAMS.map(|program| modules.join(wasm::module(program)));
    let fingerprint = fingerprint::of_inputs(&workspace.root, &inputs)?;
    let site = beside.join("site");
    let stamp = beside.join("site.fingerprint");
    if site.is_dir() && fs::read_to_string(&stamp).is_ok_and(|made_from| made_from == fingerprint) {
        return Ok(site);
    }
    println!("xtask: packaging {}", site.display());
    let fresh = beside.join("site.new");
    empty_folder(&fresh)?;
    write_assets(workspace, toolbox, &modules, &fresh)?;
    copy_public(&workspace.root.join("public"), &fresh.join("public"))?;
    // Without its stamp a half-swapped site is made again.
    remove_if_there(fs::remove_file(&stamp))?;
    remove_if_there(fs::remove_dir_all(&site))?;
    fs::rename(&fresh, &site)?;
    fs::write(&stamp, fingerprint)?;
    Ok(site)
}

fn write_assets(
    workspace: &Workspace,
    toolbox: &Toolbox,
    modules: &Path,
    site: &Path,
) -> Result<()> {
    let scratch = workspace.target.join("packaging");
    empty_folder(&scratch)?;
    let assets = site.join("assets");
    fs::create_dir_all(&assets)?;
    let css = bundle::style(workspace, &toolbox.tools, &scratch)?;
    let mut manifest = Manifest {
        css: write_hashed(&assets, "css", &fs::read(css)?)?,
        programs: BTreeMap::new(),
    };
    for name in PROGRAMS {
        let module = modules.join(wasm::module(name));
        let program = write_program(workspace, toolbox, &module, name, &assets)
            .with_context(|| format!("packaging the program {name}"))?;
        manifest.programs.insert(name, program);
    }
    fs::write(
        site.join("manifest.json"),
        serde_json::to_vec_pretty(&manifest)?,
    )?;
    Ok(())
}

fn write_program(
    workspace: &Workspace,
    toolbox: &Toolbox,
    module: &Path,
    name: &str,
    assets: &Path,
) -> Result<Program> {
    let scratch = workspace.target.join("packaging").join(name);
    empty_folder(&scratch)?;
    let bound = wasm::bind(module, name, &scratch)?;
    let script = bundle::script(workspace, &toolbox.tools, &bound.glue, &scratch)?;
    names::shorten(&bound.wasm, &script.names)?;
    let wasm = wasm::optimise(workspace, &toolbox.tools, &bound.wasm, &scratch)?;
    Ok(Program {
        js: write_hashed(assets, "js", &fs::read(script.file)?)?,
        wasm: write_hashed(assets, "wasm", &fs::read(wasm)?)?,
    })
}

/// Writes the bytes under their own hash's name, with their compressed forms; gives the address.
fn write_hashed(folder: &Path, extension: &str, bytes: &[u8]) -> Result<String> {
    let name = hashed_name(extension, bytes);
    compress::write_with_forms(&folder.join(&name), bytes)?;
    Ok(format!("/assets/{name}"))
}

fn hashed_name(extension: &str, bytes: &[u8]) -> String {
    let hash = hex(&Sha256::digest(bytes));
    format!("tonesa-{}.{extension}", &hash[..16])
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::new(), |digits, byte| format!("{digits}{byte:02x}"))
}

fn copy_public(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in WalkDir::new(from).min_depth(1) {
        let entry = entry.context("reading the folder public/")?;
        let copy = to.join(entry.path().strip_prefix(from)?);
        if entry.file_type().is_dir() {
            fs::create_dir_all(copy)?;
        } else {
            compress::write_with_forms(&copy, &fs::read(entry.path())?)?;
        }
    }
    Ok(())
}

fn empty_folder(folder: &Path) -> Result<()> {
    remove_if_there(fs::remove_dir_all(folder))?;
    Ok(fs::create_dir_all(folder)?)
}

fn remove_if_there(removed: std::io::Result<()>) -> std::io::Result<()> {
    match removed {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::hashed_name;

    #[test]
    fn a_packaged_file_is_named_by_its_content() {
        assert_eq!(hashed_name("css", b""), "tonesa-e3b0c44298fc1c14.css");
        assert_ne!(hashed_name("css", b"a"), hashed_name("css", b"b"));
    }
}
