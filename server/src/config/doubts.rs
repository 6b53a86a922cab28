//! Settings that are possible and seldom meant.

use ipnet::IpNet;

use super::Config;

impl Config {
    /// What whoever runs the node should think about again: whole sentences, for the log.
    pub fn doubts(&self) -> Vec<&'static str> {
        let is_public = !self.bind.to_canonical().is_loopback();
        // Several may cover all addresses together.
        let believes_everyone = IpNet::aggregate(&self.trusted_proxies)
            .iter()
            .any(|network| network.prefix_len() == 0);
        let doubts = [
            (
                is_public && self.public_url.is_none(),
                "PUBLIC_URL is not set and the node listens publicly: whatever host a request names is believed, for links \
                 and for the check of Origin, and each made-up one costs a rendering. Set PUBLIC_URL to the address that \
                 people use.",
            ),
            (
                believes_everyone,
                "TONESA_TRUSTED_PROXIES covers all addresses: every client may choose the address by which it \
                 is counted. List the proxies alone.",
            ),
        ];
        let told = doubts.into_iter().filter(|(holds, _)| *holds);
        told.map(|(_, doubt)| doubt).collect()
    }
}
