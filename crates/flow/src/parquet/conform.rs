//! Columns as a file has them to columns of our schema.

use super::Error;
use crate::columns::data_type;
use crate::field::Field;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type,
    UInt64Type,
};
use arrow_array::{
    Array, ArrayRef, PrimitiveArray, RecordBatch, RecordBatchOptions, StringArray, new_null_array,
};
use arrow_schema::{DataType, SchemaRef};
use std::fmt::Display;
use std::sync::Arc;

/// The batch with the columns of `fields`; `first_row` is for errors.
pub(super) fn conform(
    batch: &RecordBatch,
    fields: &[Field],
    schema: &SchemaRef,
    first_row: u64,
) -> Result<RecordBatch, Error> {
    let column_of = |field: Field| {
        let found = batch.schema_ref().fields().iter().position(|column| {
            // The file's names may have hyphens.
            Field::by_name_or_column(column.name()) == Some(field)
        });
        match found {
            Some(index) => column(batch.column(index), field, first_row),
            None => Ok(new_null_array(&data_type(field), batch.num_rows())),
        }
    };
    let columns = fields.iter().map(|&field| column_of(field)).collect::<Result<Vec<_>, _>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(schema.clone(), columns, &options)
        .map_err(|error| Error::Read(error.into()))
}

fn column(found: &ArrayRef, field: Field, first_row: u64) -> Result<ArrayRef, Error> {
    let expected = data_type(field);
    Ok(match (&expected, found.data_type()) {
        (DataType::Utf8, DataType::Utf8) => texts(found.as_string::<i32>().iter(), found),
        (DataType::Utf8, DataType::LargeUtf8) => texts(found.as_string::<i64>().iter(), found),
        (DataType::Utf8, DataType::Utf8View) => texts(found.as_string_view().iter(), found),
        // BYTE_ARRAY without the annotation that it is text.
        (DataType::Utf8, DataType::Binary) => {
            let texts: Result<StringArray, _> = found
                .as_binary::<i32>()
                .iter()
                .zip(first_row..)
                .map(|(bytes, row)| {
                    let value = || format!("{:?}", String::from_utf8_lossy(bytes.unwrap_or_default()));
                    let text = bytes.map(std::str::from_utf8).transpose();
                    let text = text.map_err(|_| Error::Value { field, row, value: value() })?;
                    Ok(text.filter(|text| *text != "-"))
                })
                .collect();
            Arc::new(texts?)
        }
        // A column of nulls may have any type.
        _ if found.null_count() == found.len() => new_null_array(&expected, found.len()),
        (expected, same) if expected == same => found.clone(),
        (DataType::Int32, _) => Arc::new(numbers::<Int32Type>(found, field, first_row)?),
        (DataType::Int64, _) => Arc::new(numbers::<Int64Type>(found, field, first_row)?),
        (_, other) => return Err(Error::ColumnType { field, expected, found: other.clone() }),
    })
}

/// The same array if it is one of texts without a `-`.
fn texts<'a>(values: impl Iterator<Item = Option<&'a str>> + Clone, found: &ArrayRef) -> ArrayRef {
    if found.data_type() == &DataType::Utf8 && values.clone().all(|value| value != Some("-")) {
        return found.clone();
    }
    Arc::new(values.map(|value| value.filter(|text| *text != "-")).collect::<StringArray>())
}

/// Numbers of any width, and numbers written as text.
fn numbers<T>(found: &ArrayRef, field: Field, first_row: u64) -> Result<PrimitiveArray<T>, Error>
where
    T: ArrowPrimitiveType,
    T::Native: TryFrom<i128>,
{
    match found.data_type() {
        DataType::Int8 => converted::<Int8Type, T>(found, field, first_row),
        DataType::Int16 => converted::<Int16Type, T>(found, field, first_row),
        DataType::Int32 => converted::<Int32Type, T>(found, field, first_row),
        DataType::Int64 => converted::<Int64Type, T>(found, field, first_row),
        DataType::UInt8 => converted::<UInt8Type, T>(found, field, first_row),
        DataType::UInt16 => converted::<UInt16Type, T>(found, field, first_row),
        DataType::UInt32 => converted::<UInt32Type, T>(found, field, first_row),
        DataType::UInt64 => converted::<UInt64Type, T>(found, field, first_row),
        DataType::Utf8 => checked(
            found.as_string::<i32>().iter().map(|text| text.filter(|text| *text != "-")),
            |text| text.parse::<i128>().ok(),
            field,
            first_row,
        ),
        other => Err(Error::ColumnType { field, expected: T::DATA_TYPE, found: other.clone() }),
    }
}

fn converted<F, T>(found: &ArrayRef, field: Field, first_row: u64) -> Result<PrimitiveArray<T>, Error>
where
    F: ArrowPrimitiveType,
    F::Native: Into<i128> + Display,
    T: ArrowPrimitiveType,
    T::Native: TryFrom<i128>,
{
    checked(found.as_primitive::<F>().iter(), |&number| Some(number.into()), field, first_row)
}

fn checked<V: Display, T>(
    values: impl Iterator<Item = Option<V>>,
    number: impl Fn(&V) -> Option<i128>,
    field: Field,
    first_row: u64,
) -> Result<PrimitiveArray<T>, Error>
where
    T: ArrowPrimitiveType,
    T::Native: TryFrom<i128>,
{
    values
        .zip(first_row..)
        .map(|(value, row)| {
            value
                .map(|value| {
                    let fits = number(&value).and_then(|number| T::Native::try_from(number).ok());
                    fits.ok_or_else(|| Error::Value { field, row, value: value.to_string() })
                })
                .transpose()
        })
        .collect()
}
