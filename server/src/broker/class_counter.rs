//! A counter for each delivery class.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use super::DeliveryClass;

/// A counter for each class, accessed without a lookup. Clones share them.
#[derive(Debug, Clone)]
pub struct ClassCounter {
    family: Family<[(&'static str, &'static str); 1], Counter>,
    messages: Counter,
    touches: Counter,
    presence: Counter,
}

impl Default for ClassCounter {
    fn default() -> Self {
        let family = Family::default();
        Self {
            messages: family.get_or_create_owned(&label(DeliveryClass::Message)),
            touches: family.get_or_create_owned(&label(DeliveryClass::Touch)),
            presence: family.get_or_create_owned(&label(DeliveryClass::Presence)),
            family,
        }
    }
}

impl ClassCounter {
    /// Creates the counters and registers them under this name.
    pub fn registered(registry: &mut Registry, name: &str, help: &str) -> Self {
        let counters = Self::default();
        registry.register(name, help, counters.family.clone());
        counters
    }

    /// Adds to the counter of a class.
    pub fn add(&self, class: DeliveryClass, count: u64) {
        match class {
            DeliveryClass::Message => self.messages.inc_by(count),
            DeliveryClass::Touch => self.touches.inc_by(count),
            DeliveryClass::Presence => self.presence.inc_by(count),
        };
    }
}

/// The label of a class.
pub fn label(class: DeliveryClass) -> [(&'static str, &'static str); 1] {
    let name = match class {
        DeliveryClass::Message => "message",
        DeliveryClass::Touch => "touch",
        DeliveryClass::Presence => "presence",
    };
    [("class", name)]
}
