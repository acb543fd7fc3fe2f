//! The value of the row that is first, or last, by a key: `earliest`, `latest`,
//! `sortsFirst`, `sortsLast`.
//!
//! DataFusion's `first_value` would sort all rows by one order for all of them.

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Expr, Signature, Volatility};
use std::cmp::Ordering;
use std::sync::Arc;

/// The value that is not null with the smallest key, or the largest.
pub fn extreme(value: Expr, key: Expr, is_last: bool) -> Expr {
    let extreme = Extreme { is_last, signature: Signature::user_defined(Volatility::Immutable) };
    AggregateUDF::new_from_impl(extreme).call(vec![value, key])
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Extreme {
    is_last: bool,
    signature: Signature,
}

impl AggregateUDFImpl for Extreme {
    fn name(&self) -> &str {
        if self.is_last { "insights_last" } else { "insights_first" }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(arg_types.to_vec())
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        match arg_types.first() {
            Some(value) => Ok(value.clone()),
            None => exec_err!("{} needs a value", self.name()),
        }
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let value = ScalarValue::try_from(args.return_field.data_type())?;
        Ok(Box::new(Best { is_last: self.is_last, value, key: None }))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        Ok(vec![
            Arc::new(Field::new("value", args.return_field.data_type().clone(), true)),
            Arc::new(Field::new("key", DataType::Binary, true)),
        ])
    }
}

#[derive(Debug)]
struct Best {
    is_last: bool,
    value: ScalarValue,
    key: Option<Vec<u8>>,
}

impl Accumulator for Best {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let [value, keys] = values else { return exec_err!("a value and its key are needed") };
        let Some(keys) = keys.as_binary_opt::<i32>() else { return exec_err!("a key is not binary") };
        let wanted = if self.is_last { Ordering::Greater } else { Ordering::Less };
        let mut best = None;
        for row in (0..value.len()).filter(|row| !value.is_null(*row) && !keys.is_null(*row)) {
            let key = keys.value(row);
            let before = best.map(|best| keys.value(best)).or(self.key.as_deref());
            if before.is_none_or(|before| key.cmp(before) == wanted) {
                best = Some(row);
            }
        }
        if let Some(row) = best {
            self.value = ScalarValue::try_from_array(value, row)?;
            self.key = Some(keys.value(row).to_vec());
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.update_batch(states)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.value.clone(), ScalarValue::Binary(self.key.clone())])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(self.value.clone())
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.value.size() + self.key.as_ref().map_or(0, Vec::capacity)
    }
}
