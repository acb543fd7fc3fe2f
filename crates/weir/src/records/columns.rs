//! Small things done to record batches.

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, Int32Array, RecordBatch, RecordBatchOptions, new_null_array};
use std::sync::Arc;
use weir_flow::columns::{data_type, schema};
use weir_flow::field::Field;

/// How many values of a column are this text.
pub fn count_text(column: &ArrayRef, text: &str) -> u64 {
    let Some(values) = column.as_string_opt::<i32>() else { return 0 };
    values.iter().filter(|value| *value == Some(text)).count() as u64
}

/// The columns of these fields, in this order; one that the batch does not have
/// is one of nulls.
pub fn select(batch: &RecordBatch, fields: &[Field]) -> RecordBatch {
    let own = batch.schema_ref().fields();
    if own.len() == fields.len() && own.iter().zip(fields).all(|(own, field)| own.name() == field.column()) {
        return batch.clone();
    }
    let column = |field: &Field| {
        let found =
            batch.column_by_name(field.column()).filter(|found| *found.data_type() == data_type(*field));
        found.cloned().unwrap_or_else(|| new_null_array(&data_type(*field), batch.num_rows()))
    };
    rebuilt(batch, fields, fields.iter().map(column).collect())
}

/// The batch with another value in its column `version`, in all rows.
pub fn with_version(batch: &RecordBatch, fields: &[Field], version: u8) -> RecordBatch {
    let versions: ArrayRef = Arc::new(Int32Array::from_value(version.into(), batch.num_rows()));
    let columns = fields.iter().zip(batch.columns()).map(|(field, column)| match field {
        Field::Version => Arc::clone(&versions),
        _ => Arc::clone(column),
    });
    rebuilt(batch, fields, columns.collect())
}

fn rebuilt(batch: &RecordBatch, fields: &[Field], columns: Vec<ArrayRef>) -> RecordBatch {
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    // The types are those of the schema: it cannot fail.
    RecordBatch::try_new_with_options(schema(fields), columns, &options)
        .unwrap_or_else(|_| RecordBatch::new_empty(schema(fields)))
}
