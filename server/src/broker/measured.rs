//! Wraps a broker, and measures its calls, its frames and its interruptions.

use std::sync::Arc;

use app::model::UploadId;
use async_trait::async_trait;

use super::metrics::BrokerMetrics;
use super::{Broker, BrokerError, Deliver, Frame};

/// A broker with metrics.
pub struct MeasuredBroker {
    broker: Arc<dyn Broker>,
    metrics: BrokerMetrics,
}

impl MeasuredBroker {
    /// Measures the calls of `broker`.
    pub fn new(broker: Arc<dyn Broker>, metrics: BrokerMetrics) -> Self {
        Self { broker, metrics }
    }
}

#[async_trait]
impl Broker for MeasuredBroker {
    fn attach(&self, receiver: Arc<dyn Deliver>) {
        self.metrics.attached();
        let metrics = self.metrics.clone();
        self.broker
            .attach(Arc::new(MeasuredReceiver { receiver, metrics }));
    }

    async fn publish(&self, topic: UploadId, frame: Frame) -> Result<(), BrokerError> {
        let class = frame.class;
        let call = self.broker.publish(topic, frame);
        let published = self.metrics.calls.measure("publish", call).await;
        published.inspect_err(|_| self.metrics.publish_failed(class))
    }

    async fn subscribe(&self, topic: UploadId) -> Result<(), BrokerError> {
        let call = self.broker.subscribe(topic);
        self.metrics.calls.measure("subscribe", call).await
    }

    async fn unsubscribe(&self, topic: UploadId) -> Result<(), BrokerError> {
        let call = self.broker.unsubscribe(topic);
        self.metrics.calls.measure("unsubscribe", call).await
    }

    fn is_external(&self) -> bool {
        self.broker.is_external()
    }

    async fn ping(&self) -> Result<(), BrokerError> {
        self.metrics.calls.measure("ping", self.broker.ping()).await
    }
}

struct MeasuredReceiver {
    receiver: Arc<dyn Deliver>,
    metrics: BrokerMetrics,
}

impl Deliver for MeasuredReceiver {
    fn deliver(&self, topic: UploadId, frame: Frame) {
        self.metrics.received(frame.class);
        self.receiver.deliver(topic, frame);
    }

    fn refused(&self, reason: &'static str) {
        self.receiver.refused(reason);
    }

    fn interrupted(&self) {
        self.metrics.interrupted();
        self.receiver.interrupted();
    }

    fn repaired(&self) {
        self.metrics.repaired();
        self.receiver.repaired();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU8, Ordering};

    use super::*;
    use crate::app::metrics::Metrics;
    use crate::broker::DeliveryClass;
    use crate::broker::conformance::{broker_suite, some_frame, some_topic};
    use crate::broker::memory::{MemoryBroker, MemoryBus};
    use crate::http::metrics_endpoint::encode_metrics;

    // The guarantees of a broker hold for a wrapped one too.
    broker_suite!(async {
        let bus = Arc::new(MemoryBus::default());
        let node = || -> Arc<dyn Broker> {
            let broker = Arc::new(MemoryBroker::new(Arc::clone(&bus)));
            Arc::new(MeasuredBroker::new(broker, Metrics::default().broker))
        };
        ([node(), node()], ())
    });

    /// A broker that is unavailable, and reports interruptions.
    struct UnavailableBroker;

    #[async_trait]
    impl Broker for UnavailableBroker {
        fn attach(&self, receiver: Arc<dyn Deliver>) {
            receiver.interrupted();
            receiver.repaired();
            receiver.interrupted();
        }

        async fn publish(&self, _: UploadId, _: Frame) -> Result<(), BrokerError> {
            Err(BrokerError::UNAVAILABLE)
        }

        async fn subscribe(&self, _: UploadId) -> Result<(), BrokerError> {
            Err(BrokerError::UNAVAILABLE)
        }

        async fn unsubscribe(&self, _: UploadId) -> Result<(), BrokerError> {
            Err(BrokerError::UNAVAILABLE)
        }

        async fn ping(&self) -> Result<(), BrokerError> {
            Err(BrokerError::UNAVAILABLE)
        }
    }

    /// Counts the calls of `interrupted` and `repaired`.
    #[derive(Default)]
    struct CountingReceiver([AtomicU8; 2]);

    impl Deliver for CountingReceiver {
        fn deliver(&self, _: UploadId, _: Frame) {}

        fn interrupted(&self) {
            self.0[0].fetch_add(1, Ordering::Relaxed);
        }

        fn repaired(&self) {
            self.0[1].fetch_add(1, Ordering::Relaxed);
        }
    }

    #[tokio::test]
    async fn outages_are_counted_and_passed_on() {
        let metrics = Metrics::default();
        let broker = MeasuredBroker::new(Arc::new(UnavailableBroker), metrics.broker.clone());
        let receiver = Arc::new(CountingReceiver::default());
        broker.attach(Arc::<CountingReceiver>::clone(&receiver));
        let touch = Frame {
            class: DeliveryClass::Touch,
            ..some_frame("")
        };
        assert!(broker.publish(some_topic(), touch).await.is_err());
        assert!(broker.subscribe(some_topic()).await.is_err());
        let passed_on = receiver
            .0
            .each_ref()
            .map(|calls| calls.load(Ordering::Relaxed));
        assert_eq!(passed_on, [2, 1]);
        let text = encode_metrics(&metrics.registry);
        for sample in [
            "tonesa_broker_interruptions_total 2\n",
            "tonesa_broker_repairs_total 1\n",
            "tonesa_broker_healthy 0\n",
            "tonesa_broker_publish_failures_total{class=\"touch\"} 1\n",
            "tonesa_broker_publish_failures_total{class=\"message\"} 0\n",
            "{operation=\"subscribe\",outcome=\"unavailable\"} 1\n",
        ] {
            assert!(text.contains(sample), "{sample} is not in {text}");
        }
    }
}
