//! Tables and views that come from a query: CREATE VIEW, CREATE TABLE AS, and
//! where INSERT INTO and UNLOAD write.

use super::create::{JSON, PARQUET, TEXT};
use super::partitions::add_found;
use super::{Doing, missing};
use crate::athena::catalog::{Seen, info};
use crate::athena::data::Format;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;
use std::collections::BTreeMap;
use weir_control::catalog::{Column, SerdeInfo, StorageDescriptor, TableInput, table};
use weir_query::athena::{Catalog, QueryError, TableInfo};
use weir_query::ddl::{Properties, PropertyValue, TableName};

const VIEW: &str = "/* Presto View: ";

/// The query of a view as Trino keeps it.
pub fn view_query(input: &TableInput) -> Option<String> {
    let text = input.view_original_text.as_deref()?;
    let Some(encoded) = text.strip_prefix(VIEW) else { return Some(text.to_owned()) };
    let bytes = BASE64_STANDARD.decode(encoded.trim_end().strip_suffix("*/")?.trim()).ok()?;
    let view: serde_json::Value = serde_json::from_slice(&bytes).ok()?;
    view.get("originalSql")?.as_str().map(str::to_owned)
}

/// CREATE [OR REPLACE] VIEW.
pub fn create_view(
    seen: &Seen,
    database: &str,
    name: &TableName,
    or_replace: bool,
    query: &str,
    columns: &[(String, String)],
) -> Result<(), QueryError> {
    let doing = Doing { seen, database };
    let (own, name) = doing.names(name);
    seen.may("CreateTable", own, Some(name))?;
    let described: Vec<_> =
        columns.iter().map(|(name, kind)| json!({ "name": name, "type": kind })).collect();
    let view = json!({
        "originalSql": query, "catalog": "awsdatacatalog", "schema": database, "columns": described,
    });
    let input = TableInput {
        name: name.to_owned(),
        storage_descriptor: Some(StorageDescriptor {
            columns: Some(columns.iter().map(|(name, kind)| Column::new(name, kind, None)).collect()),
            location: Some(String::new()),
            ..StorageDescriptor::default()
        }),
        partition_keys: Some(Vec::new()),
        table_type: Some("VIRTUAL_VIEW".to_owned()),
        view_original_text: Some(format!("{VIEW}{} */", BASE64_STANDARD.encode(view.to_string()))),
        view_expanded_text: Some("/* Presto View */".to_owned()),
        parameters: Some(
            [("presto_view", "true"), ("comment", "Presto View")].map(|(k, v)| (k.into(), v.into())).into(),
        ),
        ..TableInput::default()
    };
    match seen.find(own, name)? {
        None => doing.transact(|cx| table::create(cx, own, input.clone())),
        Some(old) if or_replace && old.input.is_view() => {
            seen.may("UpdateTable", own, Some(name))?;
            doing.transact(|cx| table::update(cx, own, input.clone()))
        }
        Some(_) => {
            Err(QueryError::user(1000, "ALREADY_EXISTS", format!("View already exists: '{own}.{name}'")))
        }
    }
}

type Made = ((String, TableInput), Format, Vec<String>);

/// The table that CREATE TABLE AS is to make; `None` if it is there already.
pub fn table_of_query(
    seen: &Seen,
    database: &str,
    name: &TableName,
    if_not_exists: bool,
    properties: &Properties,
    columns: &[(String, String)],
    folder: &str,
) -> Result<Option<Made>, QueryError> {
    let doing = Doing { seen, database };
    let (own, name) = doing.names(name);
    seen.may("CreateTable", own, Some(name))?;
    if seen.find(own, name)?.is_some() {
        let text = format!("Destination table 'awsdatacatalog.{own}.{name}' already exists");
        return if if_not_exists {
            Ok(None)
        } else {
            Err(QueryError::user(1000, "TABLE_ALREADY_EXISTS", text))
        };
    }
    if let Some((unnamed, _)) = columns.iter().find(|(name, _)| name.starts_with("_col")) {
        let text = format!("Column name not specified at position {}", unnamed.trim_start_matches("_col"));
        return Err(QueryError::user(1000, "MISSING_COLUMN_NAME", text));
    }
    let (format, keys) = Format::of_properties(properties)?;
    let location = match properties.get("external_location") {
        Some(PropertyValue::Text(location)) => {
            must_be_empty(seen, location)?;
            location.clone()
        }
        _ => folder.to_owned(),
    };
    let (classes, mut parameters) = match &format {
        Format::Parquet => (PARQUET, BTreeMap::new()),
        Format::Json => (JSON, BTreeMap::new()),
        Format::Text { delimiter } => {
            (TEXT, BTreeMap::from([("field.delim".to_owned(), delimiter.to_string())]))
        }
    };
    parameters.insert("serialization.format".to_owned(), "1".to_owned());
    let [serde, input_format, output_format] = classes.map(|class| Some(class.to_owned()));
    let make = |(name, kind): &(String, String)| Column::new(name, kind, None);
    let is_key = |column: &&(String, String)| keys.contains(&column.0);
    let partition_keys = keys.iter().filter_map(|key| columns.iter().find(|(name, _)| name == key)).map(make);
    let input = TableInput {
        name: name.to_owned(),
        storage_descriptor: Some(StorageDescriptor {
            columns: Some(columns.iter().filter(|column| !is_key(column)).map(make).collect()),
            location: Some(location),
            input_format,
            output_format,
            serde_info: Some(SerdeInfo {
                serialization_library: serde,
                parameters: Some(parameters),
                ..SerdeInfo::default()
            }),
            ..StorageDescriptor::default()
        }),
        partition_keys: Some(partition_keys.collect()),
        table_type: Some("EXTERNAL_TABLE".to_owned()),
        parameters: Some(BTreeMap::from([("EXTERNAL".to_owned(), "TRUE".to_owned())])),
        ..TableInput::default()
    };
    Ok(Some(((own.to_owned(), input), format, keys)))
}

/// Errors: `HIVE_PATH_ALREADY_EXISTS` if there are objects.
pub fn must_be_empty(seen: &Seen, location: &str) -> Result<(), QueryError> {
    match seen.objects(location)?.first() {
        None => Ok(()),
        Some(_) => {
            let text = format!("Target directory for table already exists: {location}");
            Err(QueryError::user(1000, "HIVE_PATH_ALREADY_EXISTS", text))
        }
    }
}

/// Keeps a table whose files are written, with its partitions.
pub fn keep_table(
    seen: &Seen,
    database: &str,
    input: &TableInput,
    parts: &[Vec<String>],
) -> Result<(), QueryError> {
    let doing = Doing { seen, database };
    doing.transact(|cx| table::create(cx, database, input.clone()))?;
    let made = seen.find(database, &input.name)?.ok_or_else(|| missing(database, &input.name))?;
    add_found(seen, &info(&made), parts)
}

/// The table that INSERT INTO writes to.
pub fn insert_target(seen: &Seen, database: &str, name: &TableName) -> Result<TableInfo, QueryError> {
    let doing = Doing { seen, database };
    let table = doing.table("GetTable", name)?;
    if table.input.is_view() {
        return Err(QueryError::not_supported("Inserting into views is not supported"));
    }
    Ok(info(&table))
}
