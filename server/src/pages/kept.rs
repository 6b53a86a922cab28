use std::sync::Arc;

use any_spawner::Executor;
use app::model::ShortId;
use app::source::{PageEnvironment, Shown};
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};

use super::rendered::{Page, read_of};

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
pub struct Pages(Cache<Name, Arc<Page>, Weight>);

/// What a page is kept under.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Name {
    origin: String,
    subject: Subject,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Subject {
    Home,
    Upload(ShortId),
    NotFound,
    Unavailable,
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
        Self(Cache::with_options(
            options,
            Weight,
            DefaultHashBuilder::default(),
            DefaultLifecycle::default(),
        ))
    }
}

impl Pages {
    /// The page of this upload as it was rendered last. It may be out of date.
    pub(super) fn last(&self, origin: &str, short_id: ShortId) -> Option<Arc<Page>> {
        self.0.get(&Name::new(origin, Subject::Upload(short_id)))
    }

    /// The page that shows this, rendered now or before.
    pub(super) async fn show(
        &self,
        environment: PageEnvironment,
        shown: Shown,
        pictures_from: Option<&str>,
    ) -> Arc<Page> {
        let name = Name::new(&environment.origin, Subject::of(&shown));
        let kept = self.0.get(&name);
        if let Some(page) = kept.filter(|page| page.read == read_of(&shown)) {
            return page;
        }
        let page = Arc::new(Page::render(environment, shown, pictures_from).await);
        self.0.insert(name, Arc::clone(&page));
        page
    }
}

impl Name {
    /// Pages that say that there is nothing are the same at every origin.
    fn new(origin: &str, subject: Subject) -> Self {
        let origin = match subject {
            Subject::Home | Subject::Upload(_) => origin.to_owned(),
            Subject::NotFound | Subject::Unavailable => String::new(),
        };
        Self { origin, subject }
    }
}

impl Subject {
    fn of(shown: &Shown) -> Self {
        match shown {
            Shown::Home => Self::Home,
            Shown::Upload(page) => Self::Upload(page.upload.short_id),
            Shown::NotFound => Self::NotFound,
            Shown::Unavailable => Self::Unavailable,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn home(pages: &Pages, origin: &str) -> Arc<Page> {
        let environment = PageEnvironment {
            origin: origin.to_owned(),
            ..PageEnvironment::default()
        };
        pages.show(environment, Shown::Home, None).await
    }

    #[tokio::test]
    async fn pages_of_made_up_hosts_fill_the_room_and_no_more() {
        let pages = Pages::default();
        let known = home(&pages, "https://tonesa.example").await;
        for number in 0..40 {
            let host = "x".repeat(200_000);
            home(&pages, &format!("http://{number}.{host}")).await;
            assert!(pages.0.weight() <= MAX_BYTES, "{}", pages.0.weight());
            // It is asked for more often than they are.
            assert!(Arc::ptr_eq(
                &known,
                &home(&pages, "https://tonesa.example").await
            ));
        }
        assert!(pages.0.weight() > MAX_BYTES / 2, "{}", pages.0.weight());
        assert!(pages.0.len() < 40, "{}", pages.0.len());
    }

    #[tokio::test]
    async fn a_page_that_has_no_room_is_shown_all_the_same() {
        let pages = Pages::default();
        let origin = format!("http://{}", "x".repeat(9_000_000));
        let page = home(&pages, &origin).await;
        assert!(page.size() as u64 > MAX_BYTES);
        assert_eq!(pages.0.len(), 0);
    }
}
