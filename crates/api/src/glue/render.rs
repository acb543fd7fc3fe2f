//! What is kept, in the wire's words.

use crate::athena::render::seconds;
use crate::call::Call;
use crate::error::ApiError;
use serde_json::{Value, json};
use weir_control::catalog::{Database, Partition, Table};

pub fn database(call: &Call<'_>, database: &Database) -> Value {
    let mut shown = json!(database.input);
    shown["CreateTime"] = json!(seconds(database.created));
    shown["CatalogId"] = json!(call.scope.account);
    shown
}

pub fn table(call: &Call<'_>, table: &Table) -> Value {
    let mut shown = json!(table.input);
    if shown.get("PartitionKeys").is_none() {
        shown["PartitionKeys"] = json!([]);
    }
    if shown.get("Retention").is_none() {
        shown["Retention"] = json!(0);
    }
    shown["DatabaseName"] = json!(table.database);
    shown["CreateTime"] = json!(seconds(table.created));
    shown["UpdateTime"] = json!(seconds(table.updated));
    shown["IsRegisteredWithLakeFormation"] = json!(false);
    shown["CatalogId"] = json!(call.scope.account);
    shown["VersionId"] = json!(table.version.to_string());
    shown
}

pub fn partition(call: &Call<'_>, table: &Table, partition: &Partition) -> Value {
    let mut shown = json!(partition.input);
    shown["DatabaseName"] = json!(table.database);
    shown["TableName"] = json!(table.name());
    shown["CreationTime"] = json!(seconds(partition.created));
    shown["CatalogId"] = json!(call.scope.account);
    shown
}

/// What was wrong with one of many.
///
/// Errors: what is no fault of the caller.
pub fn detail(error: ApiError) -> Result<Value, ApiError> {
    match error.status {
        400 => Ok(json!({ "ErrorCode": error.code, "ErrorMessage": error.message })),
        _ => Err(error),
    }
}
