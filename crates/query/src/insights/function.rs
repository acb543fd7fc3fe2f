//! The functions of the language as DataFusion's: one type for all of them.

use super::kernel::{self, Builder};
use super::value::{Kind, Value, Values};
use datafusion::arrow::array::{ArrayRef, StringArray, StructArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use std::sync::Arc;
use weir_logs::insights::{BinaryOp, Extract, Function, LikePattern, Period, Step};

/// What a function does to the values of a row. Constants that must be
/// prepared (expressions, patterns) are part of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Op {
    Compare(BinaryOp),
    Arithmetic(BinaryOp),
    Negative,
    /// Whether a value counts as true; never null.
    Truth,
    Like {
        pattern: LikePattern,
        negated: bool,
    },
    /// The first argument against all others.
    In {
        negated: bool,
    },
    Call(Function, Option<Period>),
    Path(Vec<Step>),
    ToNumber,
    ToText,
    SortKey,
    /// Of milliseconds and sequence: the order of events by time.
    TimeKey,
    /// A structure of the texts that a pattern cuts out.
    Extract(Extract),
    /// A list of the elements of a JSON list.
    Elements,
    /// What a text has in common with others like it.
    Template,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct RowFunction {
    op: Op,
    kind: Kind,
    signature: Signature,
}

/// Calls `op`, whose values are of `kind`.
pub fn call(op: Op, kind: Kind, args: Vec<Expr>) -> Expr {
    let function = RowFunction { op, kind, signature: Signature::user_defined(Volatility::Immutable) };
    ScalarUDF::new_from_impl(function).call(args)
}

/// The text that a value must have somewhere, if the expression says no more
/// than that of a column.
pub fn substring(expr: &Expr) -> Option<&str> {
    let Expr::ScalarFunction(function) = expr else { return None };
    let inner: &dyn std::any::Any = function.func.inner().as_ref();
    match (&inner.downcast_ref::<RowFunction>()?.op, function.args.as_slice()) {
        (Op::Like { pattern: LikePattern::Substring(text), negated: false }, [Expr::Column(_)]) => Some(text),
        _ => None,
    }
}

/// The structure that [`Op::Extract`] makes.
fn extracted(names: usize) -> Fields {
    (0..names).map(|i| Field::new(format!("c{i}"), DataType::Utf8, true)).collect()
}

impl ScalarUDFImpl for RowFunction {
    fn name(&self) -> &str {
        match &self.op {
            Op::Compare(_) => "insights_compare",
            Op::Arithmetic(_) => "insights_arithmetic",
            Op::Call(function, _) => function.name(),
            Op::Extract(_) => "insights_parse",
            _ => "insights",
        }
    }

    /// Two functions of one name and the same arguments are told apart by it.
    fn schema_name(&self, args: &[Expr]) -> Result<String> {
        let args: Vec<String> = args.iter().map(|arg| arg.schema_name().to_string()).collect();
        Ok(format!("{:?}({})", self.op, args.join(",")))
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(arg_types.to_vec())
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(match &self.op {
            Op::SortKey | Op::TimeKey => DataType::Binary,
            Op::Extract(how) => DataType::Struct(extracted(how.names().len())),
            Op::Elements => DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true))),
            _ => self.kind.data_type(),
        })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let is_constant = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let arrays: Vec<(ArrayRef, bool)> = args
            .args
            .iter()
            .map(|arg| match arg {
                ColumnarValue::Scalar(scalar) => Ok((scalar.to_array()?, true)),
                ColumnarValue::Array(array) => match array.data_type() {
                    DataType::LargeUtf8 | DataType::Dictionary(..) => {
                        Ok((cast(array, &DataType::Utf8)?, false))
                    }
                    _ => Ok((array.clone(), false)),
                },
            })
            .collect::<Result<_>>()?;
        let inputs: Vec<Input<'_>> = arrays
            .iter()
            .map(|(array, is_one)| Ok(Input { values: Values::new(array)?, is_one: *is_one }))
            .collect::<Result<_>>()?;
        let rows = if is_constant { 1 } else { rows };
        if let Some(made) = kernel::at_once(&self.op, &inputs) {
            return Ok(ColumnarValue::Array(made));
        }
        let made = match &self.op {
            Op::SortKey => kernel::sort_keys(&inputs, rows),
            Op::TimeKey => kernel::time_keys(&inputs, rows),
            Op::Extract(how) => self.extract(how, &inputs, rows)?,
            Op::Elements => kernel::elements(&inputs, rows),
            op => {
                let prepared = kernel::Prepared::new(op, &inputs);
                let mut builder = Builder::new(self.kind, rows);
                let mut values = Vec::with_capacity(inputs.len());
                for row in 0..rows {
                    values.clear();
                    values.extend(inputs.iter().map(|input| input.get(row)));
                    builder.push(&prepared.apply(op, &values));
                }
                builder.finish()
            }
        };
        Ok(ColumnarValue::Array(made)).map(|made| match (is_constant, made) {
            (true, ColumnarValue::Array(array)) => datafusion::common::ScalarValue::try_from_array(&array, 0)
                .map_or(ColumnarValue::Array(array), ColumnarValue::Scalar),
            (_, made) => made,
        })
    }
}

impl RowFunction {
    fn extract(&self, how: &Extract, inputs: &[Input<'_>], rows: usize) -> Result<ArrayRef> {
        let count = how.names().len();
        let mut columns = vec![Vec::with_capacity(rows); count];
        for row in 0..rows {
            let value = inputs.first().map_or(Value::Absent, |input| input.get(row));
            let text = value.text();
            let found = text.as_deref().and_then(|text| match how {
                Extract::Glob { glob, .. } => glob.captures(text),
                Extract::Regex(regex) => regex.captures(text),
            });
            for (i, column) in columns.iter_mut().enumerate() {
                let value = found.as_ref().and_then(|found| found.get(i).copied().flatten());
                column.push(value.map(str::to_owned));
            }
        }
        let columns = columns.into_iter().map(|column| Arc::new(StringArray::from(column)) as ArrayRef);
        Ok(Arc::new(StructArray::try_new(extracted(count), columns.collect(), None)?))
    }
}

/// An argument: a column, or one value for all rows.
pub struct Input<'a> {
    values: Values<'a>,
    is_one: bool,
}

impl<'a> Input<'a> {
    pub fn get(&self, row: usize) -> Value<'a> {
        self.values.get(if self.is_one { 0 } else { row })
    }

    pub fn values(&self) -> &Values<'a> {
        &self.values
    }

    /// The value, if it is the same for all rows.
    pub fn constant(&self) -> Option<Value<'a>> {
        self.is_one.then(|| self.values.get(0))
    }
}
