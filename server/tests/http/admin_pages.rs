//! The pages of who runs the server, and the form to report an upload (operations.md: "Moderation").

use reqwest::multipart::{Form, Part};
use reqwest::{Body, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};

use crate::common::socket_client::SocketClient;
use crate::common::{TestNode, header, pictures, problem};

const TOKEN: &str = "an-admin-token-of-many-letters";
const WITH_TOKEN: (&str, &str) = ("TONESA_ADMIN_TOKEN", TOKEN);

/// Sends a request as a browser does that is at a page of the node.
async fn send(request: RequestBuilder, cookie: &str) -> Response {
    let request = request
        .header("accept", "text/html")
        .header("cookie", cookie);
    request.send().await.unwrap()
}

async fn page(node: &TestNode, path: &str, cookie: &str) -> String {
    let response = send(node.get(path), cookie).await;
    assert_eq!(response.status(), StatusCode::OK, "{path}");
    response.text().await.unwrap()
}

async fn submit(node: &TestNode, path: &str, cookie: &str, form: &[(&str, &str)]) -> Response {
    send(node.post(path).form(form), cookie).await
}

fn location(response: &Response) -> &str {
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    header(response.headers(), "location")
}

/// Signs in, and returns the cookie as the browser sends it.
async fn signed_in(node: &TestNode) -> String {
    signed_in_by(node, TOKEN).await
}

async fn signed_in_by(node: &TestNode, token: &str) -> String {
    let response = submit(node, "/admin/sign-in", "", &[("token", token)]).await;
    assert_eq!(location(&response), "/admin");
    let cookie = header(response.headers(), "set-cookie");
    cookie.split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn who_has_the_token_signs_in_and_out() {
    let node = TestNode::with(&[WITH_TOKEN, ("TONESA_TRUSTED_PROXIES", "127.0.0.1")]).await;
    let response = send(node.get("/admin"), "").await;
    assert_eq!(location(&response), "/admin/sign-in");
    let form = page(&node, "/admin/sign-in", "").await;
    assert!(form.contains(r#"name="token""#), "{form}");
    let wrong = submit(&node, "/admin/sign-in", "", &[("token", "wrong")]).await;
    assert_eq!(wrong.status(), StatusCode::FORBIDDEN);
    assert!(!wrong.headers().contains_key("set-cookie"));
    assert!(wrong.text().await.unwrap().contains("That token is wrong."));

    let form = node.post("/admin/sign-in").form(&[("token", TOKEN)]);
    let response = send(form.header("x-forwarded-proto", "https"), "").await;
    let cookie = header(response.headers(), "set-cookie").to_owned();
    for attribute in ["HttpOnly", "SameSite=Strict", "Secure", "Path=/admin"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert!(!cookie.contains(TOKEN), "{cookie}");
    let cookie = signed_in(&node).await;
    let list = page(&node, "/admin", &cookie).await;
    assert!(list.contains("Nothing is reported."), "{list}");
    let out = submit(&node, "/admin/sign-out", &cookie, &[]).await;
    assert_eq!(location(&out), "/admin/sign-in");
    assert!(header(out.headers(), "set-cookie").contains("Max-Age=0"));
}

#[tokio::test]
async fn forged_sessions_are_none() {
    let node = TestNode::with(&[WITH_TOKEN]).await;
    let other_token = "another-admin-token-of-letters";
    let other = TestNode::with(&[("TONESA_ADMIN_TOKEN", other_token)]).await;
    let upload = node.uploaded().await;
    let cookie = signed_in(&node).await;
    let (name, value) = cookie.split_once('=').unwrap();
    let (mac, until) = value.split_at(value.len() - 13);
    let later = format!("{mac}{}", until.parse::<i64>().unwrap() + 1);
    for forged in [
        String::new(),
        format!("{name}=9999999999999"),
        format!("{name}={later}"),
        format!("{name}={TOKEN}"),
        signed_in_by(&other, other_token).await,
    ] {
        for request in [
            node.get("/admin"),
            node.get("/admin?all=1"),
            node.get("/admin/addresses"),
            node.get(&format!("/admin/uploads/{}", upload.short_id)),
            node.post(&format!("/admin/uploads/{}/remove", upload.short_id)),
            node.post("/admin/addresses/block")
                .form(&[("address", "192.0.2.1"), ("seconds", "60")]),
        ] {
            let refused = send(request, &forged).await;
            assert_eq!(location(&refused), "/admin/sign-in", "{forged}");
        }
    }
    // The cookie is for the pages only.
    let api = send(node.get("/api/admin/uploads"), &cookie).await;
    assert_eq!(api.status(), StatusCode::UNAUTHORIZED);
    page(&node, &format!("/u/{}", upload.short_id), "").await;
}

#[tokio::test]
async fn wrong_tokens_at_the_form_are_limited() {
    let node = TestNode::with(&[WITH_TOKEN]).await;
    for _ in 0..10 {
        let wrong = submit(&node, "/admin/sign-in", "", &[("token", "wrong")]).await;
        assert_eq!(wrong.status(), StatusCode::FORBIDDEN);
    }
    let refused = submit(&node, "/admin/sign-in", "", &[("token", TOKEN)]).await;
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn other_sites_can_neither_frame_the_pages_nor_send_their_forms() {
    let embeds = ("TONESA_FRAME_ANCESTORS", "https://blog.example");
    let allowed = ("TONESA_ALLOWED_ORIGINS", "https://blog.example");
    let node = TestNode::with(&[WITH_TOKEN, embeds, allowed]).await;
    let upload = node.uploaded().await;
    let cookie = signed_in(&node).await;
    let report = format!("/u/{}/report", upload.short_id);
    for path in ["/admin", "/admin/sign-in", "/admin/addresses", &report] {
        let response = send(node.get(path), &cookie).await;
        assert_eq!(response.status(), StatusCode::OK);
        let policy = header(response.headers(), "content-security-policy");
        assert!(
            policy.contains("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
        assert!(!policy.contains("script-src"), "{path}: {policy}");
        assert_eq!(header(response.headers(), "cache-control"), "no-store");
        assert_eq!(header(response.headers(), "x-robots-tag"), "noindex");
    }
    for path in [
        "/admin/sign-in".to_owned(),
        "/admin/sign-out".to_owned(),
        format!("/admin/uploads/{}/remove", upload.short_id),
        format!("/admin/uploads/{}/dismiss", upload.short_id),
        format!("/admin/uploads/{}/messages/1/remove", upload.short_id),
        "/admin/addresses/block".to_owned(),
        "/admin/addresses/unblock".to_owned(),
        report.clone(),
    ] {
        let foreign = node.post(&path).header("origin", "https://blog.example");
        let refused = foreign.header("cookie", &cookie).send().await.unwrap();
        problem(refused, 403, "foreign-origin").await;
    }
}

#[tokio::test]
async fn an_admin_sees_reports_and_removes_messages_and_uploads() {
    let node = TestNode::with(&[WITH_TOKEN]).await;
    let upload: app::model::Upload = node.upload(pictures::png(5, 4)).await.json().await.unwrap();
    node.post_texts(&upload, &["fine", "<b>nasty</b>"]).await;
    let path = format!("/u/{}/report", upload.short_id);
    let form = page(&node, &path, "").await;
    assert!(form.contains("Report this picture"), "{form}");
    let empty = submit(&node, &path, "", &[("reason", " ")]).await;
    assert_eq!(empty.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let long = "</textarea><script>".repeat(60);
    let refused = submit(&node, &path, "", &[("reason", &long)]).await;
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let text = refused.text().await.unwrap();
    assert!(
        text.contains("&lt;/textarea&gt;&lt;script&gt;"),
        "it comes back: {text}"
    );
    assert!(!text.contains("<script>"), "{text}");
    let sent = submit(&node, &path, "", &[("reason", "<i>bad</i> words")]).await;
    assert_eq!(location(&sent), format!("{path}?sent"));
    assert!(
        page(&node, &format!("{path}?sent"), "")
            .await
            .contains("Thank you")
    );

    let cookie = signed_in(&node).await;
    let list = page(&node, "/admin", &cookie).await;
    assert!(list.contains("&lt;i&gt;bad&lt;/i&gt; words"), "{list}");
    let of_upload = format!("/admin/uploads/{}", upload.short_id);
    assert!(list.contains(&of_upload), "{list}");
    let conversation = page(&node, &of_upload, &cookie).await;
    assert!(
        conversation.contains("&lt;b&gt;nasty&lt;/b&gt;"),
        "{conversation}"
    );
    let act = conversation
        .split('"')
        .find(|it| it.contains("/messages/2/remove"));
    let act = act.unwrap().replace("&amp;", "&");
    let removed = submit(&node, &act, &cookie, &[]).await;
    assert_eq!(location(&removed), of_upload);
    let conversation = page(&node, &of_upload, &cookie).await;
    assert!(conversation.contains("fine") && !conversation.contains("nasty"));

    let dismissed = submit(&node, &format!("{of_upload}/dismiss"), &cookie, &[]).await;
    assert_eq!(location(&dismissed), "/admin");
    assert!(
        page(&node, "/admin", &cookie)
            .await
            .contains("Nothing is reported.")
    );
    assert!(
        page(&node, "/admin?all=1", &cookie)
            .await
            .contains(&of_upload)
    );
    let removed = submit(
        &node,
        &format!("{of_upload}/remove"),
        &cookie,
        &[("block", "1")],
    )
    .await;
    assert_eq!(location(&removed), "/admin");
    let gone = send(node.get(&format!("/u/{}", upload.short_id)), "").await;
    assert_eq!(gone.status(), StatusCode::GONE);
    assert!(
        !page(&node, "/admin?all=1", &cookie)
            .await
            .contains(&of_upload)
    );
    problem(node.upload(pictures::png(5, 4)).await, 403, "blocked").await;
    let report = send(node.get(&path), "").await;
    assert_eq!(report.status(), StatusCode::GONE);
}

#[tokio::test]
async fn a_blocked_address_can_only_read() {
    let node = TestNode::with(&[WITH_TOKEN, ("TONESA_TRUSTED_PROXIES", "127.0.0.1")]).await;
    let upload = node.uploaded().await;
    let cookie = signed_in(&node).await;
    let (troll, neighbour) = ("2001:db8:1:2::7", "2001:db8:1:3::7");
    let as_troll = [("x-forwarded-for", troll)];
    let mut socket = SocketClient::try_connect(&node.base(), &as_troll)
        .await
        .unwrap();
    socket
        .watch(app::model::UploadRef::Id(upload.id), None)
        .await;
    let wrong = [("address", "troll"), ("seconds", "3600")];
    let refused = submit(&node, "/admin/addresses/block", &cookie, &wrong).await;
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text().await.unwrap().contains(r#"value="troll""#));
    let fields = [("address", troll), ("seconds", "3600")];
    let blocked = submit(&node, "/admin/addresses/block", &cookie, &fields).await;
    assert_eq!(location(&blocked), "/admin/addresses");
    let list = page(&node, "/admin/addresses", &cookie).await;
    assert!(list.contains("<code>2001:db8:1:2::</code>"), "{list}");
    assert_eq!(socket.close_code().await, Some(1008));

    let post = |from: &str| {
        let path = format!("/api/uploads/{}/messages", upload.id);
        let message = json!({ "content": "x", "clientMessageID": from.replace(':', "-") });
        node.post(&path)
            .header("x-forwarded-for", from)
            .json(&message)
    };
    // Another address of the same network.
    let same = "2001:db8:1:2::8";
    problem(post(same).send().await.unwrap(), 403, "address-blocked").await;
    let socket = SocketClient::try_connect(&node.base(), &[("x-forwarded-for", same)]).await;
    assert!(socket.is_err(), "no new socket");
    let read = node.get(&format!("/u/{}", upload.short_id));
    let read = read.header("x-forwarded-for", same).send().await.unwrap();
    assert_eq!(read.status(), StatusCode::OK);
    let other = post(neighbour).send().await.unwrap();
    assert_eq!(other.status(), StatusCode::CREATED);

    let unblocked = [("address", "2001:db8:1:2::")];
    let unblocked = submit(&node, "/admin/addresses/unblock", &cookie, &unblocked).await;
    assert_eq!(location(&unblocked), "/admin/addresses");
    assert_eq!(
        post(same).send().await.unwrap().status(),
        StatusCode::CREATED
    );
}

#[tokio::test]
async fn what_was_begun_before_its_address_was_blocked_is_refused() {
    let node = TestNode::with(&[WITH_TOKEN, ("TONESA_TRUSTED_PROXIES", "127.0.0.1")]).await;
    let (send, pieces) = futures::channel::mpsc::unbounded::<Result<Vec<u8>, std::io::Error>>();
    let part = Part::stream(Body::wrap_stream(pieces)).file_name("slow.png");
    let upload = node
        .post("/api/uploads")
        .header("x-forwarded-for", "192.0.2.9");
    let upload = tokio::spawn(upload.multipart(Form::new().part("file", part)).send());
    send.unbounded_send(Ok(pictures::large_png(1_000_000)))
        .unwrap();
    node.wait_until("the upload has begun", async || node.temporary_files() == 1)
        .await;
    let block = node.put("/api/admin/blocked-addresses/192.0.2.9?seconds=60");
    assert_eq!(
        block.bearer_auth(TOKEN).send().await.unwrap().status(),
        StatusCode::NO_CONTENT
    );
    problem(upload.await.unwrap().unwrap(), 403, "address-blocked").await;
    drop(send);
    assert_eq!(node.blobs().await, 0);
}

#[tokio::test]
async fn requests_without_a_token_lock_nobody_out() {
    let node = TestNode::with(&[WITH_TOKEN]).await;
    for _ in 0..30 {
        let refused = node.get("/api/admin/uploads").send().await.unwrap();
        problem(refused, 401, "unauthorized").await;
    }
    signed_in(&node).await;
}

#[tokio::test]
async fn addresses_are_blocked_by_the_api_too() {
    let node = TestNode::with(&[WITH_TOKEN]).await;
    let upload = node.uploaded().await;
    let path = "/api/admin/blocked-addresses";
    let put = |rest: &str| {
        node.put(&format!("{path}/{rest}"))
            .bearer_auth(TOKEN)
            .send()
    };
    let list = async || {
        let listed = node.get(path).bearer_auth(TOKEN).send().await.unwrap();
        listed.json::<Value>().await.unwrap()["addresses"].clone()
    };
    assert_eq!(list().await, json!([]));
    for wrong in [
        "x?seconds=60",
        "192.0.2.1",
        "192.0.2.1?seconds=1",
        "192.0.2.1?seconds=x",
    ] {
        let refused = put(wrong).await.unwrap();
        problem(refused, 422, "bad-field").await;
    }
    // An admin who blocks its own address can still unblock it.
    assert_eq!(
        put("127.0.0.1?seconds=60").await.unwrap().status(),
        StatusCode::NO_CONTENT
    );
    assert_eq!(list().await[0]["address"], "127.0.0.1");
    let body = json!({ "reason": "x" });
    let report = node
        .post(&format!("/api/uploads/{}/reports", upload.id))
        .json(&body);
    problem(report.send().await.unwrap(), 403, "address-blocked").await;
    problem(
        node.upload(pictures::png(3, 2)).await,
        403,
        "address-blocked",
    )
    .await;
    let unblock = node.delete(&format!("{path}/127.0.0.1")).bearer_auth(TOKEN);
    assert_eq!(
        unblock.send().await.unwrap().status(),
        StatusCode::NO_CONTENT
    );
    assert_eq!(list().await, json!([]));
    node.uploaded().await;
}

#[tokio::test]
async fn without_the_setting_there_are_no_pages_for_admins() {
    let node = TestNode::start().await;
    for request in [
        node.get("/admin"),
        node.get("/admin/sign-in"),
        node.post("/admin/sign-in").form(&[("token", "")]),
        node.get("/admin/addresses"),
    ] {
        let response = send(request, "").await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
    }
}
