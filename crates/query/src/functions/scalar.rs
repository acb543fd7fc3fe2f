//! A scalar function as a row of a table: name, how many arguments, type, body.

use datafusion::arrow::array::{Array, ArrayRef, Int64Array, StringArray, cast::AsArray};
use datafusion::arrow::compute::{CastOptions, cast_with_options};
use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use std::hash::{Hash, Hasher};
use std::ops::RangeInclusive;
use std::sync::Arc;

/// The type of what a function gives.
#[derive(Clone, Copy)]
pub(super) enum Returns {
    Type(fn() -> DataType),
    /// By the types of the arguments.
    Of(fn(&[DataType]) -> DataType),
    /// A timestamp in the zone that an argument says, if it is a literal.
    InZoneOf(usize),
    /// Of the type in Hive's words that an argument is.
    HiveType(usize),
}

pub(super) type Body = fn(&[ArrayRef], usize, &DataType) -> Result<ArrayRef>;

#[derive(Clone)]
pub(super) struct Scalar {
    name: &'static str,
    arguments: RangeInclusive<usize>,
    returns: Returns,
    body: Body,
    signature: Signature,
}

pub(super) fn scalar(
    name: &'static str,
    arguments: RangeInclusive<usize>,
    returns: Returns,
    body: Body,
) -> ScalarUDF {
    let signature = match arguments.end() {
        0 => Signature::nullary(Volatility::Stable),
        _ => Signature::variadic_any(Volatility::Immutable),
    };
    ScalarUDF::from(Scalar { name, arguments, returns, body, signature })
}

impl std::fmt::Debug for Scalar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for Scalar {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Scalar {}

impl Hash for Scalar {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl ScalarUDFImpl for Scalar {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        if !self.arguments.contains(&types.len()) {
            return plan_err!(
                "Unexpected parameters ({}) for function {}",
                types.iter().map(crate::athena::trino_type).collect::<Vec<_>>().join(", "),
                self.name
            );
        }
        Ok(match self.returns {
            Returns::Type(of) => of(),
            Returns::Of(of) => of(types),
            Returns::InZoneOf(_) => instant(),
            Returns::HiveType(_) => DataType::Null,
        })
    }

    fn return_field_from_args(
        &self,
        args: ReturnFieldArgs<'_>,
    ) -> Result<datafusion::arrow::datatypes::FieldRef> {
        let types: Vec<DataType> = args.arg_fields.iter().map(|field| field.data_type().clone()).collect();
        let mut data_type = self.return_type(&types)?;
        if let Returns::InZoneOf(place) = self.returns
            && let Some(Some(zone)) = args.scalar_arguments.get(place)
            && let Some(Some(zone)) = zone.try_as_str()
        {
            data_type = DataType::Timestamp(TimeUnit::Millisecond, Some(zone.into()));
        }
        if let Returns::HiveType(place) = self.returns
            && let Some(Some(name)) = args.scalar_arguments.get(place)
            && let Some(Some(name)) = name.try_as_str()
        {
            data_type = crate::athena::arrow_type(name).map_err(crate::athena::QueryError::wrap)?;
        }
        Ok(Arc::new(datafusion::arrow::datatypes::Field::new(self.name, data_type, true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let all_scalar = args.args.iter().all(|value| matches!(value, ColumnarValue::Scalar(_)));
        let rows = if all_scalar { 1 } else { args.number_rows };
        let arrays: Vec<ArrayRef> =
            args.args.into_iter().map(|value| value.into_array(rows)).collect::<Result<_>>()?;
        let found = (self.body)(&arrays, rows, args.return_field.data_type())?;
        if all_scalar {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&found, 0)?));
        }
        Ok(ColumnarValue::Array(found))
    }
}

/// Timestamps with a zone.
pub(super) fn instant() -> DataType {
    DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()))
}

pub(super) fn to(array: &ArrayRef, wanted: &DataType) -> Result<ArrayRef> {
    let options = CastOptions { safe: false, ..CastOptions::default() };
    Ok(cast_with_options(array, wanted, &options)?)
}

pub(super) fn texts(array: &ArrayRef) -> Result<StringArray> {
    Ok(to(array, &DataType::Utf8)?.as_string::<i32>().clone())
}

pub(super) fn longs(array: &ArrayRef) -> Result<Int64Array> {
    Ok(to(array, &DataType::Int64)?.as_primitive().clone())
}

/// The value of a row.
pub(super) fn get(array: &StringArray, row: usize) -> Option<&str> {
    array.is_valid(row).then(|| array.value(row))
}

pub(super) fn long(array: &Int64Array, row: usize) -> Option<i64> {
    array.is_valid(row).then(|| array.value(row))
}

/// Rows of texts to rows of texts.
pub(super) fn map_text(
    args: &[ArrayRef],
    rows: usize,
    body: impl Fn(&[&str]) -> Result<Option<String>>,
) -> Result<ArrayRef> {
    let columns: Vec<StringArray> = args.iter().map(texts).collect::<Result<_>>()?;
    let mut found = Vec::with_capacity(rows);
    for row in 0..rows {
        let values: Option<Vec<&str>> = columns.iter().map(|column| get(column, row)).collect();
        found.push(match values {
            Some(values) => body(&values)?,
            None => None,
        });
    }
    Ok(Arc::new(StringArray::from(found)))
}

/// A fault of an argument.
pub(super) fn wrong<T>(text: impl std::fmt::Display) -> Result<T> {
    exec_err!("{text}")
}
