//! Record batches to a file.

use super::Error;
use crate::columns::schema;
use crate::field::Field;
use ::parquet::arrow::ArrowWriter;
use ::parquet::arrow::arrow_writer::ArrowWriterOptions;
use ::parquet::basic::{self, GzipLevel, ZstdLevel};
use ::parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use std::io::Write;

/// How the pages inside the file are compressed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Compression {
    /// As AWS does.
    #[default]
    Gzip,
    /// Smaller and several times faster to write and to read; every current
    /// engine reads it.
    Zstd,
    Snappy,
    Uncompressed,
}

#[derive(Debug, Clone, Copy)]
pub struct WriterOptions {
    pub compression: Compression,
    /// A row group is what a query passes over or reads as a whole, and what
    /// the writer keeps in memory, compressed.
    pub row_group_rows: usize,
}

/// As AWS writes: GZIP; row groups of 262,144 rows, about 5 MB of the default format.
impl Default for WriterOptions {
    fn default() -> Self {
        Self { compression: Compression::Gzip, row_group_rows: 1 << 18 }
    }
}

/// Nearly every row has another value: a dictionary of them and the places in
/// it are a fifth larger than the values (`bytes`), or a tenth (ports).
const WITHOUT_DICTIONARY: [Field; 3] = [Field::Bytes, Field::SrcPort, Field::DstPort];

/// Writes one file.
pub struct Writer<W: Write + Send> {
    schema: SchemaRef,
    inner: ArrowWriter<W>,
}

impl<W: Write + Send> Writer<W> {
    /// A file with these columns, in this order.
    ///
    /// # Errors
    /// When `sink` refuses the first bytes.
    pub fn new(sink: W, fields: &[Field], options: WriterOptions) -> Result<Self, Error> {
        let schema = schema(fields);
        let mut properties = WriterProperties::builder()
            .set_compression(codec(options.compression))
            .set_max_row_group_row_count(Some(options.row_group_rows.max(1)))
            .set_statistics_enabled(EnabledStatistics::Page)
            .set_writer_version(WriterVersion::PARQUET_1_0)
            .set_created_by(concat!("weir version ", env!("CARGO_PKG_VERSION")).to_owned());
        for field in fields.iter().filter(|field| WITHOUT_DICTIONARY.contains(field)) {
            properties = properties.set_column_dictionary_enabled(field.column().into(), false);
        }
        let properties = properties.build();
        // Without the Arrow schema: it would be the only thing in the file
        // that AWS's files do not have.
        let options = ArrowWriterOptions::new()
            .with_properties(properties)
            .with_skip_arrow_metadata(true)
            .with_schema_root("schema".to_owned());
        let inner = ArrowWriter::try_new_with_options(sink, schema.clone(), options).map_err(Error::Write)?;
        Ok(Self { schema, inner })
    }

    /// Appends a batch of [`columns::schema`](crate::columns::schema) of the file's fields.
    ///
    /// # Errors
    /// [`Error::OtherColumns`] for a batch of another schema, and what `sink` says.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        if batch.schema_ref().fields() != self.schema.fields() {
            return Err(Error::OtherColumns);
        }
        self.inner.write(batch).map_err(Error::Write)
    }

    /// Bytes written to the sink so far.
    pub fn bytes_written(&self) -> usize {
        self.inner.bytes_written()
    }

    /// Writes what is buffered and the footer, without which nobody can read
    /// the file, and gives the sink back, flushed.
    ///
    /// # Errors
    /// What `sink` says.
    pub fn finish(self) -> Result<W, Error> {
        let mut sink = self.inner.into_inner().map_err(Error::Write)?;
        sink.flush().map_err(|error| Error::Write(error.into()))?;
        Ok(sink)
    }
}

fn codec(compression: Compression) -> basic::Compression {
    match compression {
        Compression::Gzip => basic::Compression::GZIP(GzipLevel::default()),
        Compression::Zstd => basic::Compression::ZSTD(ZstdLevel::default()),
        Compression::Snappy => basic::Compression::SNAPPY,
        Compression::Uncompressed => basic::Compression::UNCOMPRESSED,
    }
}
