//! Conditions on whole columns.
//!
//! Each test looks only at the rows that the tests before it left undecided, so
//! that what is cheap and rare belongs at the beginning of an `and`.

use super::test::Test;
use super::{Condition, Expression};
use crate::field::Field;
use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use arrow_array::{Array, BooleanArray, RecordBatch};
use arrow_buffer::{BooleanBuffer, NullBuffer};
use arrow_schema::DataType;

/// Why a condition cannot be evaluated on a batch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MaskError {
    /// The projection must have all of [`Condition::fields`].
    #[error("the batch has no column '{}'", .0.column())]
    NoColumn(Field),
    /// Columns have the types of [`columns::data_type`](crate::columns::data_type).
    #[error("column '{}' has type {found}, not {}", .field.column(), crate::columns::data_type(*.field))]
    WrongType { field: Field, found: DataType },
}

impl Condition {
    /// For each row whether the condition holds; never null. Columns are found
    /// by name.
    pub fn mask(&self, batch: &RecordBatch) -> Result<BooleanArray, MaskError> {
        let all = BooleanBuffer::new_set(batch.num_rows());
        self.expression.among(batch, &all).map(|mask| BooleanArray::new(mask, None))
    }
}

impl Expression<Field> {
    /// The rows among `rows` for which it holds.
    fn among(&self, batch: &RecordBatch, rows: &BooleanBuffer) -> Result<BooleanBuffer, MaskError> {
        match self {
            Self::Test(field, test) => {
                let column = batch.column_by_name(field.column()).ok_or(MaskError::NoColumn(*field))?;
                test.among(column, rows)
                    .ok_or_else(|| MaskError::WrongType { field: *field, found: column.data_type().clone() })
            }
            Self::All(parts) => parts.iter().try_fold(rows.clone(), |left, part| part.among(batch, &left)),
            Self::Any(parts) => {
                let none = BooleanBuffer::new_unset(rows.len());
                parts.iter().try_fold(none, |found, part| {
                    let undecided = rows & &!&found;
                    Ok(&found | &part.among(batch, &undecided)?)
                })
            }
            Self::Not(part) => Ok(rows & &!&part.among(batch, rows)?),
        }
    }
}

impl Test {
    /// `None`: the column has a type that no field has.
    fn among(&self, column: &dyn Array, rows: &BooleanBuffer) -> Option<BooleanBuffer> {
        let valid = column.nulls().map(NullBuffer::inner);
        if *self == Self::Null {
            return Some(match valid {
                Some(valid) => rows & &!valid,
                None => BooleanBuffer::new_unset(rows.len()),
            });
        }
        let rows = valid.map_or_else(|| rows.clone(), |valid| rows & valid);
        // What stands in the place of a null does not count: it is not in `rows`.
        Some(match column.data_type() {
            DataType::Int32 => {
                let values = column.as_primitive::<Int32Type>().values();
                self.where_number(&rows, |row| values.get(row).copied().unwrap_or(0).into())
            }
            DataType::Int64 => {
                let values = column.as_primitive::<Int64Type>().values();
                self.where_number(&rows, |row| values.get(row).copied().unwrap_or(0))
            }
            DataType::Utf8 => {
                let values = column.as_string::<i32>();
                BooleanBuffer::collect_bool(rows.len(), |row| {
                    rows.value(row) && self.holds_for_text(values.value(row))
                })
            }
            _ => return None,
        })
    }

    fn where_number(&self, rows: &BooleanBuffer, number: impl Fn(usize) -> i64) -> BooleanBuffer {
        match self {
            // Without a branch per row: numbers are cheap to compare.
            Self::Numbers(ranges) => {
                let found =
                    ranges.iter().fold(BooleanBuffer::new_unset(rows.len()), |found, &(low, high)| {
                        &found
                            | &BooleanBuffer::collect_bool(rows.len(), |row| {
                                (low..=high).contains(&number(row))
                            })
                    });
                rows & &found
            }
            _ => BooleanBuffer::new_unset(rows.len()),
        }
    }
}
