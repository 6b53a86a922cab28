//! An upload that was acknowledged is whole, on every node.

use std::net::SocketAddr;

use app::live::failure::ApiFailure;
use app::model::Upload;
use reqwest::Client;

use super::told;
use crate::client::read;

/// Reads every acknowledged upload on every node.
pub async fn pictures(
    http: &Client,
    nodes: &[SocketAddr],
    acknowledged: &[(Upload, Vec<u8>)],
) -> Vec<String> {
    let mut faults = Vec::new();
    for (upload, bytes) in acknowledged {
        for node in nodes {
            let fault = check(http, *node, upload, bytes).await;
            faults.extend(
                fault.map(|fault| format!("upload {} at {node}: {fault}", upload.short_id)),
            );
        }
    }
    told(faults)
}

async fn check(http: &Client, node: SocketAddr, upload: &Upload, bytes: &[u8]) -> Option<String> {
    let url = format!("http://{node}/api/uploads/{}", upload.id);
    let told: Result<Upload, ApiFailure> = read(http.get(url)).await;
    match told {
        Ok(told) if told == *upload => {}
        Ok(_) => return Some("it is not as it was acknowledged".into()),
        Err(failure) => return Some(format!("it is lost: {failure}")),
    }
    let url = format!("http://{node}{}", upload.content.url);
    let served = async {
        http.get(url)
            .send()
            .await?
            .error_for_status()?
            .bytes()
            .await
    };
    match served.await {
        Ok(served) if served == bytes => None,
        Ok(served) => Some(format!(
            "{} bytes are served, which are others than were sent",
            served.len()
        )),
        Err(_) => Some("its picture is lost".into()),
    }
}
