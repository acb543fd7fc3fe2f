//! A second, slow interpreter for a part of the language, row by row over
//! plain values, to compare with.

use std::collections::BTreeMap;

/// A row of an oracle: absent fields are not there.
pub type Row = BTreeMap<String, String>;

/// A condition on a row.
#[derive(Debug, Clone)]
pub enum Condition {
    /// field, operator, literal; a literal that is a number is written without quotes.
    Compare(String, &'static str, String),
    Like(String, String),
    Present(String),
    Not(Box<Condition>),
    And(Box<Condition>, Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
}

impl Condition {
    pub fn text(&self) -> String {
        match self {
            Self::Compare(field, op, value) if value.parse::<f64>().is_ok() => {
                format!("{field} {op} {value}")
            }
            Self::Compare(field, op, value) => format!("{field} {op} '{value}'"),
            Self::Like(field, part) => format!("{field} like '{part}'"),
            Self::Present(field) => format!("ispresent({field})"),
            Self::Not(of) => format!("not ({})", of.text()),
            Self::And(a, b) => format!("({}) and ({})", a.text(), b.text()),
            Self::Or(a, b) => format!("({}) or ({})", a.text(), b.text()),
        }
    }

    pub fn holds(&self, row: &Row) -> bool {
        match self {
            Self::Compare(field, "!=", value) => !Self::Compare(field.clone(), "=", value.clone()).holds(row),
            Self::Compare(field, op, value) => {
                let Some(found) = row.get(field) else { return false };
                let order = match (found.parse::<f64>(), value.parse::<f64>()) {
                    (Ok(a), Ok(b)) => a.partial_cmp(&b).unwrap(),
                    (Err(_), Err(_)) => found.cmp(value),
                    // A number without quotes against a text, or the other way round.
                    (Err(_), Ok(_)) => return false,
                    (Ok(_), Err(_)) => found.cmp(value),
                };
                match *op {
                    "=" => order.is_eq(),
                    "<" => order.is_lt(),
                    "<=" => order.is_le(),
                    ">" => order.is_gt(),
                    _ => order.is_ge(),
                }
            }
            Self::Like(field, part) => row.get(field).is_some_and(|value| value.contains(part.as_str())),
            Self::Present(field) => row.contains_key(field),
            Self::Not(of) => !of.holds(row),
            Self::And(a, b) => a.holds(row) && b.holds(row),
            Self::Or(a, b) => a.holds(row) || b.holds(row),
        }
    }
}

/// `stats AGGREGATE(FIELD) as x by KEYS`, sorted by the keys' texts.
pub fn stats(rows: &[Row], aggregate: &str, field: &str, keys: &[&str]) -> Vec<String> {
    let mut groups: BTreeMap<Vec<Option<&String>>, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        groups.entry(keys.iter().map(|key| row.get(*key)).collect()).or_default().push(row);
    }
    let line = |(values, rows): (Vec<Option<&String>>, Vec<&Row>)| {
        let numbers: Vec<f64> = rows.iter().filter_map(|row| row.get(field)?.parse().ok()).collect();
        let some = |n: f64| (!numbers.is_empty()).then_some(n);
        let value = match aggregate {
            "count" => Some(rows.iter().filter(|row| row.contains_key(field)).count() as f64),
            "sum" => some(numbers.iter().sum()),
            "avg" => some(numbers.iter().sum::<f64>() / numbers.len() as f64),
            "min" => numbers.iter().copied().reduce(f64::min),
            "max" => numbers.iter().copied().reduce(f64::max),
            _ => {
                let mut values: Vec<_> = rows.iter().filter_map(|row| row.get(field)).collect();
                values.sort();
                values.dedup();
                Some(values.len() as f64)
            }
        };
        let mut cells: Vec<String> =
            keys.iter().zip(values).filter_map(|(key, value)| Some(format!("{key}={}", value?))).collect();
        cells.extend(value.map(|value| format!("x={value}")));
        cells.join(" ")
    };
    let mut lines: Vec<String> = groups.into_iter().map(line).collect();
    lines.sort();
    lines
}
