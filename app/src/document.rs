//! The HTML document around the pages; the server's alone.

use leptos::attr::media;
use leptos::prelude::*;

use crate::pages::{Home, NotFound, Refused, Unavailable, Upload};
use crate::problem::Problem;
use crate::share::{describe, picture_style};
use crate::source::{HomeStart, PageEnvironment, Program, START_ID, Shown, UploadStart};

/// A page, and what stands inline in it: its policy has to allow just that. The same arguments make the same page.
pub struct Document {
    /// The page.
    pub html: String,
    /// The text of its one inline script, if there is anything to make live.
    pub script: Option<String>,
    /// The text of its inline style, if it has one.
    pub style: Option<String>,
}

/// A whole page, with the scripts that make it live if there is anything to it.
pub fn document(environment: PageEnvironment, shown: Shown) -> Document {
    Owner::new_root(None).with(|| {
        let css = environment.assets.css.clone();
        let title = shown.title();
        let description = describe(&environment.origin, &shown);
        let style = picture_style(&shown);
        let body = body(environment, shown);
        let script = body.life.as_ref().map(|(program, _)| loader(program));
        let head = view! {
            <Essentials css/>
            <title>{title}</title>
            {description}
            {style.clone().map(|style| view! { <style>{style}</style> })}
            {body.life.zip(script.clone()).map(|((program, start), script)| {
                view! { <Scripts program start script/> }
            })}
        };
        let page = view! {
            <!DOCTYPE html>
            <html lang="en">
                <head>{head}</head>
                <body inner_html=body.html></body>
            </html>
        };
        Document {
            html: page.to_html(),
            script,
            style,
        }
    })
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
fn Scripts(program: Program, start: String, script: String) -> impl IntoView {
    let Program { js, wasm } = program;
    view! {
        <link rel="modulepreload" href=js/>
        <link rel="preload" r#as="fetch" r#type="application/wasm" crossorigin="" href=wasm/>
        <script r#type="application/json" id=START_ID>{start}</script>
        <script r#type="module">{script}</script>
    }
}

/// The script that loads the WASM, which takes the page over. Where that fails the page works as without scripts.
fn loader(program: &Program) -> String {
    format!(
        "import({}).then(program=>program.default({{module_or_path:{}}}))\
         .catch(error=>{{document.documentElement.className=\"failed\";throw error}})",
        json(&program.js),
        json(&program.wasm)
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
    use crate::model::{MessagePage, UploadPage};
    use crate::source::Assets;

    fn program(name: &str) -> Program {
        Program {
            js: format!("/{name}.js"),
            wasm: format!("/{name}.wasm"),
        }
    }

    fn page(shown: Shown) -> Document {
        let environment = PageEnvironment {
            origin: "https://tonesa.example".to_owned(),
            assets: Assets {
                css: "/a.css".to_owned(),
                home: program("home"),
                upload: program("upload"),
            },
            max_upload_bytes: 20 * 1_024 * 1_024,
        };
        document(environment, shown)
    }

    fn upload() -> Shown {
        let upload = serde_json::json!({
            "id": "67444a2e9d1f0c3b5a7e8d90", "shortID": "4fRt9aQz", "kind": "image",
            "content": {
                "url": "/i/4fRt9aQz", "mediaType": "image/jpeg", "size": 1, "width": 3000, "height": 2000,
            },
            "createdAt": "2026-11-24T12:00:00.123Z",
        });
        Shown::Upload(Box::new(UploadPage {
            upload: serde_json::from_value(upload).unwrap(),
            page: MessagePage::default(),
        }))
    }

    #[test]
    fn equal_pages_are_equal_to_the_byte_and_tell_what_stands_inline() {
        for shown in [Shown::Home, upload()] {
            let has_style = shown != Shown::Home;
            let Document {
                html,
                script,
                style,
            } = page(shown.clone());
            let script = script.unwrap();
            let element = format!(r#"<script type="module">{script}</script>"#);
            assert!(html.contains(&element), "{html}");
            assert_eq!(style.is_some(), has_style);
            let element = style.map(|style| format!("<style>{style}</style>"));
            assert!(html.contains(&element.unwrap_or_default()), "{html}");
            assert!(!html.contains(" style=\""), "{html}");
            assert_eq!(page(shown).html, html);
        }
    }

    #[test]
    fn a_page_loads_its_own_program_and_a_page_that_does_nothing_loads_none() {
        for (shown, program) in [(Shown::Home, "home"), (upload(), "upload")] {
            let script = page(shown).script.unwrap();
            assert!(
                script.contains(&format!(r#"import("/{program}.js")"#)),
                "{script}"
            );
            assert!(
                script.contains(&format!(r#""/{program}.wasm""#)),
                "{script}"
            );
        }
        for failure in [Shown::NotFound, Shown::Unavailable] {
            let Document { html, script, .. } = page(failure);
            assert_eq!(script, None);
            assert!(!html.contains("script"), "{html}");
        }
    }

    #[test]
    fn data_cannot_end_the_script_that_holds_it() {
        assert_eq!(json(&"</script><!--"), r#""\u003c/script>\u003c!--""#);
    }
}
