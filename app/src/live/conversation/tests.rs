use super::super::tests::fixture::{message, own_tag, page, upload_id};
use super::*;
use crate::model::Deletion;

fn numbers(conversation: &Conversation) -> Vec<u64> {
    let first = conversation.first.get();
    let texts = conversation
        .listed
        .iter()
        .map(|it| it.message.as_ref().unwrap().content.as_str());
    texts
        .enumerate()
        .map(|(i, text)| {
            let seq = first + i as u64;
            assert_eq!(text, format!("text {seq}"));
            seq
        })
        .collect()
}

#[test]
fn the_next_message_is_listed_at_once() {
    let mut conversation = Conversation::new(page(1..=2, 2), None);
    assert_eq!(conversation.insert(message(3).into()).len(), 1);
    assert_eq!(numbers(&conversation), [1, 2, 3]);
    assert!(!conversation.is_behind());
}

#[test]
fn a_known_message_is_ignored() {
    let mut conversation = Conversation::new(page(3..=5, 5), None);
    for seq in [1, 3, 5] {
        assert!(conversation.insert(message(seq).into()).is_empty());
    }
    assert_eq!(numbers(&conversation), [3, 4, 5]);
}

#[test]
fn messages_behind_a_gap_are_buffered_until_it_is_filled() {
    let mut conversation = Conversation::new(page(1..=1, 1), None);
    for seq in [5, 3, 5] {
        assert!(conversation.insert(message(seq).into()).is_empty());
    }
    assert!(conversation.is_behind());
    assert_eq!(numbers(&conversation), [1]);
    assert_eq!(conversation.insert(message(2).into()).len(), 2);
    assert_eq!(conversation.insert(message(4).into()).len(), 2);
    assert_eq!(numbers(&conversation), [1, 2, 3, 4, 5]);
}

#[test]
fn the_buffer_is_bounded_and_keeps_the_next_ones() {
    let mut conversation = Conversation::new(page(1..=1, 1), None);
    for seq in (3..1_000).rev() {
        conversation.insert(message(seq).into());
    }
    assert_eq!(conversation.buffered.len(), MAX_BUFFERED);
    conversation.insert(message(2).into());
    assert_eq!(conversation.cursor(), Seq::new(2 + MAX_BUFFERED as u64));
    assert!(
        conversation.is_behind(),
        "those that were dropped are known to exist"
    );
}

#[test]
fn an_empty_conversation_starts_at_one() {
    let mut conversation = Conversation::new(LogPage::default(), None);
    assert_eq!(conversation.cursor(), Seq::ZERO);
    assert!(!conversation.has_older());
    conversation.insert(message(1).into());
    assert_eq!(numbers(&conversation), [1]);
}

#[test]
fn older_messages_go_before_the_first() {
    let mut conversation = Conversation::new(page(101..=150, 150), None);
    assert!(conversation.has_older());
    conversation.insert_older(page(51..=101, 150).entries);
    assert_eq!(conversation.first(), Seq::new(51));
    conversation.insert_older(page(1..=51, 150).entries);
    assert_eq!(numbers(&conversation), (1..=150).collect::<Vec<_>>());
    assert!(!conversation.has_older());
}

#[test]
fn older_messages_that_do_not_connect_are_left_out() {
    let mut conversation = Conversation::new(page(101..=110, 110), None);
    for seqs in [40..=60, 91..=100, 95..=105] {
        conversation.insert_older(page(seqs, 110).entries);
    }
    assert_eq!(numbers(&conversation), (101..=110).collect::<Vec<_>>());
}

#[test]
fn a_page_that_ends_before_its_head_is_behind() {
    assert!(Conversation::new(page(1..=3, 4), None).is_behind());
}

#[test]
fn beyond_the_limit_the_oldest_messages_are_removed() {
    let mut conversation = Conversation::new(page(1..=1, 1), None);
    for seq in 2..=5_000 {
        conversation.insert(message(seq).into());
        conversation.trim();
    }
    let listed = numbers(&conversation);
    assert!(listed.len() <= MAX_LISTED, "{}", listed.len());
    assert_eq!(listed.last(), Some(&5_000));
    assert!(conversation.has_older());
}

#[test]
fn messages_that_the_reader_loaded_are_not_removed() {
    let mut conversation = Conversation::new(page(3_001..=5_000, 5_000), None);
    conversation.insert_older(page(2_001..=3_001, 5_000).entries);
    conversation.trim();
    assert_eq!(conversation.first(), Seq::new(2_001));
}

#[test]
fn messages_with_this_browsers_tag_are_its_own() {
    let mut conversation = Conversation::new(page(1..=1, 1), Some(own_tag()));
    let namesake = Message {
        author: Some("aaaaaaaaaa".parse().unwrap()),
        ..message(2)
    };
    conversation.insert(namesake.into());
    let own = Message {
        author: Some(own_tag()),
        ..message(3)
    };
    conversation.insert(own.into());
    let mine: Vec<bool> = conversation
        .listed()
        .iter()
        .map(|it| it.message.as_ref().unwrap().mine)
        .collect();
    assert_eq!(mine, [false, false, true]);
}

#[test]
fn the_last_message_is_known_by_its_id() {
    let mut conversation = Conversation::new(LogPage::default(), None);
    assert_eq!(conversation.last(), Cursor::default());
    let last = |seq| Cursor {
        seq: Seq::new(seq),
        id: Some(message(seq).id),
    };
    conversation.insert(message(1).into());
    assert_eq!(conversation.last(), last(1));
    conversation.insert(message(3).into());
    assert_eq!(conversation.last(), last(1), "it is behind a gap");
    conversation.insert(message(2).into());
    assert_eq!(conversation.last(), last(3));
    conversation.skip_to(Seq::new(9));
    assert_eq!(conversation.last(), Cursor::from(Seq::new(8)));
    conversation.insert(message(9).into());
    assert_eq!(conversation.last(), last(9));
}

#[test]
fn skipping_goes_on_with_the_newest_messages_and_leaves_no_gap() {
    let mut conversation = Conversation::new(page(1..=10, 10), None);
    // Buffered before the skip: one that is skipped, one that comes again, and the one after it.
    for seq in [500, 951, 952] {
        conversation.insert(message(seq).into());
    }
    assert_eq!(conversation.skip_to(Seq::new(951)), 940);
    assert_eq!(conversation.insert(message(951).into()).len(), 2);
    assert_eq!(numbers(&conversation), [951, 952]);
    assert!(!conversation.is_behind());
    assert!(conversation.has_older());
    conversation.insert_older(page(901..=951, 952).entries);
    assert_eq!(conversation.first(), Seq::new(901));
}

#[test]
fn what_connects_is_not_skipped() {
    let mut conversation = Conversation::new(page(1..=10, 10), None);
    assert_eq!(conversation.skip_to(Seq::new(11)), 0);
    assert_eq!(conversation.skip_to(Seq::new(5)), 0);
    assert_eq!(conversation.listed().len(), 10);
}

fn deletion(seq: u64, deletes: u64) -> LogEntry {
    LogEntry::Deletion(Deletion {
        id: message(seq).id,
        upload_id: upload_id(),
        seq: Seq::new(seq),
        deletes: Seq::new(deletes),
        created_at: message(seq).created_at,
    })
}

fn shown(conversation: &Conversation) -> Vec<u64> {
    let messages = conversation.listed.iter();
    let messages = messages.filter_map(|it| it.message.as_ref());
    messages.map(|entry| entry.seq.get()).collect()
}

#[test]
fn a_deletion_takes_its_message_out_of_the_list_and_keeps_its_number() {
    let mut conversation = Conversation::new(page(1..=3, 3), None);
    conversation.insert(deletion(5, 4));
    assert_eq!(shown(&conversation), [1, 2, 3], "it is behind a gap");
    conversation.insert(message(4).into());
    conversation.insert(deletion(6, 2));
    assert_eq!(shown(&conversation), [1, 3]);
    assert_eq!(conversation.cursor(), Seq::new(6));
    assert_eq!(conversation.take_deleted(), [Seq::new(4), Seq::new(2)]);
    assert!(conversation.take_deleted().is_empty());
    assert_eq!(conversation.last().id, Some(message(6).id));
}

#[test]
fn older_messages_that_were_read_before_their_deletion_are_not_shown() {
    let mut conversation = Conversation::new(page(4..=6, 6), None);
    conversation.insert(deletion(7, 2));
    conversation.insert_older(page(1..=4, 6).entries);
    assert_eq!(shown(&conversation), [1, 3, 4, 5, 6]);
}

#[test]
fn a_deleted_message_is_the_same_entry() {
    let mut conversation = Conversation::new(page(1..=3, 3), None);
    let left = LogEntry::DeletedMessage(message(2).deleted(message(2).created_at));
    assert!(!conversation.contradicts(std::slice::from_ref(&left)));
    conversation.insert(deletion(4, 2));
    assert!(!conversation.contradicts(&[left, message(3).into()]));
    let other = LogEntry::Message(Message {
        id: message(9).id,
        ..message(3)
    });
    assert!(conversation.contradicts(&[other]));
}
