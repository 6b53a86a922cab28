//! The HTML document around the pages; the server's alone.

use leptos::attr::media;
use leptos::nonce::use_nonce;
use leptos::prelude::*;

use crate::pages::{Home, NotFound, Refused, Unavailable, Upload};
use crate::problem::Problem;
use crate::share::{describe, reserve_picture};
use crate::source::{HomeStart, PageEnvironment, Program, START_ID, Shown, UploadStart};

/// A whole page, with the scripts that make it live if there is anything to it; its scripts and styles carry the nonce in
/// Leptos' context.
pub fn document(environment: PageEnvironment, shown: Shown) -> impl IntoView {
    let css = environment.assets.css.clone();
    let title = shown.title();
    let description = describe(&environment.origin, &shown);
    let nonce = use_nonce()
        .map(|nonce| nonce.to_string())
        .unwrap_or_default();
    let picture = reserve_picture(&shown, &nonce);
    let Body { html, life } = body(environment, shown);
    let scripts = life.map(|(program, start)| view! { <Scripts program start nonce/> });
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <Essentials css/>
                <title>{title}</title>
                {description}
                {picture}
                {scripts}
            </head>
            <body inner_html=html></body>
        </html>
    }
}

/// What a page shows, rendered.
struct Body {
    html: String,
    /// What takes the page over, and what that starts with, as JSON.
    life: Option<(Program, String)>,
}

fn body(environment: PageEnvironment, shown: Shown) -> Body {
    let PageEnvironment {
        origin,
        assets,
        max_upload_bytes,
    } = environment;
    match shown {
        Shown::Home => {
            let next = assets.upload;
            let start = HomeStart {
                max_upload_bytes,
                next,
            };
            let life = Some((assets.home, json(&start)));
            let html = view! { <Home start/> }.to_html();
            Body { html, life }
        }
        Shown::Upload(page) => {
            let page = *page;
            let start = UploadStart { page, origin };
            let life = Some((assets.upload, json(&start)));
            let html = view! { <Upload start/> }.to_html();
            Body { html, life }
        }
        Shown::NotFound => lifeless(view! { <NotFound/> }),
        Shown::Unavailable => lifeless(view! { <Unavailable/> }),
    }
}

fn lifeless(page: impl IntoView) -> Body {
    let html = page.to_html();
    Body { html, life: None }
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
fn Scripts(program: Program, start: String, nonce: String) -> impl IntoView {
    let Program { js, wasm } = program;
    let load = format!(
        "import init from {};init({{module_or_path:{}}})",
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
    use crate::source::Assets;

    fn program(name: &str) -> Program {
        Program {
            js: format!("/{name}.js"),
            wasm: format!("/{name}.wasm"),
        }
    }

    /// The page that shows this, and the nonce that it was made with.
    fn rendered(shown: Shown) -> (String, String) {
        let environment = PageEnvironment {
            origin: "https://tonesa.example".to_owned(),
            assets: Assets {
                css: "/a.css".to_owned(),
                home: program("home"),
                upload: program("upload"),
            },
            max_upload_bytes: 20 * 1_024 * 1_024,
        };
        Owner::new_root(None).with(|| {
            provide_nonce();
            let page = document(environment, shown).to_html();
            (page, use_nonce().unwrap().to_string())
        })
    }

    #[test]
    fn every_script_and_style_that_the_policy_checks_carries_the_nonce() {
        let (page, nonce) = rendered(Shown::Home);
        let script = format!(r#"<script type="module" nonce="{nonce}">import init"#);
        assert!(page.contains(&script), "{page}");
        assert!(!page.contains(" style=\""), "{page}");
    }

    #[test]
    fn a_page_loads_its_own_program_and_a_page_that_does_nothing_loads_none() {
        let (page, _) = rendered(Shown::Home);
        assert!(page.contains(r#"import init from "/home.js""#), "{page}");
        for failure in [Shown::NotFound, Shown::Unavailable] {
            let (page, _) = rendered(failure);
            assert!(!page.contains("script"), "{page}");
        }
    }

    #[test]
    fn data_cannot_end_the_script_that_holds_it() {
        assert_eq!(json(&"</script><!--"), r#""\u003c/script>\u003c!--""#);
    }
}
