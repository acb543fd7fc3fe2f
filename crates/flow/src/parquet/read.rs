//! A file to record batches of our schema.

use super::{Error, conform};
use crate::columns::schema;
use crate::field::Field;
use ::parquet::arrow::ProjectionMask;
use ::parquet::arrow::arrow_reader::{
    ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use ::parquet::errors::ParquetError;
use ::parquet::file::metadata::ParquetMetaData;
use ::parquet::file::reader::ChunkReader;
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Reads the columns that are asked for of one file, and no other bytes of it.
///
/// Each batch has the [`columns::schema`](crate::columns::schema) of the
/// fields, whatever the file has: a missing column is one of nulls, numbers of
/// another width are converted and checked, and a `-` is null.
pub struct Reader {
    fields: Vec<Field>,
    schema: SchemaRef,
    rows: u64,
    /// Rows of the batches given so far.
    done: u64,
    inner: ParquetRecordBatchReader,
}

impl Reader {
    const BATCH_ROWS: usize = 8192;

    /// A reader of these fields of `source`: a [`std::fs::File`] or
    /// [`bytes::Bytes`](::parquet::file::reader::ChunkReader). `None` reads
    /// every column that has the name of a field, in the file's order.
    ///
    /// # Errors
    /// [`Error::Read`] if it is no Parquet file, [`Error::NotAFlowLog`] if no
    /// column has the name of a field.
    pub fn new<S: ChunkReader + 'static>(source: S, projection: Option<&[Field]>) -> Result<Self, Error> {
        // The types as Parquet has them, not as some Arrow writer remembered them.
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let builder = unharmed(|| ParquetRecordBatchReaderBuilder::try_new_with_options(source, options))?;
        check_places(builder.metadata())?;
        let columns: Vec<(usize, Field)> = builder
            .schema()
            .fields()
            .iter()
            .enumerate()
            .filter_map(|(root, column)| Some((root, Field::by_name_or_column(column.name())?)))
            .collect();
        if columns.is_empty() {
            let names: Vec<&str> =
                builder.schema().fields().iter().take(8).map(|column| column.name().as_str()).collect();
            return Err(Error::NotAFlowLog { found: names.join(", ") });
        }
        let fields = match projection {
            Some(fields) => fields.to_vec(),
            None => columns.iter().map(|&(_, field)| field).collect(),
        };
        let roots = columns.iter().filter(|(_, field)| fields.contains(field)).map(|&(root, _)| root);
        let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
        let rows = u64::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or(0);
        let inner = unharmed(|| builder.with_projection(mask).with_batch_size(Self::BATCH_ROWS).build())?;
        Ok(Self { schema: schema(&fields), fields, rows, done: 0, inner })
    }

    /// The columns of the batches.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The schema of every batch.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Rows of the whole file, as its footer says.
    pub fn rows(&self) -> u64 {
        self.rows
    }
}

/// The library asserts that places of columns are not negative; a damaged file
/// may say otherwise.
fn check_places(metadata: &ParquetMetaData) -> Result<(), Error> {
    let columns = metadata.row_groups().iter().flat_map(|group| group.columns());
    for column in columns {
        let start = column.dictionary_page_offset().unwrap_or_else(|| column.data_page_offset());
        if start < 0 || column.data_page_offset() < 0 || column.compressed_size() < 0 {
            return Err(damaged("a column lies at a negative place"));
        }
    }
    Ok(())
}

/// What `work` answers; a panic of the library over a damaged file is an error
/// like any other.
fn unharmed<T>(work: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, Error> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(done) => done.map_err(Error::Read),
        Err(_) => Err(damaged("its pages contradict its footer")),
    }
}

fn damaged(how: &str) -> Error {
    Error::Read(ParquetError::General(format!("the file is damaged: {how}")))
}

impl Iterator for Reader {
    type Item = Result<RecordBatch, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = unharmed(|| {
            self.inner.next().transpose().map_err(|error| ParquetError::External(Box::new(error)))
        });
        let batch = match next.transpose()? {
            Ok(batch) => batch,
            Err(error) => return Some(Err(error)),
        };
        let first_row = self.done;
        self.done += batch.num_rows() as u64;
        Some(conform::conform(&batch, &self.fields, &self.schema, first_row))
    }
}
