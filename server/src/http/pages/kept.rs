//! The pages that were rendered, in a bounded room.

use std::sync::Arc;

use any_spawner::Executor;
use app::model::ShortId;
use app::page_data::PageError;
use app::settings::{Assets, Settings};
use axum::extract::Request;
use quick_cache::sync::{Cache, DefaultLifecycle, EntryAction, EntryResult};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};

use super::rendered::{Page, PageContent};
use crate::admission::response_budget::BudgetExceeded;
use crate::store::coalesced::Reads;

/// How many bytes of pages are kept: some hundreds of them.
const MAX_BYTES: u64 = 16 * 1024 * 1024;
/// What a page takes beside its name and its content, in bytes: headers above all.
const OVERHEAD: u64 = 2 * 1024;
/// A page of a short conversation, plain and compressed, in bytes.
const USUAL_PAGE: u64 = 32 * 1024;

/// Pages that were rendered before, so that only the first reader of each costs a rendering.
///
/// When there is no room for one more, those that are asked for least go; one that is larger than all the room is not
/// kept. Either is rendered again when it is asked for. Clients may choose the origin in a page's name (by `Host`), so
/// they can fill the room; what others ask for often stays.
///
/// Nothing here is shown unasked: [`Pages::show`] compares what was read with what is kept.
pub struct Pages {
    kept: Cache<Name, Arc<Page>, Weight>,
    making: Making,
}

/// The pages of uploads that are being read and rendered, by origin: those who ask meanwhile share the next one.
pub(super) type Making = Reads<(String, ShortId), Arc<Page>, BudgetExceeded>;

/// What a page is kept under.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Name {
    origin: String,
    subject: Subject,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Subject {
    Home,
    Image(ShortId),
    /// Of an image's page, but there is none, or it cannot be read.
    NoImage(PageError),
    NoPage,
}

#[derive(Clone)]
struct Weight;

impl Weighter<Name, Arc<Page>> for Weight {
    fn weight(&self, name: &Name, page: &Arc<Page>) -> u64 {
        (name.origin.len() + page.size()) as u64 + OVERHEAD
    }
}

impl Default for Pages {
    fn default() -> Self {
        // Leptos spawns while it renders. Fails only when it was told how before.
        _ = Executor::init_tokio();
        // In one piece, so that there is room for a long page too.
        let options = OptionsBuilder::new()
            .shards(1)
            .estimated_items_capacity((MAX_BYTES / USUAL_PAGE) as usize)
            .weight_capacity(MAX_BYTES)
            .build()
            .expect("all that has no default is set");
        let kept = Cache::with_options(
            options,
            Weight,
            DefaultHashBuilder::default(),
            DefaultLifecycle::default(),
        );
        let making = Making::default();
        Self { kept, making }
    }
}

impl Pages {
    /// The pages of uploads that are being made.
    pub(super) fn making(&self) -> &Making {
        &self.making
    }

    /// The page of this upload as it was rendered last. It may be out of date.
    pub(super) fn last(&self, origin: &str, short_id: ShortId) -> Option<Arc<Page>> {
        self.kept.get(&Name {
            origin: origin.to_owned(),
            subject: Subject::Image(short_id),
        })
    }

    /// The page that shows this, rendered now or before. Of those who ask for it at the same time one renders it and the
    /// others wait; when that one goes away, the next one does.
    pub(super) async fn show(
        &self,
        request: Request,
        assets: &Assets,
        settings: Settings,
        content: PageContent,
        pictures_from: Option<&str>,
    ) -> Arc<Page> {
        let name = Name {
            origin: settings.origin.clone(),
            subject: Subject::of(&content),
        };
        let read = content.read();
        let unless_outdated = |_: &Name, page: &mut Arc<Page>| {
            if page.read == read {
                EntryAction::Retain(Arc::clone(page))
            } else {
                EntryAction::ReplaceWithGuard
            }
        };
        let place = match self.kept.entry_async(&name, unless_outdated).await {
            EntryResult::Retained(page) => return page,
            EntryResult::Vacant(place) | EntryResult::Replaced(place, _) => Some(place),
            // Neither is asked for above.
            EntryResult::Removed(..) | EntryResult::Timeout => None,
        };
        let page =
            Arc::new(Page::render(request, assets.clone(), settings, content, pictures_from).await);
        #[cfg(test)]
        tests::RENDERED.with(|rendered| rendered.set(rendered.get() + 1));
        // A page that changed meanwhile was taken out: it is not kept, and whoever waits renders it.
        _ = place.map(|place| place.insert(Arc::clone(&page)));
        page
    }
}

impl Subject {
    fn of(content: &PageContent) -> Self {
        match content {
            PageContent::Home => Self::Home,
            PageContent::Image(Ok(page)) => Self::Image(page.upload.short_id),
            PageContent::Image(Err(error)) => Self::NoImage(*error),
            PageContent::NoPage => Self::NoPage,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use app::model::{Content, Kind, MediaType, MessagePage, Seq, Upload, UploadPage};
    use axum::body::Body;
    use futures::future::join_all;
    use futures::poll;

    use super::*;
    use crate::{clock, ids};

    thread_local! {
        /// How many pages this test has rendered.
        pub(super) static RENDERED: Cell<usize> = const { Cell::new(0) };
    }

    fn uploaded() -> Upload {
        Upload {
            id: ids::upload_id(),
            short_id: ids::short_id(),
            kind: Kind::Image,
            content: Content {
                url: "/i/aB3dE9xZ".to_owned(),
                media_type: MediaType::Png,
                size: 1,
                width: 1,
                height: 1,
            },
            created_at: clock::now(),
        }
    }

    async fn shown(pages: &Pages, upload: &Upload, head: u64) -> Arc<Page> {
        let page = MessagePage {
            messages: Vec::new(),
            head: Seq::new(head),
        };
        let upload = upload.clone();
        let content = PageContent::Image(Ok(UploadPage { upload, page }));
        let request = Request::new(Body::empty());
        pages
            .show(
                request,
                &Assets::default(),
                Settings::default(),
                content,
                None,
            )
            .await
    }

    #[tokio::test]
    async fn of_all_who_ask_for_a_page_that_has_changed_one_renders_it() {
        let pages = Pages::default();
        let upload = uploaded();
        for head in 1..=3 {
            let readers = (0..50).map(|_| shown(&pages, &upload, head));
            let read = join_all(readers).await;
            assert!(read.iter().all(|page| Arc::ptr_eq(page, &read[0])));
            let (_, of_page) = read[0].read.clone().unwrap();
            assert_eq!(of_page, Seq::new(head));
            assert_eq!(RENDERED.get() as u64, head);
        }
    }

    #[tokio::test]
    async fn a_reader_who_goes_away_while_rendering_leaves_it_to_the_next_one() {
        let pages = Pages::default();
        let upload = uploaded();
        let mut first = Box::pin(shown(&pages, &upload, 1));
        let mut second = Box::pin(shown(&pages, &upload, 1));
        assert!(poll!(&mut first).is_pending(), "it renders");
        assert!(poll!(&mut second).is_pending(), "it waits");
        assert_eq!(RENDERED.get(), 0);
        drop(first);
        second.await;
        assert_eq!(RENDERED.get(), 1);
        assert!(pages.last("", upload.short_id).is_some());
    }

    async fn home(pages: &Pages, origin: &str) -> Arc<Page> {
        let settings = Settings {
            origin: origin.to_owned(),
            max_upload_bytes: 1,
        };
        let request = Request::new(Body::empty());
        pages
            .show(
                request,
                &Assets::default(),
                settings,
                PageContent::Home,
                None,
            )
            .await
    }

    #[tokio::test]
    async fn pages_of_made_up_hosts_fill_the_room_and_no_more() {
        let pages = Pages::default();
        let known = home(&pages, "https://tonesa.example").await;
        for number in 0..40 {
            let host = "x".repeat(200_000);
            home(&pages, &format!("http://{number}.{host}")).await;
            assert!(pages.kept.weight() <= MAX_BYTES, "{}", pages.kept.weight());
            // It is asked for more often than they are.
            assert!(Arc::ptr_eq(
                &known,
                &home(&pages, "https://tonesa.example").await
            ));
        }
        assert!(
            pages.kept.weight() > MAX_BYTES / 2,
            "{}",
            pages.kept.weight()
        );
        assert!(pages.kept.len() < 40, "{}", pages.kept.len());
    }

    #[tokio::test]
    async fn a_page_that_has_no_room_is_shown_all_the_same() {
        let pages = Pages::default();
        let origin = format!("http://{}", "x".repeat(9_000_000));
        let page = home(&pages, &origin).await;
        assert!(page.size() as u64 > MAX_BYTES);
        assert_eq!(pages.kept.len(), 0);
    }
}
