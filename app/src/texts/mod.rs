//! All texts of the interface, in one table for each language.
//!
//! The tables are on the server. A page's document carries those of its language as JSON, so that the WASM holds none.
//! To add a language, copy `en.rs`, translate it, and add it to [`Language`].

#[cfg(not(feature = "hydrate"))]
mod de;
#[cfg(not(feature = "hydrate"))]
mod en;
#[cfg(not(feature = "hydrate"))]
mod es;
mod fill;
#[cfg(not(feature = "hydrate"))]
mod language;
mod size;
mod table;
#[cfg(test)]
mod tests;

pub use fill::{counted, fill};
#[cfg(not(feature = "hydrate"))]
pub use language::Language;
pub use size::size;
pub use table::{ServerTexts, Texts};

/// The id of the element that holds the page's [`Texts`].
pub const TEXTS_ID: &str = "texts";

#[cfg(feature = "hydrate")]
static TEXTS: std::sync::OnceLock<Texts> = std::sync::OnceLock::new();

/// The page's texts.
#[cfg(feature = "hydrate")]
pub fn texts() -> &'static Texts {
    TEXTS
        .get()
        .expect("`start` reads the texts before it renders anything")
}

/// Takes the texts from the JSON that a document carries. False if their number differs.
#[cfg(feature = "hydrate")]
pub fn read(json: &str) -> bool {
    let texts: Vec<String> = serde_json::from_str(json).unwrap_or_default();
    // They are needed as long as the tab is open.
    let texts: Vec<&'static str> = texts.into_iter().map(|text| &*text.leak()).collect();
    let Ok(texts) = texts.try_into() else {
        return false;
    };
    TEXTS.get_or_init(|| Texts::from_list(texts));
    true
}

/// The texts of the page that is being rendered; in English otherwise, as in tests.
#[cfg(not(feature = "hydrate"))]
pub fn texts() -> &'static Texts {
    Language::of_page().texts()
}

/// The texts of that page that only the server needs.
#[cfg(not(feature = "hydrate"))]
pub fn server_texts() -> &'static ServerTexts {
    Language::of_page().server_texts()
}
