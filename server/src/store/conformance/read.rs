use app::model::{Seq, UploadId};

use super::{MessagePage, Shared, at, draft, drafts, page, seqs, stored};
use crate::store::Select;

const COUNT: u64 = 23;

/// Inserts an upload with 23 messages.
async fn conversation(store: &Shared) -> UploadId {
    let upload = stored(store).await;
    for call in 0..COUNT {
        let draft = draft(&format!("n{call}"));
        store.append(upload, vec![draft]).await.unwrap();
    }
    upload
}

pub(crate) async fn an_empty_conversation_has_head_zero(store: Shared) {
    let upload = stored(&store).await;
    let selects = [
        Select::Newest,
        Select::After(Seq::ZERO),
        Select::Before(Seq::new(9)),
        Select::Since(at(-1)),
    ];
    for select in selects {
        let page = page(&store, upload, select, 50).await;
        assert_eq!(page, MessagePage::default());
    }
}

pub(crate) async fn the_newest_page_is_the_end_oldest_first(store: Shared) {
    let upload = conversation(&store).await;
    for limit in [0, 1, 5, 22, 23, 24, 200] {
        let page = page(&store, upload, Select::Newest, limit).await;
        let first = COUNT.saturating_sub(limit as u64) + 1;
        assert_eq!(seqs(&page.messages), (first..=COUNT).collect::<Vec<_>>());
        assert_eq!(page.head, Seq::new(COUNT));
    }
}

pub(crate) async fn paging_forwards_returns_every_message_once(store: Shared) {
    let upload = conversation(&store).await;
    for limit in [1, 4, 23] {
        let mut read = vec![];
        loop {
            let cursor = Seq::new(read.last().copied().unwrap_or(0));
            let page = page(&store, upload, Select::After(cursor), limit).await;
            assert!(page.messages.len() <= limit);
            assert_eq!(page.head, Seq::new(COUNT));
            if page.messages.is_empty() {
                break;
            }
            read.extend(seqs(&page.messages));
            assert!(read.len() as u64 <= COUNT, "paging ends");
        }
        assert_eq!(read, (1..=COUNT).collect::<Vec<_>>());
    }
}

pub(crate) async fn paging_backwards_returns_every_message_once(store: Shared) {
    let upload = conversation(&store).await;
    for limit in [1, 4, 23] {
        let mut read = vec![];
        loop {
            let cursor = Seq::new(read.first().copied().unwrap_or(COUNT + 1));
            let page = page(&store, upload, Select::Before(cursor), limit).await;
            assert!(page.messages.len() <= limit);
            assert_eq!(page.head, Seq::new(COUNT));
            if page.messages.is_empty() {
                break;
            }
            read.splice(0..0, seqs(&page.messages));
            assert!(read.len() as u64 <= COUNT, "paging ends");
        }
        assert_eq!(read, (1..=COUNT).collect::<Vec<_>>());
    }
}

pub(crate) async fn cursors_at_and_beyond_the_ends_are_valid(store: Shared) {
    let upload = conversation(&store).await;
    let expectations = [
        (Select::After(Seq::ZERO), vec![1, 2, 3]),
        (Select::After(Seq::new(20)), vec![21, 22, 23]),
        (Select::After(Seq::new(21)), vec![22, 23]),
        (Select::After(Seq::new(23)), vec![]),
        (Select::After(Seq::new(24)), vec![]),
        (Select::After(Seq::new(u64::MAX)), vec![]),
        (Select::Before(Seq::ZERO), vec![]),
        (Select::Before(Seq::new(1)), vec![]),
        (Select::Before(Seq::new(2)), vec![1]),
        (Select::Before(Seq::new(4)), vec![1, 2, 3]),
        (Select::Before(Seq::new(23)), vec![20, 21, 22]),
        (Select::Before(Seq::new(24)), vec![21, 22, 23]),
        (Select::Before(Seq::new(u64::MAX)), vec![21, 22, 23]),
    ];
    for (select, expected) in expectations {
        let page = page(&store, upload, select, 3).await;
        assert_eq!(seqs(&page.messages), expected, "{select:?}");
        assert_eq!(page.head, Seq::new(COUNT));
    }
}

/// Inserts an upload with a message for each of these times, in this order.
async fn timed(store: &Shared, times: &[i64]) -> UploadId {
    let upload = stored(store).await;
    let mut drafts = drafts("timed", times.len());
    for (draft, time) in drafts.iter_mut().zip(times) {
        draft.created_at = at(*time);
    }
    store.append(upload, drafts).await.unwrap();
    upload
}

pub(crate) async fn since_is_exclusive_and_nearest_first(store: Shared) {
    let upload = timed(&store, &[10, 20, 20, 21, 30, 40]).await;
    let expectations = [
        (-1_000_000, vec![1, 2, 3]),
        (9, vec![1, 2, 3]),
        (10, vec![2, 3, 4]),
        (19, vec![2, 3, 4]),
        (20, vec![4, 5, 6]),
        (21, vec![5, 6]),
        (39, vec![6]),
        (40, vec![]),
        (1_000_000, vec![]),
    ];
    for (time, expected) in expectations {
        let page = page(&store, upload, Select::Since(at(time)), 3).await;
        assert_eq!(seqs(&page.messages), expected, "since {time}");
        assert_eq!(page.head, Seq::new(6));
    }
}

pub(crate) async fn since_orders_by_time_when_clocks_disagree(store: Shared) {
    let upload = timed(&store, &[50, 10, 30, 30, 20, 40]).await;
    let expectations = [
        (0, vec![2, 5, 3, 4]),
        (10, vec![5, 3, 4, 6]),
        (20, vec![3, 4, 6, 1]),
        (30, vec![6, 1]),
    ];
    for (time, expected) in expectations {
        let page = page(&store, upload, Select::Since(at(time)), 4).await;
        assert_eq!(seqs(&page.messages), expected, "since {time}");
    }
}

pub(crate) async fn a_page_contains_one_upload_only(store: Shared) {
    let upload = timed(&store, &[10, 20]).await;
    let other = timed(&store, &[5, 15, 25]).await;
    let selects = [
        Select::Newest,
        Select::After(Seq::ZERO),
        Select::Before(Seq::new(9)),
        Select::Since(at(0)),
    ];
    for select in selects {
        for (upload, count) in [(upload, 2), (other, 3)] {
            let page = page(&store, upload, select, 50).await;
            assert_eq!(seqs(&page.messages), (1..=count).collect::<Vec<_>>());
            assert!(page.messages.iter().all(|it| it.upload_id == upload));
            assert_eq!(page.head, Seq::new(count));
        }
    }
}
