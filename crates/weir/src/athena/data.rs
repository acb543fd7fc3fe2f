//! Files of rows that CREATE TABLE AS, INSERT INTO and UNLOAD write, as the rows
//! come: what waits in memory are the row groups of Parquet, [`WAITING_BYTES`] at
//! most. Nothing is an object before all is written.

use super::catalog::Seen;
use super::output::Place;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt::Write as _;
use std::io::Write;
use std::sync::Arc;
use weir_objects::Store;
use weir_objects::store::Writing;
use weir_query::athena::{Planned, QueryError, SerdeFormat, TableInfo, arrow_type, text};
use weir_query::datafusion::arrow::array::{ArrayRef, RecordBatch, UInt32Array};
use weir_query::datafusion::arrow::compute::{cast, take};
use weir_query::datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use weir_query::datafusion::parquet::arrow::ArrowWriter;
use weir_query::datafusion::parquet::basic::Compression;
use weir_query::datafusion::parquet::file::properties::WriterProperties;
use weir_query::ddl::{Properties, PropertyValue};

/// Partitions of one statement. Source: Athena user guide, "Considerations and
/// limitations for CTAS and INSERT INTO".
const PARTITIONS: usize = 100;

/// How rows are written.
#[derive(Debug, Clone)]
pub enum Format {
    Parquet,
    Text { delimiter: char },
    Json,
}

impl Format {
    /// Of `WITH (format = …, partitioned_by = …)`.
    pub fn of_properties(properties: &Properties) -> Result<(Self, Vec<String>), QueryError> {
        let word = |name: &str| match properties.get(name) {
            Some(PropertyValue::Text(text)) => Some(text.as_str()),
            _ => None,
        };
        let delimiter = word("field_delimiter").and_then(|text| text.chars().next());
        let format = match word("format").unwrap_or("PARQUET").to_ascii_uppercase().as_str() {
            "PARQUET" => Self::Parquet,
            "TEXTFILE" => Self::Text { delimiter: delimiter.unwrap_or('\u{1}') },
            "JSON" => Self::Json,
            other => return Err(QueryError::not_supported(format!("The format {other} is not supported"))),
        };
        let keys = match properties.get("partitioned_by") {
            Some(PropertyValue::List(keys)) => keys.iter().map(|key| key.to_lowercase()).collect(),
            _ => Vec::new(),
        };
        if properties.contains_key("bucketed_by") {
            return Err(QueryError::not_supported("bucketed_by is not supported"));
        }
        Ok((format, keys))
    }

    pub fn of_table(table: &TableInfo) -> Result<Self, QueryError> {
        match SerdeFormat::of(table)? {
            SerdeFormat::Parquet => Ok(Self::Parquet),
            SerdeFormat::Json => Ok(Self::Json),
            SerdeFormat::Delimited { delimiter, .. } => Ok(Self::Text { delimiter }),
            SerdeFormat::Csv { .. } | SerdeFormat::Regex(_) => {
                Err(QueryError::not_supported("INSERT INTO a table of this SerDe"))
            }
        }
    }
}

/// Rows, the values of partitions, and the objects that were written.
type Finished = (u64, Vec<Vec<String>>, Vec<String>);

/// Row groups of one statement that are not written yet, all its files together.
const WAITING_BYTES: usize = 128 << 20;

/// A file of one partition.
struct Part<'a> {
    values: Vec<String>,
    out: Out<'a>,
}

enum Out<'a> {
    Text(Writing<'a>),
    Parquet(Box<ArrowWriter<Writing<'a>>>),
}

/// What is written, and where.
pub struct Shape {
    folder: String,
    id: String,
    format: Format,
    /// Names and types of data columns, then of keys.
    schema: SchemaRef,
    data: usize,
    /// Places of the columns in a batch, in the order of `schema`.
    order: Vec<usize>,
}

impl Shape {
    /// Errors: columns that do not fit the table; the caller may not write there.
    pub fn new(
        seen: &Seen,
        folder: &str,
        id: &str,
        format: Format,
        keys: Vec<String>,
        target: Option<&TableInfo>,
        planned: &Planned,
    ) -> Result<Self, QueryError> {
        Place::of(seen, &format!("{folder}{id}"))?;
        let given = planned.schema.fields();
        let mut fields: Vec<Field> = Vec::new();
        let mut order: Vec<usize> = (0..given.len()).collect();
        match target {
            Some(table) => {
                let wanted: Vec<_> = table.columns.iter().chain(&table.keys).collect();
                if wanted.len() != given.len() {
                    let text = format!(
                        "Insert query has mismatched column types: the table has {} columns, the query {}",
                        wanted.len(),
                        given.len()
                    );
                    return Err(QueryError::user(1002, "TYPE_MISMATCH", text));
                }
                for (name, kind) in wanted {
                    fields.push(Field::new(name, arrow_type(kind)?, true));
                }
            }
            None => {
                let place =
                    |key: &String| given.iter().position(|field| field.name().eq_ignore_ascii_case(key));
                for key in &keys {
                    let Some(place) = place(key) else {
                        let text = format!("Partition column {key} is not in the query");
                        return Err(QueryError::user(1006, "COLUMN_NOT_FOUND", text));
                    };
                    order.retain(|known| *known != place);
                    order.push(place);
                }
                for place in &order {
                    let field = given.get(*place).ok_or_else(|| QueryError::internal("no such column"))?;
                    fields.push(
                        field.as_ref().clone().with_name(field.name().to_lowercase()).with_nullable(true),
                    );
                }
            }
        }
        let data = fields.len() - keys.len();
        let schema = Arc::new(Schema::new(fields));
        Ok(Self { folder: folder.to_owned(), id: id.to_owned(), format, schema, data, order })
    }
}

/// The files of a statement. If they are dropped before their end, nothing is left.
pub struct Files<'a> {
    seen: &'a Seen,
    store: &'a Store,
    shape: &'a Shape,
    parts: BTreeMap<String, Part<'a>>,
    rows: u64,
}

impl<'a> Files<'a> {
    pub fn new(seen: &'a Seen, shape: &'a Shape) -> Result<Self, QueryError> {
        Ok(Self { seen, store: seen.store()?, shape, parts: BTreeMap::new(), rows: 0 })
    }

    pub fn add(&mut self, batch: &RecordBatch) -> Result<(), QueryError> {
        self.rows += batch.num_rows() as u64;
        let mut columns: Vec<ArrayRef> = Vec::new();
        for (field, place) in self.shape.schema.fields().iter().zip(&self.shape.order) {
            columns.push(cast(batch.column(*place), field.data_type()).map_err(QueryError::internal)?);
        }
        let keys = columns.split_off(self.shape.data);
        let mut by_part: BTreeMap<String, (Vec<String>, Vec<u32>)> = BTreeMap::new();
        for row in 0..batch.num_rows() {
            let null = || "__HIVE_DEFAULT_PARTITION__".to_owned();
            let values: Vec<String> = keys.iter().map(|key| text(key, row).unwrap_or_else(null)).collect();
            let names = self.shape.schema.fields().iter().skip(self.shape.data);
            let path: String = names.zip(&values).fold(String::new(), |mut path, (field, value)| {
                let _ = write!(path, "{}={value}/", field.name());
                path
            });
            let rows = &mut by_part.entry(path).or_insert_with(|| (values, Vec::new())).1;
            rows.push(u32::try_from(row).unwrap_or(u32::MAX));
        }
        for (path, (values, rows)) in by_part {
            let rows = UInt32Array::from(rows);
            let taken: Result<Vec<ArrayRef>, _> =
                columns.iter().map(|column| take(column, &rows, None)).collect();
            self.add_to(path, values, taken.map_err(QueryError::internal)?)?;
        }
        Ok(())
    }

    fn add_to(
        &mut self,
        path: String,
        values: Vec<String>,
        columns: Vec<ArrayRef>,
    ) -> Result<(), QueryError> {
        if self.parts.len() >= PARTITIONS && !self.parts.contains_key(&path) {
            let text = format!("Exceeded limit of {PARTITIONS} open writers for partitions/buckets");
            return Err(QueryError::user(1000, "HIVE_TOO_MANY_OPEN_PARTITIONS", text));
        }
        let fields: Vec<_> = self.shape.schema.fields().iter().take(self.shape.data).cloned().collect();
        let schema = Arc::new(Schema::new(fields));
        let part = match self.parts.entry(path) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let file = self.store.write().map_err(QueryError::internal)?;
                let out = match &self.shape.format {
                    Format::Parquet => {
                        let snappy = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
                        let writer = ArrowWriter::try_new(file, schema.clone(), Some(snappy));
                        Out::Parquet(Box::new(writer.map_err(QueryError::internal)?))
                    }
                    Format::Text { .. } | Format::Json => Out::Text(file),
                };
                new.insert(Part { values, out })
            }
        };
        let rows = columns.first().map_or(0, |column| column.len());
        let mut text_of_rows = String::new();
        match (&self.shape.format, &mut part.out) {
            (_, Out::Parquet(writer)) => {
                let batch = RecordBatch::try_new(schema, columns).map_err(QueryError::internal)?;
                writer.write(&batch).map_err(QueryError::internal)?;
                return self.flush_largest();
            }
            (Format::Text { delimiter }, _) => {
                for row in 0..rows {
                    let values =
                        columns.iter().map(|column| text(column, row).unwrap_or_else(|| "\\N".to_owned()));
                    let line = values.collect::<Vec<_>>().join(&delimiter.to_string());
                    text_of_rows.push_str(&line);
                    text_of_rows.push('\n');
                }
            }
            (_, Out::Text(_)) => {
                for row in 0..rows {
                    let mut object = serde_json::Map::new();
                    for (field, column) in schema.fields().iter().zip(&columns) {
                        let Some(value) = text(column, row) else { continue };
                        let is_number =
                            field.data_type().is_numeric() || field.data_type() == &DataType::Boolean;
                        let number = if is_number { serde_json::from_str(&value).ok() } else { None };
                        object
                            .insert(field.name().clone(), number.unwrap_or(serde_json::Value::String(value)));
                    }
                    text_of_rows.push_str(&serde_json::Value::Object(object).to_string());
                    text_of_rows.push('\n');
                }
            }
        }
        match &mut part.out {
            Out::Text(file) => file.write_all(text_of_rows.as_bytes()).map_err(QueryError::internal),
            Out::Parquet(_) => Ok(()),
        }
    }

    /// Writes row groups out while too much of them waits.
    fn flush_largest(&mut self) -> Result<(), QueryError> {
        let waiting = |part: &Part<'_>| match &part.out {
            Out::Parquet(writer) => writer.memory_size(),
            Out::Text(_) => 0,
        };
        while self.parts.values().map(waiting).sum::<usize>() > WAITING_BYTES {
            match self.parts.values_mut().max_by_key(|part| waiting(part)) {
                Some(Part { out: Out::Parquet(writer), .. }) if writer.in_progress_rows() > 0 => {
                    writer.flush().map_err(QueryError::internal)?;
                }
                _ => break,
            }
        }
        Ok(())
    }

    /// Writes the objects.
    pub fn finish(self) -> Result<Finished, QueryError> {
        let (mut values, mut names) = (Vec::new(), Vec::new());
        for (path, part) in self.parts {
            let file = match part.out {
                Out::Parquet(writer) => writer.into_inner().map_err(QueryError::internal)?,
                Out::Text(file) => file,
            };
            let place = Place::of(self.seen, &format!("{}{path}{}", self.shape.folder, self.shape.id))?;
            place.finish(self.seen, file, "application/octet-stream")?;
            names.push(place.location());
            values.push(part.values);
        }
        Ok((self.rows, values, names))
    }
}
