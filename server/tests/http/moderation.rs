//! Reports, and what an admin may do (protocol.md: "Admin").

use app::model::{Upload, UploadRef};
use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use server::store::ContentHash;
use sha2::{Digest, Sha256};

use crate::common::faults::{Mode, Switches};
use crate::common::socket_client::SocketClient;
use crate::common::{TestNode, file_form, pictures, problem};

const TOKEN: &str = "an-admin-token-of-many-letters";
const WITH_TOKEN: (&str, &str) = ("TONESA_ADMIN_TOKEN", TOKEN);

async fn report(node: &TestNode, id: &str, body: &Value) -> Response {
    let request = node.post(&format!("/api/uploads/{id}/reports"));
    request.json(body).send().await.unwrap()
}

async fn status(request: RequestBuilder) -> StatusCode {
    request.send().await.unwrap().status()
}

async fn list(node: &TestNode, query: &str) -> Value {
    let request = node.get(&format!("/api/admin/uploads{query}"));
    let response = request.bearer_auth(TOKEN).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    response.json().await.unwrap()
}

fn ids(page: &Value) -> Vec<&str> {
    let uploads = page["uploads"].as_array().unwrap();
    let ids = uploads.iter().map(|upload| upload["id"].as_str().unwrap());
    ids.collect()
}

#[tokio::test]
async fn a_report_is_kept_for_the_admin() {
    let node = TestNode::with(&[WITH_TOKEN]).await;
    let (other, upload) = (node.uploaded().await, node.uploaded().await);
    let (id, short_id) = (upload.id.to_string(), upload.short_id.to_string());
    for (id, reason) in [(&id, " first \r\n"), (&short_id, "second")] {
        let answer = report(&node, id, &json!({ "reason": reason })).await;
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
        assert_eq!(answer.text().await.unwrap(), "");
    }
    let page = list(&node, "?reported=1").await;
    assert_eq!(ids(&page), [&id]);
    assert_eq!(page["next"], Value::Null);
    let listed = &page["uploads"][0];
    assert_eq!(listed["content"]["url"], format!("/i/{short_id}"));
    assert_eq!(listed["reports"][0]["reason"], "second");
    assert_eq!(listed["reports"][1]["reason"], "first");
    assert!(listed["reports"][1]["createdAt"].is_string());
    let all = list(&node, "").await;
    assert_eq!(ids(&all), [&id, &other.id.to_string()]);
    assert_eq!(all["uploads"][1]["reports"], json!([]));
}

#[tokio::test]
async fn reports_that_are_wrong_are_refused() {
    let node = TestNode::with(&[WITH_TOKEN]).await;
    let upload = node.uploaded().await;
    let id = upload.id.to_string();
    let longest = "é".repeat(1_000);
    for reason in [json!(""), json!(" \n"), json!(7), Value::Null] {
        let refused = report(&node, &id, &json!({ "reason": reason })).await;
        assert_eq!(problem(refused, 422, "bad-field").await["field"], "reason");
    }
    let too_long = report(&node, &id, &json!({ "reason": format!("{longest}é") })).await;
    problem(too_long, 422, "bad-field").await;
    problem(report(&node, &id, &json!(["x"])).await, 400, "malformed").await;
    let fine = json!({ "reason": longest });
    for unknown in ["0123456789abcdef01234567", "aB3dE9xZ", "x"] {
        problem(report(&node, unknown, &fine).await, 404, "not-found").await;
    }
    let path = format!("/api/uploads/{id}/reports");
    let foreign = node.post(&path).header("origin", "https://evil.example");
    problem(
        foreign.json(&fine).send().await.unwrap(),
        403,
        "foreign-origin",
    )
    .await;
    let form = node.post(&path).form(&[("reason", "x")]);
    problem(form.send().await.unwrap(), 415, "unsupported-type").await;
    assert_eq!(list(&node, "?reported=1").await["uploads"], json!([]));
    assert_eq!(
        report(&node, &id, &fine).await.status(),
        StatusCode::ACCEPTED
    );
    let delete = node.delete(&format!("/api/admin/uploads/{id}"));
    assert_eq!(
        status(delete.bearer_auth(TOKEN)).await,
        StatusCode::NO_CONTENT
    );
    problem(report(&node, &id, &fine).await, 410, "gone").await;
    assert_eq!(list(&node, "?reported=1").await["uploads"], json!([]));
}

#[tokio::test]
async fn reports_are_limited_as_messages_are() {
    let node = TestNode::with(&[("TONESA_MESSAGES_PER_MINUTE", "2")]).await;
    let id = node.uploaded().await.id.to_string();
    let body = json!({ "reason": "spam" });
    for _ in 0..2 {
        let answer = report(&node, &id, &body).await;
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
    }
    problem(report(&node, &id, &body).await, 429, "too-many-requests").await;
}

#[tokio::test]
async fn uploads_are_listed_in_pages() {
    let node = TestNode::with(&[WITH_TOKEN]).await;
    let mut expected = Vec::new();
    for _ in 0..52 {
        expected.insert(0, node.uploaded().await.id.to_string());
    }
    let first = list(&node, "?reported=0").await;
    assert_eq!(ids(&first), expected[..50]);
    let next = first["next"].as_str().unwrap();
    let second = list(&node, &format!("?before={next}")).await;
    assert_eq!(ids(&second), expected[50..]);
    assert_eq!(second["next"], Value::Null);
    // Exactly a page.
    let last = list(&node, &format!("?before={}", expected[1])).await;
    assert_eq!((ids(&last).len(), &last["next"]), (50, &Value::Null));
    for (query, field) in [("reported=yes", "reported"), ("before=x", "before")] {
        let request = node.get(&format!("/api/admin/uploads?{query}"));
        let refused = request.bearer_auth(TOKEN).send().await.unwrap();
        assert_eq!(problem(refused, 422, "bad-field").await["field"], field);
    }
}

#[tokio::test]
async fn an_admin_deletes_messages_and_uploads_and_watchers_are_told() {
    let node = TestNode::with(&[WITH_TOKEN]).await;
    let upload = node.uploaded().await;
    node.post_texts(&upload, &["first", "second"]).await;
    let mut socket = SocketClient::connect(&node.base()).await;
    socket.watch(UploadRef::Id(upload.id), None).await;
    let path = format!("/api/admin/uploads/{}", upload.short_id);
    for (seq, expected) in [("2", 204), ("2", 204), ("3", 404), ("9", 404), ("x", 404)] {
        let request = node.delete(&format!("{path}/messages/{seq}"));
        assert_eq!(
            status(request.bearer_auth(TOKEN)).await,
            expected,
            "message {seq}"
        );
    }
    let event = self::event(&mut socket, "messageDeleted").await;
    assert_eq!(event["entry"]["deletes"], 2);
    for expected in [204, 410] {
        let request = node.delete(&path).bearer_auth(TOKEN);
        assert_eq!(status(request).await, expected);
    }
    let event = self::event(&mut socket, "uploadDeleted").await;
    assert_eq!(event["uploadID"], upload.id.to_string());
    for address in [
        format!("/api/uploads/{}", upload.id),
        upload.content.url.clone(),
        format!("/u/{}", upload.short_id),
    ] {
        assert_eq!(status(node.get(&address)).await, StatusCode::GONE);
    }
}

/// Returns the data of the next event of this type.
async fn event(socket: &mut SocketClient, kind: &str) -> Value {
    loop {
        let event: Value = serde_json::from_str(&socket.text().await).unwrap();
        if event["type"] == kind {
            return event["data"].clone();
        }
    }
}

async fn delete_upload(node: &TestNode, upload: &Upload, query: &str) {
    let request = node.delete(&format!("/api/admin/uploads/{}{query}", upload.id));
    let deleted = request.bearer_auth(TOKEN).send().await.unwrap();
    assert_eq!(deleted.status(), StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_blocked_image_is_not_taken_again() {
    let node = TestNode::with(&[WITH_TOKEN]).await;
    let (wanted, unwanted) = (pictures::png(3, 2), pictures::png(4, 2));
    for query in ["", "?block=0"] {
        let upload: Upload = node.upload(wanted.clone()).await.json().await.unwrap();
        delete_upload(&node, &upload, query).await;
    }
    let upload: Upload = node.upload(unwanted.clone()).await.json().await.unwrap();
    let request = node.delete(&format!("/api/admin/uploads/{}?block=yes", upload.id));
    let refused = request.bearer_auth(TOKEN).send().await.unwrap();
    assert_eq!(problem(refused, 422, "bad-field").await["field"], "block");
    delete_upload(&node, &upload, "?block=1").await;
    for _ in 0..2 {
        problem(node.upload(unwanted.clone()).await, 403, "blocked").await;
    }
    // Also with other metadata.
    let mut renamed = unwanted.clone();
    let end = renamed.len() - 12;
    renamed.splice(end..end, TEXT_CHUNK.iter().copied());
    problem(node.upload(renamed).await, 403, "blocked").await;
    let taken = node.upload(wanted).await;
    assert_eq!(taken.status(), StatusCode::CREATED);
}

#[tokio::test]
async fn an_image_that_is_blocked_after_its_check_and_before_it_is_stored_is_not_taken() {
    let switches = Switches::default();
    let node = TestNode::with_backends(&[WITH_TOKEN], |it| switches.wrap(it)).await;
    let picture = pictures::png(4, 2);
    let first: Upload = node.upload(picture.clone()).await.json().await.unwrap();
    let stored = node.get(&first.content.url).send().await.unwrap();
    let stored = stored.bytes().await.unwrap();
    let content = ContentHash::from(Sha256::new_with_prefix(&stored));
    switches.store.set(Mode::Blocked);
    let before = switches.store.calls();
    let second = node.post("/api/uploads").multipart(file_form(picture));
    let second = tokio::spawn(second.send());
    // Its id is looked for, after the check.
    let is_checked = async || switches.store.calls() > before;
    node.wait_until("it was checked", is_checked).await;
    node.node.moderation.block_image(content).await.unwrap();
    switches.store.set(Mode::Working);
    problem(second.await.unwrap().unwrap(), 403, "blocked").await;
    assert_eq!(ids(&list(&node, "").await), [&first.id.to_string()]);
    let is_removed = async || node.blobs().await == 1;
    node.wait_until("its image is removed", is_removed).await;
}

#[tokio::test]
async fn an_admin_dismisses_reports() {
    let node = TestNode::with(&[WITH_TOKEN]).await;
    let id = node.uploaded().await.id.to_string();
    report(&node, &id, &json!({ "reason": "a mistake" })).await;
    let path = format!("/api/admin/uploads/{id}/reports");
    for _ in 0..2 {
        let dismissed = status(node.delete(&path).bearer_auth(TOKEN)).await;
        assert_eq!(dismissed, StatusCode::NO_CONTENT);
        assert_eq!(list(&node, "?reported=1").await["uploads"], json!([]));
    }
    assert_eq!(ids(&list(&node, "").await), [&id]);
    report(&node, &id, &json!({ "reason": "again" })).await;
    assert_eq!(ids(&list(&node, "?reported=1").await), [&id]);
}

#[tokio::test]
async fn a_message_is_removed_by_its_id_too() {
    let node = TestNode::with(&[WITH_TOKEN]).await;
    let upload = node.uploaded().await;
    let posted = node.post_texts(&upload, &["first"]).await;
    let path = format!("/api/admin/uploads/{}/messages/1?id=", upload.id);
    let other = node
        .delete(&format!("{path}{}", upload.id))
        .bearer_auth(TOKEN);
    assert_eq!(status(other).await, StatusCode::NOT_FOUND);
    let right = node
        .delete(&format!("{path}{}", posted[0].id))
        .bearer_auth(TOKEN);
    assert_eq!(status(right).await, StatusCode::NO_CONTENT);
}

/// The chunk `tEXt` of a PNG, with the keyword `Comment` and the text `x`.
const TEXT_CHUNK: &[u8] = b"\0\0\0\x09tEXtComment\0x\0\0\0\0";

#[tokio::test]
async fn without_the_token_nobody_is_an_admin() {
    let node = TestNode::with(&[WITH_TOKEN, ("TONESA_TRUSTED_PROXIES", "127.0.0.1")]).await;
    let upload = node.uploaded().await;
    let addresses = [
        (node.get("/api/admin/uploads"), "192.0.2.1"),
        (
            node.delete(&format!("/api/admin/uploads/{}", upload.id)),
            "192.0.2.2",
        ),
        (
            node.delete(&format!("/api/admin/uploads/{}/messages/1", upload.id)),
            "192.0.2.3",
        ),
        (node.delete("/api/admin/uploads/x"), "192.0.2.4"),
    ];
    for (request, client) in addresses {
        let from = || {
            let request = request.try_clone().unwrap();
            request.header("x-forwarded-for", client)
        };
        let twice = from().bearer_auth(TOKEN).bearer_auth(TOKEN);
        for refused in [
            from(),
            from().bearer_auth(&TOKEN[1..]),
            from().bearer_auth(format!("{TOKEN}x")),
            from().basic_auth("admin", Some(TOKEN)),
            from().header("authorization", TOKEN),
            twice,
        ] {
            let refused = refused.send().await.unwrap();
            assert_eq!(refused.headers()["www-authenticate"], "Bearer");
            problem(refused, 401, "unauthorized").await;
        }
    }
    assert_eq!(list(&node, "").await["uploads"][0]["id"], json!(upload.id));
}

#[tokio::test]
async fn wrong_tokens_are_limited_by_address() {
    let node = TestNode::with(&[WITH_TOKEN, ("TONESA_TRUSTED_PROXIES", "127.0.0.1")]).await;
    let ask = |client: &str, token: &str| {
        let request = node.get("/api/admin/uploads").bearer_auth(token);
        request.header("x-forwarded-for", client).send()
    };
    for _ in 0..20 {
        let fine = ask("192.0.2.1", TOKEN).await.unwrap();
        assert_eq!(fine.status(), StatusCode::OK);
    }
    for _ in 0..10 {
        let wrong = ask("192.0.2.1", "a-wrong-token-of-20-letters").await;
        problem(wrong.unwrap(), 401, "unauthorized").await;
    }
    let refused = ask("192.0.2.1", TOKEN).await.unwrap();
    problem(refused, 429, "too-many-requests").await;
    let other = ask("192.0.2.2", TOKEN).await.unwrap();
    assert_eq!(other.status(), StatusCode::OK);
}

#[tokio::test]
async fn without_the_setting_there_is_nothing_for_admins() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    for request in [
        node.get("/api/admin/uploads"),
        node.post("/api/admin/uploads"),
        node.delete(&format!("/api/admin/uploads/{}", upload.id)),
        node.delete(&format!("/api/admin/uploads/{}/messages/1", upload.id)),
    ] {
        let answer = request.bearer_auth(TOKEN).send().await.unwrap();
        problem(answer, 404, "not-found").await;
    }
}
