//! Glue: the data catalog, as far as clients of Athena use it.
//!
//! For: JSON in, JSON out, and who may do it. Not for: jobs, crawlers and what
//! else Glue has; rules of tables (`weir_control::catalog`).
//!
//! Wire: JSON 1.1, target prefix `AWSGlue`.
//!
//! Source: Glue API reference, "Catalog".

mod batch_create_partition;
mod batch_delete_partition;
mod batch_delete_table;
mod batch_get_partition;
mod batch_update_partition;
mod create_database;
mod create_partition;
mod create_table;
mod delete_database;
mod delete_partition;
mod delete_table;
mod expression;
mod get_database;
mod get_databases;
mod get_partition;
mod get_partitions;
mod get_table;
mod get_table_versions;
mod get_tables;
mod names;
mod page;
mod permit;
mod render;
mod required;
mod search_tables;
mod update_database;
mod update_partition;
mod update_table;

#[cfg(test)]
mod tests;

use crate::service::JsonAction;

/// The prefix of `X-Amz-Target`.
pub const TARGET: &str = "AWSGlue";

/// Every action, by name.
pub const ACTIONS: &[JsonAction] = &[
    JsonAction { name: "BatchCreatePartition", run: batch_create_partition::run },
    JsonAction { name: "BatchDeletePartition", run: batch_delete_partition::run },
    JsonAction { name: "BatchDeleteTable", run: batch_delete_table::run },
    JsonAction { name: "BatchGetPartition", run: batch_get_partition::run },
    JsonAction { name: "BatchUpdatePartition", run: batch_update_partition::run },
    JsonAction { name: "CreateDatabase", run: create_database::run },
    JsonAction { name: "CreatePartition", run: create_partition::run },
    JsonAction { name: "CreateTable", run: create_table::run },
    JsonAction { name: "DeleteDatabase", run: delete_database::run },
    JsonAction { name: "DeletePartition", run: delete_partition::run },
    JsonAction { name: "DeleteTable", run: delete_table::run },
    JsonAction { name: "GetDatabase", run: get_database::run },
    JsonAction { name: "GetDatabases", run: get_databases::run },
    JsonAction { name: "GetPartition", run: get_partition::run },
    JsonAction { name: "GetPartitions", run: get_partitions::run },
    JsonAction { name: "GetTable", run: get_table::run },
    JsonAction { name: "GetTableVersions", run: get_table_versions::run },
    JsonAction { name: "GetTables", run: get_tables::run },
    JsonAction { name: "SearchTables", run: search_tables::run },
    JsonAction { name: "UpdateDatabase", run: update_database::run },
    JsonAction { name: "UpdatePartition", run: update_partition::run },
    JsonAction { name: "UpdateTable", run: update_table::run },
];
