//! The HTML document around the pages; the server's alone.

use leptos::attr::media;
use leptos::prelude::*;

use crate::pages::{Home, NotFound, Refused, Unavailable, Upload};
use crate::problem::Problem;
use crate::share::{describe, picture_style};
use crate::source::{HomeStart, PageEnvironment, Program, START_ID, Shown, UploadStart};

/// A whole page, with the scripts that make it live if there is anything to it, and what stands inline in it: its policy
/// has to allow just that. The same arguments make the same page.
#[derive(Clone)]
pub struct Document {
    environment: PageEnvironment,
    shown: Shown,
    /// The text of its one inline script, if there is anything to make live.
    pub script: Option<String>,
    /// The text of its inline style, if it has one.
    pub style: Option<String>,
}

impl Document {
    /// The page that shows this.
    pub fn new(environment: PageEnvironment, shown: Shown) -> Self {
        let script = program(&environment, &shown).map(loader);
        let style = picture_style(&shown);
        Self {
            environment,
            shown,
            script,
            style,
        }
    }

    /// The page as it is rendered.
    pub fn view(self) -> impl IntoView + use<> {
        let Self {
            environment,
            shown,
            script,
            style,
        } = self;
        let css = environment.assets.css.clone();
        let title = shown.title();
        let description = describe(&environment.origin, &shown);
        let program = program(&environment, &shown).cloned();
        let body = body(environment, shown);
        let scripts = program.zip(body.start).zip(script);
        view! {
            <!DOCTYPE html>
            <html lang="en">
                <head>
                    <Essentials css/>
                    <title>{title}</title>
                    {description}
                    {style.map(|style| view! { <style>{style}</style> })}
                    {scripts.map(|((program, start), script)| {
                        view! { <Scripts program start script/> }
                    })}
                </head>
                <body inner_html=body.html></body>
            </html>
        }
    }
}

/// What takes the page over.
fn program<'a>(environment: &'a PageEnvironment, shown: &Shown) -> Option<&'a Program> {
    match shown {
        Shown::Home => Some(&environment.assets.home),
        Shown::Upload(_) => Some(&environment.assets.upload),
        Shown::NotFound | Shown::Unavailable => None,
    }
}

/// What a page shows, rendered.
struct Body {
    html: String,
    /// What its program starts with, as JSON.
    start: Option<String>,
}

fn body(environment: PageEnvironment, shown: Shown) -> Body {
    match shown {
        Shown::Home => {
            let start = HomeStart {
                max_upload_bytes: environment.max_upload_bytes,
                next: environment.assets.upload,
            };
            let data = json(&start);
            rendered(view! { <Home start/> }, Some(data))
        }
        Shown::Upload(page) => {
            let start = UploadStart {
                page: *page,
                origin: environment.origin,
            };
            let data = json(&start);
            rendered(view! { <Upload start/> }, Some(data))
        }
        Shown::NotFound => rendered(view! { <NotFound/> }, None),
        Shown::Unavailable => rendered(view! { <Unavailable/> }, None),
    }
}

fn rendered(page: impl IntoView, start: Option<String>) -> Body {
    let html = page.to_html();
    Body { html, start }
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

    fn document(shown: Shown) -> Document {
        let environment = PageEnvironment {
            origin: "https://tonesa.example".to_owned(),
            assets: Assets {
                css: "/a.css".to_owned(),
                home: program("home"),
                upload: program("upload"),
            },
            max_upload_bytes: 20 * 1_024 * 1_024,
        };
        Document::new(environment, shown)
    }

    fn html(page: Document) -> String {
        render(move || page.view())
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
            let again = html(document(shown.clone()));
            let page = document(shown);
            let (script, style) = (page.script.clone().unwrap(), page.style.clone());
            let html = html(page);
            let element = format!(r#"<script type="module">{script}</script>"#);
            assert!(html.contains(&element), "{html}");
            assert_eq!(style.is_some(), has_style);
            let element = style.map(|style| format!("<style>{style}</style>"));
            assert!(html.contains(&element.unwrap_or_default()), "{html}");
            assert!(!html.contains(" style=\""), "{html}");
            assert_eq!(again, html);
        }
    }

    #[test]
    fn a_page_loads_its_own_program_and_a_page_that_does_nothing_loads_none() {
        for (shown, program) in [(Shown::Home, "home"), (upload(), "upload")] {
            let script = document(shown).script.unwrap();
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
            let page = document(failure);
            assert_eq!(page.script, None);
            let html = html(page);
            assert!(!html.contains("script"), "{html}");
        }
    }

    #[test]
    fn data_cannot_end_the_script_that_holds_it() {
        assert_eq!(json(&"</script><!--"), r#""\u003c/script>\u003c!--""#);
    }
}
