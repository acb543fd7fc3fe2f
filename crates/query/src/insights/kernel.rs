//! What each function does with the values of one row.

use super::function::{Input, Op};
use super::pattern::template;
use super::text::{Subnet, json_at, sort_key};
use super::value::{Kind, Value, Values};
use datafusion::arrow::array::{
    ArrayRef, BinaryBuilder, BooleanArray, BooleanBuilder, Float64Builder, Int64Array, Int64Builder,
    ListBuilder, StringBuilder,
};
use serde_json::Value as Json;
use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;
use weir_logs::insights::discover::json_text;
use weir_logs::insights::{BinaryOp, Function, LikePattern};

/// Constants of one batch.
pub struct Prepared {
    subnet: Option<Option<Subnet>>,
}

impl Prepared {
    pub fn new(op: &Op, inputs: &[Input<'_>]) -> Self {
        let is_subnet = matches!(
            op,
            Op::Call(Function::IsIpInSubnet | Function::IsIpv4InSubnet | Function::IsIpv6InSubnet, _)
        );
        let constant = inputs.get(1).filter(|_| is_subnet).and_then(Input::constant);
        Self { subnet: constant.map(|value| value.text().and_then(|text| Subnet::parse(&text))) }
    }

    pub fn apply<'a>(&self, op: &Op, args: &[Value<'a>]) -> Value<'a> {
        let first = args.first().unwrap_or(&Value::Absent);
        let second = args.get(1).unwrap_or(&Value::Absent);
        match op {
            Op::Compare(op) => Value::Bool(first.compare(*op, second)),
            Op::Arithmetic(op) => arithmetic(*op, first.number(), second.number()),
            Op::Negative => numeric(first.number().map(|n| -n)),
            Op::Truth => Value::Bool(first.truth()),
            Op::Like { pattern, negated } => {
                let text = first.text();
                let matches = text.is_some_and(|text| match pattern {
                    LikePattern::Substring(part) => text.contains(part.as_str()),
                    LikePattern::Regex(regex) => regex.is_match(&text),
                });
                Value::Bool(matches != *negated)
            }
            Op::In { negated } => {
                let is_in = args.iter().skip(1).any(|item| first.compare(BinaryOp::Equal, item));
                Value::Bool(is_in != *negated)
            }
            Op::Path(steps) => owned(first.text().and_then(|text| json_at(&text, steps))),
            Op::ToNumber => numeric(first.number()),
            Op::Template => owned(first.text().map(|text| template(&text))),
            Op::ToText => owned(first.text().map(Cow::into_owned)),
            Op::Call(function, period) => match function {
                Function::IsIpInSubnet | Function::IsIpv4InSubnet | Function::IsIpv6InSubnet => {
                    self.in_subnet(*function, first, second)
                }
                Function::Bin | Function::DateFloor => match (first.time(), period) {
                    (Some(at), Some(period)) => Value::Time(period.floor(at)),
                    _ => Value::Absent,
                },
                Function::DateCeil => match (first.time(), period) {
                    (Some(at), Some(period)) => Value::Time(period.ceil(at)),
                    _ => Value::Absent,
                },
                other => call(*other, args),
            },
            Op::SortKey | Op::TimeKey | Op::Extract(_) | Op::Elements => Value::Absent,
        }
    }

    fn in_subnet(&self, function: Function, address: &Value<'_>, subnet: &Value<'_>) -> Value<'static> {
        let subnet = self.subnet.unwrap_or_else(|| subnet.text().and_then(|subnet| Subnet::parse(&subnet)));
        let address = address.text().and_then(|text| text.parse::<IpAddr>().ok());
        let (Some(subnet), Some(address)) = (subnet, address) else { return Value::Bool(false) };
        let is_family = match function {
            Function::IsIpv4InSubnet => subnet.is_ipv4(),
            Function::IsIpv6InSubnet => !subnet.is_ipv4(),
            _ => true,
        };
        Value::Bool(is_family && subnet.contains(address))
    }
}

fn owned<'a>(text: Option<String>) -> Value<'a> {
    text.map_or(Value::Absent, |text| Value::Text(Cow::Owned(text)))
}

/// What is no finite number is absent.
fn numeric<'a>(n: Option<f64>) -> Value<'a> {
    n.filter(|n| n.is_finite()).map_or(Value::Absent, Value::Number)
}

fn arithmetic<'a>(op: BinaryOp, a: Option<f64>, b: Option<f64>) -> Value<'a> {
    let (Some(a), Some(b)) = (a, b) else { return Value::Absent };
    numeric(Some(match op {
        BinaryOp::Add => a + b,
        BinaryOp::Subtract => a - b,
        BinaryOp::Multiply => a * b,
        BinaryOp::Divide => a / b,
        BinaryOp::Remainder => a % b,
        BinaryOp::Power => a.powf(b),
        _ => return Value::Absent,
    }))
}

fn call<'a>(function: Function, args: &[Value<'a>]) -> Value<'a> {
    let first = args.first().unwrap_or(&Value::Absent);
    let second = args.get(1).unwrap_or(&Value::Absent);
    let third = args.get(2).unwrap_or(&Value::Absent);
    let text = || first.text().unwrap_or_default();
    let of_number = |f: fn(f64) -> f64| numeric(first.number().map(f));
    let of_text = |f: &dyn Fn(&str) -> String| owned(first.text().map(|text| f(&text)));
    let numbers = || args.iter().filter_map(Value::number);
    match function {
        Function::Abs => of_number(f64::abs),
        Function::Ceil => of_number(f64::ceil),
        Function::Floor => of_number(f64::floor),
        Function::Round => {
            let digits = second.number().unwrap_or(0.0).clamp(-300.0, 300.0).trunc();
            let factor = 10f64.powf(digits);
            numeric(first.number().map(|n| (n * factor).round() / factor))
        }
        Function::Log => of_number(f64::ln),
        Function::Sqrt => of_number(f64::sqrt),
        Function::Greatest => numeric(numbers().reduce(f64::max)),
        Function::Least => numeric(numbers().reduce(f64::min)),
        Function::IsPresent => Value::Bool(*first != Value::Absent),
        Function::Coalesce => {
            args.iter().find(|value| **value != Value::Absent).cloned().unwrap_or(Value::Absent)
        }
        Function::If => {
            if first.truth() {
                second.clone()
            } else {
                third.clone()
            }
        }
        Function::Case => {
            let mut pairs = args.chunks_exact(2);
            let found = pairs.find_map(|pair| match pair {
                [condition, value] => condition.truth().then_some(value),
                _ => None,
            });
            found.or(args.chunks_exact(2).remainder().first()).cloned().unwrap_or(Value::Absent)
        }
        Function::IsNumeric => Value::Bool(first.number().is_some()),
        Function::ToNumber => numeric(first.number()),
        Function::FromMillis => first.time().map_or(Value::Absent, Value::Time),
        Function::ToMillis => numeric(first.time().map(|at| at as f64)),
        Function::IsEmpty => Value::Bool(text().is_empty()),
        Function::IsBlank => Value::Bool(text().trim().is_empty()),
        Function::Concat => {
            owned(Some(args.iter().map(|value| value.text().unwrap_or_default()).collect::<String>()))
        }
        Function::LTrim | Function::RTrim | Function::Trim => {
            let set = second.text();
            let is_trimmed = |c: char| match &set {
                Some(set) => set.contains(c),
                None => c.is_whitespace(),
            };
            of_text(&|text| {
                let text =
                    if function == Function::RTrim { text } else { text.trim_start_matches(is_trimmed) };
                let text = if function == Function::LTrim { text } else { text.trim_end_matches(is_trimmed) };
                text.to_owned()
            })
        }
        Function::StrLen => numeric(first.text().map(|text| text.chars().count() as f64)),
        Function::ToUpper => of_text(&str::to_uppercase),
        Function::ToLower => of_text(&str::to_lowercase),
        Function::Substr => {
            let (Some(start), length) = (second.number(), third.number()) else { return Value::Absent };
            let length = if args.len() > 2 { length.unwrap_or(0.0).max(0.0) as usize } else { usize::MAX };
            of_text(&|text| text.chars().skip(start.max(0.0) as usize).take(length).collect())
        }
        Function::Replace => {
            let (Some(from), Some(to)) = (second.text(), third.text()) else { return Value::Absent };
            of_text(&|text| if from.is_empty() { text.to_owned() } else { text.replace(&*from, &to) })
        }
        Function::StrContains => {
            let found = match (first.text(), second.text()) {
                (Some(text), Some(part)) => text.contains(&*part),
                _ => false,
            };
            Value::Bool(found)
        }
        Function::IsValidIp => Value::Bool(text().parse::<IpAddr>().is_ok()),
        Function::IsValidIpV4 => Value::Bool(text().parse::<std::net::Ipv4Addr>().is_ok()),
        Function::IsValidIpV6 => Value::Bool(text().parse::<std::net::Ipv6Addr>().is_ok()),
        Function::JsonParse => match serde_json::from_str::<Json>(&text()) {
            Ok(Json::Object(_) | Json::Array(_)) => owned(Some(text().into_owned())),
            Ok(scalar) => owned(json_text(&scalar).map(Cow::into_owned)),
            Err(_) => Value::Absent,
        },
        Function::JsonStringify => of_text(&|text| match serde_json::from_str::<Json>(text) {
            Ok(document @ (Json::Object(_) | Json::Array(_))) => document.to_string(),
            _ => Json::from(text).to_string(),
        }),
        Function::Unmask => first.clone(),
        // These have constants, or are constants.
        Function::Now
        | Function::Bin
        | Function::DateFloor
        | Function::DateCeil
        | Function::IsIpInSubnet
        | Function::IsIpv4InSubnet
        | Function::IsIpv6InSubnet => Value::Absent,
    }
}

/// What is done often, without looking at each value's kind.
pub fn at_once(op: &Op, inputs: &[Input<'_>]) -> Option<ArrayRef> {
    let first = inputs.first().filter(|input| input.constant().is_none())?;
    match (op, first.values(), inputs.get(1).map(Input::constant)) {
        (Op::Compare(op), Values::Number(numbers), Some(Some(Value::Number(with)))) => {
            let holds: fn(f64, f64) -> bool = match op {
                BinaryOp::Equal => |a, b| a == b,
                BinaryOp::NotEqual => |a, b| a != b,
                BinaryOp::Less => |a, b| a < b,
                BinaryOp::LessOrEqual => |a, b| a <= b,
                BinaryOp::Greater => |a, b| a > b,
                BinaryOp::GreaterOrEqual => |a, b| a >= b,
                _ => return None,
            };
            let absent = *op == BinaryOp::NotEqual;
            let held = numbers.iter().map(|n| Some(n.map_or(absent, |n| holds(n, with))));
            Some(Arc::new(held.collect::<BooleanArray>()))
        }
        (Op::Call(Function::Bin, Some(period)), Values::Time(times), _) => {
            let floors = times.iter().map(|at| at.map(|at| period.floor(at)));
            Some(Arc::new(floors.collect::<Int64Array>()))
        }
        _ => None,
    }
}

pub fn sort_keys(inputs: &[Input<'_>], rows: usize) -> ArrayRef {
    let mut keys = BinaryBuilder::new();
    let mut key = Vec::new();
    for row in 0..rows {
        match inputs.first().map_or(Value::Absent, |input| input.get(row)).text() {
            Some(text) => {
                sort_key(&text, &mut key);
                keys.append_value(&key);
            }
            None => keys.append_null(),
        }
    }
    Arc::new(keys.finish())
}

pub fn time_keys(inputs: &[Input<'_>], rows: usize) -> ArrayRef {
    let mut keys = BinaryBuilder::new();
    let value = |i: usize, row| inputs.get(i).map_or(Value::Absent, |input| input.get(row));
    for row in 0..rows {
        match (value(0, row).time(), value(1, row).time()) {
            (Some(at), Some(sequence)) => {
                // Instants before 1970 first.
                let order = (at as u64) ^ (1 << 63);
                keys.append_value([order.to_be_bytes(), sequence.to_be_bytes()].concat());
            }
            _ => keys.append_null(),
        }
    }
    Arc::new(keys.finish())
}

/// The elements of JSON lists; what is no list is its own only element.
pub fn elements(inputs: &[Input<'_>], rows: usize) -> ArrayRef {
    let mut lists = ListBuilder::new(StringBuilder::new());
    for row in 0..rows {
        let value = inputs.first().map_or(Value::Absent, |input| input.get(row));
        let text = value.text();
        match text.as_deref().map(|text| (text, serde_json::from_str::<Json>(text))) {
            Some((_, Ok(Json::Array(list)))) if !list.is_empty() => {
                for item in &list {
                    lists.values().append_option(json_text(item));
                }
                lists.append(true);
            }
            Some((_, Ok(Json::Array(_)))) | None => lists.append_null(),
            Some((text, _)) => {
                lists.values().append_value(text);
                lists.append(true);
            }
        }
    }
    Arc::new(lists.finish())
}

/// A column of one kind.
pub enum Builder {
    Text(StringBuilder),
    Number(Float64Builder),
    Time(Int64Builder),
    Bool(BooleanBuilder),
}

impl Builder {
    pub fn new(kind: Kind, rows: usize) -> Self {
        match kind {
            Kind::Text => Self::Text(StringBuilder::with_capacity(rows, rows * 16)),
            Kind::Number => Self::Number(Float64Builder::with_capacity(rows)),
            Kind::Time => Self::Time(Int64Builder::with_capacity(rows)),
            Kind::Bool => Self::Bool(BooleanBuilder::with_capacity(rows)),
        }
    }

    /// Adds a value, seen as the column's kind.
    pub fn push(&mut self, value: &Value<'_>) {
        match self {
            Self::Text(builder) => builder.append_option(value.text()),
            Self::Number(builder) => builder.append_option(value.number()),
            Self::Time(builder) => builder.append_option(value.time()),
            Self::Bool(builder) => builder.append_value(value.truth()),
        }
    }

    pub fn finish(self) -> ArrayRef {
        match self {
            Self::Text(mut builder) => Arc::new(builder.finish()),
            Self::Number(mut builder) => Arc::new(builder.finish()),
            Self::Time(mut builder) => Arc::new(builder.finish()),
            Self::Bool(mut builder) => Arc::new(builder.finish()),
        }
    }
}
