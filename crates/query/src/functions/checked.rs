//! Sums, differences and products of integers that fail where they would not
//! fit, as in Trino; the engine's own wrap around. Spans of time that are
//! multiplied, which the engine refuses.
//!
//! Not here: what `sum` adds up, which wraps.

use datafusion::arrow::array::{Array, ArrayRef, Datum, cast::AsArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::compute::kernels::numeric::{add, mul, sub};
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::arrow::error::ArrowError;
use datafusion::common::{DFSchema, Result, ScalarValue, exec_err};
use datafusion::execution::FunctionRegistry;
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ExprSchemable, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
    expr::ScalarFunction,
};
use datafusion::prelude::SessionContext;
use datafusion::sql::sqlparser::ast::BinaryOperator;
use std::sync::Arc;

/// Makes a session's `+`, `-` and `*` of integers so.
pub(super) fn register(session: &SessionContext) {
    let made = |kind| {
        Arc::new(ScalarUDF::from(Checked { kind, signature: Signature::any(2, Volatility::Immutable) }))
    };
    let Ok(times) = session.udf("span_times") else { return };
    let planner = Planner {
        add: made(Kind::Add),
        subtract: made(Kind::Subtract),
        multiply: made(Kind::Multiply),
        times,
    };
    // Only a session that cannot have planners refuses one.
    drop(session.state_ref().write().register_expr_planner(Arc::new(planner)));
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Add,
    Subtract,
    Multiply,
}

#[derive(Debug)]
struct Planner {
    add: Arc<ScalarUDF>,
    subtract: Arc<ScalarUDF>,
    multiply: Arc<ScalarUDF>,
    /// A span of time so often.
    times: Arc<ScalarUDF>,
}

impl ExprPlanner for Planner {
    fn plan_binary_op(&self, expr: RawBinaryExpr, schema: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
        let function = match expr.op {
            BinaryOperator::Plus => &self.add,
            BinaryOperator::Minus => &self.subtract,
            BinaryOperator::Multiply => &self.multiply,
            _ => return Ok(PlannerResult::Original(expr)),
        };
        let (Ok(left), Ok(right)) = (expr.left.get_type(schema), expr.right.get_type(schema)) else {
            return Ok(PlannerResult::Original(expr));
        };
        let is_span = |kind: &DataType| matches!(kind, DataType::Interval(_));
        if expr.op == BinaryOperator::Multiply && is_span(&left) != is_span(&right) {
            let (span, count) =
                if is_span(&left) { (expr.left, expr.right) } else { (expr.right, expr.left) };
            let call = ScalarFunction { func: Arc::clone(&self.times), args: vec![span, count] };
            return Ok(PlannerResult::Planned(Expr::ScalarFunction(call)));
        }
        if !left.is_signed_integer() || !right.is_signed_integer() {
            return Ok(PlannerResult::Original(expr));
        }
        let wide = if left.primitive_width() >= right.primitive_width() { left } else { right };
        let args = vec![expr.left.cast_to(&wide, schema)?, expr.right.cast_to(&wide, schema)?];
        let call = ScalarFunction { func: Arc::clone(function), args };
        Ok(PlannerResult::Planned(Expr::ScalarFunction(call)))
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Checked {
    kind: Kind,
    signature: Signature,
}

impl Checked {
    fn apply(&self, left: &dyn Datum, right: &dyn Datum) -> std::result::Result<ArrayRef, ArrowError> {
        match self.kind {
            Kind::Add => add(left, right),
            Kind::Subtract => sub(left, right),
            Kind::Multiply => mul(left, right),
        }
    }

    /// What did not fit.
    fn overflow(&self, left: &ColumnarValue, right: &ColumnarValue, rows: usize) -> Result<String> {
        let (left, right) = (left.to_array(rows)?, right.to_array(rows)?);
        let name = crate::athena::trino_type(left.data_type());
        let (word, sign) = match self.kind {
            Kind::Add => ("addition", '+'),
            Kind::Subtract => ("subtraction", '-'),
            Kind::Multiply => ("multiplication", '*'),
        };
        for row in 0..left.len().min(right.len()) {
            let (one, other) = (left.slice(row, 1), right.slice(row, 1));
            if self.apply(&one, &other).is_err() {
                let shown = |array: &ArrayRef| -> Result<i64> {
                    Ok(cast(array, &DataType::Int64)?.as_primitive::<Int64Type>().value(0))
                };
                return Ok(format!("{name} {word} overflow: {} {sign} {}", shown(&one)?, shown(&other)?));
            }
        }
        Ok(format!("{name} {word} overflow"))
    }
}

impl ScalarUDFImpl for Checked {
    fn name(&self) -> &str {
        match self.kind {
            Kind::Add => "add",
            Kind::Subtract => "subtract",
            Kind::Multiply => "multiply",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(types.first().cloned().unwrap_or(DataType::Int64))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [left, right] = args.args.as_slice() else {
            return exec_err!("{} needs two numbers", self.name());
        };
        let done = match (left, right) {
            (ColumnarValue::Array(left), ColumnarValue::Array(right)) => self.apply(left, right),
            (ColumnarValue::Array(left), ColumnarValue::Scalar(right)) => {
                self.apply(left, &right.to_scalar()?)
            }
            (ColumnarValue::Scalar(left), ColumnarValue::Array(right)) => {
                self.apply(&left.to_scalar()?, right)
            }
            (ColumnarValue::Scalar(left), ColumnarValue::Scalar(right)) => {
                self.apply(&left.to_array()?, &right.to_array()?)
            }
        };
        match done {
            Ok(found) if matches!((left, right), (ColumnarValue::Scalar(_), ColumnarValue::Scalar(_))) => {
                Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&found, 0)?))
            }
            Ok(found) => Ok(ColumnarValue::Array(found)),
            Err(ArrowError::ArithmeticOverflow(_)) => {
                let text = self.overflow(left, right, args.number_rows)?;
                Err(ArrowError::ArithmeticOverflow(text).into())
            }
            Err(error) => Err(error.into()),
        }
    }
}
