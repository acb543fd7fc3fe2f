//! Metric filters and subscription filters: kept with their log group, listed
//! page by page, and what they make of events.

mod metric;
mod page;
mod sample;
mod selection;
mod subscription;

pub use metric::{
    DescribeMetricFilters, MetricFilter, MetricFilterMatch, MetricFilters, MetricTransformation, NamedFilter,
    PutMetricFilter, test_metric_filter,
};
pub use sample::MetricSample;
pub use subscription::{
    DescribeSubscriptionFilters, Subscribed, SubscribedEvent, SubscriptionFilter, SubscriptionFilters,
};

pub(crate) use sample::Compiled;
