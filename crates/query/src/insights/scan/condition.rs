//! Conditions on events, before their columns are made.
//!
//! A condition on one field is decided for each different token of a block, not
//! for each row; whatever it is made of, DataFusion evaluates it, so that it
//! means the same as anywhere else.

use super::typed::{Coded, Typed};
use super::{Column, failed};
use crate::insights::function::substring;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::Session;
use datafusion::common::{DFSchema, Result, exec_datafusion_err};
use datafusion::logical_expr::Expr;
use datafusion::physical_expr::PhysicalExpr;
use std::sync::Arc;

pub struct Condition {
    expr: Arc<dyn PhysicalExpr>,
    /// What it reads, in the order of its schema.
    columns: Vec<Column>,
    schema: SchemaRef,
    /// A text that the message must have, if that is all there is to it.
    contained: Option<String>,
}

impl Condition {
    pub fn new(expr: &Expr, schema: &SchemaRef, columns: &[Column], state: &dyn Session) -> Result<Self> {
        let refs = expr.column_refs();
        let mut read: Vec<usize> =
            refs.iter().map(|column| schema.index_of(&column.name)).collect::<std::result::Result<_, _>>()?;
        read.sort_unstable();
        read.dedup();
        let projected = Arc::new(schema.project(&read)?);
        let unqualified = unqualified(expr.clone())?;
        let expr =
            state.create_physical_expr(unqualified.clone(), &DFSchema::try_from(projected.clone())?)?;
        let columns: Vec<Column> = read.iter().filter_map(|i| columns.get(*i).cloned()).collect();
        let contained = match columns.as_slice() {
            [Column::Message] => substring(&unqualified).map(str::to_owned),
            _ => None,
        };
        Ok(Self { expr, columns, schema: projected, contained })
    }

    /// Cheap ones first: those on one field, then on more, then on messages.
    pub fn cost(&self) -> usize {
        self.columns.len() + if self.columns.contains(&Column::Message) { 100 } else { 0 }
    }

    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// For each row whether it holds.
    pub fn holds(&self, arrays: Vec<ArrayRef>, rows: usize) -> Result<BooleanArray> {
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(self.schema.clone(), arrays, &options)?;
        let held = self.expr.evaluate(&batch)?.into_array(rows)?;
        let held = held.as_boolean_opt();
        held.cloned().ok_or_else(|| exec_datafusion_err!("a condition is neither true nor false"))
    }

    /// Keeps the events for which it holds.
    pub fn retain(&self, typed: &mut Typed<'_>) -> Result<()> {
        if typed.events.is_empty() {
            return Ok(());
        }
        if let Some(text) = &self.contained {
            typed.events.retain_containing(text).map_err(failed)?;
        }
        if let [column] = self.columns.as_slice()
            && let Some(Coded { values, place }) = typed.coded(column)?
        {
            let count = values.len();
            let held = self.holds(vec![values], count)?;
            match (0..count).filter(|i| is_true(&held, *i)).count() {
                0 => typed.events.retain(|_| false),
                all if all == count => {}
                _ => {
                    let codes = typed.codes(place)?;
                    typed.events.retain(|i| codes.get(i).is_some_and(|code| is_true(&held, *code as usize)));
                }
            }
            return Ok(());
        }
        let arrays = self.columns.iter().map(|column| typed.array(column)).collect::<Result<_>>()?;
        let held = self.holds(arrays, typed.events.len())?;
        typed.events.retain(|i| is_true(&held, i));
        Ok(())
    }
}

fn is_true(held: &BooleanArray, row: usize) -> bool {
    row < held.len() && !held.is_null(row) && held.value(row)
}

/// Without the name of the table.
fn unqualified(expr: Expr) -> Result<Expr> {
    use datafusion::common::Column as Name;
    use datafusion::common::tree_node::{Transformed, TreeNode};
    let made = expr.transform(|expr| {
        Ok(match expr {
            Expr::Column(column) => Transformed::yes(Expr::Column(Name::new_unqualified(column.name))),
            other => Transformed::no(other),
        })
    })?;
    Ok(made.data)
}
