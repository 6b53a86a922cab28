use app::model::{AuthorName, MessageText};

use super::{Shared, draft, is_new, message, parse, stored, whole};

/// Texts that some databases do not store exactly.
const TEXTS: [&str; 24] = [
    "plain",
    "two\nlines\n\n\tand a tab",
    "quotes ' '' \" ` \\ \\' \\0 %s %00 \\u0000",
    "'); DROP TABLE messages; --",
    "$where: {\"$gt\": \"\"} .dotted $dollar",
    "<script>alert(1)</script> &amp; &#0;",
    "0123 1e5 0x10 NaN null true",
    "Zürich, NFC: \u{e9}, NFD: e\u{301}",
    "straße STRASSE ΣΊΣΥΦΟΣ σίσυφος İı",
    "日本語 한국어 中文 ไทย",
    "עברית and العربية, \u{202e}reversed\u{202c}",
    "👩‍👩‍👧‍👦 🏳️‍🌈 🇨🇭 👍🏽",
    "𝒜𝓁𝓅𝒽𝒶 \u{1f600}\u{10ffff}",
    "non-characters \u{fffe} \u{ffff} \u{fdd0}",
    "replacement \u{fffd} private \u{e000}",
    "zero\u{200b}width\u{200d}joined\u{feff}marked",
    "separators \u{2028} and \u{2029} inside",
    "soft\u{ad}hyphen no\u{a0}break",
    "Z̷̡̛͓͎͈̫a͈l̴̢̛g̵͎o",
    "\u{feff}starts with a mark",
    "ends with an accent e\u{301}",
    "spaces   inside    stay",
    "ﷺ ﬃ Å Å Ω Ω",
    "_%*?[a-z]{}",
];

pub(crate) async fn texts_are_stored_exactly(store: Shared) {
    let upload = stored(&store).await;
    let mut drafts = Vec::new();
    for (n, text) in TEXTS.iter().enumerate() {
        let mut draft = draft(&format!("text{n}"));
        draft.message.content = parse(text);
        if let Ok(name) = text.parse::<AuthorName>() {
            draft.message.author_name = name;
        }
        drafts.push(draft);
    }
    let longest: MessageText = parse(&"e\u{301}".repeat(1_000));
    drafts[0].message.content = longest.clone();
    let appended = store.append(upload, drafts.clone()).await.unwrap();
    let read = whole(&store, upload).await;
    assert_eq!(read[0].content, longest);
    for ((draft, answer), message_read) in drafts.iter().zip(&appended).zip(&read) {
        assert_eq!(draft.message.content, message_read.content);
        assert_eq!(draft.message.author_name, message_read.author_name);
        assert_eq!(message(answer), message_read);
    }
    let again = store.append(upload, drafts).await.unwrap();
    assert!(again.iter().map(message).eq(&read));
}

pub(crate) async fn look_alike_client_ids_are_different(store: Shared) {
    let upload = stored(&store).await;
    let longest = "x".repeat(64);
    let names = [
        "a",
        "A",
        "a-",
        "a_",
        "-a",
        "_a",
        "aa",
        "0",
        "00",
        "0x0",
        "1e1",
        "10",
        "_",
        "-",
        "__",
        "null",
        &longest,
        &longest[1..],
    ];
    for name in names {
        let appended = store.append(upload, vec![draft(name)]).await.unwrap();
        assert!(is_new(&appended[0]), "{name}");
    }
    for (name, position) in names.iter().zip(1..) {
        let appended = store.append(upload, vec![draft(name)]).await.unwrap();
        assert_eq!(message(&appended[0]).seq.get(), position);
        assert_eq!(message(&appended[0]).client_message_id.as_str(), *name);
    }
    assert_eq!(whole(&store, upload).await.len(), names.len());
}
