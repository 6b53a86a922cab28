//! The HTML document around the pages; the server's alone.

use leptos::attr::media;
use leptos::prelude::*;

use crate::App;
use crate::navigator::START_ID;
use crate::pages::Refused;
use crate::problem::Problem;
use crate::share::{describe, picture_style};
use crate::source::{Assets, PageEnvironment, Shown, Site, Start};

/// A page, and what stands inline in it: its policy has to allow just that. The same arguments make the same page.
pub struct Document {
    /// The page.
    pub html: String,
    /// The text of its one inline script.
    pub script: String,
    /// The text of its inline style, if it has one.
    pub style: Option<String>,
}

/// A whole page with the scripts that make it live.
pub fn document(environment: PageEnvironment, shown: Shown) -> Document {
    let PageEnvironment {
        origin,
        assets,
        max_upload_bytes,
    } = environment;
    let script = loader(&assets);
    let style = picture_style(&shown);
    let site = Site {
        origin,
        max_upload_bytes,
    };
    let start = Start { shown, site };
    let html = render(|| whole(start, assets, script.clone(), style.clone()));
    Document {
        html,
        script,
        style,
    }
}

fn whole(start: Start, assets: Assets, script: String, style: Option<String>) -> impl IntoView {
    let title = start.shown.title();
    let description = describe(&start.site.origin, &start.shown);
    let style = style.map(|style| view! { <style>{style}</style> });
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <Essentials css=assets.css.clone()/>
                <title>{title}</title>
                {description}
                {style}
                <Scripts assets script start=json(&start)/>
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
fn Scripts(assets: Assets, script: String, start: String) -> impl IntoView {
    let Assets { js, wasm, .. } = assets;
    view! {
        <link rel="modulepreload" href=js/>
        <link rel="preload" r#as="fetch" r#type="application/wasm" crossorigin="" href=wasm/>
        <script r#type="application/json" id=START_ID>{start}</script>
        <script r#type="module">{script}</script>
    }
}

/// The script that loads the WASM and has it take the page over.
fn loader(assets: &Assets) -> String {
    format!(
        "import init,{{hydrate}} from {};init({{module_or_path:{}}}).then(hydrate)",
        json(&assets.js),
        json(&assets.wasm)
    )
}

/// The value as JSON that cannot end the script element it stands in.
fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value)
        .unwrap_or_default()
        .replace('<', "\\u003c")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_pages_are_equal_to_the_byte_and_tell_what_stands_inline() {
        let environment = PageEnvironment {
            origin: "https://tonesa.example".to_owned(),
            assets: Assets {
                css: "/a.css".to_owned(),
                js: "/a.js".to_owned(),
                wasm: "/a.wasm".to_owned(),
            },
            max_upload_bytes: 20 * 1_024 * 1_024,
        };
        let page = document(environment.clone(), Shown::Home);
        assert!(page.script.starts_with("import init"), "{}", page.script);
        let script = format!(r#"<script type="module">{}</script>"#, page.script);
        assert!(page.html.contains(&script), "{}", page.html);
        assert!(!page.html.contains(" style=\""), "{}", page.html);
        assert_eq!(document(environment, Shown::Home).html, page.html);
    }

    #[test]
    fn data_cannot_end_the_script_that_holds_it() {
        assert_eq!(json(&"</script><!--"), r#""\u003c/script>\u003c!--""#);
    }
}
