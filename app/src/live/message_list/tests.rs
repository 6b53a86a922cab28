use std::num::NonZeroU32;
use std::slice;

use super::super::Delivery;
use super::super::conversation::Conversation;
use super::super::tests::fixture::{message, own_tag, page, unsent};
use super::contents::MAX_CHUNK_LENGTH;
use super::*;
use crate::model::{ClientMessageId, Deletion, LogEntry, LogPage, Message, Point};

/// A conversation and the list that shows it.
struct TestList {
    conversation: Conversation,
    unsent: Vec<ListedMessage>,
    list: MessageList,
    _owner: Owner,
}

impl TestList {
    fn new(page: LogPage) -> Self {
        let owner = Owner::new();
        let conversation = Conversation::new(page, Some(own_tag()));
        let list = owner.with(|| MessageList::new(listed(&conversation), None));
        Self {
            conversation,
            unsent: Vec::new(),
            list,
            _owner: owner,
        }
    }

    fn insert(&mut self, messages: impl IntoIterator<Item = Message>) {
        for message in messages {
            self.unsent.retain(|it| it.key != message.client_message_id);
            self.conversation.insert(message.into());
        }
        self.update();
    }

    fn insert_older(&mut self, page: LogPage) {
        self.conversation.insert_older(page.entries);
        self.update();
    }

    /// Updates the list, and checks that it shows the conversation and that every row knows the one before it.
    fn update(&mut self) {
        self.list.update(listed(&self.conversation), &self.unsent);
        let stored = messages(self.conversation.listed());
        let expected: Vec<ListedMessage> = stored.chain(&self.unsent).cloned().collect();
        let states = self.states();
        let shown: Vec<ListedMessage> = states.iter().map(|state| state.entry.clone()).collect();
        assert_eq!(shown, expected);
        let mut previous = None;
        for state in states {
            assert_eq!(state.previous, previous);
            previous = Some(state.entry);
        }
        let newest = self.list.newest.get_untracked();
        assert_eq!(newest.map(|it| it.key), previous.map(|it| it.key));
    }

    fn states(&self) -> Vec<RowState> {
        let rows = self
            .chunks()
            .into_iter()
            .flat_map(|chunk| chunk.rows.get_untracked());
        rows.map(|row| row.state.get_untracked()).collect()
    }

    fn chunks(&self) -> Vec<Chunk> {
        self.list.chunks.get_untracked()
    }

    fn ids(&self) -> Vec<u64> {
        ids(&self.chunks())
    }

    fn lengths(&self) -> Vec<usize> {
        let chunks = self.chunks();
        chunks
            .iter()
            .map(|chunk| chunk.rows.with_untracked(Vec::len))
            .collect()
    }

    /// The chunk in which a message is.
    fn chunk_of(&self, key: &ClientMessageId) -> u64 {
        let has_it = |chunk: &&Chunk| {
            chunk
                .rows
                .with_untracked(|rows| rows.iter().any(|row| row.key == *key))
        };
        self.chunks().iter().find(has_it).expect("it is listed").id
    }
}

fn listed(conversation: &Conversation) -> (Seq, &[ListedEntry]) {
    (conversation.first(), conversation.listed())
}

/// The tab's own message as it is stored with this number.
fn stored(entry: &ListedMessage, seq: u64) -> Message {
    let mut message = message(seq);
    message.client_message_id = entry.key.clone();
    message
}

#[test]
fn a_full_chunk_is_closed() {
    let mut shown = TestList::new(page(1..=49, 49));
    shown.insert([message(50)]);
    assert_eq!(shown.lengths(), [50]);
    shown.insert([message(51)]);
    assert_eq!(shown.lengths(), [50, 1]);
    shown.insert((52..=160).map(message));
    assert_eq!(shown.lengths(), [50, 50, 50, 10]);
}

#[test]
fn a_new_message_changes_no_other_chunk_and_no_other_row() {
    let mut shown = TestList::new(page(1..=60, 60));
    let before = shown.states();
    let ids = shown.ids();
    shown.insert([message(61)]);
    assert_eq!(shown.states()[..60], before);
    assert_eq!(shown.ids(), ids);
}

#[test]
fn older_messages_are_a_chunk_of_their_own() {
    let mut shown = TestList::new(page(101..=150, 150));
    let ids = shown.ids();
    shown.insert_older(page(51..=101, 150));
    assert_eq!(shown.ids()[1..], ids);
    assert_eq!(shown.lengths(), [50, 50]);
}

#[test]
fn an_own_message_keeps_its_chunk_when_it_is_stored() {
    let mut shown = TestList::new(page(1..=49, 49));
    let own = [unsent("a"), unsent("b")];
    shown.unsent = own.to_vec();
    shown.update();
    let chunks = own.each_ref().map(|entry| shown.chunk_of(&entry.key));
    shown.insert([
        message(50),
        stored(&own[0], 51),
        message(52),
        stored(&own[1], 53),
    ]);
    assert_eq!(
        own.each_ref().map(|entry| shown.chunk_of(&entry.key)),
        chunks
    );
    shown.insert([message(54)]);
    assert_eq!(shown.lengths(), [53, 1]);
}

#[test]
fn a_message_that_stays_unsent_does_not_keep_its_chunk_open_for_ever() {
    let mut shown = TestList::new(page(1..=10, 10));
    shown.unsent = vec![unsent("a"), unsent("b")];
    shown.unsent[0].delivery = Delivery::Sent;
    shown.update();
    for seq in 11..=500 {
        shown.insert([message(seq)]);
        assert!(
            shown
                .lengths()
                .iter()
                .all(|length| *length <= MAX_CHUNK_LENGTH + 2)
        );
    }
    assert!(shown.lengths().len() > 2);
}

#[test]
fn the_oldest_chunks_are_removed_and_no_chunk_is_added_with_it() {
    let mut shown = TestList::new(page(1..=2_000, 2_000));
    let ids = shown.ids();
    shown.conversation.insert(message(2_001).into());
    shown.conversation.trim();
    shown.update();
    assert_eq!(shown.ids(), ids[2..]);
    shown.insert([message(2_002)]);
    assert_eq!(shown.lengths().last(), Some(&1));
}

#[test]
fn a_list_that_goes_on_elsewhere_is_replaced() {
    let mut shown = TestList::new(page(1..=60, 60));
    shown.unsent = vec![unsent("a")];
    shown.update();
    let ids = shown.ids();
    shown.conversation.skip_to(Seq::new(9_951));
    shown.insert((9_951..=10_000).map(message));
    assert!(shown.ids().iter().all(|id| !ids.contains(id)));
    shown.insert_older(page(9_901..=9_951, 10_000));
}

#[test]
fn own_messages_that_are_known_later_are_refreshed() {
    let mut newest = page(1..=60, 60);
    let own = Message {
        author: Some(own_tag()),
        ..message(7)
    };
    newest.entries[6] = own.into();
    let mut shown = TestList::new(newest.clone());
    let first_view = Conversation::new(newest, None);
    shown.list.refresh(first_view.listed());
    assert!(!shown.states()[6].entry.mine);
    shown.list.refresh(shown.conversation.listed());
    shown.update();
    assert!(shown.states()[6].entry.mine);
}

#[test]
fn after_a_new_start_no_message_is_left_also_if_the_numbers_overlap() {
    let mut shown = TestList::new(page(51..=100, 100));
    shown.unsent = vec![unsent("a")];
    shown.update();
    let ids = shown.ids();
    for seqs in [41..=91, 60..=120, 1..=3] {
        let other = |seq| stored(&unsent(&format!("again-{seq}")), seq);
        let head = Seq::new(*seqs.end());
        let entries = seqs.map(|seq| other(seq).into()).collect();
        shown.conversation.restart(LogPage { entries, head });
        shown.list.clear(shown.conversation.first());
        shown.update();
        assert!(shown.ids().iter().all(|id| !ids.contains(id)));
    }
}

/// A message with a place, which has this number.
fn placed(seq: u64, pin: u32) -> Message {
    Message {
        at: Point::new(0.25, 0.5).ok(),
        pin: NonZeroU32::new(pin),
        ..message(seq)
    }
}

#[test]
fn pins_are_the_places_of_the_listed_messages() {
    let mut shown = TestList::new(page(1..=2, 2));
    let pins = shown.list.pins;
    let shown_pins =
        || -> Vec<u64> { pins.with_untracked(|pins| pins.iter().map(|it| it.seq.get()).collect()) };
    shown.insert([placed(3, 1), message(4), placed(5, 2)]);
    assert_eq!(shown_pins(), vec![3, 5]);
    let before = pins.get_untracked();
    shown.insert([message(6), placed(7, 3)]);
    assert_eq!(shown_pins(), vec![3, 5, 7]);
    assert_eq!(pins.get_untracked()[..2], before);
}

#[test]
fn messages_of_others_are_counted_after_a_number() {
    let mut list = TestList::new(page(51..=60, 60));
    let own = Message {
        author: Some(own_tag()),
        ..message(62)
    };
    list.insert([message(61), own, message(63), message(64)]);
    list.unsent.push(unsent("mine"));
    list.update();
    let after = |seq| list.list.others_after(Seq::new(seq));
    assert_eq!(after(61), (2, Some(Seq::new(63))));
    assert_eq!(after(60), (3, Some(Seq::new(61))));
    assert_eq!(after(64), (0, None));
    assert_eq!(after(70), (0, None));
    // What was skipped is counted too, without knowing whose it is.
    assert_eq!(after(40).0, 10 + 13);
    assert_eq!(after(40).1, Some(Seq::new(51)));
}

#[test]
fn the_first_text_is_known_from_the_page_or_once_it_is_listed() {
    let mut list = TestList::new(LogPage::default());
    assert_eq!(list.list.first_text.get_untracked(), None);
    list.insert([message(1), message(2)]);
    let first = list.list.first_text.get_untracked().unwrap();
    assert_eq!(first.as_str(), "text 1");
}

#[test]
fn the_row_of_a_deleted_message_goes_and_the_next_one_knows_the_one_before() {
    for first in [1, 41] {
        let mut shown = TestList::new(page(first..=130, 130));
        // At the start, at the end of a chunk, at the start of the next one, and the last one.
        for (seq, deletes) in (131..).zip([first, 50, 51, 52, 129, 130]) {
            shown.conversation.insert(deletion(seq, deletes));
            for deleted in shown.conversation.take_deleted() {
                shown.list.remove(deleted);
            }
            shown.update();
            assert!(
                shown
                    .states()
                    .iter()
                    .all(|it| it.entry.seq.get() != deletes)
            );
        }
        shown.insert([message(137)]);
    }
}

#[test]
fn an_own_message_behind_a_gap_has_no_number_and_is_not_deleted_before_it_is_listed() {
    let mut shown = TestList::new(page(1..=3, 3));
    let own = ListedMessage {
        seq: Seq::new(5),
        delivery: Delivery::Sent,
        ..unsent("a")
    };
    shown
        .list
        .update(listed(&shown.conversation), slice::from_ref(&own));
    let last = shown.states().pop().unwrap().entry;
    assert_eq!((last.key.clone(), last.seq), (own.key.clone(), Seq::ZERO));
    // The gap is filled, and the message was deleted meanwhile.
    for entry in [
        message(4).into(),
        stored(&own, 5).into(),
        deletion(6, 5),
        message(7).into(),
    ] {
        shown.conversation.insert(entry);
    }
    for deleted in shown.conversation.take_deleted() {
        shown.list.remove(deleted);
    }
    shown.update();
    let numbers = shown.states().into_iter().map(|it| it.entry.seq.get());
    assert!(numbers.eq([1, 2, 3, 4, 7]));
}

fn deletion(seq: u64, deletes: u64) -> LogEntry {
    LogEntry::Deletion(Deletion {
        id: message(seq).id,
        upload_id: message(seq).upload_id,
        seq: Seq::new(seq),
        deletes: Seq::new(deletes),
        created_at: message(seq).created_at,
    })
}

#[test]
fn the_page_is_not_named_by_a_first_message_that_is_deleted() {
    for first in [1, 51] {
        let owner = Owner::new();
        let mut conversation = Conversation::new(page(first..=100, 100), None);
        let text = Some("text 1".parse().unwrap());
        let list = owner.with(|| MessageList::new(listed(&conversation), text.clone()));
        assert_eq!(list.first_text.get_untracked(), text);
        conversation.insert(deletion(101, 1));
        list.update(listed(&conversation), &[]);
        assert_eq!(list.first_text.get_untracked(), None, "from {first}");
    }
}
