//! Which partitions a query reads: those that the catalog keeps, or those that
//! a table's properties describe; what the query's conditions on keys rule out
//! is never listed.
//!
//! Source: Athena user guide, "Use partition projection with Amazon Athena",
//! "Supported types for partition projection".

use super::{Catalog, QueryError, TableInfo, arrow_type};
use crate::functions::datetime::pieces;
use datafusion::arrow::array::{Array, ArrayRef, RecordBatch, cast::AsArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::catalog::Session;
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::logical_expr::{Expr, Operator};
use std::sync::Arc;
use time::{Duration, Month, OffsetDateTime};

/// A place to read, and the values of the keys there.
pub(super) type Place = (Vec<ScalarValue>, String);

/// Partitions of one table that are looked at, at most.
const MOST: usize = 1_000_000;

/// Errors: `HIVE_METASTORE_ERROR` for a projection that is not whole; of the catalog.
pub(super) async fn places(
    catalog: &Arc<dyn Catalog>,
    table: &Arc<TableInfo>,
    session: &dyn Session,
    filters: &[Expr],
) -> Result<Vec<Place>, QueryError> {
    if table.keys.is_empty() {
        return Ok(vec![(Vec::new(), table.location.clone())]);
    }
    let types: Vec<DataType> =
        table.keys.iter().map(|(_, kind)| arrow_type(kind)).collect::<Result<_, _>>()?;
    let found: Vec<(Vec<String>, String)> = if is_projected(table) {
        let mut candidates = Vec::new();
        for (place, (name, _)) in table.keys.iter().enumerate() {
            let values = projected(table, name, filters, catalog.now())?;
            let rows: Vec<Vec<String>> = values.into_iter().map(|value| vec![value]).collect();
            let schema = schema(&table.keys[place..=place], &types[place..=place]);
            let kept = keep(rows, &schema, session, filters)?;
            candidates.push(kept.into_iter().flatten().collect::<Vec<_>>());
        }
        combine(table, &candidates)?
    } else {
        let (source, of) = (catalog.clone(), table.clone());
        let kept = tokio::task::spawn_blocking(move || source.partitions(&of)).await;
        let kept = kept.map_err(QueryError::internal)??;
        kept.into_iter().map(|partition| (partition.values, partition.location)).collect()
    };
    let schema = schema(&table.keys, &types);
    let (values, locations): (Vec<_>, Vec<_>) = found.into_iter().unzip();
    let mask = passes(&values, &schema, session, filters)?;
    let mut places = Vec::new();
    for ((values, location), _) in values.iter().zip(locations).zip(mask).filter(|(_, passes)| *passes) {
        places.push((scalars(values, &types)?, location));
    }
    Ok(places)
}

fn is_projected(table: &TableInfo) -> bool {
    table.parameter("projection.enabled").is_some_and(|text| text.eq_ignore_ascii_case("true"))
}

fn scalars(values: &[String], types: &[DataType]) -> Result<Vec<ScalarValue>, QueryError> {
    let value = |(text, kind): (&String, &DataType)| match text.as_str() {
        "__HIVE_DEFAULT_PARTITION__" => ScalarValue::try_from(kind).map_err(QueryError::internal),
        text => ScalarValue::Utf8(Some(text.to_owned()))
            .cast_to(kind)
            .or_else(|_| ScalarValue::try_from(kind).map_err(QueryError::internal)),
    };
    values.iter().zip(types).map(value).collect()
}

fn schema(keys: &[(String, String)], types: &[DataType]) -> Schema {
    let fields = keys.iter().zip(types).map(|((name, _), kind)| Field::new(name, kind.clone(), true));
    Schema::new(fields.collect::<Vec<_>>())
}

fn keep(
    rows: Vec<Vec<String>>,
    schema: &Schema,
    session: &dyn Session,
    filters: &[Expr],
) -> Result<Vec<Vec<String>>, QueryError> {
    let mask = passes(&rows, schema, session, filters)?;
    Ok(rows.into_iter().zip(mask).filter(|(_, passes)| *passes).map(|(row, _)| row).collect())
}

/// For each row whether those filters hold that ask for these columns only.
fn passes(
    rows: &[Vec<String>],
    schema: &Schema,
    session: &dyn Session,
    filters: &[Expr],
) -> Result<Vec<bool>, QueryError> {
    let mut mask = vec![true; rows.len()];
    let own = |filter: &&Expr| {
        let columns = filter.column_refs();
        !columns.is_empty() && columns.iter().all(|column| schema.field_with_name(&column.name).is_ok())
    };
    let own: Vec<&Expr> = filters.iter().filter(own).collect();
    if own.is_empty() || rows.is_empty() {
        return Ok(mask);
    }
    let types: Vec<DataType> = schema.fields().iter().map(|field| field.data_type().clone()).collect();
    let values: Vec<Vec<ScalarValue>> =
        rows.iter().map(|row| scalars(row, &types)).collect::<Result<_, _>>()?;
    let mut columns: Vec<ArrayRef> = Vec::new();
    for place in 0..types.len() {
        let column = values.iter().map(|row| row[place].clone());
        columns.push(ScalarValue::iter_to_array(column).map_err(QueryError::internal)?);
    }
    let batch = RecordBatch::try_new(Arc::new(schema.clone()), columns).map_err(QueryError::internal)?;
    let with_names = DFSchema::try_from(schema.clone()).map_err(QueryError::internal)?;
    for filter in own {
        let Ok(bare) = bare(filter.clone()) else { continue };
        let Ok(physical) = session.create_physical_expr(bare, &with_names) else { continue };
        let Ok(found) = physical.evaluate(&batch).and_then(|value| value.into_array(rows.len())) else {
            continue;
        };
        let Some(found) = found.as_boolean_opt() else { continue };
        for (place, mask) in mask.iter_mut().enumerate() {
            *mask &= found.is_valid(place) && found.value(place);
        }
    }
    Ok(mask)
}

/// Without the table's name on columns.
fn bare(filter: Expr) -> datafusion::error::Result<Expr> {
    use datafusion::common::Column;
    use datafusion::common::tree_node::{Transformed, TreeNode};
    let done = filter.transform(|expr| {
        Ok(match expr {
            Expr::Column(column) => Transformed::yes(Expr::Column(Column::from_name(column.name))),
            other => Transformed::no(other),
        })
    })?;
    Ok(done.data)
}

/// Every combination, with its place.
fn combine(table: &TableInfo, candidates: &[Vec<String>]) -> Result<Vec<(Vec<String>, String)>, QueryError> {
    let count = candidates.iter().fold(1usize, |count, values| count.saturating_mul(values.len()));
    if count > MOST {
        let text = format!(
            "The query reads {count} projected partitions of {}.{}; give conditions on {}",
            table.database,
            table.name,
            table.keys.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
        );
        return Err(QueryError::user(1000, "HIVE_EXCEEDED_PARTITION_LIMIT", text));
    }
    let mut rows: Vec<Vec<String>> = vec![Vec::new()];
    for values in candidates {
        let longer = rows.iter().flat_map(|row| {
            values.iter().map(move |value| row.iter().chain([value]).cloned().collect::<Vec<String>>())
        });
        rows = longer.collect();
    }
    let template = table.parameter("storage.location.template");
    let located = rows.into_iter().map(|row| {
        let mut location = match template {
            Some(template) => template.to_owned(),
            None => {
                let names = table.keys.iter().map(|(name, _)| format!("{name}=${{{name}}}"));
                let path = names.collect::<Vec<_>>().join("/");
                format!("{}/{path}", table.location.trim_end_matches('/'))
            }
        };
        for ((name, _), value) in table.keys.iter().zip(&row) {
            location = location.replace(&format!("${{{name}}}"), value);
        }
        if !location.ends_with('/') {
            location.push('/');
        }
        (row, location)
    });
    Ok(located.collect())
}

/// The values of one key that its properties describe.
fn projected(table: &TableInfo, key: &str, filters: &[Expr], now: i64) -> Result<Vec<String>, QueryError> {
    let property = |name: &str| table.parameter(&format!("projection.{key}.{name}"));
    let wrong = |text: String| QueryError::user(1000, "HIVE_METASTORE_ERROR", text);
    let full = format!("{}.{}", table.database, table.name);
    let kind = property("type").ok_or_else(|| {
        wrong(format!(
            "Table {full} is configured for partition projection, but the following partition columns are \
             missing projection configuration: [{key}]"
        ))
    })?;
    let range = || {
        let text = property("range")
            .ok_or_else(|| wrong(format!("Table {full} is missing the property projection.{key}.range")))?;
        // A date's format may have commas of its own; the last comma that leaves two halves counts.
        let halves = text.split(',').count();
        let place = text.match_indices(',').nth(halves.div_ceil(2).saturating_sub(1)).map(|(at, _)| at);
        let at = place
            .or_else(|| text.find(','))
            .ok_or_else(|| wrong(format!("projection.{key}.range: {text}")))?;
        Ok((text[..at].trim().to_owned(), text[at + 1..].trim().to_owned()))
    };
    let interval: i64 = match property("interval") {
        Some(text) => text.trim().parse().ok().filter(|step| *step > 0),
        None => Some(1),
    }
    .ok_or_else(|| wrong(format!("projection.{key}.interval must be a positive number")))?;
    match kind.to_ascii_lowercase().as_str() {
        "enum" => {
            let values = property("values").ok_or_else(|| {
                wrong(format!("Table {full} is missing the property projection.{key}.values"))
            })?;
            Ok(values.split(',').map(str::to_owned).collect())
        }
        "integer" => {
            let (low, high) = range()?;
            let digits: usize = property("digits").and_then(|text| text.parse().ok()).unwrap_or(0);
            let (Ok(low), Ok(high)) = (low.parse::<i64>(), high.parse::<i64>()) else {
                return Err(wrong(format!("projection.{key}.range must be two integers")));
            };
            let count = (high.saturating_sub(low) / interval).clamp(-1, MOST as i64);
            Ok((0..=count).map(|step| format!("{:0digits$}", low + step * interval)).collect())
        }
        "date" => {
            let format = property("format").ok_or_else(|| {
                wrong(format!("Table {full} is missing the property projection.{key}.format"))
            })?;
            let (low, high) = range()?;
            let at = |text: &str| {
                instant(text, format, now).ok_or_else(|| wrong(format!("projection.{key}.range: {text}")))
            };
            let unit = match property("interval.unit") {
                Some(unit) => unit.to_ascii_uppercase(),
                None => smallest_unit(format).to_owned(),
            };
            dates(at(&low)?, at(&high)?, interval, &unit, format)
                .ok_or_else(|| wrong(format!("projection.{key}.interval.unit: {unit}")))
        }
        "injected" => {
            let values: Vec<String> = filters.iter().flat_map(|filter| literals(filter, key)).collect();
            if values.is_empty() {
                let text = format!(
                    "For the injected projected partition column {key}, the WHERE clause must contain only static \
                     equality conditions, and at least one such condition must be present."
                );
                return Err(QueryError::user(1000, "CONSTRAINT_VIOLATION", text));
            }
            Ok(values)
        }
        other => Err(wrong(format!("projection.{key}.type: {other}"))),
    }
}

/// The literals that a filter says a column is equal to.
fn literals(filter: &Expr, key: &str) -> Vec<String> {
    let text = |expr: &Expr| match expr {
        Expr::Literal(value, _) => value.try_as_str().flatten().map(str::to_owned),
        _ => None,
    };
    let is_key = |expr: &Expr| matches!(expr, Expr::Column(column) if column.name == key);
    match filter {
        Expr::BinaryExpr(binary) if binary.op == Operator::Eq && is_key(&binary.left) => {
            text(&binary.right).into_iter().collect()
        }
        Expr::BinaryExpr(binary) if binary.op == Operator::Eq && is_key(&binary.right) => {
            text(&binary.left).into_iter().collect()
        }
        Expr::BinaryExpr(binary) if matches!(binary.op, Operator::And | Operator::Or) => {
            let mut found = literals(&binary.left, key);
            found.extend(literals(&binary.right, key));
            found
        }
        Expr::InList(list) if !list.negated && is_key(&list.expr) => {
            list.list.iter().filter_map(text).collect()
        }
        _ => Vec::new(),
    }
}

fn smallest_unit(format: &str) -> &'static str {
    let letters: String = format.split('\'').step_by(2).collect();
    match letters {
        letters if letters.contains('s') => "SECONDS",
        letters if letters.contains('m') => "MINUTES",
        letters if letters.contains('H') => "HOURS",
        letters if letters.contains('d') => "DAYS",
        letters if letters.contains('M') => "MONTHS",
        _ => "YEARS",
    }
}

/// `NOW`, `NOW-3YEARS`, or a date in the format.
fn instant(text: &str, format: &str, now: i64) -> Option<OffsetDateTime> {
    let text = text.trim();
    let Some(rest) = text.strip_prefix("NOW") else { return parse(text, format) };
    let now = OffsetDateTime::from_unix_timestamp(now).ok()?;
    let rest: String = rest.chars().filter(|letter| !letter.is_whitespace()).collect();
    if rest.is_empty() {
        return Some(now);
    }
    let (sign, rest) =
        if let Some(rest) = rest.strip_prefix('+') { (1, rest) } else { (-1, rest.strip_prefix('-')?) };
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let count: i64 = rest[..digits].parse().ok()?;
    let unit = rest[digits..].trim_end_matches('S');
    step(now, sign * count, &format!("{unit}S"))
}

fn step(at: OffsetDateTime, count: i64, unit: &str) -> Option<OffsetDateTime> {
    let months = |count: i64| {
        let month = i64::from(at.year()) * 12 + i64::from(u8::from(at.month())) - 1 + count;
        let year = i32::try_from(month.div_euclid(12)).ok()?;
        let month = Month::try_from(u8::try_from(month.rem_euclid(12) + 1).ok()?).ok()?;
        let day = at.day().min(month.length(year));
        at.replace_day(1).ok()?.replace_year(year).ok()?.replace_month(month).ok()?.replace_day(day).ok()
    };
    let seconds = match unit {
        "YEARS" | "YEAR" => return months(count.checked_mul(12)?),
        "MONTHS" | "MONTH" => return months(count),
        "WEEKS" | "WEEK" => 604_800,
        "DAYS" | "DAY" => 86_400,
        "HOURS" | "HOUR" => 3600,
        "MINUTES" | "MINUTE" => 60,
        "SECONDS" | "SECOND" => 1,
        _ => return None,
    };
    at.checked_add(Duration::seconds(count.checked_mul(seconds)?))
}

fn dates(
    low: OffsetDateTime,
    high: OffsetDateTime,
    interval: i64,
    unit: &str,
    format: &str,
) -> Option<Vec<String>> {
    let mut found: Vec<String> = Vec::new();
    for count in 0.. {
        // From the beginning, so that the 31st stays one.
        let at = step(low, count * interval, unit)?;
        if at > high || found.len() > MOST {
            break;
        }
        let text = render(at, format);
        if found.last() != Some(&text) {
            found.push(text);
        }
    }
    // NOW within a day that a step from the beginning just misses.
    let last = render(high, format);
    if interval == 1 && unit == smallest_unit(format) && high >= low && found.last() < Some(&last) {
        found.push(last);
    }
    Some(found)
}

fn render(at: OffsetDateTime, format: &str) -> String {
    let mut text = String::new();
    for (kind, run) in pieces(format) {
        let width = run.len();
        let number = match kind {
            'y' | 'u' if width == 2 => i64::from(at.year() % 100),
            'y' | 'u' => i64::from(at.year()),
            'M' => i64::from(u8::from(at.month())),
            'd' => i64::from(at.day()),
            'H' => i64::from(at.hour()),
            'm' => i64::from(at.minute()),
            's' => i64::from(at.second()),
            _ => {
                text.push_str(&run);
                continue;
            }
        };
        text.push_str(&format!("{number:0width$}"));
    }
    text
}

fn parse(text: &str, format: &str) -> Option<OffsetDateTime> {
    let mut rest = text;
    let mut at = OffsetDateTime::UNIX_EPOCH;
    let (mut year, mut month, mut day) = (1970, 1u8, 1u8);
    for (kind, run) in pieces(format) {
        if kind == '\'' {
            rest = rest.strip_prefix(run.as_str())?;
            continue;
        }
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let width = if run.len() > 1 { run.len().min(digits) } else { digits };
        let number: u32 = rest.get(..width)?.parse().ok()?;
        rest = rest.get(width..)?;
        let small = u8::try_from(number).ok();
        match kind {
            'y' | 'u' => year = i32::try_from(if width == 2 { 2000 + number } else { number }).ok()?,
            'M' => month = small?,
            'd' => day = small?,
            'H' => at = at.replace_hour(small?).ok()?,
            'm' => at = at.replace_minute(small?).ok()?,
            's' => at = at.replace_second(small?).ok()?,
            _ => return None,
        }
    }
    if !rest.is_empty() {
        return None;
    }
    let date = time::Date::from_calendar_date(year, Month::try_from(month).ok()?, day).ok()?;
    Some(at.replace_date(date))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn projected_values() {
        // 2026-11-03T12:00:00Z
        let now = 1_793_707_200;
        for (properties, expected) in [
            (&[("type", "enum"), ("values", "a,b ")] as &[(&str, &str)], "a|b "),
            (&[("type", "integer"), ("range", "8,11"), ("digits", "2")], "08|09|10|11"),
            (&[("type", "Integer"), ("range", "-2,2"), ("interval", "2")], "-2|0|2"),
            (&[("type", "integer"), ("range", "3,2")], ""),
            (
                &[("type", "date"), ("range", "2026/11/01,NOW"), ("format", "yyyy/MM/dd")],
                "2026/11/01|2026/11/02|2026/11/03",
            ),
            (
                &[("type", "date"), ("range", "NOW-2HOURS,NOW"), ("format", "yyyy-MM-dd-HH")],
                "2026-11-03-10|2026-11-03-11|2026-11-03-12",
            ),
            (
                &[
                    ("type", "date"),
                    ("range", "202601,NOW"),
                    ("format", "yyyyMM"),
                    ("interval", "3"),
                    ("interval.unit", "MONTHS"),
                ],
                "202601|202604|202607|202610",
            ),
            (
                &[
                    ("type", "date"),
                    ("range", "year=2026/month=10/day=31,year=2026/month=11/day=01"),
                    ("format", "'year='yyyy'/month='MM'/day='dd"),
                ],
                "year=2026/month=10/day=31|year=2026/month=11/day=01",
            ),
            (
                &[("type", "date"), ("range", "NOW-1DAYS,NOW"), ("format", "yyyy/MM/dd")],
                "2026/11/02|2026/11/03",
            ),
        ] {
            let parameters =
                properties.iter().map(|(name, value)| (format!("projection.k.{name}"), (*value).to_owned()));
            let table = TableInfo { parameters: parameters.collect(), ..TableInfo::default() };
            assert_eq!(projected(&table, "k", &[], now).unwrap().join("|"), expected, "{properties:?}");
        }
        let missing = projected(&TableInfo::default(), "k", &[], now).unwrap_err();
        assert!(missing.message.ends_with("missing projection configuration: [k]"), "{missing}");
    }
}
