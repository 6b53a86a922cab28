use leptos::prelude::use_context;

use super::table::{ServerTexts, Texts};
use super::{de, en, es};

/// A language of the interface.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Language {
    /// English, also for readers of all other languages.
    #[default]
    En,
    /// German.
    De,
    /// Spanish.
    Es,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::En, Self::De, Self::Es];

    /// The language of the page that is being rendered, which is in the context; English outside of a rendering.
    pub fn of_page() -> Self {
        use_context().unwrap_or_default()
    }

    /// The language with this tag, whatever its region: `de`, `de-AT`.
    pub fn of_tag(tag: &str) -> Option<Self> {
        let language = tag.split('-').next()?;
        let is_it = |it: &Self| language.eq_ignore_ascii_case(it.tag());
        Self::ALL.into_iter().find(is_it)
    }

    /// Its tag (RFC 5646).
    pub const fn tag(self) -> &'static str {
        self.texts().lang
    }

    /// The texts of the pages.
    pub const fn texts(self) -> &'static Texts {
        match self {
            Self::En => &en::TEXTS,
            Self::De => &de::TEXTS,
            Self::Es => &es::TEXTS,
        }
    }

    /// The texts that only the server needs.
    pub const fn server_texts(self) -> &'static ServerTexts {
        match self {
            Self::En => &en::SERVER_TEXTS,
            Self::De => &de::SERVER_TEXTS,
            Self::Es => &es::SERVER_TEXTS,
        }
    }
}
