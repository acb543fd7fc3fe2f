//! What is kept, in the wire's words.

use serde_json::{Value, json};
use weir_control::athena::execution::{ResultColumn, Statistics};
use weir_control::athena::{DataCatalog, NamedQuery, PreparedStatement, QueryExecution, WorkGroup};
use weir_control::catalog::{Column, Database, Table};
use weir_types::time::UnixMillis;

/// Seconds since 1970 with decimals.
pub fn seconds(at: UnixMillis) -> f64 {
    at.0 as f64 / 1000.0
}

/// An object of those members that have a value.
fn object(members: &[(&str, Option<Value>)]) -> Value {
    let there = members.iter().filter_map(|(name, value)| Some(((*name).to_owned(), value.clone()?)));
    Value::Object(there.collect())
}

pub fn named_query(query: &NamedQuery) -> Value {
    object(&[
        ("NamedQueryId", Some(json!(query.id))),
        ("Name", Some(json!(query.name))),
        ("Description", query.description.as_ref().map(|text| json!(text))),
        ("Database", Some(json!(query.database))),
        ("QueryString", Some(json!(query.query))),
        ("WorkGroup", Some(json!(query.work_group))),
    ])
}

pub fn prepared_statement(statement: &PreparedStatement) -> Value {
    object(&[
        ("StatementName", Some(json!(statement.name()))),
        ("QueryStatement", Some(json!(statement.query))),
        ("WorkGroupName", Some(json!(statement.work_group))),
        ("Description", statement.description.as_ref().map(|text| json!(text))),
        ("LastModifiedTime", Some(json!(seconds(statement.modified)))),
    ])
}

pub fn catalog(catalog: &DataCatalog) -> Value {
    object(&[
        ("Name", Some(json!(catalog.name()))),
        ("Type", Some(json!(catalog.kind))),
        ("Description", catalog.description.as_ref().map(|text| json!(text))),
        ("Parameters", Some(json!(catalog.parameters))),
    ])
}

fn engine_version() -> Value {
    json!({ "SelectedEngineVersion": "AUTO", "EffectiveEngineVersion": "Athena engine version 3" })
}

pub fn work_group(group: &WorkGroup) -> Value {
    object(&[
        ("Name", Some(json!(group.name()))),
        ("State", Some(json!(state(group)))),
        ("Configuration", Some(json!(group.configuration))),
        ("Description", group.description.as_ref().map(|text| json!(text))),
        ("CreationTime", Some(json!(seconds(group.created)))),
    ])
}

fn state(group: &WorkGroup) -> &'static str {
    if group.enabled { "ENABLED" } else { "DISABLED" }
}

pub fn work_group_summary(group: &WorkGroup) -> Value {
    json!({
        "Name": group.name(),
        "State": state(group),
        "Description": group.description.as_deref().unwrap_or_default(),
        "CreationTime": seconds(group.created),
        "EngineVersion": engine_version(),
    })
}

pub fn execution(execution: &QueryExecution) -> Value {
    let mut result = execution.result_configuration.clone();
    if !result.is_object() {
        result = json!({});
    }
    result["OutputLocation"] = json!(execution.output_location);
    let failure = execution.failure.as_ref().map(|failure| {
        json!({
            "ErrorCategory": failure.category,
            "ErrorType": failure.kind,
            "Retryable": failure.category == 1,
            "ErrorMessage": failure.message,
        })
    });
    let status = object(&[
        ("State", Some(json!(execution.state.as_str()))),
        ("StateChangeReason", execution.reason.as_ref().map(|text| json!(text))),
        ("SubmissionDateTime", Some(json!(seconds(execution.submitted)))),
        ("CompletionDateTime", execution.completed.map(|at| json!(seconds(at)))),
        ("AthenaError", failure),
    ]);
    let context = object(&[
        ("Database", execution.database.as_ref().map(|text| json!(text))),
        ("Catalog", execution.catalog.as_ref().map(|text| json!(text))),
    ]);
    object(&[
        ("QueryExecutionId", Some(json!(execution.id))),
        ("Query", Some(json!(execution.query))),
        ("StatementType", Some(json!(execution.statement_type))),
        ("SubstatementType", Some(json!(execution.substatement_type))),
        ("ResultConfiguration", Some(result)),
        ("ResultReuseConfiguration", Some(json!({ "ResultReuseByAgeConfiguration": { "Enabled": false } }))),
        ("QueryExecutionContext", Some(context)),
        ("Status", Some(status)),
        ("Statistics", Some(statistics(&execution.statistics))),
        ("WorkGroup", Some(json!(execution.work_group))),
        ("EngineVersion", Some(engine_version())),
        ("ExecutionParameters", (!execution.parameters.is_empty()).then(|| json!(execution.parameters))),
    ])
}

fn statistics(told: &Statistics) -> Value {
    object(&[
        ("EngineExecutionTimeInMillis", Some(json!(told.engine_ms))),
        ("DataScannedInBytes", Some(json!(told.scanned_bytes))),
        ("DataManifestLocation", told.manifest.as_ref().map(|text| json!(text))),
        ("TotalExecutionTimeInMillis", Some(json!(told.total_ms))),
        ("QueryQueueTimeInMillis", Some(json!(told.queue_ms))),
        ("ServicePreProcessingTimeInMillis", Some(json!(0))),
        ("QueryPlanningTimeInMillis", Some(json!(told.planning_ms))),
        ("ServiceProcessingTimeInMillis", Some(json!(0))),
        ("ResultReuseInformation", Some(json!({ "ReusedPreviousResult": false }))),
    ])
}

pub fn runtime_statistics(told: &Statistics) -> Value {
    json!({
        "Timeline": {
            "QueryQueueTimeInMillis": told.queue_ms,
            "ServicePreProcessingTimeInMillis": 0,
            "QueryPlanningTimeInMillis": told.planning_ms,
            "EngineExecutionTimeInMillis": told.engine_ms,
            "ServiceProcessingTimeInMillis": 0,
            "TotalExecutionTimeInMillis": told.total_ms,
        },
        "Rows": {
            "InputRows": told.input_rows,
            "InputBytes": told.scanned_bytes,
            "OutputRows": told.output_rows,
            "OutputBytes": told.output_bytes,
        },
    })
}

pub fn database(database: &Database) -> Value {
    object(&[
        ("Name", Some(json!(database.name()))),
        ("Description", database.input.description.as_ref().map(|text| json!(text))),
        ("Parameters", Some(json!(database.input.parameters.clone().unwrap_or_default()))),
    ])
}

fn column(column: &Column) -> Value {
    object(&[
        ("Name", Some(json!(column.name))),
        ("Type", column.data_type.as_ref().map(|text| json!(text))),
        ("Comment", column.comment.as_ref().map(|text| json!(text))),
    ])
}

pub fn table_metadata(table: &Table) -> Value {
    let mut parameters = table.input.parameters.clone().unwrap_or_default();
    if let Some(storage) = &table.input.storage_descriptor {
        let serde = storage.serde_info.as_ref();
        for (name, value) in [
            ("location", &storage.location),
            ("inputformat", &storage.input_format),
            ("outputformat", &storage.output_format),
            ("serde.serialization.lib", &serde.and_then(|serde| serde.serialization_library.clone())),
        ] {
            if let Some(value) = value {
                parameters.insert(name.to_owned(), value.clone());
            }
        }
        for (name, value) in serde.and_then(|serde| serde.parameters.as_ref()).into_iter().flatten() {
            parameters.insert(format!("serde.param.{name}"), value.clone());
        }
    }
    object(&[
        ("Name", Some(json!(table.name()))),
        ("CreateTime", Some(json!(seconds(table.created)))),
        ("TableType", table.input.table_type.as_ref().map(|text| json!(text))),
        ("Columns", Some(table.input.columns().iter().map(column).collect())),
        ("PartitionKeys", Some(table.input.keys().iter().map(column).collect())),
        ("Parameters", Some(json!(parameters))),
    ])
}

pub fn column_info(column: &ResultColumn) -> Value {
    json!({
        "CatalogName": "hive",
        "SchemaName": "",
        "TableName": "",
        "Name": column.name,
        "Label": column.name,
        "Type": column.data_type,
        "Precision": column.precision,
        "Scale": column.scale,
        "Nullable": "UNKNOWN",
        "CaseSensitive": matches!(column.data_type.as_str(), "varchar" | "char"),
    })
}
