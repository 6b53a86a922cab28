use leptos::prelude::*;

use super::Live;
use crate::browser::object_url::ObjectUrl;
use crate::model::{MessagePage, ShortId, Upload, UploadPage};

/// How many conversations are kept for the way back. Of more, the oldest go, those with unsent messages last.
const MAX_KEPT: usize = 8;

/// The conversations that this tab has open or may come back to, so that the way back shows them as they were left. They
/// stand in the context. Cheap to copy.
#[derive(Clone, Copy)]
pub struct Conversations(StoredValue<State>);

struct State {
    /// The one that was opened last stands last.
    kept: Vec<Kept>,
    /// That of the whole app: conversations outlive their pages.
    owner: Owner,
}

#[derive(Clone)]
struct Kept {
    upload: Upload,
    /// The file itself, if this tab uploaded it.
    local_file: Option<ObjectUrl>,
    live: Live,
    owner: Owner,
}

/// What a page needs of its conversation.
#[derive(Clone)]
pub struct Opened {
    /// The picture.
    pub upload: Upload,
    /// The file itself, if this tab uploaded it.
    pub local_file: Option<ObjectUrl>,
    /// What is said about it.
    pub live: Live,
}

impl Conversations {
    /// Provides them, for as long as the app lives.
    pub fn provide() {
        let owner = Owner::current().unwrap_or_default();
        provide_context(Self(StoredValue::new(State {
            kept: Vec::new(),
            owner,
        })));
    }

    /// From the context.
    pub fn expect() -> Self {
        expect_context()
    }

    /// What is known here of the upload, so that nobody has to be asked.
    pub fn page(self, short_id: ShortId) -> Option<UploadPage> {
        self.0.with_value(|state| {
            let kept = state
                .kept
                .iter()
                .find(|kept| kept.upload.short_id == short_id)?;
            // Its conversation is here already, and catches up by itself.
            Some(UploadPage {
                upload: kept.upload.clone(),
                page: MessagePage::default(),
            })
        })
    }

    /// An upload that this tab has just made of this file.
    pub fn add_uploaded(self, upload: Upload, file: ObjectUrl) {
        let page = UploadPage {
            upload,
            page: MessagePage::default(),
        };
        self.0.update_value(|state| state.add(page, Some(file)));
    }

    /// The conversation about this upload: as it was left, or a new one that starts with this page.
    pub fn open(self, page: UploadPage) -> Opened {
        self.0
            .try_update_value(|state| {
                let is_it = |kept: &Kept| kept.upload.id == page.upload.id;
                match state.kept.iter().position(is_it) {
                    Some(index) => {
                        let kept = state.kept.remove(index);
                        state.kept.push(kept);
                    }
                    None => state.add(page, None),
                }
                let kept = state.kept.last().expect("one was just put there");
                Opened {
                    upload: kept.upload.clone(),
                    local_file: kept.local_file.clone(),
                    live: kept.live,
                }
            })
            .expect("conversations live as long as the app")
    }
}

impl State {
    fn add(&mut self, page: UploadPage, local_file: Option<ObjectUrl>) {
        if self.kept.len() == MAX_KEPT {
            let idle = self.kept.iter().position(|kept| !kept.live.has_unsent());
            let gone = self.kept.remove(idle.unwrap_or(0));
            gone.owner.cleanup();
        }
        let owner = self.owner.child();
        let upload = page.upload.clone();
        let live = owner.with(|| Live::new(page));
        self.kept.push(Kept {
            upload,
            local_file,
            live,
            owner,
        });
    }
}
