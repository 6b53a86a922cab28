//! What was deleted, blocked or has expired is gone at every address.

use super::first_few;
use crate::client::Api;
use crate::ended_uploads::Ended;
use crate::restores::Restores;

const GONE: u16 = 410;

/// Asks every node for it.
pub async fn ended(nodes: &[Api], ended: &[Ended], restores: &Restores) -> Vec<String> {
    let mut errors = Vec::new();
    for it in ended {
        if !it.is_gone() || restores.may_have_lost(it.times) {
            continue;
        }
        for node in nodes {
            for address in it.addresses() {
                let status = node.get(&address).await.map(|(status, _)| status);
                if status != Ok(GONE) {
                    let (end, node) = (it.end, node.choose_node());
                    errors.push(format!("{end:?}: {address} at {node} answers {status:?}"));
                }
            }
        }
    }
    first_few(errors)
}
