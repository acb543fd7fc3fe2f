//! Who hears of stored batches: metrics, live tail, subscriptions.
//!
//! Listeners run in the writer's thread after the batch is durable and before
//! its answer goes out, so they must be quick and must not fail: what takes
//! time or may fail (sending, for example) goes to a queue of their own.

use crate::filters::{Compiled, MetricSample};
use crate::index::Place;
use crate::put::InputLogEvent;
use crate::store::{Scope, Store, read_lock, write_lock};
use crate::token::event_id;
use std::sync::Arc;
use weir_types::time::UnixMillis;

/// Hears of every batch that was stored.
pub trait Listener: Send + Sync {
    fn stored(&self, batch: &Stored<'_>);
}

/// A batch that is durable. One that was sent again and not stored again is
/// not told again.
pub struct Stored<'a> {
    pub scope: &'a Scope,
    pub group: &'a str,
    pub stream: &'a str,
    pub(crate) stream_id: u64,
    pub first_sequence: u64,
    pub ingestion: UnixMillis,
    /// In order of time; without those that were rejected.
    pub events: &'a [InputLogEvent],
    pub(crate) filters: Arc<Compiled>,
}

impl Stored<'_> {
    /// The id that FilterLogEvents gives the event at `index`.
    pub fn event_id(&self, index: usize) -> String {
        let timestamp = self.events.get(index).map_or(0, |event| event.timestamp.0);
        event_id(self.stream_id, Place { timestamp, sequence: self.first_sequence + index as u64 })
    }

    /// What the group's metric filters make of the batch.
    pub fn metric_samples(&self) -> Vec<MetricSample> {
        self.filters.samples(self.scope, self.events)
    }
}

impl Store {
    /// Adds a listener, for as long as the store is open.
    pub fn listen(&self, listener: Arc<dyn Listener>) {
        write_lock(&self.inner.listeners).push(listener);
    }

    pub(crate) fn tell(&self, batch: &Stored<'_>) {
        for listener in read_lock(&self.inner.listeners).iter() {
            listener.stored(batch);
        }
    }
}
