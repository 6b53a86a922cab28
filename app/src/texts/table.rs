/// Declares a struct of texts that can be turned into a list and back.
macro_rules! table {
    ($(#[$attributes:meta])* $table:ident: $($text:ident,)*) => {
        $(#[$attributes])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[expect(missing_docs, reason = "the names say what the texts say")]
        pub struct $table { $(pub $text: &'static str,)* }

        impl $table {
            /// How many texts there are.
            pub const COUNT: usize = [$(stringify!($text)),*].len();
            /// Their names.
            pub const NAMES: [&'static str; Self::COUNT] = [$(stringify!($text)),*];

            /// The texts in the order of their declaration.
            pub const fn to_list(&self) -> [&'static str; Self::COUNT] {
                [$(self.$text),*]
            }

            /// The texts of such a list.
            pub const fn from_list([$($text),*]: [&'static str; Self::COUNT]) -> Self {
                Self { $($text),* }
            }
        }
    };
}

table! {
    /// The texts of the pages in one language. Those with parts have placeholders, as `{name}`, which [`super::fill`]
    /// replaces; those that depend on a number end in `_one` and `_other`, between which [`super::counted`] chooses.
    Texts:

    // The language's tag (RFC 5646), for `lang`.
    lang,

    // Dates and numbers. The months are separated by spaces.
    months, months_short, long_date, short_date, today, yesterday, decimal_point,

    // Names of people. An alias that is proposed is one word of each list; they are separated by spaces.
    anonymous, someone, name_and_you, alias_first, alias_second,

    // The home page.
    home_title, home_heading, pitch, no_account, demo_alt, demo_question, demo_answer,
    your_pictures, your_pictures_hint, your_picture, no_longer_there, remove_from_list,

    // What all pages have.
    skip_to_content, new_picture, try_again, contact, report,

    // Deleting and expiry.
    delete, delete_message, message_deleted, delete_picture, picture_deleted, undo, not_deleted_because,
    keep_it, for_good, for_a_day, for_a_week, for_a_month, as_long_as_allowed, until,

    // Pages that show no image.
    nothing_here, nothing_at_link, nothing_at_link_detail, gone_title, gone_detail, share_own,
    not_reachable, image_not_reachable, image_not_reachable_detail, loading_image,

    // Uploading.
    drop_anywhere, share_an_image, choose_image, take_photo, paste, upload, upload_limits, drop_to_share,
    upload_this, nothing_sent_yet, chosen_image, uploading, checking, cancel, close,
    pasted_image, no_image_on_clipboard, one_at_a_time, only_an_address, chosen_file_too_large, file_empty,
    upload_cancelled, upload_lost, upload_too_large, upload_unavailable,

    // The image page: its title, who is here, and the connection.
    picture_of, people_count, more_people_one, more_people_other,
    connecting, live, caught_up, caught_up_one, caught_up_other, delayed, reconnecting, offline, connection_not_found,
    connection_gone,

    // Sharing.
    share, share_this_picture, anyone_with_link, link_to_page, link_as_qr_code, copy, copied, share_via,

    // The image.
    image_alt, image_broken, hint_for_mouse, hint_for_touch, zoom, zoom_out, zoom_in, fit,
    pins_button, pin, pin_on_image, not_sent,
    point_at_image, pointing_help, points_here, points_at,
    upper_left, top, upper_right, left, middle, right, lower_left, bottom, lower_right,

    // The conversation.
    conversation, messages, write_first_line, new, new_messages_one, new_messages_other,
    earlier_messages, loading_earlier, earlier_failed,
    message_further_back, no_message, link_copied, link_to_message, copy_link, copy_link_to_message,
    sending, not_sent_because, edit,

    // The composer.
    message, say_something, say_something_here, send, writing_as, change_name, where_you_tapped, leave_place_off,
    message_has_place, characters_left_one, characters_left_other, too_long_by, too_many_unsent, name_refused,
    text_empty, text_too_long, text_control,

    // Failures of the connection and the server.
    waiting_for_connection, trying_again, server_unreachable, server_slow, server_refused, server_trouble,
    too_many_messages,
}

table! {
    /// The texts in one language that only the server needs, for previews of links, pages without scripts and problem
    /// documents.
    ServerTexts:

    // Previews of links.
    see_it, messages_so_far_one, messages_so_far_other,

    // Forms that were refused.
    back_to_start, back_to_image,

    // Reporting a picture.
    report_picture, report_explained, report_reason, send_report, reported_title, reported_detail,

    // The pages of who runs the server.
    moderation, admin_token, wrong_token, sign_in, sign_out, reported, all_pictures, nothing_reported, no_pictures,
    dismiss_reports, remove, remove_picture, remove_message, remove_and_block, older, stored, storage_left,
    blocked_addresses, no_address_blocked, address, block, block_for, for_an_hour, blocked_until, unblock,

    // Kinds of problems.
    malformed, unauthorized, foreign_origin, not_owner, image_blocked, address_blocked, not_found, gone, method_not_allowed, too_slow, precondition_failed, too_large,
    unsupported_type, range_not_satisfiable, bad_image, bad_field, other_version, too_many_requests, internal,
    not_implemented, unavailable, storage_full,

    // What a person can do about them.
    foreign_origin_detail, not_owner_detail, image_blocked_detail, address_blocked_detail, not_found_detail, gone_detail, method_not_allowed_detail, too_slow_detail, file_too_large, body_too_large,
    too_many_requests_detail, internal_detail, unavailable_detail, storage_full_detail, several_images, no_image,

    // Images that are not accepted.
    image_unknown_type, image_damaged, image_too_long_side, image_too_many_pixels, image_too_many_frames,
    image_frames_too_large, image_too_much_memory, image_too_much_time, image_too_many_chunks, image_too_many_passes,
    pixels, megapixels,
}
