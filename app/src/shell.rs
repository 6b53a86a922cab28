//! The HTML document around the pages; the server's alone.

use leptos::attr::media;
use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos_meta::MetaTags;

use crate::App;
use crate::pages::Refused;
use crate::problem::Problem;
use crate::source::{Assets, PageEnvironment};

/// A whole page with the scripts that make it live. Render it with `leptos_axum::render_app_async_with_context`, with
/// the environment, a [`crate::source::SharedPageSource`] and, for the policy, a nonce in the context.
pub fn shell(environment: PageEnvironment) -> impl IntoView {
    let nonce = use_nonce();
    let Assets { css, js, wasm } = environment.assets;
    let start = format!(
        "import init,{{hydrate}} from {};init({{module_or_path:{}}}).then(hydrate)",
        script_string(&js),
        script_string(&wasm)
    );
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <Essentials css/>
                <link rel="modulepreload" href=js nonce=nonce.clone()/>
                <link rel="preload" r#as="fetch" r#type="application/wasm" crossorigin="" href=wasm/>
                <script type="module" nonce=nonce>{start}</script>
                <MetaTags/>
            </head>
            <body><App/></body>
        </html>
    }
}

/// A whole page, without scripts, that says why a form was not accepted.
pub fn refused_document(environment: &PageEnvironment, problem: Problem) -> String {
    let title = format!("{} · Tonesa", problem.title);
    let css = environment.assets.css.clone();
    Owner::new().with(|| {
        view! {
            <!DOCTYPE html>
            <html lang="en">
                <head>
                    <Essentials css/>
                    <title>{title}</title>
                    <meta name="robots" content="noindex"/>
                </head>
                <body><Refused problem/></body>
            </html>
        }
        .to_html()
    })
}

/// What every document's head begins with.
#[component]
fn Essentials(css: String) -> impl IntoView {
    view! {
        <meta charset="utf-8"/>
        <meta
            name="viewport"
            content="width=device-width, initial-scale=1, viewport-fit=cover, interactive-widget=resizes-content"
        />
        <meta name="color-scheme" content="light dark"/>
        <meta name="theme-color" {..media("(prefers-color-scheme: light)")} content="#ffffff"/>
        <meta name="theme-color" {..media("(prefers-color-scheme: dark)")} content="#1d1c1b"/>
        <link rel="stylesheet" href=css/>
        <link rel="icon" href="/favicon.svg" r#type="image/svg+xml"/>
        <link rel="apple-touch-icon" href="/apple-touch-icon.png"/>
        <link rel="manifest" href="/manifest.webmanifest"/>
    }
}

/// The text as a JavaScript string that cannot end the script element.
fn script_string(text: &str) -> String {
    format!("{text:?}").replace('<', "\\u003c")
}
