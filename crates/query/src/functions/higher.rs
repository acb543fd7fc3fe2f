//! Functions whose arguments are functions: `reduce`, `map_filter`,
//! `transform_keys`, `transform_values`, `zip_with`, `array_sort` with an order
//! of one's own, and TRY. What only is called otherwise in DataFusion
//! (`transform`, `filter`, …) is renamed by `athena::dialect`.
//!
//! Source: Trino documentation, "Lambda expressions", "Array functions and
//! operators", "Map functions and operators".

use super::collections::{entries_of, lists, map_type, maps, places};
use super::scalar::{to, wrong};
use datafusion::arrow::array::{Array, ArrayRef, ListArray, UInt32Array, cast::AsArray, new_null_array};
use datafusion::arrow::buffer::{NullBuffer, OffsetBuffer};
use datafusion::arrow::compute::{concat, interleave, take, take_arrays};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, HigherOrderFunctionArgs, HigherOrderReturnFieldArgs, HigherOrderSignature, HigherOrderUDF,
    HigherOrderUDFImpl, LambdaArgument, LambdaParametersProgress, ValueOrLambda, Volatility,
};
use std::collections::HashSet;
use std::sync::Arc;

/// How many items `array_sort` with a function takes: it compares all with all.
const SORTED: usize = 4096;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Reduce,
    MapFilter,
    TransformKeys,
    TransformValues,
    ZipWith,
    SortBy,
    Try,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Higher {
    kind: Kind,
    name: &'static str,
    signature: HigherOrderSignature,
}

pub(super) fn functions() -> Vec<Arc<HigherOrderUDF>> {
    let all = [
        ("reduce", Kind::Reduce, 2, 2),
        ("map_filter", Kind::MapFilter, 1, 1),
        ("transform_keys", Kind::TransformKeys, 1, 1),
        ("transform_values", Kind::TransformValues, 1, 1),
        ("zip_with", Kind::ZipWith, 2, 1),
        // What `array_sort(array, (x, y) -> …)` becomes.
        ("array_sort_by", Kind::SortBy, 1, 1),
        // What `try(…)` becomes; its function has a parameter that means nothing.
        ("try_of", Kind::Try, 0, 1),
    ];
    let made = all.into_iter().map(|(name, kind, values, lambdas)| {
        let mut arguments = vec![ValueOrLambda::Value(()); values];
        arguments.extend(vec![ValueOrLambda::Lambda(()); lambdas]);
        let signature = HigherOrderSignature::exact(arguments, Volatility::Immutable);
        Arc::new(HigherOrderUDF::new_from_impl(Higher { kind, name, signature }))
    });
    made.collect()
}

fn field(kind: &DataType) -> FieldRef {
    Arc::new(Field::new("item", kind.clone(), true))
}

/// The types of a list's items, or of a map's keys and values.
fn parts(name: &str, kind: &DataType) -> Result<Vec<FieldRef>> {
    match kind {
        DataType::List(item) => Ok(vec![field(item.data_type())]),
        DataType::Null => Ok(vec![field(&DataType::Null), field(&DataType::Null)]),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) => Ok(fields.iter().map(|part| field(part.data_type())).collect()),
            _ => plan_err!("Unexpected parameters for function {name}"),
        },
        other => {
            let shown = crate::athena::trino_type(other);
            plan_err!("Unexpected parameters ({shown}, function) for function {name}")
        }
    }
}

impl HigherOrderUDFImpl for Higher {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &HigherOrderSignature {
        &self.signature
    }

    fn coerce_value_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let is_map = matches!(self.kind, Kind::MapFilter | Kind::TransformKeys | Kind::TransformValues);
        let lists = if self.kind == Kind::ZipWith { 2 } else { 1 };
        let coerced = types.iter().enumerate().map(|(place, kind)| match kind {
            DataType::Null if place < lists && is_map => map_type(DataType::Null, DataType::Null),
            DataType::Null if place < lists => DataType::new_list(DataType::Null, true),
            DataType::LargeList(item) | DataType::FixedSizeList(item, _) => DataType::List(item.clone()),
            other => other.clone(),
        });
        let coerced: Vec<DataType> = coerced.collect();
        for kind in coerced.iter().take(lists) {
            if matches!(kind, DataType::Map(..)) != is_map {
                let shown = crate::athena::trino_type(kind);
                return plan_err!("Unexpected parameters ({shown}, function) for function {}", self.name);
            }
        }
        Ok(coerced)
    }

    fn lambda_parameters(
        &self,
        _: usize,
        fields: &[ValueOrLambda<FieldRef, Option<FieldRef>>],
    ) -> Result<LambdaParametersProgress> {
        use LambdaParametersProgress::{Complete, Partial};
        match (self.kind, fields) {
            (
                Kind::Reduce,
                [
                    ValueOrLambda::Value(list),
                    ValueOrLambda::Value(start),
                    ValueOrLambda::Lambda(step),
                    ValueOrLambda::Lambda(_),
                ],
            ) => {
                let item = parts(self.name, list.data_type())?.into_iter().next();
                let item = item.unwrap_or_else(|| field(&DataType::Null));
                match step {
                    // What the function gives says what the state is.
                    None => Ok(Partial(vec![Some(vec![field(start.data_type()), item]), None])),
                    Some(step) => {
                        let state = field(step.data_type());
                        Ok(Complete(vec![vec![state.clone(), item], vec![state]]))
                    }
                }
            }
            (Kind::ZipWith, [ValueOrLambda::Value(left), ValueOrLambda::Value(right), _]) => {
                let mut both = parts(self.name, left.data_type())?;
                both.truncate(1);
                both.extend(parts(self.name, right.data_type())?.into_iter().take(1));
                Ok(Complete(vec![both]))
            }
            (Kind::Try, [_]) => Ok(Complete(vec![vec![field(&DataType::Null)]])),
            (Kind::SortBy, [ValueOrLambda::Value(list), _]) => {
                let item = parts(self.name, list.data_type())?;
                Ok(Complete(vec![item.iter().chain(&item).take(2).cloned().collect()]))
            }
            (_, [ValueOrLambda::Value(map), _]) => Ok(Complete(vec![parts(self.name, map.data_type())?])),
            _ => plan_err!("Unexpected parameters for function {}", self.name),
        }
    }

    fn return_field_from_args(&self, args: HigherOrderReturnFieldArgs<'_>) -> Result<FieldRef> {
        let lambda = args.arg_fields.iter().rev().find_map(|argument| match argument {
            ValueOrLambda::Lambda(field) => Some(field.data_type().clone()),
            ValueOrLambda::Value(_) => None,
        });
        let lambda = lambda.unwrap_or(DataType::Null);
        let Some(ValueOrLambda::Value(first)) = args.arg_fields.first() else {
            return Ok(Arc::new(Field::new(self.name, lambda, true)));
        };
        let of_map = |place: usize| -> Result<DataType> {
            let all = parts(self.name, first.data_type())?;
            Ok(all.get(place).map_or(DataType::Null, |part| part.data_type().clone()))
        };
        let data_type = match self.kind {
            Kind::Reduce | Kind::Try => lambda,
            Kind::MapFilter => map_type(of_map(0)?, of_map(1)?),
            Kind::TransformKeys => map_type(lambda, of_map(1)?),
            Kind::TransformValues => map_type(of_map(0)?, lambda),
            Kind::ZipWith => DataType::new_list(lambda, true),
            Kind::SortBy => DataType::new_list(of_map(0)?, true),
        };
        Ok(Arc::new(Field::new(self.name, data_type, true)))
    }

    fn invoke_with_args(&self, args: HigherOrderFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let (mut values, mut lambdas) = (Vec::new(), Vec::new());
        for argument in &args.args {
            match argument {
                ValueOrLambda::Value(value) => values.push(value.to_array(rows)?),
                ValueOrLambda::Lambda(lambda) => lambdas.push(lambda),
            }
        }
        let wanted = args.return_field.data_type();
        let found = match (self.kind, values.as_slice(), lambdas.as_slice()) {
            (Kind::Reduce, [list, start], [step, last]) => reduce(&lists(list, "reduce")?, start, step, last),
            (Kind::ZipWith, [left, right], [lambda]) => {
                zip_with(&lists(left, "zip_with")?, &lists(right, "zip_with")?, lambda, wanted)
            }
            (Kind::Try, [], [lambda]) => tried(lambda, rows, wanted),
            (Kind::SortBy, [list], [lambda]) => sort_by(&lists(list, "array_sort")?, lambda, wanted),
            (kind, [map], [lambda]) => of_map(kind, map, lambda, wanted),
            _ => wrong(format!("Unexpected parameters for function {}", self.name)),
        };
        found.map(ColumnarValue::Array)
    }
}

/// The function's values for these arrays, whose places belong to these rows.
fn call(lambda: &LambdaArgument, arguments: &[ArrayRef], rows: Vec<u32>) -> Result<ArrayRef> {
    let count = rows.len();
    let given: Vec<_> = arguments.iter().map(|array| move || Ok(array.clone())).collect();
    let given: Vec<&dyn Fn() -> Result<ArrayRef>> = given.iter().map(|one| one as _).collect();
    let rows = UInt32Array::from(rows);
    let found = lambda.evaluate(&given, |captured| Ok(take_arrays(captured, &rows, None)?))?;
    found.into_array(count)
}

fn at(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

/// One item of every array after the other, all rows at once.
fn reduce(
    list: &ListArray,
    start: &ArrayRef,
    step: &LambdaArgument,
    last: &LambdaArgument,
) -> Result<ArrayRef> {
    let all = (0..at(list.len())).collect::<Vec<u32>>();
    let mut states = start.clone();
    for turn in 0.. {
        let rows: Vec<u32> = all
            .iter()
            .copied()
            .filter(|row| list.is_valid(*row as usize) && places(list, *row as usize).len() > turn)
            .collect();
        if rows.is_empty() {
            break;
        }
        let items = rows.iter().map(|row| places(list, *row as usize).start + at(turn));
        let items = take(list.values(), &UInt32Array::from_iter_values(items), None)?;
        let chosen = take(&states, &UInt32Array::from(rows.clone()), None)?;
        let new = call(step, &[chosen, items], rows.clone())?;
        states = to(&states, new.data_type())?;
        // Rows whose arrays have ended keep their state.
        let mut sources: Vec<(usize, usize)> = (0..states.len()).map(|row| (0, row)).collect();
        for (place, row) in rows.iter().enumerate() {
            if let Some(source) = sources.get_mut(*row as usize) {
                *source = (1, place);
            }
        }
        states = interleave(&[states.as_ref(), new.as_ref()], &sources)?;
    }
    let found = call(last, &[states], all.clone())?;
    // Of no array there is nothing.
    let kept = all.iter().map(|row| list.is_valid(*row as usize).then_some(*row));
    Ok(take(&found, &kept.collect::<UInt32Array>(), None)?)
}

/// The values of a function of rows; NULL where it fails.
fn tried(lambda: &LambdaArgument, rows: usize, wanted: &DataType) -> Result<ArrayRef> {
    let nothing = |count| new_null_array(&DataType::Null, count);
    let all = (0..at(rows)).collect();
    if let Ok(found) = call(lambda, &[nothing(rows)], all) {
        return Ok(found);
    }
    let mut found = Vec::with_capacity(rows);
    for row in 0..rows {
        let one = call(lambda, &[nothing(1)], vec![at(row)]);
        found.push(one.unwrap_or_else(|_| new_null_array(wanted, 1)));
    }
    let found: Vec<&dyn Array> = found.iter().map(AsRef::as_ref).collect();
    if found.is_empty() { Ok(new_null_array(wanted, 0)) } else { Ok(concat(&found)?) }
}

fn of_map(kind: Kind, map: &ArrayRef, lambda: &LambdaArgument, wanted: &DataType) -> Result<ArrayRef> {
    let Some(map) = map.as_map_opt() else { return wrong("a map") };
    let (mut rows, mut entries) = (Vec::new(), Vec::new());
    for row in (0..map.len()).filter(|row| map.is_valid(*row)) {
        for entry in entries_of(map, row) {
            rows.push(at(row));
            entries.push(entry);
        }
    }
    let chosen = UInt32Array::from(entries.clone());
    let keys = take(map.keys(), &chosen, None)?;
    let values = take(map.values(), &chosen, None)?;
    let found = call(lambda, &[keys.clone(), values.clone()], rows.clone())?;
    let mut pairs: Vec<Option<Vec<(u32, u32)>>> =
        (0..map.len()).map(|row| map.is_valid(row).then(Vec::new)).collect();
    let mut seen = HashSet::new();
    for (place, row) in rows.iter().enumerate() {
        let Some(Some(of_row)) = pairs.get_mut(*row as usize) else { continue };
        match kind {
            Kind::MapFilter => {
                let kept = found.as_boolean_opt();
                let Some(kept) = kept else { return wrong("map_filter needs a function that gives boolean") };
                if !(kept.is_valid(place) && kept.value(place)) {
                    continue;
                }
            }
            Kind::TransformKeys => {
                let key = ScalarValue::try_from_array(&found, place)?;
                if key.is_null() {
                    return wrong("map key cannot be null");
                }
                if !seen.insert((*row, key)) {
                    let shown = crate::athena::text(&found, place).unwrap_or_default();
                    return wrong(format!("Duplicate map keys ({shown}) are not allowed"));
                }
            }
            _ => {}
        }
        of_row.push((at(place), at(place)));
    }
    match kind {
        Kind::TransformKeys => maps(wanted, &found, &values, pairs.into_iter()),
        Kind::TransformValues => maps(wanted, &keys, &found, pairs.into_iter()),
        _ => maps(wanted, &keys, &values, pairs.into_iter()),
    }
}

fn list_of(wanted: &DataType, items: ArrayRef, lengths: Vec<usize>, valid: Vec<bool>) -> Result<ArrayRef> {
    let DataType::List(item) = wanted else { return wrong("a list") };
    let items = to(&items, item.data_type())?;
    let offsets = OffsetBuffer::from_lengths(lengths);
    Ok(Arc::new(ListArray::try_new(item.clone(), offsets, items, Some(NullBuffer::from(valid)))?))
}

/// The shorter array is filled up with NULL.
fn zip_with(
    left: &ListArray,
    right: &ListArray,
    lambda: &LambdaArgument,
    wanted: &DataType,
) -> Result<ArrayRef> {
    let (mut rows, mut lengths, mut valid) = (Vec::new(), Vec::new(), Vec::new());
    let (mut of_left, mut of_right) = (Vec::new(), Vec::new());
    for row in 0..left.len() {
        let is_valid = left.is_valid(row) && right.is_valid(row);
        let (mut ours, mut theirs) = (places(left, row), places(right, row));
        let length = if is_valid { ours.len().max(theirs.len()) } else { 0 };
        for _ in 0..length {
            rows.push(at(row));
            of_left.push(ours.next());
            of_right.push(theirs.next());
        }
        lengths.push(length);
        valid.push(is_valid);
    }
    let left = take(left.values(), &UInt32Array::from(of_left), None)?;
    let right = take(right.values(), &UInt32Array::from(of_right), None)?;
    list_of(wanted, call(lambda, &[left, right], rows)?, lengths, valid)
}

/// An item's place is how many come before it.
fn sort_by(list: &ListArray, lambda: &LambdaArgument, wanted: &DataType) -> Result<ArrayRef> {
    let (mut sorted, mut lengths, mut valid) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..list.len() {
        valid.push(list.is_valid(row));
        let items: Vec<u32> = if list.is_valid(row) { places(list, row).collect() } else { Vec::new() };
        lengths.push(items.len());
        if items.len() > SORTED {
            return wrong(format!("array_sort with a function takes at most {SORTED} elements"));
        }
        let mut ranks = vec![0_usize; items.len()];
        for (place, item) in items.iter().enumerate() {
            let others = items.get(place + 1..).unwrap_or_default();
            let this = UInt32Array::from(vec![*item; others.len()]);
            let this = take(list.values(), &this, None)?;
            let those = take(list.values(), &UInt32Array::from(others.to_vec()), None)?;
            let order = to(&call(lambda, &[this, those], vec![at(row); others.len()])?, &DataType::Int64)?;
            let order = order.as_primitive::<Int64Type>();
            if order.null_count() > 0 {
                return wrong("Lambda comparator must return either -1, 0, or 1");
            }
            for (next, sign) in order.values().iter().enumerate() {
                // What is equal stays as it is.
                let later = if *sign <= 0 { place + 1 + next } else { place };
                if let Some(rank) = ranks.get_mut(later) {
                    *rank += 1;
                }
            }
        }
        let mut order: Vec<(usize, u32)> = ranks.into_iter().zip(items).collect();
        order.sort_by_key(|(rank, _)| *rank);
        sorted.extend(order.into_iter().map(|(_, item)| item));
    }
    let items = take(list.values(), &UInt32Array::from(sorted), None)?;
    list_of(wanted, items, lengths, valid)
}
