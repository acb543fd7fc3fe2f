//! The embedded log store: log groups, log streams and their events, in
//! CloudWatch Logs' words, with its rules, limits, tokens and error texts.
//!
//! For: the `logs` service. Everything is synchronous and thread-safe
//! ([`Store`] is a cheap handle; clone it); a call may wait for the disk, so an
//! async caller uses `spawn_blocking`. Time is always an argument.
//!
//! Not for: JSON, ARNs, permissions (the service), what becomes of metric values
//! (`weir_metrics`) and of subscribed events (`weir_forward`). Filter patterns are in [`pattern`] and need no store.
//!
//! What a caller may rely on:
//!
//! - An acknowledged change (group, stream, retention, batch of events) was
//!   written and fdatasynced before the call returned. A batch is there wholly
//!   or not at all.
//! - A failed write leaves the store as it was and the next one works again
//!   as soon as the disk does. After a crash, a change that was answered with
//!   an error, or not at all, may be there or not; a batch sent again with the
//!   same `weir:` sequence token is stored once (see [`PutLogEvents`]).
//! - A reader sees the events of all acknowledged batches, and never those of
//!   a batch that is not durable yet.
//!
//! The shape: every change goes through one queue (`commit`), whose leader
//! checks it against the `index`, appends it to the log files
//! (`wal`, `record`, over the file layer `files`) and then applies it to the
//! index. Replay at open applies the same records to an empty index. The index
//! keeps 40 bytes per event of the log files, which a thread turns into
//! immutable `segment`s, compressed and without a byte of memory per event, as
//! they are closed. Readers merge both.

mod commit;
mod describe;
mod documents;
mod error;
mod files;
mod filter;
mod filters;
mod get;
mod group;
mod index;
pub mod insights;
pub mod limits;
mod listen;
pub mod pattern;
mod put;
mod read;
mod record;
mod recover;
pub mod scan;
mod segment;
mod store;
mod stream;
mod token;
mod wal;

#[cfg(test)]
mod tests;

pub use documents::{
    ExportStatus, ExportTask, ExportTasks, IndexPolicy, LogDestination, LogDestinations, PutResourcePolicy,
    QueryDefinition, QueryDefinitions, QueryParameter, ResourcePolicies, ResourcePolicy,
};
pub use error::{LogsError, StoreError};
pub use filter::{FilterLogEvents, FilteredLogEvent, FilteredLogEvents, FoundLogEvent};
pub use filters::{
    DescribeMetricFilters, DescribeSubscriptionFilters, MetricFilter, MetricFilterMatch, MetricFilters,
    MetricSample, MetricTransformation, NamedFilter, PutMetricFilter, Subscribed, SubscribedEvent,
    SubscriptionFilter, SubscriptionFilters, test_metric_filter,
};
pub use get::{GetLogEvents, LogEvents, OutputLogEvent};
pub use group::{CreateLogGroup, DescribeLogGroups, LogGroup, LogGroupClass, LogGroups};
pub use listen::{Listener, Stored};
pub use put::{InputLogEvent, PutLogEvents, PutLogEventsResult, RejectedLogEventsInfo};
pub use store::{Maintained, Scope, Store, StoreOptions};
pub use stream::{DescribeLogStreams, LogStream, LogStreams, OrderBy};
