//! CREATE EXTERNAL TABLE, and the classes of Hive that stand for formats.

use super::{Doing, Said, column, fault, s3};
use std::collections::BTreeMap;
use weir_control::catalog::{SerdeInfo, StorageDescriptor, TableInput, table};
use weir_query::athena::QueryError;
use weir_query::ddl::{CreateTable, RowFormat, StoredAs};

pub(super) const PARQUET: [&str; 3] = [
    "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
    "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
];
pub(super) const TEXT: [&str; 3] = [
    "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
    "org.apache.hadoop.mapred.TextInputFormat",
    "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
];
pub(super) const JSON: [&str; 3] = ["org.openx.data.jsonserde.JsonSerDe", TEXT[1], TEXT[2]];

pub(super) fn create_table(doing: &Doing<'_>, statement: CreateTable) -> Result<Said, QueryError> {
    let (database, name) = doing.names(&statement.name);
    let (database, name) = (database.to_owned(), name.to_owned());
    doing.seen.may("CreateTable", &database, Some(&name))?;
    if !statement.external {
        return Err(fault("ParseException Only external tables can be created: CREATE EXTERNAL TABLE"));
    }
    let location =
        statement.location.as_deref().ok_or_else(|| fault("ParseException LOCATION is missing"))?;
    s3(location)?;
    let columns = statement.columns.iter().chain(&statement.partitions);
    super::unlike(columns.map(|column| column.name.as_str()))?;
    if doing.seen.find(&database, &name)?.is_some() {
        return if statement.if_not_exists {
            Ok(Said::default())
        } else {
            Err(fault(format!(
                "Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. \
                 AlreadyExistsException(message:Table {name} already exists.)"
            )))
        };
    }
    let mut classes = match &statement.stored_as {
        Some(StoredAs::Format(format)) => match format.as_str() {
            "PARQUET" => PARQUET,
            "JSONFILE" => JSON,
            "TEXTFILE" => TEXT,
            "ORC" => [
                "org.apache.hadoop.hive.ql.io.orc.OrcSerde",
                "org.apache.hadoop.hive.ql.io.orc.OrcInputFormat",
                "org.apache.hadoop.hive.ql.io.orc.OrcOutputFormat",
            ],
            other => return Err(QueryError::not_supported(format!("STORED AS {other}"))),
        },
        _ => TEXT,
    }
    .map(str::to_owned);
    if let Some(StoredAs::Classes { input, output }) = &statement.stored_as {
        [classes[1], classes[2]] = [input.clone(), output.clone()];
    }
    let mut parameters = BTreeMap::new();
    match &statement.row_format {
        Some(RowFormat::Serde { class, properties }) => {
            classes[0].clone_from(class);
            parameters.clone_from(properties);
        }
        Some(RowFormat::Delimited { fields, escaped, collection, map_keys, lines, null }) => {
            for (name, value) in [
                ("field.delim", fields),
                ("serialization.format", fields),
                ("escape.delim", escaped),
                ("colelction.delim", collection),
                ("mapkey.delim", map_keys),
                ("line.delim", lines),
                ("serialization.null.format", null),
            ] {
                if let Some(value) = value {
                    parameters.insert(name.to_owned(), value.clone());
                }
            }
        }
        None => {}
    }
    parameters.entry("serialization.format".to_owned()).or_insert_with(|| "1".to_owned());
    let mut properties = statement.properties.clone();
    properties.entry("EXTERNAL".to_owned()).or_insert_with(|| "TRUE".to_owned());
    if let Some(comment) = &statement.comment {
        properties.insert("comment".to_owned(), comment.clone());
    }
    let [serde, input_format, output_format] = classes;
    let input = TableInput {
        name: name.clone(),
        storage_descriptor: Some(StorageDescriptor {
            columns: Some(statement.columns.iter().map(column).collect()),
            location: Some(location.to_owned()),
            input_format: Some(input_format),
            output_format: Some(output_format),
            serde_info: Some(SerdeInfo {
                serialization_library: Some(serde),
                parameters: Some(parameters),
                ..SerdeInfo::default()
            }),
            ..StorageDescriptor::default()
        }),
        partition_keys: Some(statement.partitions.iter().map(column).collect()),
        table_type: Some("EXTERNAL_TABLE".to_owned()),
        parameters: Some(properties),
        ..TableInput::default()
    };
    doing.transact(|cx| table::create(cx, &database, input.clone()))?;
    Ok(Said::default())
}
