//! Parquet files: columns by their names; what a file does not have is NULL.

use super::rows::Reading;
use datafusion::arrow::array::{ArrayRef, RecordBatch, new_null_array};
use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::error::ArrowError;
use datafusion::parquet::arrow::ProjectionMask;
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use datafusion::scalar::ScalarValue;
use std::fs::File;
use std::path::Path;
use std::sync::atomic::Ordering;

impl Reading {
    /// Gives the file's rows to `send` until it wants no more.
    pub(super) fn parquet(
        &self,
        path: &Path,
        keys: &[ScalarValue],
        send: &mut dyn FnMut(RecordBatch) -> bool,
    ) -> Result<(), ArrowError> {
        let outside = |error| ArrowError::ParquetError(format!("HIVE_BAD_DATA: {error}"));
        let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(path)?).map_err(outside)?;
        // The table's columns by their places in the file.
        let fields = builder.schema().fields().clone();
        let place_in_file = |place: usize| {
            let name = self.names.get(place)?;
            fields.iter().position(|field| field.name().eq_ignore_ascii_case(name))
        };
        let mut roots: Vec<usize> =
            self.projection.iter().filter_map(|place| place_in_file(*place)).collect();
        roots.sort_unstable();
        roots.dedup();
        let mask = ProjectionMask::roots(builder.parquet_schema(), roots.iter().copied());
        let mut bytes = 0;
        for group in builder.metadata().row_groups() {
            for (leaf, column) in group.columns().iter().enumerate() {
                if mask.leaf_included(leaf) {
                    bytes += u64::try_from(column.compressed_size()).unwrap_or(0);
                }
            }
        }
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        let reader = builder.with_projection(mask).with_batch_size(8192).build().map_err(outside)?;
        for batch in reader {
            let batch = batch?;
            let rows = batch.num_rows();
            let given = self.batch(rows, keys, |place| -> Result<ArrayRef, ArrowError> {
                let found =
                    place_in_file(place).and_then(|root| roots.iter().position(|known| *known == root));
                Ok(match found {
                    Some(at) => batch.column(at).clone(),
                    None => new_null_array(&DataType::Null, rows),
                })
            })?;
            if !send(given) {
                return Ok(());
            }
        }
        Ok(())
    }
}
