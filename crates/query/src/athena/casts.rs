//! Trino's casts in DataFusion's words: to text, to rows, and those that may fail.

use super::dialect::{arguments, call};
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, CastKind, CharacterLength, DataType, Expr, Ident, ObjectName, ObjectNamePart, Value,
    VisitorMut,
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
