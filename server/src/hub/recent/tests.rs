use app::model::{Deletion, Message, MessageId, NewMessage, Timestamp, UploadId};

use super::*;
use crate::ids;
use crate::store::{Draft, Position};

fn message(seq: u64) -> LogEntry {
    posted(seq).into()
}

fn posted(seq: u64) -> Message {
    let draft = Draft {
        id: MessageId::from_bytes([u8::try_from(seq % 251).unwrap(); 12]),
        message: NewMessage {
            author_name: "Ada".parse().unwrap(),
            content: format!("text {seq}").parse().unwrap(),
            client_message_id: ids::client_message_id(),
            at: None,
            author: None,
        },
        created_at: Timestamp::from_unix_millis(0).unwrap(),
        owner: None,
    };
    let position = Position {
        seq: Seq::new(seq),
        places: 0,
    };
    draft.into_message(UploadId::from_bytes([1; 12]), position)
}

fn page(seqs: std::ops::RangeInclusive<u64>, head: u64) -> LogPage {
    LogPage {
        entries: seqs.map(message).collect(),
        head: Seq::new(head),
    }
}

fn numbers(recent: &RecentEntries, after: u64) -> Option<(Vec<u64>, u64)> {
    let page = recent.after(Seq::new(after).into())?;
    let numbers = page.entries.iter().map(|entry| entry.seq().get());
    Some((numbers.collect(), page.head.get()))
}

#[test]
fn nothing_is_answered_before_the_store_has_been_read() {
    let mut recent = RecentEntries::default();
    assert_eq!(numbers(&recent, 0), None);
    recent.on_appended(message(1));
    assert_eq!(numbers(&recent, 0), None);
    recent.merge_page(&LogPage::default(), true);
    assert_eq!(numbers(&recent, 0), Some((vec![1], 1)));
}

#[test]
fn messages_of_frames_are_answered_from_memory() {
    let mut recent = RecentEntries::default();
    recent.merge_page(&page(3..=4, 4), true);
    recent.on_appended(message(5));
    recent.on_appended(message(4));
    assert_eq!(numbers(&recent, 2), Some((vec![3, 4, 5], 5)));
    assert_eq!(numbers(&recent, 5), Some((vec![], 5)));
    assert_eq!(
        numbers(&recent, 1),
        None,
        "there was no frame with number 2"
    );
}

#[test]
fn after_a_lost_frame_the_store_has_to_be_read() {
    let mut recent = RecentEntries::default();
    recent.merge_page(&page(1..=2, 2), true);
    recent.on_appended(message(4));
    assert_eq!(numbers(&recent, 2), None);
    assert_eq!(numbers(&recent, 3), None, "the store has not confirmed it");
    recent.on_head_advanced(Seq::new(5));
    assert_eq!(numbers(&recent, 3), None);
    recent.merge_page(&page(3..=5, 5), true);
    assert_eq!(numbers(&recent, 0), Some((vec![1, 2, 3, 4, 5], 5)));
}

#[test]
fn for_a_client_ahead_of_the_node_the_store_has_to_be_read() {
    let mut recent = RecentEntries::default();
    recent.merge_page(&page(1..=2, 2), true);
    assert_eq!(numbers(&recent, 3), None);
}

#[test]
fn nothing_is_answered_while_frames_may_be_lost() {
    let mut recent = RecentEntries::default();
    recent.merge_page(&page(1..=2, 2), true);
    recent.invalidate();
    assert_eq!(numbers(&recent, 1), None);
    recent.merge_page(&page(1..=2, 2), false);
    assert_eq!(numbers(&recent, 1), None, "it was read before");
    recent.merge_page(&page(1..=2, 2), true);
    assert_eq!(numbers(&recent, 1), Some((vec![2], 2)));
}

#[test]
fn frames_may_arrive_out_of_order() {
    let mut recent = RecentEntries::default();
    recent.merge_page(&page(1..=2, 2), true);
    assert!(recent.on_appended(message(5)) && recent.on_appended(message(4)));
    assert_eq!(recent.progress().unconfirmed, Some(Seq::new(5)));
    assert!(recent.on_appended(message(3)));
    let (head, announced) = (Seq::new(5), Seq::new(5));
    let unconfirmed = None;
    assert_eq!(
        recent.progress(),
        Progress {
            head,
            announced,
            unconfirmed
        }
    );
    assert_eq!(numbers(&recent, 2), Some((vec![3, 4, 5], 5)));
}

type Observe = fn(&mut RecentEntries) -> bool;

#[test]
fn a_number_that_the_store_does_not_have_is_discarded() {
    let known = || {
        let mut recent = RecentEntries::default();
        recent.merge_page(&page(1..=2, 2), true);
        recent
    };
    let far = Seq::new(u64::MAX);
    let unconfirmed_topics: [(Observe, bool); 3] = [
        (|recent| recent.on_head_advanced(Seq::new(u64::MAX)), false),
        (|recent| recent.on_appended(message(u64::MAX)), false),
        (|recent| recent.on_appended(message(9)), true),
    ];
    for (observe, is_passed_on) in unconfirmed_topics {
        let mut recent = known();
        assert_eq!(observe(&mut recent), is_passed_on);
        assert_eq!(recent.progress().head, Seq::new(2));
        assert_eq!(numbers(&recent, 0), None, "the store is asked");
        let before = recent.progress();
        recent.merge_page(&page(1..=2, 2), true);
        assert!(recent.discard_unstored(before, Seq::new(2)));
        assert_eq!(numbers(&recent, 0), Some((vec![1, 2], 2)));
        assert!(!recent.discard_unstored(recent.progress(), Seq::new(2)));
    }
    // A number that arrives during the read is not discarded by its result.
    let mut recent = known();
    recent.on_head_advanced(Seq::new(7));
    let before = recent.progress();
    recent.on_head_advanced(far);
    assert!(!recent.discard_unstored(before, Seq::new(2)));
    assert_eq!(recent.progress().unconfirmed, Some(far));
}

#[test]
fn a_next_message_that_the_store_does_not_have_is_discarded() {
    let mut recent = RecentEntries::default();
    recent.merge_page(&page(1..=2, 2), true);
    recent.on_appended(message(3));
    let before = recent.progress();
    assert_eq!(before.head, Seq::new(3));
    assert!(recent.discard_unstored(before, Seq::new(2)));
    assert_eq!(numbers(&recent, 0), None, "the store has to be asked again");
    recent.merge_page(&page(1..=2, 2), true);
    assert_eq!(numbers(&recent, 0), Some((vec![1, 2], 2)));
    let sizes = recent.entries.values().map(size);
    assert_eq!(recent.bytes, sizes.sum::<usize>());
}

#[test]
fn a_deletion_that_the_store_does_not_have_deletes_nothing() {
    let mut recent = RecentEntries::default();
    recent.merge_page(&page(1..=3, 3), true);
    recent.on_appended(deletion(5, 2));
    let before = recent.progress();
    recent.merge_page(&page(3..=3, 3), true);
    assert!(recent.discard_unstored(before, Seq::new(3)));
    assert_eq!(numbers(&recent, 0), None, "the store has to be asked again");
    assert_eq!(numbers(&recent, 2), Some((vec![3], 3)));
    let sizes = recent.entries.values().map(size);
    assert_eq!(recent.bytes, sizes.sum::<usize>());
    recent.merge_page(&page(1..=3, 3), true);
    assert_eq!(texts(&recent), [1, 2, 3]);
}

#[test]
fn the_answer_to_one_socket_is_not_announced_to_the_others() {
    let mut recent = RecentEntries::default();
    recent.on_appended(message(1));
    recent.merge_page(&page(2..=3, 3), true);
    let Progress {
        head, announced, ..
    } = recent.progress();
    assert_eq!((head, announced), (Seq::new(3), Seq::new(1)));
    recent.on_head_advanced(Seq::new(3));
    assert_eq!(recent.progress().announced, Seq::new(3));
}

#[test]
fn the_bytes_of_kept_texts_are_bounded() {
    let mut recent = RecentEntries::default();
    recent.merge_page(&LogPage::default(), true);
    let content: app::model::MessageText = "🙂".repeat(2_000).parse().unwrap();
    for seq in 1..=64 {
        let content = content.clone();
        let long = Message {
            content,
            ..posted(seq)
        };
        recent.on_appended(long.into());
        recent.on_appended(message(1));
    }
    assert!(recent.bytes <= MAX_RECENT_BYTES);
    let sizes = recent.entries.values().map(size);
    assert_eq!(recent.bytes, sizes.sum::<usize>());
    assert!(recent.entries.len() > 30);
}

#[test]
fn the_newest_messages_are_kept_and_older_ones_have_to_be_read_over_http() {
    let mut recent = RecentEntries::default();
    recent.merge_page(&LogPage::default(), true);
    for seq in 1..=200 {
        recent.on_appended(message(seq));
    }
    let (registration, head) = numbers(&recent, 136).unwrap();
    assert_eq!((registration.len(), head), (MAX_RECENT, 200));
    assert_eq!(numbers(&recent, 135), Some((vec![], 200)));
    assert_eq!(recent.entries.len(), MAX_RECENT);
}

#[test]
fn beyond_the_nodes_limit_only_the_newest_message_of_a_topic_is_kept() {
    let node = Arc::new(AtomicUsize::new(0));
    let mut recent = RecentEntries::new(Arc::clone(&node));
    recent.merge_page(&page(1..=3, 3), true);
    assert_eq!(numbers(&recent, 0), Some((vec![1, 2, 3], 3)));
    node.fetch_add(MAX_NODE_BYTES, Ordering::Relaxed);
    recent.on_appended(message(4));
    assert_eq!(numbers(&recent, 3), Some((vec![4], 4)));
    assert_eq!(numbers(&recent, 2), None);
    drop(recent);
    assert_eq!(node.load(Ordering::Relaxed), MAX_NODE_BYTES);
}

/// The cursor of a client that has the message with this number and id.
fn cursor(seq: u64, id: MessageId) -> Cursor {
    Cursor {
        seq: Seq::new(seq),
        id: Some(id),
    }
}

#[test]
fn a_clients_last_message_is_confirmed_from_memory_and_contradicted_by_the_store_only() {
    let mut recent = RecentEntries::default();
    recent.merge_page(&page(3..=5, 5), true);
    assert!(recent.can_answer(cursor(4, message(4).id())));
    assert!(recent.can_answer(cursor(5, message(5).id())));
    assert!(
        !recent.can_answer(cursor(4, message(3).id())),
        "another one"
    );
    assert!(!recent.can_answer(cursor(2, message(2).id())), "not known");
    assert!(!recent.can_answer(cursor(6, message(6).id())), "ahead");
    recent.invalidate();
    assert!(!recent.can_answer(cursor(4, message(4).id())));
}

#[test]
fn of_another_history_nothing_is_kept() {
    let restored = Message {
        id: MessageId::from_bytes([255; 12]),
        ..posted(3)
    };
    let restored = LogPage {
        entries: vec![restored.into()],
        head: Seq::new(3),
    };
    let mut recent = RecentEntries::default();
    assert_eq!(recent.merge_page(&page(1..=5, 5), true), None);
    assert!(recent.merge_page(&restored, true).is_some());
    assert_eq!(numbers(&recent, 2), Some((vec![3], 3)));
    assert!(!recent.can_answer(cursor(1, message(1).id())));

    let mut recent = RecentEntries::default();
    recent.merge_page(&page(1..=5, 5), true);
    let before = recent.progress();
    assert!(recent.discard_unstored(before, Seq::new(4)));
    recent.merge_page(
        &LogPage {
            entries: Vec::new(),
            head: Seq::new(4),
        },
        true,
    );
    assert!(!recent.can_answer(cursor(3, message(3).id())));
    assert_eq!(recent.bytes, 0);
}

fn deletion(seq: u64, deletes: u64) -> LogEntry {
    LogEntry::Deletion(Deletion {
        id: MessageId::from_bytes([99; 12]),
        upload_id: UploadId::from_bytes([1; 12]),
        seq: Seq::new(seq),
        deletes: Seq::new(deletes),
        created_at: Timestamp::from_unix_millis(1).unwrap(),
    })
}

fn texts(recent: &RecentEntries) -> Vec<u64> {
    let messages = recent.entries.values().filter_map(LogEntry::message);
    messages.map(|message| message.seq.get()).collect()
}

#[test]
fn a_deleted_message_is_not_kept_in_whichever_order_it_and_its_deletion_come() {
    let mut recent = RecentEntries::default();
    recent.merge_page(&page(1..=3, 3), true);
    assert!(recent.on_appended(deletion(4, 2)));
    assert_eq!(texts(&recent), [1, 3]);
    assert_eq!(numbers(&recent, 0), Some((vec![1, 2, 3, 4], 4)));
    // Read before the deletion, and merged after it.
    recent.merge_page(&page(1..=3, 3), true);
    assert_eq!(texts(&recent), [1, 3]);

    let mut late = RecentEntries::default();
    late.merge_page(&page(1..=1, 1), true);
    late.on_appended(deletion(3, 2));
    late.on_appended(message(2));
    assert_eq!(texts(&late), [1]);
    let sizes = late.entries.values().map(size);
    assert_eq!(late.bytes, sizes.sum::<usize>());
}

/// Another entry than that of the store.
fn forged(seq: u64) -> LogEntry {
    let id = MessageId::from_bytes([255; 12]);
    LogEntry::Message(Message { id, ..posted(seq) })
}

#[test]
fn of_two_entries_with_one_number_the_store_says_which_is_right() {
    for (first, second) in [(forged(3), message(3)), (message(3), forged(3))] {
        let mut recent = RecentEntries::default();
        recent.merge_page(&page(1..=2, 2), true);
        assert!(recent.on_appended(first.clone()));
        assert!(!recent.on_appended(second), "the store is asked first");
        // Others follow before that.
        assert!(recent.on_appended(message(4)));
        assert_eq!(recent.conflict(), Some(Seq::new(3)));
        assert_eq!(numbers(&recent, 0), None, "nobody gets a forged one");
        let stored = page(3..=4, 4);
        let other = recent.merge_page(&stored, true);
        let is_forged = first.id() == forged(3).id();
        let expected = is_forged.then(|| stored.entries[0].clone());
        assert_eq!(other, expected, "viewers who have it have to know");
        assert_eq!(recent.conflict(), None);
        let kept = recent.after(Seq::new(2).into()).unwrap().entries;
        let ids = |entries: &[LogEntry]| entries.iter().map(LogEntry::id).collect::<Vec<_>>();
        assert_eq!(ids(&kept), ids(&stored.entries));
    }
}

#[test]
fn an_entry_that_comes_twice_is_no_conflict() {
    let mut recent = RecentEntries::default();
    recent.merge_page(&page(1..=3, 3), true);
    assert!(recent.on_appended(message(3)));
    assert_eq!(recent.conflict(), None);
    assert_eq!(numbers(&recent, 0), Some((vec![1, 2, 3], 3)));
}

#[test]
fn an_entry_below_the_head_is_passed_on_and_not_kept() {
    let mut recent = RecentEntries::default();
    recent.merge_page(&page(3..=4, 4), true);
    assert!(recent.on_appended(message(2)));
    assert_eq!(numbers(&recent, 1), None);
}
