use leptos::prelude::*;

use super::handle::Live;
use crate::browser::object_url::ObjectUrl;
use crate::model::{LogPage, ShortId, Upload, UploadPage};

/// How many conversations are kept for the way back. When there are more, the oldest are dropped, those with unsent
/// messages last.
const MAX_CONVERSATIONS: usize = 8;

/// The conversations that this tab has open or may come back to: the way back shows them as they were left. Provided as
/// context. Cheap to copy.
#[derive(Clone, Copy)]
pub struct Conversations(StoredValue<State>);

struct State {
    /// The one that was opened last comes last.
    cached: Vec<CachedConversation>,
    /// The app's owner: conversations outlive their pages.
    owner: Owner,
}

#[derive(Clone)]
struct CachedConversation {
    upload: Upload,
    /// The file itself, until the page of an upload by this tab is opened.
    local_file: Option<ObjectUrl>,
    live: Live,
    owner: Owner,
}

/// A conversation as its page needs it.
#[derive(Clone)]
pub struct Opened {
    /// The image.
    pub upload: Upload,
    /// The file itself, if this tab uploaded it and opens it for the first time.
    pub local_file: Option<ObjectUrl>,
    /// Its messages and ripples.
    pub live: Live,
}

impl Conversations {
    /// Provides them as context, for as long as the app lives.
    pub fn provide() {
        let owner = Owner::current().unwrap_or_default();
        provide_context(Self(StoredValue::new(State {
            cached: Vec::new(),
            owner,
        })));
    }

    /// From the context.
    pub fn expect() -> Self {
        expect_context()
    }

    /// The page of an upload that is known here, without asking the server.
    pub fn page(self, short_id: ShortId) -> Option<UploadPage> {
        self.0.with_value(|state| {
            let cached = state
                .cached
                .iter()
                .find(|cached| cached.upload.short_id == short_id)?;
            // Its messages are kept in the conversation, which catches up by itself.
            Some(UploadPage {
                upload: cached.upload.clone(),
                page: LogPage::default(),
                first: None,
            })
        })
    }

    /// Adds an upload that this tab has just made from this file.
    pub fn add_uploaded(self, upload: Upload, file: ObjectUrl) {
        let page = UploadPage {
            upload,
            page: LogPage::default(),
            first: None,
        };
        self.0.update_value(|state| state.add(page, Some(file)));
    }

    /// The conversation about this upload: as it was left, or a new one that starts with this page.
    pub fn open(self, page: UploadPage) -> Opened {
        self.0
            .try_update_value(|state| {
                let is_same = |cached: &CachedConversation| cached.upload.id == page.upload.id;
                match state.cached.iter().position(is_same) {
                    Some(index) => {
                        let cached = state.cached.remove(index);
                        state.cached.push(cached);
                    }
                    None => state.add(page, None),
                }
                let cached = state.cached.last_mut().expect("one was just put there");
                Opened {
                    upload: cached.upload.clone(),
                    // On the way back it would grow again, and what is served may be smaller.
                    local_file: cached.local_file.take(),
                    live: cached.live,
                }
            })
            .expect("conversations live as long as the app")
    }
}

impl State {
    fn add(&mut self, page: UploadPage, local_file: Option<ObjectUrl>) {
        if self.cached.len() == MAX_CONVERSATIONS {
            let idle = self
                .cached
                .iter()
                .position(|cached| !cached.live.has_unsent());
            let dropped = self.cached.remove(idle.unwrap_or(0));
            dropped.owner.cleanup();
        }
        let owner = self.owner.child();
        let upload = page.upload.clone();
        let live = owner.with(|| Live::new(page));
        self.cached.push(CachedConversation {
            upload,
            local_file,
            live,
            owner,
        });
    }
}
