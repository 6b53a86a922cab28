//! The HTML document around the app; server only.

use leptos::attr::media;
use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos_meta::MetaTags;

use crate::app::App;
use crate::link_preview::{self, Subject};
use crate::pages::{AdminPage, MessageForm, Refused, ReportForm};
use crate::problem::Problem;
use crate::settings::{Assets, SETTINGS_ID, Settings};
use crate::texts::{Language, TEXTS_ID};

/// Renders the whole document, in the language of the context; its head describes `subject`.
pub fn shell(assets: &Assets, subject: Subject<'_>) -> impl IntoView + use<> {
    let settings: Settings = expect_context();
    let language = Language::of_page();
    let texts = language.texts().to_list();
    let placeholder = placeholder(subject);
    let preview = link_preview::tags(&settings, subject);
    view! {
        <!DOCTYPE html>
        <html lang=language.tag()>
            <head>
                <Essentials css=assets.css.clone()/>
                {placeholder}
                {preview}
                <script type="application/json" id=SETTINGS_ID>
                    {json(&settings)}
                </script>
                <HydrationScript
                    js=assets.js.clone()
                    wasm=assets.wasm.clone()
                    preloads_wasm=!subject.is_large_picture()
                />
                <MetaTags/>
            </head>
            <body>
                // The number of nodes is filled in after rendering: see `start`.
                <div id="app" data-nodes="">
                    <App/>
                </div>
                // After all that is seen at first.
                <script type="application/json" id=TEXTS_ID>
                    {json(&texts.as_slice())}
                </script>
            </body>
        </html>
    }
}

/// Renders a whole page without scripts that says why a form was not accepted; the detail may be in another language
/// than the page. The form of a message is in it.
pub fn problem_page(
    assets: &Assets,
    settings: Settings,
    language: Language,
    problem: Problem,
    detail_language: Language,
    form: Option<MessageForm>,
) -> String {
    let title = problem.title.clone();
    let detail_lang = (detail_language != language).then(|| detail_language.tag());
    plain_page(assets, settings, language, title, move || {
        view! { <Refused problem detail_lang form/> }
    })
}

/// Renders a whole page without scripts, with what `body` makes.
fn plain_page<V: IntoView>(
    assets: &Assets,
    settings: Settings,
    language: Language,
    title: String,
    body: impl FnOnce() -> V,
) -> String {
    let title = format!("{title} · Tonesa");
    let css = assets.css.clone();
    Owner::new_root(None).with(move || {
        provide_context(language);
        provide_context(settings);
        view! {
            <!DOCTYPE html>
            <html lang=language.tag() class="without-scripts">
                <head>
                    <Essentials css/>
                    <title>{title}</title>
                    <meta name="robots" content="noindex"/>
                </head>
                <body>
                    {body()}
                </body>
            </html>
        }
        .to_html()
    })
}

/// Renders the page with the form to report a picture.
pub fn report_page(
    assets: &Assets,
    settings: Settings,
    language: Language,
    report: ReportForm,
) -> String {
    let title = language.server_texts().report_picture.to_owned();
    plain_page(assets, settings, language, title, move || report.view())
}

/// Renders a page of who runs the server.
pub fn admin_page(
    assets: &Assets,
    settings: Settings,
    language: Language,
    page: AdminPage,
) -> String {
    let title = language.server_texts().moderation.to_owned();
    plain_page(assets, settings, language, title, move || page.view())
}

/// The elements at the beginning of every document's head.
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
        <meta name="theme-color" {..media("(prefers-color-scheme: dark)")} content="#1b1b1e"/>
        <link rel="stylesheet" href=css/>
        <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
        <link rel="apple-touch-icon" href="/apple-touch-icon.png"/>
        <link rel="manifest" href="/manifest.webmanifest"/>
    }
}

/// The style by which a tiny picture stands in the picture's place until it has loaded. It is in the head, since the
/// app need not know it, and for this picture only, since the app may show others later.
fn placeholder(subject: Subject<'_>) -> Option<impl IntoView + use<>> {
    let Subject::Image {
        page,
        placeholder: Some(placeholder),
    } = subject
    else {
        return None;
    };
    let image = &page.upload.content.url;
    let style = format!("img[src=\"{image}\"]{{--placeholder:url({placeholder})}}");
    Some(view! { <style nonce=use_nonce()>{style}</style> })
}

/// Loads the WASM. Unlike Leptos' `HydrationScripts` it reports when that fails, so that the page looks and works as
/// without scripts.
#[component]
fn HydrationScript(
    js: String,
    wasm: String,
    /// Whether to load the WASM at once. Otherwise it is loaded when the script runs, so that what the page shows has
    /// the connection for itself until then.
    preloads_wasm: bool,
) -> impl IntoView {
    let script = format!(
        "import({}).then(async app=>{{await app.default({{module_or_path:{}}});app.hydrate()}})\
         .catch(error=>{{document.documentElement.className=\"failed\";throw error}})",
        json(&js),
        json(&wasm)
    );
    let preload = preloads_wasm.then(|| {
        view! { <link rel="preload" r#as="fetch" type="application/wasm" crossorigin="" href=wasm/> }
    });
    view! {
        <link rel="modulepreload" href=js/>
        {preload}
        <script type="module" nonce=use_nonce()>{script}</script>
    }
}

/// The value as JSON that cannot close the script element around it.
fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value)
        .unwrap_or_default()
        .replace('<', "\\u003c")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_cannot_close_its_script_element() {
        assert_eq!(json(&"</script><!--"), r#""\u003c/script>\u003c!--""#);
    }
}
