//! Statements about the catalog.

mod create;
mod made;
mod partitions;

pub use made::{create_view, insert_target, keep_table, must_be_empty, table_of_query, view_query};
pub use partitions::add_found;

use super::catalog::{Seen, failed};
use super::show;
use create::create_table;
use partitions::{add_partitions, in_order, path, repair};
use weir_api::athena::engine::Job;
use weir_control::athena::execution::ResultColumn;
use weir_control::athena::prepared_statement;
use weir_control::catalog::{Column, DatabaseInput, Table, TableInput, database, partition, table};
use weir_control::{ControlError, Cx};
use weir_query::athena::QueryError;
use weir_query::ddl::{ColumnDef, Statement, TableName};

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

fn no_database(name: &str) -> QueryError {
    fault(format!("SemanticException [Error 10072]: Database does not exist: {name}"))
}

/// Refuses a column that is there twice.
fn unlike<'a>(names: impl Iterator<Item = &'a str>) -> Result<(), QueryError> {
    let mut seen = std::collections::BTreeSet::new();
    for name in names {
        if !seen.insert(name.to_lowercase()) {
            return Err(fault(format!("SemanticException [Error 10036]: Duplicate column name: {name}")));
        }
    }
    Ok(())
}

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
        Statement::SetDatabaseProperties { name, properties } => {
            seen.may("UpdateDatabase", &name, None)?;
            if !doing.transact(|cx| Ok(database::get(cx, &name).is_ok()))? {
                return Err(no_database(&name));
            }
            doing.transact(|cx| {
                let mut input = database::get(cx, &name)?.input;
                input.parameters.get_or_insert_default().extend(properties.clone());
                database::update(cx, &name, input)
            })?;
            Ok(Said::default())
        }
        Statement::DropDatabase { name, if_exists, cascade } => {
            seen.may("DeleteDatabase", &name, None)?;
            if !doing.transact(|cx| Ok(database::get(cx, &name).is_ok()))? {
                return if if_exists { Ok(Said::default()) } else { Err(no_database(&name)) };
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
        Statement::DropTable { ref name, if_exists } | Statement::DropView { ref name, if_exists } => {
            let (database, name) = doing.names(name);
            seen.may("DeleteTable", database, Some(name))?;
            let Some(found) = seen.find(database, name)? else {
                return if if_exists { Ok(Said::default()) } else { Err(missing(database, name)) };
            };
            if matches!(statement, Statement::DropView { .. }) && !found.input.is_view() {
                let text =
                    format!("View '{database}.{name}' does not exist, but a table with that name exists");
                return Err(QueryError::user(1301, "GENERIC_USER_ERROR", text));
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
            let kept = if replace { &[] } else { table.input.columns() };
            let kept = kept.iter().chain(table.input.keys()).map(|column| column.name.as_str());
            unlike(kept.chain(columns.iter().map(|column| column.name.as_str())))?;
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
    if !doing.transact(|cx| Ok(database::get(cx, database).is_ok()))? {
        return Err(no_database(database));
    }
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
