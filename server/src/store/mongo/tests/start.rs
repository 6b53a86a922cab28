use app::model::UploadRef;
use mongodb::bson::doc;
use tempfile::tempdir;

use super::*;
use crate::app::backends;
use crate::app::metrics::Metrics;
use crate::store::mongo::OpenError;
use crate::store::sqlite::DATABASE_FILE;

const PASSWORD: &str = "hunter2";

/// Opens a store with this URL, and returns the error.
async fn open_error(url: &str) -> OpenError {
    let refused = MongoStore::open(&secret(url)).await.err().unwrap();
    let sentence = refused.to_string();
    assert!(sentence.contains("MONGO_URL"), "{sentence}");
    for text in [sentence, format!("{refused:?}")] {
        assert!(
            !text.contains(PASSWORD) && !text.contains("admin"),
            "{text}"
        );
    }
    refused
}

#[tokio::test]
async fn an_invalid_url_is_refused() {
    for url in [
        "localhost:27017",
        "http://localhost:27017",
        "mongodb://",
        "mongodb://admin:hunter2",
        "mongodb://admin:hunter2@",
        "mongodb://admin:hunter2@localhost:port/",
        "mongodb://admin:hunter2@localhost:99999/",
        "mongodb://admin:hunter2/@localhost/",
        "mongodb://admin:hunter2@localhost/a b",
        "mongodb://admin:hunter2@localhost/?connectTimeoutMS=soon",
        "mongodb://admin:hunter2@localhost/?authMechanism=hunter2",
        "mongodb://admin:hunter2@localhost/?replicaSet=a&directConnection=hunter2",
    ] {
        assert_eq!(open_error(url).await, OpenError::Url, "{url}");
    }
}

#[tokio::test]
async fn a_missing_server_is_reported() {
    let port = testbed::free_port().unwrap();
    let url = format!("mongodb://admin:{PASSWORD}@127.0.0.1:{port}/");
    assert_eq!(open_error(&url).await, OpenError::Unreachable);
}

#[tokio::test]
async fn a_host_that_is_not_in_the_dns_is_reported() {
    let url = format!("mongodb+srv://admin:{PASSWORD}@nowhere.invalid/");
    let refused = open_error(&url).await;
    assert!(matches!(refused, OpenError::Host | OpenError::Unreachable));
}

#[tokio::test]
async fn tls_errors_are_reported() {
    let url = with_database(&testbed::shared::mongo().url(), "tls");
    let url = url.replace('?', "?tls=true&");
    let url = url.trim_end_matches('&');
    assert_eq!(open_error(url).await, OpenError::Unreachable);
    let url = format!("{url}&tlsCAFile=/nowhere/{PASSWORD}.pem");
    assert_eq!(open_error(&url).await, OpenError::Tls);
}

#[tokio::test]
async fn a_refused_login_is_reported() {
    let url = with_database(&testbed::shared::mongo().url(), "login");
    let url = url.replace("://", &format!("://admin:{PASSWORD}@"));
    assert_eq!(open_error(&url).await, OpenError::Refused);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_with_a_mongo_url_uses_that_store() {
    let database = FreshDatabase::new(testbed::shared::mongo()).await;
    let folder = tempdir().unwrap();
    let config = Config::from_env(&|name| match name {
        "MONGO_URL" => Some((&database.url).into()),
        "TONESA_DATA_DIR" => Some(folder.path().into()),
        _ => None,
    });
    let opened = backends::open(&config.unwrap(), &Metrics::default())
        .await
        .unwrap();
    let upload = some_upload();
    let name = UploadRef::Id(upload.id);
    opened
        .backends
        .store
        .insert_upload(upload.clone(), None)
        .await
        .unwrap();
    opened.close().await;
    assert!(!folder.path().join(DATABASE_FILE).exists());
    assert_eq!(database.open().await.upload(name).await, Ok(upload));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_a_newer_program_is_refused_and_one_of_an_older_raised() {
    let database = FreshDatabase::new(testbed::shared::mongo()).await;
    database.open().await;
    let schema = database.collection("schema").await;
    let version = async || {
        let found = schema.find_one(doc! {}).await.unwrap();
        found.unwrap().get_i64("version").unwrap()
    };
    let set = async |version: i64| {
        let set = doc! { "$set": { "version": version } };
        schema.update_one(doc! {}, set).await.unwrap();
    };
    let known = version().await;
    set(known - 1).await;
    database.open().await;
    assert_eq!(version().await, known);
    let found = known + 1;
    set(found).await;
    let refused = open_error(&database.url).await;
    assert_eq!(refused, OpenError::Newer { found, known });
    assert_eq!(version().await, found);
}
