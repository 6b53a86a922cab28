//! Tonesa's set-up, build, run and test commands.

fn main() {
    wasm_bindgen_cli_support::Bindgen::new()
        .input_path("target/wasm32-unknown-unknown/wasm-release/frontend.wasm")
        .web(true)
        .unwrap()
        .typescript(false)
        .out_name("tonesa")
        .generate("/tmp/bg")
        .unwrap();
}
