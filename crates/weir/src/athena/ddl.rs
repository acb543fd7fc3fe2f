//! Statements about the catalog.

use super::catalog::{Seen, failed, info};
use super::data::Format;
use super::show;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use weir_api::athena::engine::Job;
use weir_control::athena::execution::ResultColumn;
use weir_control::athena::prepared_statement;
use weir_control::catalog::{
    Column, DatabaseInput, PartitionInput, SerdeInfo, StorageDescriptor, Table, TableInput, database,
    partition, table,
};
use weir_control::{ControlError, Cx};
use weir_query::athena::{Catalog, QueryError, TableInfo};
use weir_query::ddl::{
    ColumnDef, CreateTable, PartitionValues, Properties, PropertyValue, RowFormat, Statement, StoredAs,
    TableName,
};

/// What a statement says.
#[derive(Default)]
pub struct Said {
    pub lines: Vec<String>,
    pub columns: Vec<ResultColumn>,
    pub update_count: Option<i64>,
}

impl Said {
    fn rows(lines: Vec<String>, columns: &[&str]) -> Self {
        Self { lines, columns: show::columns(columns), update_count: Some(0) }
    }
}

fn fault(text: impl AsRef<str>) -> QueryError {
    QueryError { category: 2, kind: 1000, message: format!("FAILED: {}", text.as_ref()) }
}

fn missing(database: &str, name: &str) -> QueryError {
    let message = format!("FAILED: SemanticException [Error 10001]: Table not found {database}.{name}");
    QueryError { category: 2, kind: 1301, message }
}

const PARQUET: [&str; 3] = [
    "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
    "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
];
const TEXT: [&str; 3] = [
    "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
    "org.apache.hadoop.mapred.TextInputFormat",
    "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
];
const JSON: [&str; 3] = ["org.openx.data.jsonserde.JsonSerDe", TEXT[1], TEXT[2]];

/// A statement of the catalog for one caller.
struct Doing<'a> {
    seen: &'a Seen,
    database: &'a str,
}

impl Doing<'_> {
    fn transact<T>(&self, action: impl Fn(Cx<'_>) -> Result<T, ControlError>) -> Result<T, QueryError> {
        self.seen.caller.call(&self.seen.services).transact(action).map_err(failed)
    }

    fn names<'b>(&'b self, name: &'b TableName) -> (&'b str, &'b str) {
        (name.database.as_deref().unwrap_or(self.database), &name.name)
    }

    /// A table that must be there, if the caller may do this with it.
    fn table(&self, action: &str, name: &TableName) -> Result<Table, QueryError> {
        let (database, name) = self.names(name);
        self.seen.may(action, database, Some(name))?;
        self.seen.find(database, name)?.ok_or_else(|| missing(database, name))
    }

    fn update(&self, table: &Table, change: impl Fn(&mut TableInput)) -> Result<(), QueryError> {
        let mut input = table.input.clone();
        change(&mut input);
        self.transact(|cx| table::update(cx, &table.database, input.clone()))
    }
}

/// Does a statement that needs no query.
pub fn apply(seen: &Seen, job: &Job, database: &str, statement: Statement) -> Result<Said, QueryError> {
    let doing = Doing { seen, database };
    match statement {
        Statement::CreateDatabase { name, if_not_exists, comment, location, properties } => {
            seen.may("CreateDatabase", &name, None)?;
            let input = DatabaseInput {
                name: name.clone(),
                description: comment,
                location_uri: location,
                parameters: (!properties.is_empty()).then_some(properties),
                ..DatabaseInput::default()
            };
            let is_there = doing.transact(|cx| Ok(database::get(cx, &name).is_ok()))?;
            match (is_there, if_not_exists) {
                (true, true) => Ok(Said::default()),
                (true, false) => Err(fault(format!(
                    "Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. Database {name} already exists"
                ))),
                _ => {
                    doing.transact(|cx| database::create(cx, input.clone()))?;
                    Ok(Said::default())
                }
            }
        }
        Statement::DropDatabase { name, if_exists, cascade } => {
            seen.may("DeleteDatabase", &name, None)?;
            if !doing.transact(|cx| Ok(database::get(cx, &name).is_ok()))? {
                return if if_exists {
                    Ok(Said::default())
                } else {
                    Err(fault(format!("SemanticException [Error 10072]: Database does not exist: {name}")))
                };
            }
            if !cascade && !doing.transact(|cx| table::list(cx, &name))?.is_empty() {
                return Err(fault(format!(
                    "Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. \
                     InvalidOperationException(message:Database {name} is not empty. One or more tables exist.)"
                )));
            }
            doing.transact(|cx| database::delete(cx, &name))?;
            Ok(Said::default())
        }
        Statement::CreateTable(statement) => create_table(&doing, *statement),
        Statement::DropTable { name, if_exists } | Statement::DropView { name, if_exists } => {
            let (database, name) = doing.names(&name);
            seen.may("DeleteTable", database, Some(name))?;
            if seen.find(database, name)?.is_none() {
                return if if_exists { Ok(Said::default()) } else { Err(missing(database, name)) };
            }
            doing.transact(|cx| table::delete(cx, database, name))?;
            Ok(Said::default())
        }
        Statement::AddPartitions { table, if_not_exists, partitions } => {
            let table = doing.table("BatchCreatePartition", &table)?;
            add_partitions(&doing, &table, if_not_exists, &partitions)?;
            Ok(Said::default())
        }
        Statement::DropPartitions { table, if_exists, partitions } => {
            let table = doing.table("BatchDeletePartition", &table)?;
            let wanted: Vec<Vec<String>> =
                partitions.iter().map(|values| in_order(&table, values)).collect::<Result<_, _>>()?;
            doing.transact(|cx| {
                for values in &wanted {
                    match partition::delete(cx, &table, values) {
                        Err(ControlError::Fault { .. }) if if_exists => {}
                        done => done?,
                    }
                }
                Ok(())
            })?;
            Ok(Said::default())
        }
        Statement::RenamePartition { table, from, to } => {
            let table = doing.table("UpdatePartition", &table)?;
            let (from, to) = (in_order(&table, &from)?, in_order(&table, &to)?);
            doing.transact(|cx| {
                let mut input = partition::get(cx, &table, &from)?.input;
                input.values.clone_from(&to);
                partition::update(cx, &table, &from, input)
            })?;
            Ok(Said::default())
        }
        Statement::SetLocation { table, partition: None, location } => {
            let table = doing.table("UpdateTable", &table)?;
            s3(&location)?;
            doing.update(&table, |input| {
                input.storage_descriptor.get_or_insert_default().location = Some(location.clone());
            })?;
            Ok(Said::default())
        }
        Statement::SetLocation { table, partition: Some(values), location } => {
            let table = doing.table("UpdatePartition", &table)?;
            s3(&location)?;
            let values = in_order(&table, &values)?;
            doing.transact(|cx| {
                let mut input = partition::get(cx, &table, &values)?.input;
                input.storage_descriptor.get_or_insert_default().location = Some(location.clone());
                partition::update(cx, &table, &values, input)
            })?;
            Ok(Said::default())
        }
        Statement::SetTableProperties { table, properties } => {
            let table = doing.table("UpdateTable", &table)?;
            doing.update(&table, |input| {
                input.parameters.get_or_insert_default().extend(properties.clone());
            })?;
            Ok(Said::default())
        }
        Statement::AddColumns { table, columns, replace } => {
            let table = doing.table("UpdateTable", &table)?;
            doing.update(&table, |input| {
                let known = input.storage_descriptor.get_or_insert_default().columns.get_or_insert_default();
                if replace {
                    known.clear();
                }
                known.extend(columns.iter().map(column));
            })?;
            Ok(Said::default())
        }
        Statement::MsckRepair { table } => {
            let table = doing.table("BatchCreatePartition", &table)?;
            repair(&doing, &table)
        }
        Statement::ShowDatabases { like } => {
            seen.may("GetDatabases", "*", None)?;
            let found = doing.transact(database::list)?;
            let names = found.iter().map(|found| found.name().to_owned());
            Ok(Said::rows(
                names.filter(|name| show::like(name, like.as_deref())).collect(),
                &["database_name"],
            ))
        }
        Statement::ShowTables { database: asked, like } => {
            let names = tables(&doing, asked.as_deref(), like.as_deref(), |_| true)?;
            Ok(Said::rows(names, &["tab_name"]))
        }
        Statement::ShowViews { database: asked, like } => {
            let names = tables(&doing, asked.as_deref(), like.as_deref(), |table| table.input.is_view())?;
            Ok(Said::rows(names, &["views"]))
        }
        Statement::ShowPartitions { table } => {
            let table = doing.table("GetPartitions", &table)?;
            if table.input.keys().is_empty() {
                return Err(fault(format!(
                    "SemanticException [Error 10111]: Table {} is not a partitioned table",
                    table.name()
                )));
            }
            let found = doing.transact(|cx| partition::list(cx, &table))?;
            let path = |values: &[String]| path(&table, values);
            Ok(Said::rows(found.iter().map(|found| path(&found.input.values)).collect(), &["partition"]))
        }
        Statement::ShowColumns { table } => {
            let table = doing.table("GetTable", &table)?;
            let columns = table.input.columns().iter().chain(table.input.keys());
            Ok(Said::rows(columns.map(|column| format!("{:<20}", column.name)).collect(), &["field"]))
        }
        Statement::ShowCreateTable { table } => {
            let table = doing.table("GetTable", &table)?;
            Ok(Said::rows(show::create_table(&table), &["createtab_stmt"]))
        }
        Statement::ShowCreateView { table } => {
            let table = doing.table("GetTable", &table)?;
            let Some(query) = view_query(&table.input).filter(|_| table.input.is_view()) else {
                return Err(fault(format!("{} is not a view", table.name())));
            };
            let text = format!("CREATE VIEW \"{}\" AS\n{query}", table.name());
            Ok(Said::rows(text.lines().map(str::to_owned).collect(), &["Create View"]))
        }
        Statement::ShowTableProperties { table, key } => {
            let table = doing.table("GetTable", &table)?;
            let all = table.input.parameters.clone().unwrap_or_default();
            let shown = all.iter().filter(|(name, _)| key.as_ref().is_none_or(|key| key == *name));
            let lines = shown.map(|(name, value)| format!("{name}\t{value}")).collect();
            Ok(Said::rows(lines, &["prpt_name", "prpt_value"]))
        }
        Statement::Describe { table, formatted } => {
            let table = doing.table("GetTable", &table)?;
            Ok(Said::rows(show::describe(&table, formatted), &["col_name", "data_type", "comment"]))
        }
        Statement::Prepare { name, query } => {
            let group = &job.execution.work_group;
            doing.transact(|cx| prepared_statement::put(cx, group, &name, &query, None, false))?;
            Ok(Said::default())
        }
        Statement::Deallocate { name } => {
            doing.transact(|cx| prepared_statement::delete(cx, &job.execution.work_group, &name))?;
            Ok(Said::default())
        }
        _ => Err(QueryError::not_supported("Queries of this type are not supported")),
    }
}

fn tables(
    doing: &Doing<'_>,
    asked: Option<&str>,
    like: Option<&str>,
    wanted: impl Fn(&Table) -> bool,
) -> Result<Vec<String>, QueryError> {
    let database = asked.unwrap_or(doing.database);
    doing.seen.may("GetTables", database, Some("*"))?;
    let found = doing.transact(|cx| table::list(cx, database))?;
    let names = found.iter().filter(|table| wanted(table)).map(|table| table.name().to_owned());
    Ok(names.filter(|name| show::like(name, like)).collect())
}

fn s3(location: &str) -> Result<(), QueryError> {
    match weir_api::athena::engine::bucket_and_key(location) {
        Some(_) => Ok(()),
        None => Err(fault(format!("SemanticException '{location}' is not a location in S3"))),
    }
}

fn column(def: &ColumnDef) -> Column {
    Column::new(&def.name, &def.data_type, def.comment.as_deref())
}

fn create_table(doing: &Doing<'_>, statement: CreateTable) -> Result<Said, QueryError> {
    let (database, name) = doing.names(&statement.name);
    let (database, name) = (database.to_owned(), name.to_owned());
    doing.seen.may("CreateTable", &database, Some(&name))?;
    if !statement.external {
        return Err(fault("ParseException Only external tables can be created: CREATE EXTERNAL TABLE"));
    }
    let location =
        statement.location.as_deref().ok_or_else(|| fault("ParseException LOCATION is missing"))?;
    s3(location)?;
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

/// Values in the order of the table's keys.
fn in_order(table: &Table, values: &PartitionValues) -> Result<Vec<String>, QueryError> {
    let keys = table.input.keys();
    let wrong = || {
        let given: Vec<&str> = values.iter().map(|(name, _)| name.as_str()).collect();
        fault(format!(
            "SemanticException partition spec {{{}}} doesn't contain all (and only) partition columns of {}",
            given.join(", "),
            table.name()
        ))
    };
    if values.len() != keys.len() {
        return Err(wrong());
    }
    let value = |key: &Column| {
        let found = values.iter().find(|(name, _)| *name == key.name);
        found.map(|(_, value)| value.clone()).ok_or_else(wrong)
    };
    keys.iter().map(value).collect()
}

/// `k1=v1/k2=v2`
fn path(table: &Table, values: &[String]) -> String {
    let pairs = table.input.keys().iter().zip(values).map(|(key, value)| format!("{}={value}", key.name));
    pairs.collect::<Vec<_>>().join("/")
}

fn partition_at(table: &Table, values: Vec<String>, location: &str) -> PartitionInput {
    let mut storage = table.input.storage_descriptor.clone().unwrap_or_default();
    storage.location = Some(location.to_owned());
    PartitionInput { values, storage_descriptor: Some(storage), ..PartitionInput::default() }
}

fn add_partitions(
    doing: &Doing<'_>,
    table: &Table,
    if_not_exists: bool,
    partitions: &[(PartitionValues, Option<String>)],
) -> Result<(), QueryError> {
    let mut inputs = Vec::new();
    for (values, location) in partitions {
        let values = in_order(table, values)?;
        let root = table.input.location().unwrap_or_default().trim_end_matches('/');
        let location = location.clone().unwrap_or_else(|| format!("{root}/{}", path(table, &values)));
        s3(&location)?;
        inputs.push(partition_at(table, values, &location));
    }
    doing.transact(|cx| {
        for input in &inputs {
            match partition::create(cx, table, input.clone()) {
                Err(ControlError::Fault { code: "AlreadyExistsException", .. }) if if_not_exists => {}
                done => done?,
            }
        }
        Ok(())
    })
}

/// MSCK REPAIR TABLE: `key=value/` folders below the table's become partitions.
fn repair(doing: &Doing<'_>, table: &Table) -> Result<Said, QueryError> {
    let root = table.input.location().unwrap_or_default().trim_end_matches('/');
    let keys = table.input.keys();
    let mut found: BTreeSet<(Vec<String>, String)> = BTreeSet::new();
    for object in doing.seen.objects(root)? {
        let Some(rest) = object.name.strip_prefix(root).and_then(|rest| rest.strip_prefix('/')) else {
            continue;
        };
        let folders: Vec<&str> = rest.split('/').collect();
        let Some((_, folders)) = folders.split_last() else { continue };
        let values: Option<Vec<String>> = keys
            .iter()
            .zip(folders)
            .map(|(key, folder)| {
                let (name, value) = folder.split_once('=')?;
                (name == key.name).then(|| value.to_owned())
            })
            .collect();
        let Some(values) = values.filter(|values| values.len() == keys.len()) else { continue };
        let location = format!("{root}/{}", folders[..keys.len()].join("/"));
        found.insert((values, location));
    }
    let known = doing.transact(|cx| partition::list(cx, table))?;
    let known: BTreeSet<&[String]> =
        known.iter().map(|partition| partition.input.values.as_slice()).collect();
    let new: Vec<_> = found.into_iter().filter(|(values, _)| !known.contains(values.as_slice())).collect();
    doing.transact(|cx| {
        for (values, location) in &new {
            partition::create(cx, table, partition_at(table, values.clone(), location))?;
        }
        Ok(())
    })?;
    let mut lines = Vec::new();
    if !new.is_empty() {
        let paths: Vec<String> =
            new.iter().map(|(values, _)| format!("{}:{}", table.name(), path(table, values))).collect();
        lines.push(format!("Partitions not in metastore:\t{}", paths.join("\t")));
        lines.extend(paths.iter().map(|path| format!("Repair: Added partition to metastore {path}")));
    }
    Ok(Said { lines, columns: Vec::new(), update_count: None })
}

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

/// Partitions that got files become partitions of the catalog.
pub fn add_found(seen: &Seen, table: &TableInfo, parts: &[Vec<String>]) -> Result<(), QueryError> {
    if table.keys.is_empty() {
        return Ok(());
    }
    let doing = Doing { seen, database: &table.database };
    let kept =
        seen.find(&table.database, &table.name)?.ok_or_else(|| missing(&table.database, &table.name))?;
    let named = |values: &Vec<String>| {
        let names = table.keys.iter().map(|(name, _)| name.clone());
        (names.zip(values.iter().cloned()).collect::<PartitionValues>(), None)
    };
    add_partitions(&doing, &kept, true, &parts.iter().map(named).collect::<Vec<_>>())
}
