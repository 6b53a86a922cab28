//! A bounded cache of rendered pages.

use std::net::IpAddr;
use std::sync::Arc;
use std::thread::available_parallelism;

use any_spawner::Executor;
use app::model::ShortId;
use app::page_data::PageError;
use app::texts::Language;
use quick_cache::sync::{Cache, DefaultLifecycle, EntryAction, EntryResult};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};

use super::rendered::{PageContent, PageVersion, RenderedPage};
use crate::admission::fair_semaphore::FairSemaphore;
use crate::admission::response_budget::BudgetExceeded;
use crate::store::coalescing::CoalescedReads;

/// How many bytes of pages are cached: some hundreds of pages.
const MAX_CACHE_BYTES: u64 = 16 * 1024 * 1024;
/// The memory of a page beside its key and its content, in bytes: mostly headers.
const PAGE_OVERHEAD: u64 = 2 * 1024;
/// The size of the page of a short conversation, plain and compressed, in bytes.
const TYPICAL_PAGE: u64 = 32 * 1024;

/// Caches rendered pages, so that only the first reader of each waits for a rendering.
///
/// When the cache is full, the pages that are requested least are removed; a page that is larger than the whole cache
/// is not stored. A client chooses the origin in a page's key (by `Host`), so it can fill the cache with pages of its
/// own, but those that others request often stay.
///
/// A client can also have one page after the other rendered. So one processor renders none, and addresses take turns at
/// the others. How many requests wait for their turn is bounded: one of each connection, and connections are limited,
/// in all and by address. Those for uploads' pages are bounded by the budget of responses too.
///
/// Cached pages may be out of date: [`PageCache::get_or_render`] compares their version with what was read.
pub struct PageCache {
    cache: Cache<PageKey, Arc<RenderedPage>, PageWeight>,
    pending: PendingPages,
    renderers: FairSemaphore,
}

/// The uploads' pages that are being read and rendered. Concurrent requests for one share it.
pub(super) type PendingPages = CoalescedReads<PageKey, Arc<RenderedPage>, BudgetExceeded>;

/// The key of a cached page.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct PageKey {
    origin: String,
    language: Language,
    kind: PageKind,
}

impl PageKey {
    pub fn new(origin: String, language: Language, content: &PageContent) -> Self {
        Self {
            origin,
            language,
            kind: PageKind::of(content),
        }
    }

    /// The key of an upload's page.
    pub fn image(origin: String, language: Language, short_id: ShortId) -> Self {
        Self {
            origin,
            language,
            kind: PageKind::Image(short_id),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum PageKind {
    Home,
    Image(ShortId),
    /// The page of an upload that does not exist or cannot be read.
    NoImage(PageError),
    NoPage,
}

#[derive(Clone)]
struct PageWeight;

impl Weighter<PageKey, Arc<RenderedPage>> for PageWeight {
    fn weight(&self, key: &PageKey, page: &Arc<RenderedPage>) -> u64 {
        (key.origin.len() + page.size()) as u64 + PAGE_OVERHEAD
    }
}

impl Default for PageCache {
    fn default() -> Self {
        // Leptos spawns tasks while it renders. This fails only if the executor is set already.
        _ = Executor::init_tokio();
        // One shard, so that long pages fit in too.
        let options = OptionsBuilder::new()
            .shards(1)
            .estimated_items_capacity((MAX_CACHE_BYTES / TYPICAL_PAGE) as usize)
            .weight_capacity(MAX_CACHE_BYTES)
            .build()
            .expect("all options without a default are set");
        let cache = Cache::with_options(
            options,
            PageWeight,
            DefaultHashBuilder::default(),
            DefaultLifecycle::default(),
        );
        let processors = available_parallelism().map_or(1, usize::from);
        Self {
            cache,
            pending: PendingPages::default(),
            renderers: FairSemaphore::new(processors.saturating_sub(1).max(1)),
        }
    }
}

impl PageCache {
    /// Returns the uploads' pages that are being read and rendered.
    pub(super) fn pending(&self) -> &PendingPages {
        &self.pending
    }

    /// Returns the page with this key that was rendered last. It may be out of date.
    pub(super) fn get(&self, key: &PageKey) -> Option<Arc<RenderedPage>> {
        self.cache.get(key)
    }

    /// Returns this version of a page, rendered now or before. Of concurrent callers one renders it, when it is the
    /// turn of its address, and the others wait; if that one is cancelled, the next one renders it.
    pub(super) async fn get_or_render(
        &self,
        address: IpAddr,
        key: PageKey,
        version: Option<PageVersion>,
        rendering: impl Future<Output = RenderedPage>,
    ) -> Arc<RenderedPage> {
        let replace_if_outdated = |_: &PageKey, page: &mut Arc<RenderedPage>| {
            if page.version == version {
                EntryAction::Retain(Arc::clone(page))
            } else {
                EntryAction::ReplaceWithGuard
            }
        };
        let guard = match self.cache.entry_async(&key, replace_if_outdated).await {
            EntryResult::Retained(page) => return page,
            EntryResult::Vacant(guard) | EntryResult::Replaced(guard, _) => Some(guard),
            // Returned only with an action or a timeout that is not used here.
            EntryResult::Removed(..) | EntryResult::Timeout => None,
        };
        let turn = self.renderers.acquire(Some(address)).await;
        let page = Arc::new(rendering.await);
        drop(turn);
        // If the entry was removed meanwhile, the page is not cached, and those who wait render it themselves.
        _ = guard.map(|guard| guard.insert(Arc::clone(&page)));
        page
    }
}

impl PageKind {
    fn of(content: &PageContent) -> Self {
        match content {
            PageContent::Home => Self::Home,
            PageContent::Image(Ok(loaded)) => Self::Image(loaded.page.upload.short_id),
            PageContent::Image(Err(error)) => Self::NoImage(*error),
            PageContent::NoPage => Self::NoPage,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use app::model::{
        Content, Deletion, Kind, LogEntry, LogPage, MediaType, Seq, Upload, UploadPage,
    };
    use app::settings::{Assets, Settings};
    use axum::body::Body;
    use axum::extract::Request;
    use futures::future::join_all;
    use futures::poll;

    use super::*;
    use crate::http::pages::rendered::LoadedPage;
    use crate::http::pages::security::OtherOrigins;
    use crate::http::pictures::placeholder::Placeholder;
    use crate::{clock, ids};

    thread_local! {
        /// How many pages this test has rendered.
        static RENDERED: Cell<usize> = const { Cell::new(0) };
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
            expires_at: None,
        }
    }

    async fn shown(pages: &PageCache, upload: &Upload, head: u64) -> Arc<RenderedPage> {
        let page = LogPage {
            entries: Vec::new(),
            head: Seq::new(head),
        };
        shown_with(pages, upload, page).await
    }

    async fn shown_with(pages: &PageCache, upload: &Upload, page: LogPage) -> Arc<RenderedPage> {
        let upload = upload.clone();
        let page = UploadPage {
            upload,
            page,
            first: None,
        };
        let content = PageContent::Image(Ok(LoadedPage {
            page,
            placeholder: Placeholder::None,
        }));
        get_or_render(pages, Language::En, "", content).await
    }

    async fn get_or_render(
        pages: &PageCache,
        language: Language,
        origin: &str,
        content: PageContent,
    ) -> Arc<RenderedPage> {
        let key = PageKey::new(origin.to_owned(), language, &content);
        let settings = Settings {
            origin: origin.to_owned(),
            ..Settings::default()
        };
        let version = content.version();
        let rendering = async move {
            let page = RenderedPage::render(
                Request::new(Body::empty()),
                language,
                Assets::default(),
                settings,
                content,
                OtherOrigins::default(),
            )
            .await;
            RENDERED.set(RENDERED.get() + 1);
            page
        };
        let address = IpAddr::from([127, 0, 0, 1]);
        pages.get_or_render(address, key, version, rendering).await
    }

    #[tokio::test]
    async fn a_changed_page_is_rendered_once_for_concurrent_readers() {
        let pages = PageCache::default();
        let upload = uploaded();
        for head in 1..=3 {
            let readers = (0..50).map(|_| shown(&pages, &upload, head));
            let read = join_all(readers).await;
            assert!(read.iter().all(|page| Arc::ptr_eq(page, &read[0])));
            assert_eq!(read[0].version.as_ref().unwrap().end.head, Seq::new(head));
            assert_eq!(RENDERED.get() as u64, head);
        }
    }

    #[tokio::test]
    async fn a_page_is_rendered_anew_when_a_restored_log_is_as_long_but_not_the_same() {
        let pages = PageCache::default();
        let upload = uploaded();
        let page_with = |id| LogPage {
            entries: vec![LogEntry::Deletion(Deletion {
                id,
                upload_id: upload.id,
                seq: Seq::new(2),
                deletes: Seq::new(1),
                created_at: upload.created_at,
            })],
            head: Seq::new(2),
        };
        let (lost, posted_since) = (ids::message_id(), ids::message_id());
        for (id, rendered) in [(lost, 1), (lost, 1), (posted_since, 2)] {
            shown_with(&pages, &upload, page_with(id)).await;
            assert_eq!(RENDERED.get(), rendered);
        }
    }

    #[tokio::test]
    async fn when_a_reader_is_cancelled_the_next_one_renders_the_page() {
        let pages = PageCache::default();
        let upload = uploaded();
        let mut first = Box::pin(shown(&pages, &upload, 1));
        let mut second = Box::pin(shown(&pages, &upload, 1));
        assert!(poll!(&mut first).is_pending(), "it is rendering");
        assert!(poll!(&mut second).is_pending(), "it is waiting");
        assert_eq!(RENDERED.get(), 0);
        drop(first);
        second.await;
        assert_eq!(RENDERED.get(), 1);
        let key = PageKey::image(String::new(), Language::En, upload.short_id);
        assert!(pages.get(&key).is_some());
    }

    async fn home(pages: &PageCache, origin: &str) -> Arc<RenderedPage> {
        home_in(pages, Language::En, origin).await
    }

    async fn home_in(pages: &PageCache, language: Language, origin: &str) -> Arc<RenderedPage> {
        get_or_render(pages, language, origin, PageContent::Home).await
    }

    #[tokio::test]
    async fn a_page_is_rendered_once_for_each_language() {
        let pages = PageCache::default();
        let first = join_all(Language::ALL.map(|it| home_in(&pages, it, ""))).await;
        let second = join_all(Language::ALL.map(|it| home_in(&pages, it, ""))).await;
        assert_eq!(RENDERED.get(), Language::ALL.len());
        for (first, second) in first.iter().zip(&second) {
            assert!(Arc::ptr_eq(first, second));
        }
    }

    #[tokio::test]
    async fn invented_hosts_cannot_exceed_the_cache_or_evict_popular_pages() {
        let pages = PageCache::default();
        let known = home(&pages, "https://tonesa.example").await;
        for number in 0..40 {
            let host = "x".repeat(200_000);
            home(&pages, &format!("http://{number}.{host}")).await;
            assert!(
                pages.cache.weight() <= MAX_CACHE_BYTES,
                "{}",
                pages.cache.weight()
            );
            // It is requested more often than they are.
            assert!(Arc::ptr_eq(
                &known,
                &home(&pages, "https://tonesa.example").await
            ));
        }
        assert!(
            pages.cache.weight() > MAX_CACHE_BYTES / 2,
            "{}",
            pages.cache.weight()
        );
        assert!(pages.cache.len() < 40, "{}", pages.cache.len());
    }

    #[tokio::test]
    async fn a_page_that_is_too_large_for_the_cache_is_still_returned() {
        let pages = PageCache::default();
        let origin = format!("http://{}", "x".repeat(9_000_000));
        let page = home(&pages, &origin).await;
        assert!(page.size() as u64 > MAX_CACHE_BYTES);
        assert_eq!(pages.cache.len(), 0);
    }
}
