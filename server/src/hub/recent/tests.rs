use app::model::{NewMessage, Timestamp, UploadId};

use super::*;
use crate::ids;
use crate::store::Draft;

fn message(seq: u64) -> Message {
    let draft = Draft {
        id: ids::message_id(),
        message: NewMessage {
            author_name: "Ada".parse().unwrap(),
            content: format!("text {seq}").parse().unwrap(),
            client_message_id: ids::client_message_id(),
        },
        created_at: Timestamp::from_unix_millis(0).unwrap(),
    };
    draft.into_message(UploadId::from_bytes([1; 12]), Seq::new(seq))
}

fn page(seqs: std::ops::RangeInclusive<u64>, head: u64) -> MessagePage {
    MessagePage {
        messages: seqs.map(message).collect(),
        head: Seq::new(head),
    }
}

fn numbers(recent: &Recent, after: u64) -> Option<(Vec<u64>, u64)> {
    let page = recent.after(Seq::new(after))?;
    let numbers = page.messages.iter().map(|message| message.seq.get());
    Some((numbers.collect(), page.head.get()))
}

#[test]
fn only_the_store_knows_before_it_was_asked() {
    let mut recent = Recent::default();
    assert_eq!(numbers(&recent, 0), None);
    recent.posted(message(1));
    assert_eq!(numbers(&recent, 0), None);
    recent.read(&MessagePage::default(), true);
    assert_eq!(numbers(&recent, 0), Some((vec![1], 1)));
}

#[test]
fn frames_keep_it_up_to_date() {
    let mut recent = Recent::default();
    recent.read(&page(3..=4, 4), true);
    recent.posted(message(5));
    recent.posted(message(4));
    assert_eq!(numbers(&recent, 2), Some((vec![3, 4, 5], 5)));
    assert_eq!(numbers(&recent, 5), Some((vec![], 5)));
    assert_eq!(numbers(&recent, 1), None, "number 2 was never heard of");
}

#[test]
fn a_lost_frame_sends_those_behind_it_to_the_store() {
    let mut recent = Recent::default();
    recent.read(&page(1..=2, 2), true);
    recent.posted(message(4));
    assert_eq!(numbers(&recent, 2), None);
    assert_eq!(numbers(&recent, 3), None, "the store has not said so");
    recent.head_advanced(Seq::new(5));
    assert_eq!(numbers(&recent, 3), None);
    recent.read(&page(3..=5, 5), true);
    assert_eq!(numbers(&recent, 0), Some((vec![1, 2, 3, 4, 5], 5)));
}

#[test]
fn a_client_ahead_of_the_node_sends_it_to_the_store() {
    let mut recent = Recent::default();
    recent.read(&page(1..=2, 2), true);
    assert_eq!(numbers(&recent, 3), None);
}

#[test]
fn nothing_is_answered_from_memory_while_frames_may_be_lost() {
    let mut recent = Recent::default();
    recent.read(&page(1..=2, 2), true);
    recent.doubt();
    assert_eq!(numbers(&recent, 1), None);
    recent.read(&page(1..=2, 2), false);
    assert_eq!(numbers(&recent, 1), None, "that was read before");
    recent.read(&page(1..=2, 2), true);
    assert_eq!(numbers(&recent, 1), Some((vec![2], 2)));
}

#[test]
fn frames_of_several_nodes_may_come_out_of_order() {
    let mut recent = Recent::default();
    recent.read(&page(1..=2, 2), true);
    assert!(recent.posted(message(5)) && recent.posted(message(4)));
    assert_eq!(recent.progress().claimed, Some(Seq::new(5)));
    assert!(recent.posted(message(3)));
    let (head, told) = (Seq::new(5), Seq::new(5));
    let claimed = None;
    assert_eq!(
        recent.progress(),
        Progress {
            head,
            told,
            claimed
        }
    );
    assert_eq!(numbers(&recent, 2), Some((vec![3, 4, 5], 5)));
}

type Claim = fn(&mut Recent) -> bool;

#[test]
fn a_number_that_the_store_does_not_have_is_forgotten() {
    let known = || {
        let mut recent = Recent::default();
        recent.read(&page(1..=2, 2), true);
        recent
    };
    let far = Seq::new(u64::MAX);
    let claims: [(Claim, bool); 3] = [
        (|recent| recent.head_advanced(Seq::new(u64::MAX)), false),
        (|recent| recent.posted(message(u64::MAX)), false),
        (|recent| recent.posted(message(9)), true),
    ];
    for (claim, is_told) in claims {
        let mut recent = known();
        assert_eq!(claim(&mut recent), is_told);
        assert_eq!(recent.progress().head, Seq::new(2));
        assert_eq!(numbers(&recent, 0), None, "the store is asked");
        let before = recent.progress();
        recent.read(&page(1..=2, 2), true);
        assert!(recent.refute(before, Seq::new(2)));
        assert_eq!(numbers(&recent, 0), Some((vec![1, 2], 2)));
        assert!(!recent.refute(recent.progress(), Seq::new(2)));
    }
    // One that comes while the store is asked is not refuted by its answer.
    let mut recent = known();
    recent.head_advanced(Seq::new(7));
    let before = recent.progress();
    recent.head_advanced(far);
    assert!(!recent.refute(before, Seq::new(2)));
    assert_eq!(recent.progress().claimed, Some(far));
}

#[test]
fn a_next_message_that_the_store_does_not_have_is_forgotten() {
    let mut recent = Recent::default();
    recent.read(&page(1..=2, 2), true);
    recent.posted(message(3));
    let before = recent.progress();
    assert_eq!(before.head, Seq::new(3));
    assert!(recent.refute(before, Seq::new(2)));
    assert_eq!(numbers(&recent, 0), None, "the store has to be asked again");
    recent.read(&page(1..=2, 2), true);
    assert_eq!(numbers(&recent, 0), Some((vec![1, 2], 2)));
    let sizes = recent.messages.values().map(size);
    assert_eq!(recent.bytes, sizes.sum::<usize>());
}

#[test]
fn what_one_socket_was_answered_is_news_to_the_others() {
    let mut recent = Recent::default();
    recent.posted(message(1));
    recent.read(&page(2..=3, 3), true);
    let Progress { head, told, .. } = recent.progress();
    assert_eq!((head, told), (Seq::new(3), Seq::new(1)));
    recent.head_advanced(Seq::new(3));
    assert_eq!(recent.progress().told, Seq::new(3));
}

#[test]
fn long_texts_are_kept_in_a_bounded_room() {
    let mut recent = Recent::default();
    recent.read(&MessagePage::default(), true);
    let content: app::model::MessageText = "🙂".repeat(2_000).parse().unwrap();
    for seq in 1..=64 {
        let content = content.clone();
        recent.posted(Message {
            content,
            ..message(seq)
        });
        recent.posted(message(1));
    }
    assert!(recent.bytes <= MAX_RECENT_BYTES);
    let sizes = recent.messages.values().map(size);
    assert_eq!(recent.bytes, sizes.sum::<usize>());
    assert!(recent.messages.len() > 30);
}

#[test]
fn the_newest_are_kept_and_one_further_behind_pages_over_http() {
    let mut recent = Recent::default();
    recent.read(&MessagePage::default(), true);
    for seq in 1..=200 {
        recent.posted(message(seq));
    }
    let (kept, head) = numbers(&recent, 136).unwrap();
    assert_eq!((kept.len(), head), (MAX_RECENT, 200));
    assert_eq!(numbers(&recent, 135), Some((vec![], 200)));
    assert_eq!(recent.messages.len(), MAX_RECENT);
}

#[test]
fn a_node_that_keeps_enough_keeps_the_newest_message_of_a_topic_alone() {
    let node = Arc::new(AtomicUsize::new(0));
    let mut recent = Recent::new(Arc::clone(&node));
    recent.read(&page(1..=3, 3), true);
    assert_eq!(numbers(&recent, 0), Some((vec![1, 2, 3], 3)));
    node.fetch_add(MAX_NODE_BYTES, Ordering::Relaxed);
    recent.posted(message(4));
    assert_eq!(numbers(&recent, 3), Some((vec![4], 4)));
    assert_eq!(numbers(&recent, 2), None);
    drop(recent);
    assert_eq!(node.load(Ordering::Relaxed), MAX_NODE_BYTES);
}
