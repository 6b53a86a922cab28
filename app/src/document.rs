//! The HTML document around the pages; the server's alone.

use leptos::attr::media;
use leptos::nonce::use_nonce;
use leptos::prelude::*;

use crate::App;
use crate::navigator::START_ID;
use crate::pages::Refused;
use crate::problem::Problem;
use crate::share::{describe, reserve_picture};
use crate::source::{Assets, PageEnvironment, Shown, Site, Start};

/// A whole page with the scripts that make it live; its scripts and styles carry the nonce in Leptos' context.
pub fn document(environment: PageEnvironment, shown: Shown) -> impl IntoView {
    let PageEnvironment {
        origin,
        assets,
        max_upload_bytes,
    } = environment;
    let title = shown.title();
    let description = describe(&origin, &shown);
    let nonce = use_nonce()
        .map(|nonce| nonce.to_string())
        .unwrap_or_default();
    let picture = reserve_picture(&shown, &nonce);
    let site = Site {
        origin,
        max_upload_bytes,
    };
    let start = Start { shown, site };
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <Essentials css=assets.css.clone()/>
                <title>{title}</title>
                {description}
                {picture}
                <Scripts assets start=json(&start) nonce/>
            </head>
            <body><App start/></body>
        </html>
    }
}

/// A whole page, without scripts, that says why a form was not accepted.
pub fn refused_document(environment: &PageEnvironment, problem: Problem) -> String {
    let title = format!("{} · Tonesa", problem.title);
    let css = environment.assets.css.clone();
    render(move || {
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
    })
}

fn render<V: IntoView>(view: impl FnOnce() -> V) -> String {
    Owner::new_root(None).with(|| view().to_html())
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
        <meta
            name="theme-color"
            {..media("(prefers-color-scheme: light)")}
            content="#ffffff"
        />
        <meta
            name="theme-color"
            {..media("(prefers-color-scheme: dark)")}
            content="#1d1c1b"
        />
        <link rel="stylesheet" href=css/>
        <link rel="icon" href="/favicon.svg" r#type="image/svg+xml"/>
        <link rel="apple-touch-icon" href="/apple-touch-icon.png"/>
        <link rel="manifest" href="/manifest.webmanifest"/>
    }
}

/// What takes the page over: the WASM, and the data that the page was rendered from.
#[component]
fn Scripts(assets: Assets, start: String, nonce: String) -> impl IntoView {
    let Assets { js, wasm, .. } = assets;
    let load = format!(
        "import init,{{hydrate}} from {};init({{module_or_path:{}}}).then(hydrate)",
        json(&js),
        json(&wasm)
    );
    view! {
        <link rel="modulepreload" href=js nonce=nonce.clone()/>
        <link rel="preload" r#as="fetch" r#type="application/wasm" crossorigin="" href=wasm/>
        <script r#type="application/json" id=START_ID>{start}</script>
        <script r#type="module" nonce=nonce>{load}</script>
    }
}

/// The value as JSON that cannot end the script element it stands in.
fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value)
        .unwrap_or_default()
        .replace('<', "\\u003c")
}

#[cfg(test)]
mod tests {
    use leptos::nonce::provide_nonce;

    use super::*;

    #[test]
    fn every_script_and_style_that_the_policy_checks_carries_the_nonce() {
        let environment = PageEnvironment {
            origin: "https://tonesa.example".to_owned(),
            assets: Assets {
                css: "/a.css".to_owned(),
                js: "/a.js".to_owned(),
                wasm: "/a.wasm".to_owned(),
            },
            max_upload_bytes: 20 * 1_024 * 1_024,
        };
        let (page, nonce) = Owner::new_root(None).with(|| {
            provide_nonce();
            let page = document(environment, Shown::Home).to_html();
            (page, use_nonce().unwrap())
        });
        let script = format!(r#"<script type="module" nonce="{nonce}">import init"#);
        assert!(page.contains(&script), "{page}");
        assert!(!page.contains(" style=\""), "{page}");
    }

    #[test]
    fn data_cannot_end_the_script_that_holds_it() {
        assert_eq!(json(&"</script><!--"), r#""\u003c/script>\u003c!--""#);
    }
}
