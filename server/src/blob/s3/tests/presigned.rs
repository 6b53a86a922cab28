//! Presigned URLs.

use std::time::{Duration, SystemTime};

use app::model::ShortId;
use http::Method;
use reqwest::{Client, StatusCode};

use super::helpers::{fixture, open, settings, try_open};
use crate::blob::s3::bucket::Bucket;
use crate::blob::s3::presigned::UrlSigner;
use crate::blob::{Blobs, ResponseHeaders};

const HEADERS: ResponseHeaders<'_> = ResponseHeaders {
    content_type: "image/png",
    content_disposition: "inline; filename=\"a.png\"",
    cache_control: "public, max-age=31536000, immutable",
};

async fn stored(bytes: &[u8]) -> ShortId {
    let (fixture, _folder) = open().await;
    let key = crate::ids::short_id();
    fixture.put(key, bytes).await.unwrap();
    key
}

#[tokio::test]
async fn a_presigned_url_serves_the_blob_with_the_given_headers() {
    let server = testbed::shared::s3();
    let key = stored(b"0123456789").await;
    let config = settings(server, &[("S3_REDIRECT", "1")]);
    let (blobs, _folder) = try_open(&config).await.unwrap();
    let origin = blobs.redirect_origin().unwrap().to_owned();
    assert_eq!(origin, server.endpoint());
    for method in [Method::GET, Method::HEAD] {
        let address = blobs
            .presigned_url(key, &method, HEADERS)
            .await
            .unwrap()
            .unwrap();
        assert!(address.url.starts_with(&format!("{origin}/")));
        assert_eq!(address.valid_for, Duration::from_hours(1));
        let asked = Client::new().request(method.clone(), &address.url);
        let answer = asked.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{method}");
        for (name, value) in [
            ("content-type", HEADERS.content_type),
            ("content-disposition", HEADERS.content_disposition),
            ("cache-control", HEADERS.cache_control),
            ("content-length", "10"),
        ] {
            assert_eq!(answer.headers()[name], value, "{method}");
        }
        let again = blobs
            .presigned_url(key, &method, HEADERS)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(again, address, "otherwise browsers would load it again");
    }
    let address = blobs
        .presigned_url(key, &Method::GET, HEADERS)
        .await
        .unwrap()
        .unwrap();
    let part = Client::new().get(&address.url).header("range", "bytes=2-4");
    let part = part.send().await.unwrap();
    assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(part.bytes().await.unwrap(), "234");
}

#[tokio::test]
async fn a_presigned_url_is_valid_for_one_blob_one_type_and_one_period() {
    let (key, other) = (stored(b"bytes").await, stored(b"others").await);
    let config = settings(testbed::shared::s3(), &[]);
    let bucket = Bucket::of(&config);
    let url_signer = UrlSigner::of(&bucket, &config).await.unwrap();
    let (now, hour) = (SystemTime::now(), Duration::from_hours(1));
    let sign = |from| url_signer.sign(key.as_str(), &Method::GET, HEADERS, from, hour);
    let status = async |url: &str| Client::new().get(url).send().await.unwrap().status();

    let good = sign(now).await.unwrap();
    assert_eq!(status(&good).await, StatusCode::OK);
    let expired = sign(now - hour - Duration::from_secs(10)).await.unwrap();
    let of_another = good.replace(key.as_str(), other.as_str());
    let as_a_page = good.replace("image%2Fpng", "text%2Fhtml");
    let unsigned = good.split('?').next().unwrap();
    for bad in [&*expired, &of_another, &as_a_page, unsigned] {
        assert_ne!(bad, good);
        assert_eq!(status(bad).await, StatusCode::FORBIDDEN, "{bad}");
    }
}

#[tokio::test]
async fn presigned_urls_use_the_public_endpoint() {
    let server = testbed::shared::s3();
    let public = "https://pictures.example:8443";
    let config = settings(
        server,
        &[("S3_REDIRECT", "1"), ("S3_PUBLIC_ENDPOINT", public)],
    );
    let (blobs, _folder) = try_open(&config).await.unwrap();
    assert_eq!(blobs.redirect_origin(), Some(public));
    let key = crate::ids::short_id();
    let address = blobs
        .presigned_url(key, &Method::GET, HEADERS)
        .await
        .unwrap()
        .unwrap();
    let expected = format!("{public}/{}/{key}?", server.bucket());
    assert!(address.url.starts_with(&expected), "{}", address.url);
    assert!(!address.url.contains(server.secret_key()));
    let amazons = settings(
        server,
        &[("S3_ENDPOINT", ""), ("AWS_REGION", "eu-central-1")],
    );
    let url_signer = UrlSigner::of(&Bucket::of(&amazons), &amazons)
        .await
        .unwrap();
    let host = format!("https://{}.s3.eu-central-1.amazonaws.com", server.bucket());
    assert_eq!(url_signer.origin(), host);
}

#[tokio::test]
async fn without_the_setting_there_are_no_presigned_urls() {
    let (blobs, _folder) = try_open(&settings(testbed::shared::s3(), &[]))
        .await
        .unwrap();
    let blobs = fixture(blobs).blobs;
    assert_eq!(blobs.redirect_origin(), None);
    let key = crate::ids::short_id();
    assert_eq!(
        blobs.presigned_url(key, &Method::GET, HEADERS).await,
        Ok(None)
    );
}
