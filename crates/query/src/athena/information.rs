//! `information_schema`: what the catalog has, as tables.
//!
//! Source: Athena user guide, "Query the AWS Glue Data Catalog"; the SQL
//! standard's information schema, as far as Trino has it.

use super::{Catalog, QueryError, arrow_type, trino_type};
use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::catalog::{MemTable, TableProvider};
use std::sync::Arc;

/// The name of the database.
pub(super) const NAME: &str = "information_schema";

/// The only catalog.
const CATALOG: &str = "awsdatacatalog";

/// A table of the schema; `None` if there is none of that name. Blocks.
///
/// Errors: the caller may not read the catalog.
pub(super) fn table(catalog: &dyn Catalog, name: &str) -> Result<Option<Arc<dyn TableProvider>>, QueryError> {
    Ok(Some(match name {
        "schemata" => {
            let mut databases = catalog.databases()?;
            databases.push(NAME.to_owned());
            let rows = databases.into_iter().map(|name| vec![Some(CATALOG.to_owned()), Some(name)]);
            of(&["catalog_name", "schema_name"], rows.collect())?
        }
        "tables" => {
            let mut rows = Vec::new();
            for database in catalog.databases()? {
                for table in catalog.tables(&database)? {
                    let kind = if table.view.is_some() { "VIEW" } else { "BASE TABLE" };
                    rows.push(text([CATALOG, &database, &table.name, kind]));
                }
            }
            of(&["table_catalog", "table_schema", "table_name", "table_type"], rows)?
        }
        "views" => {
            let mut rows = Vec::new();
            for database in catalog.databases()? {
                for table in catalog.tables(&database)? {
                    if let Some(query) = &table.view {
                        rows.push(text([CATALOG, &database, &table.name, query]));
                    }
                }
            }
            of(&["table_catalog", "table_schema", "table_name", "view_definition"], rows)?
        }
        "columns" => columns(catalog)?,
        _ => return Ok(None),
    }))
}

fn text(row: [&str; 4]) -> Vec<Option<String>> {
    row.map(|value| Some(value.to_owned())).to_vec()
}

fn columns(catalog: &dyn Catalog) -> Result<Arc<dyn TableProvider>, QueryError> {
    let (mut rows, mut places) = (Vec::new(), Vec::new());
    for database in catalog.databases()? {
        for table in catalog.tables(&database)? {
            let keys = table.keys.iter().map(|key| (key, Some("partition key".to_owned())));
            let all = table.columns.iter().map(|column| (column, None)).chain(keys);
            for (place, ((name, kind), extra)) in (1..).zip(all) {
                let kind = arrow_type(kind).map_or_else(|_| kind.clone(), |kind| trino_type(&kind));
                let mut row = text([CATALOG, &database, &table.name, name]);
                row.extend([None, Some("YES".to_owned()), Some(kind), extra]);
                rows.push(row);
                places.push(place);
            }
        }
    }
    let names = [
        "table_catalog",
        "table_schema",
        "table_name",
        "column_name",
        "column_default",
        "is_nullable",
        "data_type",
        "extra_info",
    ];
    let (mut fields, mut values) = texts(&names, rows);
    fields.insert(4, Field::new("ordinal_position", DataType::Int64, true));
    values.insert(4, Arc::new(Int64Array::from(places)));
    provider(fields, values)
}

fn texts(names: &[&str], rows: Vec<Vec<Option<String>>>) -> (Vec<Field>, Vec<ArrayRef>) {
    let fields = names.iter().map(|name| Field::new(*name, DataType::Utf8, true)).collect();
    let column = |place: usize| {
        let values = rows.iter().map(|row| row.get(place).cloned().flatten());
        Arc::new(values.collect::<StringArray>()) as ArrayRef
    };
    (fields, (0..names.len()).map(column).collect())
}

fn of(names: &[&str], rows: Vec<Vec<Option<String>>>) -> Result<Arc<dyn TableProvider>, QueryError> {
    let (fields, values) = texts(names, rows);
    provider(fields, values)
}

fn provider(fields: Vec<Field>, values: Vec<ArrayRef>) -> Result<Arc<dyn TableProvider>, QueryError> {
    let schema = Arc::new(Schema::new(fields));
    let batch = RecordBatch::try_new(schema.clone(), values).map_err(QueryError::internal)?;
    Ok(Arc::new(MemTable::try_new(schema, vec![vec![batch]]).map_err(QueryError::internal)?))
}
