//! The names by which the script and the WASM know each other: three hundred long ones with hashes, of which nobody
//! else needs to know. esbuild shortens them in the script; here the WASM follows.

use std::{collections::HashMap, fs, path::Path};

use anyhow::{Context, Result};
use walrus::Module;

/// What esbuild is to shorten: all that wasm-bindgen makes up, and nothing that the page or a browser calls.
pub const PRIVATE: &str = "^(__wbg_|__wbindgen_|__externref_|wasm_bindgen__)";

/// Renames the WASM's imports and exports as esbuild's list says.
pub fn shorten(wasm: &Path, list: &Path) -> Result<()> {
    let names = serde_json::from_slice(&fs::read(list)?).context("reading esbuild's names")?;
    let mut module = Module::from_file(wasm)?;
    rename(&mut module, &names);
    module.emit_wasm_file(wasm)
}

fn rename(module: &mut Module, names: &HashMap<String, String>) {
    let imported = module.imports.iter_mut().map(|import| &mut import.name);
    let exported = module.exports.iter_mut().map(|export| &mut export.name);
    for name in imported.chain(exported) {
        if let Some(short) = names.get(name) {
            name.clone_from(short);
        }
    }
}

#[cfg(test)]
mod tests {
    use walrus::{FunctionBuilder, ModuleConfig};

    use super::*;

    fn module() -> Module {
        let mut module = Module::with_config(ModuleConfig::new());
        let function = FunctionBuilder::new(&mut module.types, &[], &[]);
        let function = function.finish(Vec::new(), &mut module.funcs);
        for name in ["memory", "__wbindgen_start"] {
            module.exports.add(name, function);
        }
        let kind = module.types.add(&[], &[]);
        module.add_import_func("./tonesa_bg.js", "__wbg_log_0123456789abcdef", kind);
        module
    }

    #[test]
    fn private_names_get_short_and_public_ones_stay() {
        let mut module = module();
        let names = [
            ("__wbindgen_start", "a"),
            ("__wbg_log_0123456789abcdef", "b"),
        ];
        let names = names.map(|(long, short)| (long.to_owned(), short.to_owned()));
        rename(&mut module, &names.into());
        let exports: Vec<_> = module.exports.iter().map(|it| &*it.name).collect();
        let imports: Vec<_> = module.imports.iter().map(|it| &*it.name).collect();
        assert_eq!(exports, ["memory", "a"]);
        assert_eq!(imports, ["b"]);
    }
}
