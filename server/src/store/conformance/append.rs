use std::num::NonZeroU32;

use app::model::{Point, Seq};

use super::{
    MessagePage, Shared, at, draft, drafts, is_new, message, page, parse, seqs, stored, whole,
};
use crate::store::{Appended, Draft, MAX_APPEND, Position, Select};

pub(crate) async fn sequence_numbers_are_dense_from_one_in_the_drafts_order(store: Shared) {
    let upload = stored(&store).await;
    let mut expected = Vec::new();
    let mut last = Position::default();
    for (call, size) in [1, 1, 7, 2, 30, 1].into_iter().enumerate() {
        let drafts = drafts(&format!("call{call}"), size);
        for draft in drafts.iter().cloned() {
            last = last.next(&draft);
            expected.push(draft.into_message(upload, last));
        }
        let appended = store.append(upload, drafts).await.unwrap();
        assert!(appended.iter().all(is_new));
        let answered: Vec<_> = appended.iter().map(message).cloned().collect();
        assert_eq!(answered, expected[expected.len() - size..]);
    }
    assert_eq!(whole(&store, upload).await, expected);
}

pub(crate) async fn an_appended_message_is_read_back_as_it_was_returned(store: Shared) {
    let upload = stored(&store).await;
    for n in 0..20 {
        let mut draft = draft(&format!("n{n}"));
        draft.created_at = at(n * 7_919);
        let appended = store.append(upload, vec![draft]).await.unwrap();
        let newest = page(&store, upload, Select::Newest, 1).await;
        assert_eq!(newest.head, message(&appended[0]).seq);
        assert_eq!(newest.messages, [message(&appended[0]).clone()]);
    }
}

/// A draft with a place, or without.
fn placed(name: &str, has_place: bool) -> Draft {
    let mut draft = draft(name);
    draft.message.at = has_place.then(|| Point::new(0.25, 0.5).unwrap());
    draft
}

pub(crate) async fn places_are_numbered_in_the_order_of_messages(store: Shared) {
    let upload = stored(&store).await;
    let calls = [
        vec![placed("a", false)],
        vec![placed("b", true), placed("c", false), placed("d", true)],
        // Known ones are not counted again.
        vec![placed("d", true), placed("e", true), placed("b", false)],
        vec![placed("f", false), placed("g", true)],
    ];
    let mut pins = Vec::new();
    for call in calls {
        let appended = store.append(upload, call).await.unwrap();
        pins.extend(
            appended
                .iter()
                .map(|it| message(it).pin.map(NonZeroU32::get)),
        );
    }
    let expected = [
        None,
        Some(1),
        None,
        Some(2),
        Some(2),
        Some(3),
        Some(1),
        None,
        Some(4),
    ];
    assert_eq!(pins, expected);
    let before = page(&store, upload, Select::Before(Seq::new(5)), 2).await;
    let pins = before.messages.iter().map(|it| it.pin.map(NonZeroU32::get));
    assert_eq!(pins.collect::<Vec<_>>(), [None, Some(2)]);
    whole(&store, upload).await;
}

pub(crate) async fn places_and_author_tags_are_stored_exactly(store: Shared) {
    let upload = stored(&store).await;
    let numbers = [
        0.0,
        1.0,
        0.1 + 0.2,
        1.0 / 3.0,
        f64::MIN_POSITIVE,
        1.0 - f64::EPSILON,
    ];
    for (n, number) in numbers.into_iter().enumerate() {
        let mut draft = placed(&format!("n{n}"), true);
        draft.message.at = Some(Point::new(number, 1.0 - number).unwrap());
        draft.message.author = (n % 2 == 0).then(|| parse("x22zgdklfk"));
        let expected = draft.message.clone();
        store.append(upload, vec![draft]).await.unwrap();
        let read = page(&store, upload, Select::Newest, 1)
            .await
            .messages
            .remove(0);
        assert_eq!((read.at, read.author), (expected.at, expected.author));
    }
}

pub(crate) async fn a_repeated_client_id_returns_the_first_message(store: Shared) {
    let upload = stored(&store).await;
    let first = draft("again");
    let mut second = draft("again");
    second.message.author_name = parse("someone else");
    second.message.content = parse("something else");
    second.created_at = at(99);
    let position = Position::default().next(&first);
    let original = first.clone().into_message(upload, position);
    let appended = store.append(upload, vec![first]).await.unwrap();
    assert_eq!(appended, [Appended::New(original.clone())]);
    store.append(upload, vec![draft("other")]).await.unwrap();
    let repeated = store.append(upload, vec![second]).await.unwrap();
    assert_eq!(repeated, [Appended::Known(original.into())]);
    assert_eq!(whole(&store, upload).await.len(), 2);
    let next = store.append(upload, vec![draft("next")]).await.unwrap();
    assert_eq!(message(&next[0]).seq, Seq::new(3), "no number was skipped");
}

pub(crate) async fn repeats_within_one_call_are_one_message(store: Shared) {
    let upload = stored(&store).await;
    store.append(upload, drafts("old", 2)).await.unwrap();
    let names = [
        "a", "old-1", "b", "a", "c", "b", "a", "old-0", "d", "old-1", "d",
    ];
    let call: Vec<_> = names.map(draft).into();
    let appended = store.append(upload, call.clone()).await.unwrap();
    let news = [
        true, false, true, false, true, false, false, false, true, false, false,
    ];
    assert_eq!(appended.iter().map(is_new).collect::<Vec<_>>(), news);
    let numbers: Vec<_> = appended.iter().map(|it| message(it).seq.get()).collect();
    assert_eq!(numbers, [3, 2, 4, 3, 5, 4, 3, 1, 6, 2, 6]);
    for (answer, name) in appended.iter().zip(names) {
        assert_eq!(message(answer).client_message_id.as_str(), name);
    }
    assert_eq!(message(&appended[3]).id, call[0].id, "the first one counts");
    let ids: Vec<_> = whole(&store, upload)
        .await
        .into_iter()
        .skip(2)
        .map(|it| it.id)
        .collect();
    assert_eq!(ids, [call[0].id, call[2].id, call[4].id, call[8].id]);
}

pub(crate) async fn the_same_client_id_under_two_uploads_is_two_messages(store: Shared) {
    for _ in 0..2 {
        let upload = stored(&store).await;
        let appended = store.append(upload, vec![draft("same")]).await.unwrap();
        assert!(is_new(&appended[0]));
        assert_eq!(message(&appended[0]).upload_id, upload);
        assert_eq!(seqs(&whole(&store, upload).await), [1]);
    }
}

pub(crate) async fn an_empty_append_stores_nothing(store: Shared) {
    let upload = stored(&store).await;
    assert_eq!(store.append(upload, vec![]).await, Ok(vec![]));
    let page = page(&store, upload, Select::Newest, 50).await;
    assert_eq!(page, MessagePage::default());
}

pub(crate) async fn the_largest_append_is_stored(store: Shared) {
    let upload = stored(&store).await;
    let mut call = drafts("large", MAX_APPEND);
    for draft in &mut call {
        draft.message.author_name = parse(&"🙂".repeat(40));
        draft.message.content = parse(&"🙂".repeat(2_000));
    }
    let appended = store.append(upload, call.clone()).await.unwrap();
    assert!(appended.iter().all(is_new));
    let read = whole(&store, upload).await;
    assert_eq!(read.len(), MAX_APPEND);
    assert_eq!(
        read,
        appended.iter().map(message).cloned().collect::<Vec<_>>()
    );
    let again = store.append(upload, call).await.unwrap();
    assert!(!again.iter().any(is_new));
}
