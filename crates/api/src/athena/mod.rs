//! Athena: SQL over what lies in S3, and the service's own things.
//!
//! For: JSON in, JSON out, and who may do it. Queries run in the background, in
//! an engine that the binary gives ([`engine`]), under the caller's permissions.
//! Not for: rules of workgroups and executions (`weir_control::athena`), SQL.
//!
//! Wire: JSON 1.1, target prefix `AmazonAthena`. Errors have `AthenaErrorCode`
//! and a capital `Message`.
//!
//! Source: Athena API reference.

mod batch_get_named_query;
mod batch_get_prepared_statement;
mod batch_get_query_execution;
mod create_data_catalog;
mod create_named_query;
mod create_prepared_statement;
mod create_work_group;
mod csv;
mod delete_data_catalog;
mod delete_named_query;
mod delete_prepared_statement;
mod delete_work_group;
pub mod engine;
mod get_data_catalog;
mod get_database;
mod get_named_query;
mod get_prepared_statement;
mod get_query_execution;
mod get_query_results;
mod get_query_runtime_statistics;
mod get_table_metadata;
mod get_work_group;
mod list_data_catalogs;
mod list_databases;
mod list_engine_versions;
mod list_named_queries;
mod list_prepared_statements;
mod list_query_executions;
mod list_table_metadata;
mod list_tags_for_resource;
mod list_work_groups;
pub(crate) mod names;
pub(crate) mod page;
pub(crate) mod permit;
pub(crate) mod render;
pub(crate) mod required;
mod start_query_execution;
mod stop_query_execution;
mod tag_resource;
mod tags;
mod untag_resource;
mod update_named_query;
mod update_prepared_statement;
mod update_work_group;
mod updates;

#[cfg(test)]
mod tests;

use crate::service::JsonAction;

/// The prefix of `X-Amz-Target`.
pub const TARGET: &str = "AmazonAthena";

/// Every action, by name.
pub const ACTIONS: &[JsonAction] = &[
    JsonAction { name: "BatchGetNamedQuery", run: batch_get_named_query::run },
    JsonAction { name: "BatchGetPreparedStatement", run: batch_get_prepared_statement::run },
    JsonAction { name: "BatchGetQueryExecution", run: batch_get_query_execution::run },
    JsonAction { name: "CreateDataCatalog", run: create_data_catalog::run },
    JsonAction { name: "CreateNamedQuery", run: create_named_query::run },
    JsonAction { name: "CreatePreparedStatement", run: create_prepared_statement::run },
    JsonAction { name: "CreateWorkGroup", run: create_work_group::run },
    JsonAction { name: "DeleteDataCatalog", run: delete_data_catalog::run },
    JsonAction { name: "DeleteNamedQuery", run: delete_named_query::run },
    JsonAction { name: "DeletePreparedStatement", run: delete_prepared_statement::run },
    JsonAction { name: "DeleteWorkGroup", run: delete_work_group::run },
    JsonAction { name: "GetDataCatalog", run: get_data_catalog::run },
    JsonAction { name: "GetDatabase", run: get_database::run },
    JsonAction { name: "GetNamedQuery", run: get_named_query::run },
    JsonAction { name: "GetPreparedStatement", run: get_prepared_statement::run },
    JsonAction { name: "GetQueryExecution", run: get_query_execution::run },
    JsonAction { name: "GetQueryResults", run: get_query_results::run },
    JsonAction { name: "GetQueryRuntimeStatistics", run: get_query_runtime_statistics::run },
    JsonAction { name: "GetTableMetadata", run: get_table_metadata::run },
    JsonAction { name: "GetWorkGroup", run: get_work_group::run },
    JsonAction { name: "ListDataCatalogs", run: list_data_catalogs::run },
    JsonAction { name: "ListDatabases", run: list_databases::run },
    JsonAction { name: "ListEngineVersions", run: list_engine_versions::run },
    JsonAction { name: "ListNamedQueries", run: list_named_queries::run },
    JsonAction { name: "ListPreparedStatements", run: list_prepared_statements::run },
    JsonAction { name: "ListQueryExecutions", run: list_query_executions::run },
    JsonAction { name: "ListTableMetadata", run: list_table_metadata::run },
    JsonAction { name: "ListTagsForResource", run: list_tags_for_resource::run },
    JsonAction { name: "ListWorkGroups", run: list_work_groups::run },
    JsonAction { name: "StartQueryExecution", run: start_query_execution::run },
    JsonAction { name: "StopQueryExecution", run: stop_query_execution::run },
    JsonAction { name: "TagResource", run: tag_resource::run },
    JsonAction { name: "UntagResource", run: untag_resource::run },
    JsonAction { name: "UpdateNamedQuery", run: update_named_query::run },
    JsonAction { name: "UpdatePreparedStatement", run: update_prepared_statement::run },
    JsonAction { name: "UpdateWorkGroup", run: update_work_group::run },
];
