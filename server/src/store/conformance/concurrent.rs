use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Waker};

use app::model::{Seq, UploadId};
use tokio::task::JoinSet;

use super::{Shared, draft, drafts, is_new, message, page, stored, whole};
use crate::store::{Appended, Draft, Select};

pub(crate) async fn concurrent_posts_of_one_client_id_make_one_message(store: Shared) {
    let upload = stored(&store).await;
    for round in 0..10 {
        let mut posters = JoinSet::new();
        for _ in 0..16 {
            let (store, draft) = (store.clone(), draft(&format!("round{round}")));
            posters
                .spawn(async move { store.append(upload, vec![draft]).await.unwrap().remove(0) });
        }
        let answers = posters.join_all().await;
        assert_eq!(answers.iter().filter(|it| is_new(it)).count(), 1);
        assert!(answers.iter().all(|it| message(it) == message(&answers[0])));
        let read = whole(&store, upload).await;
        assert_eq!(read.len(), round + 1);
        assert_eq!(read.last(), Some(message(&answers[0])));
    }
}

/// Sixteen tasks append twelve calls of five drafts each; returns the results of each call.
async fn append_concurrently(
    store: &Shared,
    uploads: &[UploadId],
) -> Vec<(UploadId, Vec<Appended>)> {
    let mut writers = JoinSet::new();
    for writer in 0..16 {
        let (store, uploads) = (store.clone(), uploads.to_vec());
        writers.spawn(async move {
            let mut answers = Vec::new();
            for call in 0..12 {
                let upload = uploads[(writer + call) % uploads.len()];
                let drafts = drafts(&format!("w{writer}c{call}"), 5);
                let ids: Vec<_> = drafts.iter().map(|draft| draft.id).collect();
                let appended = store.append(upload, drafts).await.unwrap();
                assert!(appended.iter().all(is_new));
                assert!(appended.iter().map(|it| message(it).id).eq(ids));
                answers.push((upload, appended));
            }
            answers
        });
    }
    writers.join_all().await.into_iter().flatten().collect()
}

/// Checks that the conversation contains the results of these calls, in the drafts' order, and nothing else.
async fn assert_conversation(store: &Shared, upload: UploadId, answers: &[&Vec<Appended>]) {
    let read = whole(store, upload).await;
    assert_eq!(
        read.len(),
        answers.iter().map(|call| call.len()).sum::<usize>()
    );
    for call in answers {
        assert!(call.is_sorted_by_key(|answer| message(answer).seq));
        for answer in *call {
            let position = usize::try_from(message(answer).seq.get()).unwrap() - 1;
            assert_eq!(message(answer), &read[position]);
        }
    }
}

pub(crate) async fn concurrent_appends_leave_no_hole_and_lose_nothing(store: Shared) {
    let upload = stored(&store).await;
    let answers = append_concurrently(&store, &[upload]).await;
    let calls: Vec<_> = answers.iter().map(|(_, call)| call).collect();
    assert_conversation(&store, upload, &calls).await;
}

pub(crate) async fn uploads_do_not_share_sequence_numbers(store: Shared) {
    let uploads = [
        stored(&store).await,
        stored(&store).await,
        stored(&store).await,
    ];
    let answers = append_concurrently(&store, &uploads).await;
    for upload in uploads {
        let calls: Vec<_> = answers
            .iter()
            .filter(|(of, _)| *of == upload)
            .map(|(_, call)| call)
            .collect();
        assert_eq!(calls.len(), 64);
        assert_conversation(&store, upload, &calls).await;
    }
}

pub(crate) async fn concurrent_appends_of_overlapping_drafts_store_each_once(store: Shared) {
    let upload = stored(&store).await;
    let mut posters = JoinSet::new();
    for poster in 0..16 {
        let store = store.clone();
        // Thirty ids, in steps that differ from task to task, some of them twice.
        let step = [1, 7, 11, 13][poster % 4];
        let names = (0..40).map(move |n| format!("n{}", (poster + n * step) % 30));
        let drafts: Vec<_> = names.map(|name| draft(&name)).collect();
        posters.spawn(async move { store.append(upload, drafts).await.unwrap() });
    }
    let answers: Vec<_> = posters.join_all().await.into_iter().flatten().collect();
    assert_eq!(answers.len(), 16 * 40);
    assert_eq!(answers.iter().filter(|it| is_new(it)).count(), 30);
    let by_name: HashMap<_, _> = whole(&store, upload)
        .await
        .into_iter()
        .map(|message| (message.client_message_id.clone(), message))
        .collect();
    assert_eq!(by_name.len(), 30);
    for answer in answers.iter().map(message) {
        assert_eq!(answer, &by_name[&answer.client_message_id]);
    }
    assert_eq!(whole(&store, upload).await.len(), 30);
}

pub(crate) async fn a_dropped_append_leaves_the_conversation_consistent(store: Shared) {
    let upload = stored(&store).await;
    let calls: Vec<_> = (0..24)
        .map(|call| drafts(&format!("call{call}"), 5))
        .collect();
    for (polls, call) in calls.iter().enumerate() {
        let mut append = store.append(upload, call.clone());
        for _ in 0..=polls % 3 {
            if append
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
                .is_ready()
            {
                break;
            }
        }
    }
    // A repeated call finds what the dropped ones have stored, and stores the rest.
    for call in calls {
        let appended = store.append(upload, call.clone()).await.unwrap();
        let names = call.iter().map(Draft::client_message_id);
        assert!(
            appended
                .iter()
                .map(|it| &message(it).client_message_id)
                .eq(names)
        );
        let fresh = appended.iter().filter(|it| is_new(it)).count();
        assert!(
            [0, 5].contains(&fresh),
            "a call is stored completely or not at all"
        );
    }
    let read = whole(&store, upload).await;
    let names: HashSet<_> = read.iter().map(|it| &it.client_message_id).collect();
    assert_eq!((read.len(), names.len()), (24 * 5, 24 * 5));
}

pub(crate) async fn a_reader_sees_pages_that_match_their_head(store: Shared) {
    let upload = stored(&store).await;
    let done = Arc::new(AtomicBool::new(false));
    let mut readers = JoinSet::new();
    for _ in 0..3 {
        let (store, done) = (store.clone(), done.clone());
        readers.spawn(async move {
            let mut seen = Seq::ZERO;
            while !done.load(Ordering::Relaxed) {
                seen = assert_consistent(&store, upload, seen).await;
            }
        });
    }
    let answers = append_concurrently(&store, &[upload]).await;
    done.store(true, Ordering::Relaxed);
    readers.join_all().await;
    let head = page(&store, upload, Select::Newest, 0).await.head;
    assert_eq!(head, Seq::new(answers.len() as u64 * 5));
}

/// Reads twice, checks both pages, and returns the newer head.
async fn assert_consistent(store: &Shared, upload: UploadId, seen: Seq) -> Seq {
    let newest = page(store, upload, Select::Newest, 10).await;
    assert!(newest.head >= seen, "the head never decreases");
    let first = newest.head.get().saturating_sub(10) + 1;
    let expected: Vec<_> = (first..=newest.head.get()).collect();
    assert_eq!(super::seqs(&newest.messages), expected);
    let next = page(store, upload, Select::After(newest.head), 10).await;
    let end = next.head.get().min(newest.head.get() + 10);
    let expected: Vec<_> = (newest.head.get() + 1..=end).collect();
    assert_eq!(super::seqs(&next.messages), expected);
    next.head
}
