//! A table of the catalog as DataFusion reads it.

use super::columnar::Columnar;
use super::rows::{Reading, SerdeFormat};
use super::{Catalog, QueryError, StoredObject, TableInfo, arrow_type, partitions};
use async_trait::async_trait;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use datafusion::arrow::error::ArrowError;
use datafusion::catalog::{Session, TableProvider};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::stream::RecordBatchReceiverStream;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use datafusion::scalar::ScalarValue;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// What a query has read.
#[derive(Debug, Clone, Default)]
pub struct Scanned {
    pub bytes: Arc<AtomicU64>,
    pub rows: Arc<AtomicU64>,
}

#[derive(Debug)]
pub(super) struct HiveTable {
    catalog: Arc<dyn Catalog>,
    info: Arc<TableInfo>,
    format: SerdeFormat,
    schema: SchemaRef,
    scanned: Scanned,
    has_hidden: bool,
}

/// Columns of every table that `*` does not show: of the object that a row is in.
/// Source: Athena user guide, "Query the Amazon S3 path".
pub(super) const HIDDEN: [&str; 3] = ["$path", "$file_size", "$file_modified_time"];

fn hidden_types() -> [DataType; 3] {
    let instant = DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()));
    [DataType::Utf8, DataType::Int64, instant]
}

impl HiveTable {
    /// `has_hidden`: whether a query asks for [`HIDDEN`] columns.
    ///
    /// Errors: `NOT_SUPPORTED` for types and classes that are not here.
    pub fn new(
        catalog: Arc<dyn Catalog>,
        info: TableInfo,
        scanned: Scanned,
        has_hidden: bool,
    ) -> std::result::Result<Self, QueryError> {
        let format = SerdeFormat::of(&info)?;
        let mut fields = Vec::new();
        for (name, kind) in info.columns.iter().chain(&info.keys) {
            let data_type = arrow_type(kind)?;
            let is_nested = matches!(data_type, DataType::List(_) | DataType::Map(..) | DataType::Struct(_));
            if is_nested && !matches!(format, SerdeFormat::Parquet) {
                let text = format!("The column {name} has the type {kind}, which is read from Parquet only");
                return Err(QueryError::not_supported(text));
            }
            fields.push(Field::new(name, data_type, true));
        }
        if has_hidden {
            let hidden = HIDDEN.iter().zip(hidden_types());
            fields.extend(hidden.map(|(name, data_type)| Field::new(*name, data_type, true)));
        }
        let schema = Arc::new(Schema::new(fields));
        Ok(Self { catalog, info: Arc::new(info), format, schema, scanned, has_hidden })
    }

    async fn files(&self, session: &dyn Session, filters: &[Expr]) -> Result<Vec<Part>, QueryError> {
        let places = partitions::places(&self.catalog, &self.info, session, filters).await?;
        let (catalog, has_hidden) = (self.catalog.clone(), self.has_hidden);
        let listed = tokio::task::spawn_blocking(move || {
            let mut parts = Vec::new();
            for (keys, location) in places {
                let keys = Arc::new(keys);
                for object in catalog.objects(&location)? {
                    // What begins so is not data to Hive.
                    let is_hidden =
                        object.name.rsplit('/').next().is_some_and(|name| name.starts_with(['_', '.']));
                    if object.bytes > 0 && !is_hidden {
                        let keys = if has_hidden { with_hidden(&keys, &object) } else { keys.clone() };
                        parts.push(Part { object, keys });
                    }
                }
            }
            Ok(parts)
        });
        listed.await.map_err(QueryError::internal)?
    }
}

/// The keys, then the values of hidden columns.
fn with_hidden(keys: &[ScalarValue], object: &StoredObject) -> Arc<Vec<ScalarValue>> {
    let modified = std::fs::metadata(&object.path).and_then(|about| about.modified()).ok();
    let since = modified.and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
    let modified_ms = since.and_then(|since| i64::try_from(since.as_millis()).ok());
    let mut all = keys.to_vec();
    all.extend([
        ScalarValue::Utf8(Some(object.name.clone())),
        ScalarValue::Int64(i64::try_from(object.bytes).ok()),
        ScalarValue::TimestampMillisecond(modified_ms, Some("UTC".into())),
    ]);
    Arc::new(all)
}

#[derive(Debug, Clone)]
struct Part {
    object: StoredObject,
    /// Values of the keys, and of hidden columns if there are some.
    keys: Arc<Vec<ScalarValue>>,
}

#[async_trait]
impl TableProvider for HiveTable {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        // Partitions are ruled out by them; rows are looked at again.
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let mut parts = self.files(session, filters).await.map_err(QueryError::wrap)?;
        let projection = projection.cloned().unwrap_or_else(|| (0..self.schema.fields().len()).collect());
        let schema = Arc::new(self.schema.project(&projection)?);
        if parts.is_empty() {
            return Ok(Arc::new(EmptyExec::new(schema)));
        }
        let skip = self.info.parameter("skip.header.line.count").and_then(|text| text.trim().parse().ok());
        let reading = Arc::new(Reading {
            format: self.format.clone(),
            skip_lines: skip.unwrap_or(0),
            columnar: Columnar::of(&self.info, &self.format)
                .map(|columnar| columnar.only(&self.info, filters)),
            names: self.info.columns.iter().map(|(name, _)| name.clone()).collect(),
            projection,
            schema: schema.clone(),
            bytes: self.scanned.bytes.clone(),
            rows: self.scanned.rows.clone(),
        });
        // The largest first, each to whom has least.
        parts.sort_by_key(|part| std::cmp::Reverse(part.object.bytes));
        let count = session.config().target_partitions().clamp(1, parts.len());
        let mut shares: Vec<(u64, Vec<Part>)> = vec![(0, Vec::new()); count];
        for part in parts {
            if let Some(least) = shares.iter_mut().min_by_key(|(bytes, _)| *bytes) {
                least.0 += part.object.bytes;
                least.1.push(part);
            }
        }
        let streams = shares.into_iter().map(|(_, parts)| {
            Arc::new(Share { reading: reading.clone(), parts }) as Arc<dyn PartitionStream>
        });
        let plan = StreamingTableExec::try_new(schema, streams.collect(), None, Vec::new(), false, limit)?;
        Ok(Arc::new(plan))
    }
}

/// Files that are read one after the other.
#[derive(Debug)]
struct Share {
    reading: Arc<Reading>,
    parts: Vec<Part>,
}

impl PartitionStream for Share {
    fn schema(&self) -> &SchemaRef {
        &self.reading.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let mut builder = RecordBatchReceiverStream::builder(self.reading.schema.clone(), 2);
        let (reading, parts, sender) = (self.reading.clone(), self.parts.clone(), builder.tx());
        builder.spawn_blocking(move || {
            for part in parts {
                let mut is_wanted = true;
                let mut send = |batch: RecordBatch| {
                    is_wanted = sender.blocking_send(Ok(batch)).is_ok();
                    is_wanted
                };
                let path = &part.object.path;
                let read = match reading.format {
                    SerdeFormat::Parquet => reading.parquet(path, &part.keys, &mut send),
                    _ => reading.text(path, &part.keys, &mut send),
                };
                read.map_err(|error| failed(error, &part.object))?;
                if !is_wanted {
                    break;
                }
            }
            Ok(())
        });
        builder.build()
    }
}

fn failed(error: ArrowError, object: &StoredObject) -> DataFusionError {
    match &error {
        ArrowError::IoError(..) | ArrowError::ParquetError(_) | ArrowError::ParseError(_) => {
            QueryError::user(1000, "HIVE_CURSOR_ERROR", format!("Failed to read {}: {error}", object.name))
                .wrap()
        }
        _ => DataFusionError::from(error),
    }
}
