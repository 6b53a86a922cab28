//! Author tags and places of messages (protocol.md, "Author tag" and "Place").

use app::model::{AuthorSecret, LogPage, Message, ShortId, UploadRef};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::common::pictures::png;
use crate::common::socket_client::SocketClient;
use crate::common::{TestNode, file_form, header, problem};

async fn page(node: &TestNode, id: ShortId) -> LogPage {
    let path = format!("/api/uploads/{id}/messages");
    let response = node.get(&path).send().await.unwrap();
    response.json().await.unwrap()
}

const SECRET: &str = "0123456789abcdef0123456789abcdef";

#[tokio::test]
async fn a_message_with_a_secret_carries_its_tag_which_differs_by_upload() {
    let node = TestNode::start().await;
    let secret: AuthorSecret = SECRET.parse().unwrap();
    for _ in 0..2 {
        let upload = node.uploaded().await;
        for (n, id) in [upload.id.to_string(), upload.short_id.to_string()]
            .iter()
            .enumerate()
        {
            let body = json!({
                "content": "hi",
                "clientMessageID": format!("m{n}"),
                "author": "aaaaaaaaaa",
            });
            let path = format!("/api/uploads/{id}/messages");
            let post = node.post(&path).bearer_auth(SECRET).json(&body);
            let message: Message = post.send().await.unwrap().json().await.unwrap();
            assert_eq!(message.author, Some(secret.tag(upload.id)));
        }
        let body = json!({"content": "hi", "clientMessageID": "none", "author": "aaaaaaaaaa"});
        let response = node.post_message(upload.short_id.as_str(), &body).await;
        let message: Value = response.json().await.unwrap();
        assert!(message.get("author").is_none(), "{message}");
        let form = node
            .post(&format!("/u/{}/messages", upload.short_id))
            .bearer_auth(SECRET)
            .form(&[("content", "by a form")]);
        assert_eq!(form.send().await.unwrap().status(), StatusCode::SEE_OTHER);
        let tag = Some(secret.tag(upload.id));
        let page = page(&node, upload.short_id).await;
        let tags: Vec<_> = page.messages().map(|message| message.author).collect();
        assert_eq!(tags, [tag, tag, None, tag]);
    }
}

#[tokio::test]
async fn a_malformed_secret_or_another_scheme_is_unauthorized_on_every_call_that_writes() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    let (id, body) = (
        upload.short_id,
        json!({"content": "a", "clientMessageID": "m"}),
    );
    for wrong in [
        "Bearer short",
        "Bearer",
        "Basic dXNlcjpwYXNzd29yZC1vZi11c2Vy",
        SECRET,
    ] {
        let messages = node
            .post(&format!("/api/uploads/{id}/messages"))
            .json(&body);
        let form = node
            .post(&format!("/u/{id}/messages"))
            .form(&[("content", "a")]);
        let uploads = node.post("/api/uploads").multipart(file_form(png(3, 2)));
        for request in [messages, form, uploads] {
            let response = request.header("authorization", wrong).send().await.unwrap();
            assert_eq!(header(response.headers(), "www-authenticate"), "Bearer");
            problem(response, 401, "unauthorized").await;
        }
    }
    assert_eq!(page(&node, id).await.head.get(), 0);
    let uploads = node.post("/api/uploads").multipart(file_form(png(3, 2)));
    let created = uploads.bearer_auth(SECRET).send().await.unwrap();
    assert_eq!(created.status(), StatusCode::CREATED);
}

#[tokio::test]
async fn a_place_is_answered_everywhere_with_its_number() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    let id = upload.id.to_string();
    let mut socket = SocketClient::connect(&node.base()).await;
    socket.watch(UploadRef::Id(upload.id), None).await;
    let (x, y) = (0.1 + 0.2, 1.0 / 3.0);
    let mut posted = Vec::new();
    for (n, at) in [
        Value::Null,
        json!({"x": x, "y": y}),
        json!({"x": 0, "y": 1, "z": 7}),
    ]
    .into_iter()
    .enumerate()
    {
        let body = json!({"content": "hi", "clientMessageID": format!("m{n}"), "at": at});
        let created = node.post_message(&id, &body).await;
        assert_eq!(created.status(), StatusCode::CREATED);
        posted.push(created.json::<Value>().await.unwrap());
        let again = node.post_message(&id, &body).await;
        assert_eq!(again.status(), StatusCode::OK);
        assert_eq!(again.json::<Value>().await.unwrap(), posted[n]);
    }
    assert!(posted[0].get("at").is_none() && posted[0].get("pin").is_none());
    assert_eq!(posted[1]["at"], json!({"x": x, "y": y}));
    assert_eq!(posted[2]["at"], json!({"x": 0.0, "y": 1.0}));
    assert_eq!(
        (&posted[1]["pin"], &posted[2]["pin"]),
        (&json!(1), &json!(2))
    );
    let path = format!("/api/uploads/{id}/messages");
    let listed: Value = node.get(&path).send().await.unwrap().json().await.unwrap();
    assert_eq!(listed["messages"], json!(posted));
    for message in &posted {
        let frame: Value = serde_json::from_str(&socket.text().await).unwrap();
        assert_eq!(&frame["data"]["message"], message);
    }
    let mut late = SocketClient::connect(&node.base()).await;
    late.send_watch(UploadRef::Id(upload.id), None).await;
    let watched: Value = serde_json::from_str(&late.text().await).unwrap();
    assert_eq!(watched["data"]["messages"], json!(posted));
}

#[tokio::test]
async fn a_place_that_is_no_point_on_the_image_is_refused() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    for at in [
        json!({"x": 1.0001, "y": 0}),
        json!({"x": 0, "y": -0.1}),
        json!({"x": "0.5", "y": 0.5}),
        json!({"x": null, "y": 0.5}),
        json!({"x": 0.5}),
        json!({}),
        json!([0.5, 0.5]),
        json!("0.5,0.5"),
        json!(0.5),
        json!(false),
    ] {
        let body = json!({"content": "a", "clientMessageID": "m", "at": at});
        let response = node.post_message(upload.short_id.as_str(), &body).await;
        let refused = problem(response, 422, "bad-field").await;
        assert_eq!(refused["field"], "at", "{body}");
    }
}
