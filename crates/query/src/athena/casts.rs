//! Trino's casts in DataFusion's words: to text, to rows, to and from JSON, and
//! those that may fail.

use super::dialect::{arguments, call};
use datafusion::sql::sqlparser::ast::{
    ArrayElemTypeDef, BinaryOperator, CastKind, CharacterLength, DataType, Expr, Ident, ObjectName,
    ObjectNamePart, Value, VisitorMut,
};
use std::ops::ControlFlow;

/// A cast to text: values as results show them, cut or filled to a length.
pub(super) fn text_of(inner: Expr, data_type: &DataType) -> Option<Expr> {
    let number = |n: u64| Expr::value(Value::Number(n.to_string(), false));
    let text = call("to_varchar", vec![inner]);
    let length = |length: &Option<CharacterLength>| match length {
        Some(CharacterLength::IntegerLength { length, .. }) => Some(*length),
        _ => None,
    };
    match data_type {
        DataType::Varchar(of) | DataType::CharacterVarying(of) | DataType::CharVarying(of) => {
            match length(of) {
                Some(length) => Some(call("substr", vec![text, number(1), number(length)])),
                None => Some(text),
            }
        }
        DataType::Char(of) | DataType::Character(of) => {
            let blank = Expr::value(Value::SingleQuotedString(" ".to_owned()));
            Some(call("rpad", vec![text, number(length(of).unwrap_or(1)), blank]))
        }
        DataType::String(None) | DataType::Text => Some(text),
        _ => None,
    }
}

/// `CAST(ROW(1, 'x') AS ROW(id bigint, name varchar))` as a row with these names.
pub(super) fn row_of(row: &Expr, data_type: &DataType, kind: &CastKind) -> Option<Expr> {
    let (Expr::Function(found), DataType::Struct(fields, _)) = (row, data_type) else { return None };
    let values = arguments(found);
    if !found.name.to_string().eq_ignore_ascii_case("struct") || values.len() != fields.len() {
        return None;
    }
    let mut args = Vec::new();
    for (value, field) in values.into_iter().zip(fields) {
        let name = field.field_name.as_ref().map_or("", |name| &name.value).to_lowercase();
        args.push(Expr::value(Value::SingleQuotedString(name)));
        args.push(row_of(&value, &field.field_type, kind).unwrap_or_else(|| Expr::Cast {
            kind: kind.clone(),
            expr: Box::new(value),
            data_type: field.field_type.clone(),
            array: false,
            format: None,
        }));
    }
    Some(call("named_struct", args))
}

/// Whether a value is JSON, as far as its text says so.
fn is_json(expr: &Expr) -> bool {
    match expr {
        Expr::Nested(inner) => is_json(inner),
        Expr::Function(found) => {
            let name = found.name.to_string();
            [
                "json_array",
                "json_array_get",
                "json_extract",
                "json_object",
                "json_parse",
                "json_query",
                "to_json",
            ]
            .contains(&name.as_str())
        }
        _ => false,
    }
}

/// A value as JSON.
pub(super) fn to_json(inner: Expr) -> Expr {
    if is_json(&inner) { inner } else { call("to_json", vec![inner]) }
}

/// A cast of JSON; `None` if the value is none.
pub(super) fn from_json(inner: &Expr, data_type: &DataType, kind: &CastKind) -> Option<Expr> {
    if !is_json(inner) {
        return None;
    }
    if matches!(data_type, DataType::Array(_) | DataType::Map(..) | DataType::Struct(..)) {
        let name = Expr::value(Value::SingleQuotedString(hive(data_type)?));
        return Some(call("json_typed", vec![inner.clone(), name]));
    }
    let text = call("json_scalar", vec![inner.clone()]);
    Some(match text_of(text.clone(), data_type) {
        Some(text) => text,
        None => Expr::Cast {
            kind: kind.clone(),
            expr: Box::new(text),
            data_type: data_type.clone(),
            array: false,
            format: None,
        },
    })
}

/// A type in Hive's words.
fn hive(data_type: &DataType) -> Option<String> {
    Some(match data_type {
        DataType::Array(ArrayElemTypeDef::AngleBracket(item) | ArrayElemTypeDef::Parenthesis(item)) => {
            format!("array<{}>", hive(item)?)
        }
        DataType::Map(key, value) => format!("map<{},{}>", hive(key)?, hive(value)?),
        DataType::Struct(fields, _) => {
            let fields = fields.iter().enumerate().map(|(place, field)| {
                let unnamed = format!("c{place}");
                let name = field.field_name.as_ref().map_or(&unnamed, |name| &name.value);
                Some(format!("{}:{}", name.to_lowercase(), hive(&field.field_type)?))
            });
            format!("struct<{}>", fields.collect::<Option<Vec<_>>>()?.join(","))
        }
        DataType::Custom(name, _) if name.to_string().eq_ignore_ascii_case("json") => "string".to_owned(),
        DataType::JSON => "string".to_owned(),
        DataType::Varchar(_) | DataType::Char(_) | DataType::Character(_) | DataType::CharacterVarying(_) => {
            "string".to_owned()
        }
        DataType::Real => "float".to_owned(),
        DataType::Timestamp(..) => "timestamp".to_owned(),
        other => other.to_string().to_lowercase(),
    })
}

/// Casts that give NULL where they would fail.
pub(super) struct TryCasts;

impl VisitorMut for TryCasts {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        match expr {
            Expr::Cast { kind, .. } => *kind = CastKind::TryCast,
            Expr::Function(found) if found.name.to_string() == "to_ipaddress" => {
                found.name = ObjectName(vec![ObjectNamePart::Identifier(Ident::new("try_ipaddress"))]);
            }
            Expr::BinaryOp { op: BinaryOperator::Divide | BinaryOperator::Modulo, right, .. } => {
                // NULL instead of a division by zero.
                let zero = Expr::value(Value::Number("0".to_owned(), false));
                **right = call("nullif", vec![right.as_ref().clone(), zero]);
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}
