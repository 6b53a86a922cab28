//! Derived pictures.

use super::*;
use crate::blob::Derived;

async fn put_derived(fixture: &Fixture, key: ShortId) {
    let file = tempfile::NamedTempFile::new_in(fixture.blobs.temp_dir()).unwrap();
    let put = (fixture.blobs).put_derived(key, Derived::W640, file.into_temp_path());
    put.await.unwrap();
}

async fn with_derived(fixture: &Fixture) -> Vec<ShortId> {
    let listed = fixture.blobs.list_derived(None, 100_000).await.unwrap();
    listed.iter().map(|entry| entry.key).collect()
}

#[tokio::test]
async fn derived_pictures_stay_as_long_as_their_upload_and_go_with_an_orphan() {
    let fixture = Fixture::new().await;
    let (used, orphan) = (fixture.put("used0000").await, fixture.put("orphan00").await);
    fixture.insert(used).await;
    // An upload whose blob is lost keeps what is left of it.
    let lost = "used0001".parse().unwrap();
    fixture.insert(lost).await;
    for key in [used, orphan, lost] {
        put_derived(&fixture, key).await;
    }
    assert_eq!(fixture.sweep(DAY + DAY).await, Ok(swept(1, 0, 0)));
    assert_eq!(fixture.marked().await, [orphan]);
    assert_eq!(with_derived(&fixture).await.len(), 3);
    assert_eq!(fixture.sweep(DAY + WEEK).await, Ok(swept(0, 0, 1)));
    assert_eq!(with_derived(&fixture).await, [used, lost]);
    assert_eq!(fixture.images().await, 1);
}

#[tokio::test]
async fn derived_pictures_without_blob_and_upload_are_marked_for_a_week_and_then_removed() {
    let fixture = Fixture::new().await;
    let stray = "stray000".parse().unwrap();
    put_derived(&fixture, stray).await;
    // The blob of a younger one may just be put.
    assert_eq!(fixture.sweep(DAY / 2).await, Ok(swept(0, 0, 0)));
    assert_eq!(fixture.sweep(DAY + DAY).await, Ok(swept(1, 0, 0)));
    assert_eq!(fixture.sweep(6 * DAY).await, Ok(swept(0, 0, 0)));
    assert_eq!(with_derived(&fixture).await, [stray]);
    assert_eq!(fixture.sweep(DAY + WEEK).await, Ok(swept(0, 0, 1)));
    assert!(with_derived(&fixture).await.is_empty());
    assert!(fixture.marked().await.is_empty());
}

#[tokio::test]
async fn too_many_derived_pictures_without_upload_are_not_believed() {
    let fixture = Fixture::new().await;
    for n in 0..=ALWAYS_PLAUSIBLE {
        put_derived(&fixture, format!("stray{n:03}").parse().unwrap()).await;
    }
    let refused = fixture.sweep(DAY + DAY).await;
    assert!(matches!(refused, Err(SweepError::TooMany { .. })));
    assert!(fixture.marked().await.is_empty());
}
