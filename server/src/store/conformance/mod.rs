//! Tests of what every [`Store`] guarantees. A backend's tests call [`store_suite`] with an expression that opens a
//! store; each test inserts its own uploads, so the store may be shared and need not be empty.

pub(crate) mod append;
pub(crate) mod concurrent;
pub(crate) mod deletions;
pub(crate) mod moderation;
pub(crate) mod pairing;
pub(crate) mod read;
pub(crate) mod removals;
pub(crate) mod texts;
pub(crate) mod uploads;

use std::num::NonZeroU32;
use std::str::FromStr;
use std::sync::Arc;

use app::model::{
    Content, Kind, LogEntry, MediaType, Message, MessageId, NewMessage, Point, Seq, ShortId,
    Timestamp, Upload, UploadId,
};
use rand::distr::{Alphanumeric, SampleString};

use super::{Appended, Draft, Select, Store};

/// Makes a test of each guarantee. `$open` is a future of `(Arc<dyn Store>, guard)`; the guard is dropped at the end of
/// the test.
macro_rules! store_suite {
    ($open:expr) => {
        $crate::store::conformance::store_suite! {
            $open;
            uploads:
                an_upload_reads_back_by_either_id,
                letter_case_makes_another_short_id,
                a_taken_id_is_refused,
                a_taken_short_id_is_refused,
                one_of_many_concurrent_uploads_gets_a_short_id,
                unknown_uploads_are_not_found,
                unused_short_ids_are_told_from_used_ones,
                the_store_answers_a_ping,
                the_newest_uploads_come_first;
            pairing:
                the_first_pairing_id_is_kept,
                one_of_many_concurrent_pairing_ids_is_kept;
            append:
                sequence_numbers_are_dense_from_one_in_the_drafts_order,
                an_appended_message_is_read_back_as_it_was_returned,
                places_are_numbered_in_the_order_of_messages,
                places_and_author_tags_are_stored_exactly,
                a_repeated_client_id_returns_the_first_message,
                repeats_within_one_call_are_one_message,
                the_same_client_id_under_two_uploads_is_two_messages,
                an_empty_append_stores_nothing,
                the_largest_append_is_stored;
            concurrent:
                concurrent_posts_of_one_client_id_make_one_message,
                concurrent_appends_leave_no_hole_and_lose_nothing,
                concurrent_appends_of_overlapping_drafts_store_each_once,
                uploads_do_not_share_sequence_numbers,
                a_dropped_append_leaves_the_conversation_consistent,
                a_reader_sees_pages_that_match_their_head;
            deletions:
                a_deletion_is_an_entry_and_leaves_nothing_of_what_the_message_says,
                only_the_author_and_the_owner_of_the_upload_can_delete_a_message,
                a_message_is_deleted_once,
                what_is_no_message_cannot_be_deleted,
                another_message_with_the_number_is_not_deleted,
                a_repeated_post_finds_the_deleted_message,
                pins_keep_their_numbers_when_one_is_deleted,
                concurrent_posts_and_deletions_leave_no_hole,
                an_admin_may_delete_everything;
            removals:
                a_deleted_upload_is_gone_and_removed_step_by_step,
                an_upload_is_gone_when_its_time_is_up,
                an_expired_upload_is_removed_some_minutes_later,
                what_is_removed_takes_no_storage;
            read:
                an_empty_conversation_has_head_zero,
                the_newest_page_is_the_end_oldest_first,
                paging_forwards_returns_every_message_once,
                paging_backwards_returns_every_message_once,
                cursors_at_and_beyond_the_ends_are_valid,
                since_is_exclusive_and_nearest_first,
                since_orders_by_time_when_clocks_disagree,
                a_page_contains_one_upload_only;
            texts:
                texts_are_stored_exactly,
                look_alike_client_ids_are_different;
        }
    };
    ($open:expr; $($module:ident: $($test:ident),+;)+) => {$($(
        #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
        async fn $test() {
            let (store, _guard) = $open.await;
            $crate::store::conformance::$module::$test(store).await;
        }
    )+)+};
}
pub(crate) use store_suite;

/// Makes a test of each guarantee of [`super::Moderation`]. `$open` is as for [`store_suite`], with the store's own
/// type.
macro_rules! moderation_suite {
    ($open:expr) => {
        $crate::store::conformance::store_suite! {
            $open;
            moderation:
                the_newest_reports_of_an_upload_are_kept,
                uploads_are_listed_in_pages_newest_first,
                reports_go_with_their_upload,
                blocked_images_are_known,
                addresses_are_blocked_for_a_while;
        }
    };
}
pub(crate) use moderation_suite;

type Shared = Arc<dyn Store>;

fn parse<T: FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_unix_millis(1_795_000_000_000 + millis).unwrap()
}

pub(crate) fn some_upload() -> Upload {
    let short_id: ShortId = parse(&Alphanumeric.sample_string(&mut rand::rng(), 8));
    Upload {
        id: UploadId::from_bytes(rand::random()),
        short_id,
        kind: Kind::Image,
        content: Content {
            url: format!("/i/{short_id}"),
            media_type: MediaType::Jpeg,
            size: 482_113,
            width: 3024,
            height: 4032,
        },
        created_at: at(0),
        expires_at: None,
    }
}

/// Inserts a new upload.
async fn stored(store: &Shared) -> UploadId {
    let upload = some_upload();
    let id = upload.id;
    store.insert_upload(upload, None).await.unwrap();
    id
}

/// Makes a draft that differs from all others in everything but its time. About half of them have a place, and half an
/// author tag.
fn draft(client_message_id: &str) -> Draft {
    let id: [u8; 12] = rand::random();
    let fraction = |byte: u8| f64::from(byte) / 255.0;
    let point = || Point::new(fraction(id[1]), fraction(id[2])).unwrap();
    let author = if id[3].is_multiple_of(2) {
        "ldkulx5sv2"
    } else {
        ""
    };
    Draft {
        id: MessageId::from_bytes(id),
        message: NewMessage {
            author_name: parse(&format!("by {client_message_id:.37}")),
            content: parse(&format!("content of {client_message_id}")),
            client_message_id: parse(client_message_id),
            at: id[0].is_multiple_of(2).then(point),
            author: author.parse().ok(),
        },
        created_at: at(0),
        owner: None,
    }
}

/// Makes drafts with the client ids `{prefix}-0`, `{prefix}-1` …
fn drafts(prefix: &str, count: usize) -> Vec<Draft> {
    (0..count)
        .map(|n| draft(&format!("{prefix}-{n}")))
        .collect()
}

fn message(appended: &Appended) -> &Message {
    match appended {
        Appended::New(message) | Appended::Known(LogEntry::Message(message)) => message,
        Appended::Known(other) => panic!("not a message: {other:?}"),
    }
}

fn is_new(appended: &Appended) -> bool {
    matches!(appended, Appended::New(_))
}

fn seqs(messages: &[Message]) -> Vec<u64> {
    messages.iter().map(|message| message.seq.get()).collect()
}

/// Checks that the places of a whole conversation are numbered 1, 2, 3 …
fn assert_pins(messages: &[Message]) {
    let mut places = 0;
    for message in messages {
        places += u32::from(message.at.is_some());
        let pin = message.at.and(NonZeroU32::new(places));
        assert_eq!(message.pin, pin, "the pin of message {}", message.seq);
    }
}

/// A page of a log in which nothing was deleted.
#[derive(Debug, Default, PartialEq)]
struct MessagePage {
    messages: Vec<Message>,
    head: Seq,
}

async fn page(store: &Shared, upload: UploadId, select: Select, limit: usize) -> MessagePage {
    let page = store.entries(upload, select, limit).await.unwrap();
    let messages: Vec<_> = page.messages().cloned().collect();
    assert_eq!(messages.len(), page.entries.len());
    let head = page.head;
    MessagePage { messages, head }
}

/// Reads the whole conversation, and checks that it has no holes and ends at its head.
async fn whole(store: &Shared, upload: UploadId) -> Vec<Message> {
    let mut all = Vec::new();
    loop {
        let last = all
            .last()
            .map_or(Seq::ZERO, |message: &Message| message.seq);
        let next = page(store, upload, Select::After(last), 200).await;
        if next.messages.is_empty() {
            assert_eq!(last, next.head, "the conversation ends at its head");
            return all;
        }
        all.extend(next.messages);
        assert_pins(&all);
        assert_eq!(seqs(&all), (1..=all.len() as u64).collect::<Vec<_>>());
        assert!(all.iter().all(|message| message.upload_id == upload));
    }
}
