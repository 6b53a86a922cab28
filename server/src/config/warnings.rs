//! Warnings about settings that are valid but probably not intended.

use ipnet::IpNet;

use super::Config;

impl Config {
    /// Returns warnings for the log, each a whole sentence.
    pub fn warnings(&self) -> Vec<&'static str> {
        let is_public = !self.bind.to_canonical().is_loopback();
        // Several networks may together cover all addresses.
        let trusts_everyone = IpNet::aggregate(&self.trusted_proxies)
            .iter()
            .any(|network| network.prefix_len() == 0);
        let warnings = [
            (
                is_public && self.public_url.is_none(),
                "PUBLIC_URL is not set and the node listens publicly: any host that a request names is believed, \
                 for links and for the check of Origin, and each made-up one costs a rendering. Set PUBLIC_URL to the \
                 address that people use.",
            ),
            (
                trusts_everyone,
                "TONESA_TRUSTED_PROXIES covers all addresses: every client may choose the address by which it \
                 is counted. List the proxies alone.",
            ),
        ];
        let applying = warnings.into_iter().filter(|(holds, _)| *holds);
        applying.map(|(_, warning)| warning).collect()
    }
}
