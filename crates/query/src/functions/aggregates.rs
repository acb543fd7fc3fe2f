//! Aggregates that the engine has not: `kurtosis`, `skewness`, `checksum`,
//! `entropy`. Source: Trino documentation, "Aggregate functions".

use super::hash::xxhash64;
use super::scalar::to;
use datafusion::arrow::array::{Array, ArrayRef, cast::AsArray};
use datafusion::arrow::datatypes::{DataType, Float64Type, UInt64Type};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, Signature, SimpleAggregateUDF, Volatility, function::AccumulatorArgs,
};
use std::sync::Arc;

const PRIME: u64 = 0x9E37_79B1_85EB_CA87;

/// How values are spread around their mean; several are put together without
/// what their squares would lose. Source: Pébay, "Formulas for robust, one-pass
/// parallel computation of covariances and arbitrary-order statistical moments".
#[derive(Debug, Default, Clone, Copy)]
struct Moments {
    count: f64,
    mean: f64,
    second: f64,
    third: f64,
    fourth: f64,
}

impl Moments {
    fn of(value: f64) -> Self {
        Self { count: 1.0, mean: value, ..Self::default() }
    }

    fn with(self, other: Self) -> Self {
        if self.count == 0.0 || other.count == 0.0 {
            return if self.count == 0.0 { other } else { self };
        }
        let (na, nb) = (self.count, other.count);
        let n = na + nb;
        let d = other.mean - self.mean;
        let (d2, d3, d4) = (d * d, d * d * d, d * d * d * d);
        Self {
            count: n,
            mean: self.mean + d * nb / n,
            second: self.second + other.second + d2 * na * nb / n,
            third: self.third
                + other.third
                + d3 * na * nb * (na - nb) / (n * n)
                + 3.0 * d * (na * other.second - nb * self.second) / n,
            fourth: self.fourth
                + other.fourth
                + d4 * na * nb * (na * na - na * nb + nb * nb) / (n * n * n)
                + 6.0 * d2 * (na * na * other.second + nb * nb * self.second) / (n * n)
                + 4.0 * d * (na * other.third - nb * self.third) / n,
        }
    }

    fn skewness(self) -> Option<f64> {
        let n = self.count;
        (n >= 3.0).then(|| n.sqrt() * self.third / self.second.powf(1.5))
    }

    fn kurtosis(self) -> Option<f64> {
        let n = self.count;
        let part = || {
            let sum = (n - 1.0) * n * (n + 1.0) / ((n - 2.0) * (n - 3.0)) * self.fourth;
            sum / (self.second * self.second) - 3.0 * (n - 1.0) * (n - 1.0) / ((n - 2.0) * (n - 3.0))
        };
        (n >= 4.0).then(part)
    }
}

#[derive(Debug)]
struct Spread {
    moments: Moments,
    result: fn(Moments) -> Option<f64>,
}

impl Accumulator for Spread {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let values = to(&values[0], &DataType::Float64)?;
        for value in values.as_primitive::<Float64Type>().iter().flatten() {
            self.moments = self.moments.with(Moments::of(value));
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Float64((self.result)(self.moments)))
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let Moments { count, mean, second, third, fourth } = self.moments;
        Ok([count, mean, second, third, fourth].map(|part| ScalarValue::Float64(Some(part))).to_vec())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let columns: Vec<_> = states.iter().map(|column| column.as_primitive::<Float64Type>()).collect();
        let [count, mean, second, third, fourth] = columns.as_slice() else {
            return super::scalar::wrong("five numbers");
        };
        for row in 0..count.len() {
            self.moments = self.moments.with(Moments {
                count: count.value(row),
                mean: mean.value(row),
                second: second.value(row),
                third: third.value(row),
                fourth: fourth.value(row),
            });
        }
        Ok(())
    }
}

/// The same for the same values in any order.
#[derive(Debug, Default)]
struct Checksum(Option<u64>);

impl Checksum {
    fn add(&mut self, hash: u64) {
        self.0 = Some(self.0.unwrap_or(0).wrapping_add(hash));
    }
}

impl Accumulator for Checksum {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for row in 0..values[0].len() {
            self.add(match crate::athena::text(&values[0], row) {
                Some(text) => xxhash64(text.as_bytes(), 0).wrapping_mul(PRIME),
                None => PRIME,
            });
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Binary(self.0.map(|sum| sum.to_le_bytes().to_vec())))
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::UInt64(self.0)])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for sum in states[0].as_primitive::<UInt64Type>().iter().flatten() {
            self.add(sum);
        }
        Ok(())
    }
}

/// Of counts, in bits.
#[derive(Debug, Default)]
struct Entropy {
    sum: f64,
    logs: f64,
}

impl Accumulator for Entropy {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let values = to(&values[0], &DataType::Float64)?;
        for value in values.as_primitive::<Float64Type>().iter().flatten() {
            if value < 0.0 {
                return super::scalar::wrong("Entropy count argument must be non-negative");
            }
            self.sum += value;
            self.logs += if value > 0.0 { value * value.ln() } else { 0.0 };
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let bits = (self.sum.ln() - self.logs / self.sum) / std::f64::consts::LN_2;
        Ok(ScalarValue::Float64(Some(if self.sum > 0.0 { bits.max(0.0) } else { 0.0 })))
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok([self.sum, self.logs].map(|part| ScalarValue::Float64(Some(part))).to_vec())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let [sums, logs] = states else { return super::scalar::wrong("two numbers") };
        self.sum += sums.as_primitive::<Float64Type>().iter().flatten().sum::<f64>();
        self.logs += logs.as_primitive::<Float64Type>().iter().flatten().sum::<f64>();
        Ok(())
    }
}

type Made = fn(AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>>;

pub(super) fn functions() -> Vec<AggregateUDF> {
    let numbers = |name: &str, state: usize, made: Made| {
        let fields = (0..state).map(|part| {
            let name = format!("{name}{part}");
            Arc::new(datafusion::arrow::datatypes::Field::new(name, DataType::Float64, true))
        });
        let signature = Signature::coercible(
            vec![datafusion::logical_expr::Coercion::new_implicit(
                datafusion::logical_expr::TypeSignatureClass::Native(
                    datafusion::common::types::logical_float64(),
                ),
                vec![datafusion::logical_expr::TypeSignatureClass::Numeric],
                datafusion::common::types::NativeType::Float64,
            )],
            Volatility::Immutable,
        );
        AggregateUDF::from(SimpleAggregateUDF::new_with_signature(
            name,
            signature,
            DataType::Float64,
            Arc::new(made),
            fields.collect(),
        ))
    };
    vec![
        numbers("kurtosis", 5, |_| {
            Ok(Box::new(Spread { moments: Moments::default(), result: Moments::kurtosis }))
        }),
        numbers("skewness", 5, |_| {
            Ok(Box::new(Spread { moments: Moments::default(), result: Moments::skewness }))
        }),
        numbers("entropy", 2, |_| Ok(Box::new(Entropy::default()))),
        AggregateUDF::from(SimpleAggregateUDF::new_with_signature(
            "checksum",
            Signature::any(1, Volatility::Immutable),
            DataType::Binary,
            Arc::new(|_| Ok(Box::new(Checksum::default()))),
            vec![Arc::new(datafusion::arrow::datatypes::Field::new("sum", DataType::UInt64, true))],
        )),
    ]
}
