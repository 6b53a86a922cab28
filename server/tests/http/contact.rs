//! How visitors reach whoever runs the node (`TONESA_CONTACT`).

use std::time::Duration;

use app::model::Timestamp;
use reqwest::StatusCode;
use server::clock;

use crate::common::faults::{Mode, Switches};
use crate::common::{TestNode, header, problem};

const CONTACT: &str = "mailto:abuse@tonesa.example?subject=A&body=B";
const SECURITY_TXT: &str = "/.well-known/security.txt";

#[tokio::test]
async fn every_page_links_to_the_contact_in_its_language() {
    let switches = Switches::default();
    let set = [("TONESA_CONTACT", CONTACT)];
    let node = TestNode::with_backends(&set, |backends| switches.wrap(backends)).await;
    let upload = node.uploaded().await;
    let page = format!("/u/{}", upload.short_id);
    let link = "<a href=\"mailto:abuse@tonesa.example?subject=A&amp;body=B\" rel=\"external\">";
    let texts = [
        ("en", "Contact and complaints"),
        ("de", "Kontakt und Beschwerden"),
        ("es", "Contacto y reclamaciones"),
    ];
    for (language, text) in texts {
        let messages = node.post(&format!("{page}/messages"));
        for (request, status) in [
            (node.get("/"), 200),
            (node.get(&page), 200),
            (node.get("/nowhere"), 404),
            (node.get("/u/AAAAAAAA"), 404),
            (node.post("/api/uploads"), 400),
            (messages.form(&[("content", "")]), 422),
        ] {
            let request = request.header("accept", "text/html");
            let request = request.header("accept-language", language);
            let response = request.send().await.unwrap();
            assert_eq!(response.status().as_u16(), status);
            let html = response.text().await.unwrap();
            let count = html.matches(&format!("{link}{text}</a>")).count();
            assert_eq!(count, 1, "{html}");
        }
    }
    switches.store.set(Mode::Unavailable);
    let unavailable = node.get(&page).send().await.unwrap();
    assert_eq!(unavailable.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(unavailable.text().await.unwrap().contains(link));
}

#[tokio::test]
async fn without_a_contact_there_is_no_link_and_no_file() {
    let node = TestNode::start().await;
    let home = node.get("/").send().await.unwrap().text().await.unwrap();
    assert!(!home.contains("<footer"), "{home}");
    let missing = node.get(SECURITY_TXT).send().await.unwrap();
    problem(missing, 404, "not-found").await;
}

#[tokio::test]
async fn security_txt_names_the_contact() {
    let contact = ("TONESA_CONTACT", "https://tonesa.example/contact");
    let public_url = ("PUBLIC_URL", "https://tonesa.example");
    let canonical = "Canonical: https://tonesa.example/.well-known/security.txt\n";
    for (settings, canonical) in [
        (&[contact][..], ""),
        (&[contact, public_url], canonical),
        (&[contact, ("PUBLIC_URL", "http://tonesa.example")], ""),
    ] {
        let node = TestNode::with(settings).await;
        let response = node.get(SECURITY_TXT).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        let content_type = header(response.headers(), "content-type");
        assert_eq!(content_type, "text/plain; charset=utf-8");
        let file = response.text().await.unwrap();
        let expires = file.split_once("Expires: ").unwrap().1;
        let expires = expires.split_once('\n').unwrap().0;
        let expected = format!(
            "Contact: https://tonesa.example/contact\nExpires: {expires}\nPreferred-Languages: en, de, es\n{canonical}"
        );
        assert_eq!(file, expected);
        let expires: Timestamp = expires.parse().unwrap();
        let left = expires.unix_millis() - clock::now().unix_millis();
        let left = Duration::from_millis(left.try_into().unwrap());
        let month = Duration::from_hours(30 * 24);
        assert!(left > month && left < 12 * month, "{expires}");
    }
}
