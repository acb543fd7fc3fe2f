//! CloudWatch Logs: groups, streams and events, over the embedded store.
//!
//! For: JSON in, JSON out, and who may do it. Each action has a file of its
//! own: parse, authorize, apply, render.
//!
//! Not for: rules, limits and texts of groups, streams and events; they are in
//! the store, `weir_logs`, which answers in AWS's words.
//!
//! Wire: JSON 1.1, target prefix `Logs_20140328`. Instants are milliseconds
//! since 1970. A member that is absent, `null` or unknown is one and the same.
//!
//! Source: CloudWatch Logs API reference.

mod arn;
mod associate_kms_key;
mod cancel_export_task;
mod create_export_task;
mod create_log_group;
mod create_log_stream;
mod delete_destination;
mod delete_index_policy;
mod delete_log_group;
mod delete_log_stream;
mod delete_metric_filter;
mod delete_query_definition;
mod delete_resource_policy;
mod delete_retention_policy;
mod delete_subscription_filter;
mod describe_destinations;
mod describe_export_tasks;
mod describe_field_indexes;
mod describe_index_policies;
mod describe_log_groups;
mod describe_log_streams;
mod describe_metric_filters;
mod describe_queries;
mod describe_query_definitions;
mod describe_resource_policies;
mod describe_subscription_filters;
pub mod destination;
mod disassociate_kms_key;
mod error;
mod event_stream;
mod export;
mod filter_log_events;
mod get_log_events;
mod get_log_group_fields;
mod get_log_record;
mod get_query_results;
mod identify;
mod index_policy;
mod list_log_groups;
mod list_tags_for_resource;
mod list_tags_log_group;
pub mod live_tail;
mod permit;
mod put_destination;
mod put_destination_policy;
mod put_index_policy;
mod put_log_events;
mod put_log_group_deletion_protection;
mod put_metric_filter;
mod put_query_definition;
mod put_resource_policy;
mod put_retention_policy;
mod put_subscription_filter;
mod query_groups;
pub mod refused;
mod required;
mod resource_policy;
pub mod start_live_tail;
mod start_query;
mod stop_query;
mod tag_log_group;
mod tag_resource;
mod tagged;
mod tags;
mod test_metric_filter;
mod untag_log_group;
mod untag_resource;

#[cfg(test)]
mod tests;

use crate::error::ApiError;
use crate::service::JsonAction;

/// The prefix of `X-Amz-Target`.
pub const TARGET: &str = "Logs_20140328";

/// Every action, by name.
pub const ACTIONS: &[JsonAction] = &[
    JsonAction { name: "AssociateKmsKey", run: associate_kms_key::run },
    JsonAction { name: "CancelExportTask", run: cancel_export_task::run },
    JsonAction { name: "CreateExportTask", run: create_export_task::run },
    JsonAction { name: "CreateLogGroup", run: create_log_group::run },
    JsonAction { name: "CreateLogStream", run: create_log_stream::run },
    JsonAction { name: "DeleteDestination", run: delete_destination::run },
    JsonAction { name: "DeleteIndexPolicy", run: delete_index_policy::run },
    JsonAction { name: "DeleteLogGroup", run: delete_log_group::run },
    JsonAction { name: "DeleteLogStream", run: delete_log_stream::run },
    JsonAction { name: "DeleteMetricFilter", run: delete_metric_filter::run },
    JsonAction { name: "DeleteQueryDefinition", run: delete_query_definition::run },
    JsonAction { name: "DeleteResourcePolicy", run: delete_resource_policy::run },
    JsonAction { name: "DeleteRetentionPolicy", run: delete_retention_policy::run },
    JsonAction { name: "DeleteSubscriptionFilter", run: delete_subscription_filter::run },
    JsonAction { name: "DescribeDestinations", run: describe_destinations::run },
    JsonAction { name: "DescribeExportTasks", run: describe_export_tasks::run },
    JsonAction { name: "DescribeFieldIndexes", run: describe_field_indexes::run },
    JsonAction { name: "DescribeIndexPolicies", run: describe_index_policies::run },
    JsonAction { name: "DescribeLogGroups", run: describe_log_groups::run },
    JsonAction { name: "DescribeLogStreams", run: describe_log_streams::run },
    JsonAction { name: "DescribeMetricFilters", run: describe_metric_filters::run },
    JsonAction { name: "DescribeQueries", run: describe_queries::run },
    JsonAction { name: "DescribeQueryDefinitions", run: describe_query_definitions::run },
    JsonAction { name: "DescribeResourcePolicies", run: describe_resource_policies::run },
    JsonAction { name: "DescribeSubscriptionFilters", run: describe_subscription_filters::run },
    JsonAction { name: "DisassociateKmsKey", run: disassociate_kms_key::run },
    JsonAction { name: "FilterLogEvents", run: filter_log_events::run },
    JsonAction { name: "GetLogEvents", run: get_log_events::run },
    JsonAction { name: "GetLogGroupFields", run: get_log_group_fields::run },
    JsonAction { name: "GetLogRecord", run: get_log_record::run },
    JsonAction { name: "GetQueryResults", run: get_query_results::run },
    JsonAction { name: "ListLogGroups", run: list_log_groups::run },
    JsonAction { name: "ListTagsForResource", run: list_tags_for_resource::run },
    JsonAction { name: "ListTagsLogGroup", run: list_tags_log_group::run },
    JsonAction { name: "PutDestination", run: put_destination::run },
    JsonAction { name: "PutDestinationPolicy", run: put_destination_policy::run },
    JsonAction { name: "PutIndexPolicy", run: put_index_policy::run },
    JsonAction { name: "PutLogEvents", run: put_log_events::run },
    JsonAction { name: "PutLogGroupDeletionProtection", run: put_log_group_deletion_protection::run },
    JsonAction { name: "PutMetricFilter", run: put_metric_filter::run },
    JsonAction { name: "PutQueryDefinition", run: put_query_definition::run },
    JsonAction { name: "PutResourcePolicy", run: put_resource_policy::run },
    JsonAction { name: "PutRetentionPolicy", run: put_retention_policy::run },
    JsonAction { name: "PutSubscriptionFilter", run: put_subscription_filter::run },
    JsonAction { name: "StartQuery", run: start_query::run },
    JsonAction { name: "StopQuery", run: stop_query::run },
    JsonAction { name: "TagLogGroup", run: tag_log_group::run },
    JsonAction { name: "TagResource", run: tag_resource::run },
    JsonAction { name: "TestMetricFilter", run: test_metric_filter::run },
    JsonAction { name: "UntagLogGroup", run: untag_log_group::run },
    JsonAction { name: "UntagResource", run: untag_resource::run },
];

/// A random UUID (RFC 9562, version 4), for what the service names itself.
fn random_id() -> Result<String, ApiError> {
    let mut bytes = [0u8; 16];
    getrandom::fill(&mut bytes).map_err(ApiError::internal)?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = hex::encode(bytes);
    Ok([&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-"))
}
