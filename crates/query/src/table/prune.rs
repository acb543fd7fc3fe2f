//! Which objects need not be opened: by the values of their partition columns,
//! and by the times that their names say.

use super::{Column, Origin};
use crate::source::Object;
use datafusion::arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, cast::AsArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field as ArrowField, Schema};
use datafusion::catalog::Session;
use datafusion::common::DFSchema;
use datafusion::error::Result;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};
use datafusion::scalar::ScalarValue;
use std::sync::Arc;
use weir_flow::field::Field;

/// The column that a filter asks for, by name.
fn column<'a>(columns: &'a [Column], name: &str) -> Option<&'a Column> {
    columns.iter().find(|column| column.name == name)
}

fn origins(columns: &[Column], filter: &Expr) -> Option<Vec<Origin>> {
    filter.column_refs().iter().map(|own| Some(column(columns, &own.name)?.origin)).collect()
}

/// Whether the objects that are left have only rows for which the filter holds.
pub(super) fn is_exact(columns: &[Column], filter: &Expr) -> bool {
    !filter.is_volatile()
        && origins(columns, filter).is_some_and(|origins| {
            !origins.is_empty() && origins.iter().all(|origin| matches!(origin, Origin::Partition(_)))
        })
}

/// The objects that may have rows for which all filters hold.
pub(super) fn prune(
    columns: &[Column],
    mut objects: Vec<Object>,
    session: &dyn Session,
    filters: &[Expr],
) -> Result<Vec<Object>> {
    for filter in filters.iter().filter(|filter| !filter.is_volatile()) {
        if objects.is_empty() {
            break;
        }
        let Some(origins) = origins(columns, filter) else { continue };
        if origins.is_empty() || origins.iter().any(|origin| matches!(origin, Origin::Field(_))) {
            continue;
        }
        let keeps_unknown = !is_exact(columns, filter);
        let mask = evaluate(columns, &objects, session, filter)?;
        let mut kept = mask.into_iter();
        objects.retain(|_| kept.next().flatten().unwrap_or(keeps_unknown));
    }
    let times = Times::of(columns, filters);
    objects.retain(|object| object.seconds.is_none_or(|seconds| times.may_hold(seconds)));
    Ok(objects)
}

/// What the filter says of each object.
fn evaluate(
    columns: &[Column],
    objects: &[Object],
    session: &dyn Session,
    filter: &Expr,
) -> Result<Vec<Option<bool>>> {
    let mut fields = Vec::new();
    let mut arrays: Vec<ArrayRef> = Vec::new();
    for column in columns {
        let (Origin::Partition(place) | Origin::FieldOrPartition(_, place)) = column.origin else { continue };
        let values = objects.iter().map(|object| object.partition.get(place).cloned());
        let values: Option<Vec<ScalarValue>> = values.collect();
        let array = match values {
            Some(values) => cast(&ScalarValue::iter_to_array(values)?, &column.data_type)?,
            None => datafusion::arrow::array::new_null_array(&column.data_type, objects.len()),
        };
        fields.push(ArrowField::new(&column.name, column.data_type.clone(), true));
        arrays.push(array);
    }
    let schema = Arc::new(Schema::new(fields));
    let known = DFSchema::try_from(Arc::clone(&schema))?;
    let options = RecordBatchOptions::new().with_row_count(Some(objects.len()));
    let batch = RecordBatch::try_new_with_options(schema, arrays, &options)?;
    let expression = session.create_physical_expr(unqualified(filter)?, &known)?;
    let answers = expression.evaluate(&batch)?.into_array(objects.len())?;
    let answers = cast(&answers, &DataType::Boolean)?;
    Ok(answers.as_boolean().iter().collect())
}

/// The filter with the names of columns alone.
fn unqualified(filter: &Expr) -> Result<Expr> {
    use datafusion::common::tree_node::{Transformed, TreeNode};
    let changed = filter.clone().transform(|expression| {
        Ok(match expression {
            Expr::Column(column) if column.relation.is_some() => {
                Transformed::yes(Expr::Column(datafusion::common::Column::from_name(column.name)))
            }
            other => Transformed::no(other),
        })
    })?;
    Ok(changed.data)
}

/// Between which seconds the filters want `start` and `end` of records.
#[derive(Debug, PartialEq, Eq)]
struct Times {
    least: i64,
    most: i64,
}

impl Times {
    fn of(columns: &[Column], filters: &[Expr]) -> Self {
        let mut times = Self { least: i64::MIN, most: i64::MAX };
        for filter in filters {
            times.narrow(columns, filter);
        }
        times
    }

    fn narrow(&mut self, columns: &[Column], filter: &Expr) {
        match filter {
            Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => {
                self.narrow(columns, left);
                self.narrow(columns, right);
            }
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
                if let Some(second) = bound(columns, left, right) {
                    self.compare(*op, second);
                } else if let (Some(second), Some(op)) = (bound(columns, right, left), op.swap()) {
                    self.compare(op, second);
                }
            }
            Expr::Between(between) if !between.negated => {
                if let Some(low) = bound(columns, &between.expr, &between.low) {
                    self.compare(Operator::GtEq, low);
                }
                if let Some(high) = bound(columns, &between.expr, &between.high) {
                    self.compare(Operator::LtEq, high);
                }
            }
            _ => {}
        }
    }

    fn compare(&mut self, op: Operator, second: i64) {
        match op {
            Operator::Gt | Operator::GtEq => self.least = self.least.max(second),
            Operator::Lt | Operator::LtEq => self.most = self.most.min(second),
            Operator::Eq => {
                self.least = self.least.max(second);
                self.most = self.most.min(second);
            }
            _ => {}
        }
    }

    fn may_hold(&self, (first, last): (i64, i64)) -> bool {
        last >= self.least && first <= self.most
    }
}

/// The number that `start` or `end` is compared with.
fn bound(columns: &[Column], left: &Expr, right: &Expr) -> Option<i64> {
    let (Expr::Column(own), Expr::Literal(value, _)) = (left, right) else { return None };
    match column(columns, &own.name)?.origin {
        Origin::Field(Field::Start | Field::End) => match value {
            ScalarValue::Int64(number) => *number,
            _ => None,
        },
        _ => None,
    }
}
