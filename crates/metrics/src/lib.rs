//! CloudWatch metrics for one server: data points at one-minute resolution (one
//! second for the newest high-resolution ones), their statistics, metric math,
//! and alarms.
//!
//! For: the `cloudwatch` service, and metric filters of CloudWatch Logs.
//!
//! Not for: wire formats and permissions (the service), carrying alarm actions
//! out (`weir_forward`).
//!
//! What a caller may rely on:
//!
//! - Everything is kept for [`KEPT_DAYS`] days, in memory and in one journal
//!   file a day; a put that asks for it is on disk when it returns.
//! - Time is always an argument. An alarm's state follows from its definition,
//!   the data points, the time, and the state before: [`alarm::evaluate`] is pure.
//!
//! Source: CloudWatch API reference and user guide.

pub mod alarm;
mod journal;
pub mod math;
mod point;
mod query;
mod stat;
mod store;

pub use point::{MetricId, NONE, Point, Scope, unit_number};
pub use query::{MetricQuery, MetricStat, QueryError, QueryResult};
pub use stat::Stat;
pub use store::{Bucket, Datum, KEPT_DAYS, Metrics, Total};
pub use weir_types::metric::UNITS;
