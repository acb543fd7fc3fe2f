//! Parquet objects, through DataFusion's own reader: only the columns, row
//! groups and pages that are needed.
//!
//! Bytes come from our [`Source`](crate::source::Source)s and are counted.
//! Filters reach the reader when plans are optimized.

use super::{Column, Origin};
use crate::source::{Object, read_range};
use crate::tally::Tally;
use bytes::Bytes;
use datafusion::arrow::datatypes::{Field as ArrowField, FieldRef, Schema};
use datafusion::catalog::Session;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{
    FileGroup, FileScanConfigBuilder, ParquetFileReaderFactory, ParquetSource,
};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::parquet::arrow::arrow_reader::ArrowReaderOptions;
use datafusion::parquet::arrow::async_reader::AsyncFileReader;
use datafusion::parquet::errors::{ParquetError, Result as ParquetResult};
use datafusion::parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};
use datafusion::physical_expr::expressions::{Column as PhysicalColumn, case, is_not_null};
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::{ExecutionPlan, PhysicalExpr};
use datafusion::scalar::ScalarValue;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use std::collections::HashMap;
use std::fs::File;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// Where the columns of a table are in a scan: first those of files, then those
/// of objects.
struct Places {
    files: Vec<FieldRef>,
    objects: Vec<FieldRef>,
    /// For each object column, which value of an object it is.
    values: Vec<usize>,
    /// For each column of the table: of files, of objects.
    of: Vec<(Option<usize>, Option<usize>)>,
}

impl Places {
    fn new(columns: &[Column]) -> Self {
        let mut places = Self { files: vec![], objects: vec![], values: vec![], of: vec![] };
        for column in columns {
            let file = column.field().map(|field| {
                let own = ArrowField::new(field.column(), column.data_type.clone(), true);
                places.files.push(Arc::new(own));
                places.files.len() - 1
            });
            let object = match column.origin {
                Origin::Field(_) => None,
                Origin::Partition(value) => Some((column.name.clone(), value)),
                Origin::FieldOrPartition(_, value) => Some((format!("object {}", column.name), value)),
            };
            let object = object.map(|(name, value)| {
                places.objects.push(Arc::new(ArrowField::new(name, column.data_type.clone(), true)));
                places.values.push(value);
                places.objects.len() - 1
            });
            places.of.push((file, object));
        }
        let files = places.files.len();
        for (_, object) in &mut places.of {
            *object = object.map(|place| files + place);
        }
        places
    }
}

/// So many columns are read whole, and filtered then: choosing rows while they
/// are read costs more than it saves (1.3 instead of 0.8 CPU seconds for three
/// columns of 20,000,000 rows of which a twelfth is wanted).
const FEW_COLUMNS: usize = 4;

/// A plan that gives the projected columns of `objects`.
pub(super) fn plan(
    columns: &[Column],
    tally: &Arc<Tally>,
    objects: Vec<Object>,
    session: &dyn Session,
    projection: &[usize],
    limit: Option<usize>,
) -> Result<Arc<dyn ExecutionPlan>> {
    let places = Places::new(columns);
    let partitions = session.config().target_partitions();
    let group = objects.into_iter().map(|object| file(object, &places)).collect::<Result<Vec<_>>>()?;
    let groups = FileGroup::new(group).split_files(partitions);
    let files = Arc::new(Schema::new(places.files.clone()));
    let schema = TableSchema::builder(files).with_table_partition_cols(places.objects.clone()).build();
    let mut options = session.table_options().parquet.clone();
    options.global.pushdown_filters = projection.len() > FEW_COLUMNS;
    let source =
        ParquetSource::new(schema).with_table_parquet_options(options).with_parquet_file_reader_factory(
            Arc::new(Readers { tally: Arc::clone(tally), known: Arc::default() }),
        );
    // What is read, and how the wanted columns are made of it.
    let mut read = Vec::new();
    let mut wanted: Vec<(Arc<dyn PhysicalExpr>, String)> = Vec::new();
    for &index in projection {
        let (Some(column), Some(&(file, object))) = (columns.get(index), places.of.get(index)) else {
            return Err(DataFusionError::Internal(format!("there is no column {index}")));
        };
        let mut input = |place: Option<usize>| -> Option<Arc<dyn PhysicalExpr>> {
            let place = place?;
            read.push(place);
            let name = places.files.iter().chain(&places.objects).nth(place)?.name().clone();
            Some(Arc::new(PhysicalColumn::new(&name, read.len() - 1)))
        };
        let value = match (input(file), input(object)) {
            (Some(file), Some(object)) => {
                case(None, vec![(is_not_null(Arc::clone(&file))?, file)], Some(object))?
            }
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => return Err(DataFusionError::Internal(format!("{} is nowhere", column.name))),
        };
        wanted.push((value, column.name.clone()));
    }
    let is_as_read = read.len() == wanted.len()
        && wanted.iter().all(|(value, name)| {
            value.downcast_ref::<PhysicalColumn>().is_some_and(|column| column.name() == name)
        });
    let config = FileScanConfigBuilder::new(ObjectStoreUrl::local_filesystem(), Arc::new(source))
        .with_file_groups(groups)
        .with_projection_indices(Some(read))?
        .with_limit(limit)
        .build();
    let scan = DataSourceExec::from_data_source(config);
    Ok(if is_as_read { scan } else { Arc::new(ProjectionExec::try_new(wanted, scan)?) })
}

fn file(object: Object, places: &Places) -> Result<PartitionedFile> {
    let value = |(&place, column): (&usize, &FieldRef)| match object.partition.get(place) {
        Some(value) => value.cast_to(column.data_type()),
        None => ScalarValue::try_from(column.data_type()),
    };
    let values = places.values.iter().zip(&places.objects).map(value).collect::<Result<Vec<_>>>()?;
    let file = PartitionedFile::new(object.key.clone(), object.bytes).with_partition_values(values);
    Ok(file.with_extension(Arc::new(object)))
}

/// Footers that were read, by key: large files are read in several parts.
type Known = Arc<Mutex<HashMap<String, Arc<ParquetMetaData>>>>;

#[derive(Debug)]
struct Readers {
    tally: Arc<Tally>,
    known: Known,
}

impl ParquetFileReaderFactory for Readers {
    fn create_reader(
        &self,
        _partition_index: usize,
        file: PartitionedFile,
        _metadata_size_hint: Option<usize>,
        _metrics: &ExecutionPlanMetricsSet,
    ) -> Result<Box<dyn AsyncFileReader + Send>> {
        let object = file.extension::<Arc<Object>>().cloned();
        let object =
            object.ok_or_else(|| DataFusionError::Internal("a file without its object".to_owned()))?;
        let path = object.source.file(&object.key);
        let file = path.map(File::open).transpose().map_err(DataFusionError::IoError)?;
        self.tally.add_opened(&object.name);
        Ok(Box::new(Reader { object, file, tally: Arc::clone(&self.tally), known: Arc::clone(&self.known) }))
    }
}

struct Reader {
    object: Arc<Object>,
    file: Option<File>,
    tally: Arc<Tally>,
    known: Known,
}

impl AsyncFileReader for Reader {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, ParquetResult<Bytes>> {
        async move {
            let wanted = range.end.saturating_sub(range.start);
            self.tally.meter().add(wanted);
            let bytes = match &self.file {
                Some(file) => read_range(file, range)?,
                None => self.object.source.read(&self.object.key, range).await?,
            };
            if bytes.len() as u64 == wanted {
                Ok(bytes)
            } else {
                Err(ParquetError::EOF(format!("{} is shorter than it says", self.object.name)))
            }
        }
        .boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, ParquetResult<Arc<ParquetMetaData>>> {
        async move {
            let known =
                self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&self.object.key).cloned();
            if let Some(known) = known {
                return Ok(known);
            }
            let mut reader = ParquetMetaDataReader::new();
            if let Some(options) = options {
                reader = reader
                    .with_column_index_policy(options.column_index_policy())
                    .with_offset_index_policy(options.offset_index_policy());
            }
            let bytes = self.object.bytes;
            let name = self.object.name.clone();
            let key = self.object.key.clone();
            let known = Arc::clone(&self.known);
            let read = reader.load_and_finish(self, bytes).await;
            let read = Arc::new(read.map_err(|error| ParquetError::General(format!("{name}: {error}")))?);
            known.lock().unwrap_or_else(PoisonError::into_inner).insert(key, Arc::clone(&read));
            Ok(read)
        }
        .boxed()
    }
}
