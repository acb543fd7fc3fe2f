//! Literals as Trino reads them: what type they have, rows without parentheses.

use super::dialect::call;
use super::trino::{is_space, word};
use datafusion::sql::sqlparser::ast::{
    CastKind, DataType, ExactNumberInfo, Expr, SelectItem, SetExpr, TypedString, UnaryOperator, Value,
    ValueWithSpan,
};
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

/// What can follow the rows of VALUES.
const AFTER_ROWS: [&str; 7] = ["except", "fetch", "intersect", "limit", "offset", "order", "union"];

/// `VALUES 1, 2` as `VALUES (1), (2)`.
pub(super) fn bare_values(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let mut whole = Vec::with_capacity(tokens.len());
    let mut tokens = tokens.into_iter().peekable();
    let mut last: Option<Token> = None;
    while let Some(found) = tokens.next() {
        let is_rows = word(&found.token).as_deref() == Some("values") && begins_query(last.as_ref());
        if !is_space(&found.token) {
            last = Some(found.token.clone());
        }
        let span = found.span;
        whole.push(found);
        if !is_rows {
            continue;
        }
        while let Some(space) = tokens.next_if(|next| is_space(&next.token)) {
            whole.push(space);
        }
        if tokens.peek().is_none_or(|next| matches!(next.token, Token::LParen | Token::EOF)) {
            continue;
        }
        let sign = |token: Token| TokenWithSpan { token, span };
        whole.push(sign(Token::LParen));
        let mut depth = 0_usize;
        while let Some(next) = tokens.next_if(|next| depth > 0 || !ends_rows(&next.token)) {
            match next.token {
                Token::LParen | Token::LBracket => depth += 1,
                Token::RParen | Token::RBracket => depth = depth.saturating_sub(1),
                Token::Comma if depth == 0 => {
                    whole.extend([sign(Token::RParen), next, sign(Token::LParen)]);
                    continue;
                }
                _ => {}
            }
            whole.push(next);
        }
        whole.push(sign(Token::RParen));
    }
    whole
}

fn begins_query(last: Option<&Token>) -> bool {
    match last {
        None | Some(Token::LParen | Token::SemiColon) => true,
        Some(token) => {
            let name = word(token).unwrap_or_default();
            ["all", "distinct", "except", "intersect", "union"].contains(&name.as_str())
        }
    }
}

fn ends_rows(token: &Token) -> bool {
    matches!(token, Token::RParen | Token::SemiColon | Token::EOF)
        || word(token).is_some_and(|name| AFTER_ROWS.contains(&name.as_str()))
}

/// Gives literals that are columns of the result their types: `1` is an integer
/// and `1.5` a decimal. Elsewhere numbers are bigint and double, so that sums
/// have room.
pub(super) fn typed(body: &mut SetExpr) {
    match body {
        SetExpr::Select(select) => {
            for item in &mut select.projection {
                if let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } = item {
                    type_literal(expr);
                }
            }
        }
        SetExpr::Values(values) => {
            for row in &mut values.rows {
                row.content.iter_mut().for_each(type_literal);
            }
        }
        SetExpr::SetOperation { left, right, .. } => {
            typed(left);
            typed(right);
        }
        SetExpr::Query(query) => typed(&mut query.body),
        _ => {}
    }
}

fn type_literal(expr: &mut Expr) {
    let (sign, number) = match &*expr {
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => ("-", expr.as_ref()),
        other => ("", other),
    };
    let Expr::Value(ValueWithSpan { value: Value::Number(digits, _), .. }) = number else { return };
    let text = format!("{sign}{digits}");
    if text.parse::<i32>().is_ok() {
        *expr = cast(&text, DataType::Integer(None));
    } else if let Some(found) = decimal(&text) {
        *expr = found;
    }
}

fn cast(text: &str, data_type: DataType) -> Expr {
    Expr::Cast {
        kind: CastKind::Cast,
        expr: Box::new(Expr::value(Value::SingleQuotedString(text.to_owned()))),
        data_type,
        array: false,
        format: None,
    }
}

/// `12.340` as a decimal of five digits, three of them after the point.
fn decimal(text: &str) -> Option<Expr> {
    let (whole, part) = text.split_once('.')?;
    let whole = whole.trim_start_matches(['-', '+']).trim_start_matches('0');
    if !whole.bytes().chain(part.bytes()).all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let digits = (whole.len() + part.len()).max(1);
    if digits > 38 {
        return None;
    }
    let scale = i64::try_from(part.len()).ok()?;
    Some(cast(text, DataType::Decimal(ExactNumberInfo::PrecisionAndScale(digits as u64, scale))))
}

/// `DECIMAL '12.340'` and `TIMESTAMP '2024-05-01 10:00:00 Europe/Paris'`, whose
/// types are in the text.
pub(super) fn typed_string(found: &TypedString) -> Option<Expr> {
    let Value::SingleQuotedString(text) = &found.value.value else { return None };
    match found.data_type {
        DataType::JSON => {
            Some(call("json_parse", vec![Expr::value(Value::SingleQuotedString(text.clone()))]))
        }
        DataType::Decimal(ExactNumberInfo::None) if text.contains('.') => decimal(text),
        DataType::Decimal(ExactNumberInfo::None) => decimal(&format!("{text}.")),
        // To the minute.
        DataType::Timestamp(..) if text.len() == 16 && text.matches(':').count() == 1 => {
            let value = Value::SingleQuotedString(format!("{text}:00")).into();
            Some(Expr::TypedString(TypedString { value, ..found.clone() }))
        }
        DataType::Timestamp(..) => {
            let (wall, zone) = text.trim().rsplit_once(' ')?;
            if !zone.starts_with(|first: char| first.is_alphabetic() || first == '+' || first == '-') {
                return None;
            }
            let value = Value::SingleQuotedString(wall.trim().to_owned()).into();
            let wall = Expr::TypedString(TypedString { value, ..found.clone() });
            Some(call("with_timezone", vec![wall, Expr::value(Value::SingleQuotedString(zone.to_owned()))]))
        }
        _ => None,
    }
}
