//! Trino's SQL in DataFusion's words.
//!
//! What only is called otherwise is renamed, what only is written otherwise is
//! rewritten; what means something else is a function of ours (`functions`).

use super::calls;
use super::casts::{from_json, row_of, text_of, to_json};
use super::trino::{self, Trino};
use super::{QueryError, fault, literals, unnest};
use datafusion::sql::sqlparser::ast::{
    CastKind, DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList,
    FunctionArguments, Ident, LimitClause, ObjectName, ObjectNamePart, OneOrManyWithParens, Query, Select,
    SelectItem, SetExpr, Statement, TimezoneInfo, UnaryOperator, Value, VisitMut, VisitorMut,
};
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};
use std::ops::ControlFlow;

/// The name of an expression without one, until its place is known.
pub(super) const UNNAMED: &str = "_col?";

/// How deep expressions may be nested.
const DEPTH: usize = 64;

/// Whether a text is one query.
///
/// Errors: what is wrong with it, for the caller.
pub fn check(sql: &str) -> Result<(), String> {
    read(sql).map(drop).map_err(|error| fault::syntax(&error, sql))
}

pub(super) fn read(sql: &str) -> Result<Statement, ParserError> {
    let tokens = trino::reworded(Tokenizer::new(&Trino, sql).tokenize_with_location()?);
    let mut statements = Parser::new(&Trino)
        .with_recursion_limit(DEPTH)
        .with_tokens_with_locations(tokens)
        .parse_statements()?;
    match (statements.pop(), statements.is_empty()) {
        (Some(statement @ Statement::Query(_)), true) => Ok(statement),
        (Some(_), true) => Err(ParserError::ParserError("Queries of this type are not supported".to_owned())),
        _ => Err(ParserError::ParserError("Only one sql statement is allowed".to_owned())),
    }
}

/// The query in DataFusion's words.
///
/// Errors: `SYNTAX_ERROR`, `NOT_SUPPORTED`.
pub(super) fn translate(sql: &str) -> Result<Translated, QueryError> {
    translate_named(sql, false)
}

/// As [`translate`]; what has no name may be called as it is written.
pub(super) fn translate_named(sql: &str, names_as_written: bool) -> Result<Translated, QueryError> {
    let mut statement =
        read(sql).map_err(|error| QueryError::user(1000, "SYNTAX_ERROR", fault::syntax(&error, sql)))?;
    let names = written_names(&statement);
    let mut rewrite = Rewrite { next: 0, names_as_written };
    match statement.visit(&mut rewrite) {
        ControlFlow::Continue(()) => {
            if let (Statement::Query(query), false) = (&mut statement, names_as_written) {
                literals::typed(&mut query.body);
            }
            Ok(Translated { statement, names })
        }
        ControlFlow::Break(error) => Err(error),
    }
}

/// A query in DataFusion's words.
pub(super) struct Translated {
    pub statement: Statement,
    /// Names of the first columns as they were written, where they were given.
    pub names: Vec<Option<String>>,
}

fn written_names(statement: &Statement) -> Vec<Option<String>> {
    match statement {
        Statement::Query(query) => names_of(&query.body),
        _ => Vec::new(),
    }
}

fn names_of(body: &SetExpr) -> Vec<Option<String>> {
    let select = match body {
        SetExpr::Select(select) => select,
        SetExpr::SetOperation { left, .. } => return names_of(left),
        SetExpr::Query(query) => return names_of(&query.body),
        SetExpr::Values(values) => {
            let count = values.rows.first().map_or(0, |row| row.content.len());
            return (0..count).map(|place| Some(format!("_col{place}"))).collect();
        }
        _ => return Vec::new(),
    };
    let items = select.projection.iter().map_while(|item| match item {
        SelectItem::UnnamedExpr(Expr::CompoundIdentifier(names)) => {
            Some(names.last().map(|name| name.value.to_lowercase()))
        }
        SelectItem::UnnamedExpr(_) => Some(None),
        SelectItem::ExprWithAlias { alias, .. } => Some(Some(alias.value.clone())),
        _ => None,
    });
    items.collect()
}

/// The text with its `?` replaced by `parameters`, which are SQL themselves, as
/// Athena does it.
///
/// Errors: `INVALID_PARAMETER_USAGE` if there are more or fewer.
pub fn with_parameters(sql: &str, parameters: &[String]) -> Result<String, QueryError> {
    let wrong = |found: usize| {
        let text = format!("Incorrect number of parameters: expected {found} but found {}", parameters.len());
        QueryError::user(1000, "INVALID_PARAMETER_USAGE", text)
    };
    if parameters.is_empty() {
        return Ok(sql.to_owned());
    }
    let tokens = Tokenizer::new(&Trino, sql).with_unescape(false).tokenize();
    let tokens = tokens.map_err(|error| QueryError::user(1000, "SYNTAX_ERROR", error.to_string()))?;
    let (mut text, mut found) = (String::new(), 0);
    for token in tokens {
        match token {
            Token::Placeholder(mark) if mark == "?" => {
                text.push_str(parameters.get(found).ok_or_else(|| wrong(found + 1))?);
                found += 1;
            }
            other => text.push_str(&other.to_string()),
        }
    }
    if found == parameters.len() { Ok(text) } else { Err(wrong(found)) }
}

struct Rewrite {
    next: usize,
    /// What has no name is called as it is written.
    names_as_written: bool,
}

fn ident(name: &str) -> Ident {
    Ident::with_quote('"', name)
}

fn lower(ident: &mut Ident) {
    ident.value = ident.value.to_lowercase();
    ident.quote_style = Some('"');
}

fn lower_name(name: &mut ObjectName) {
    for part in &mut name.0 {
        if let ObjectNamePart::Identifier(part) = part {
            lower(part);
        }
    }
}

pub(super) fn arguments(function: &Function) -> Vec<Expr> {
    let FunctionArguments::List(list) = &function.args else { return Vec::new() };
    let exprs = list.args.iter().filter_map(|argument| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr.clone()),
        _ => None,
    });
    exprs.collect()
}

pub(super) fn list(args: Vec<Expr>) -> FunctionArguments {
    let args = args.into_iter().map(|expr| FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)));
    FunctionArguments::List(FunctionArgumentList {
        duplicate_treatment: None,
        args: args.collect(),
        clauses: Vec::new(),
    })
}

pub(super) fn function(name: &str, args: Vec<Expr>) -> Function {
    Function {
        name: ObjectName(vec![ObjectNamePart::Identifier(Ident::new(name))]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: list(args),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    }
}

pub(super) fn not(expr: Expr) -> Expr {
    Expr::Nested(Box::new(Expr::UnaryOp {
        op: UnaryOperator::Not,
        expr: Box::new(Expr::Nested(Box::new(expr))),
    }))
}

pub(super) fn call(name: &str, args: Vec<Expr>) -> Expr {
    Expr::Function(function(name, args))
}

impl VisitorMut for Rewrite {
    type Break = QueryError;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<QueryError> {
        if let Some(with) = &mut query.with {
            for table in &mut with.cte_tables {
                lower(&mut table.alias.name);
                table.alias.columns.iter_mut().for_each(|column| lower(&mut column.name));
            }
        }
        if let Some(fetch) = query.fetch.take() {
            let one = || Expr::value(Value::Number("1".to_owned(), false));
            let offset = match query.limit_clause.take() {
                Some(LimitClause::LimitOffset { offset, .. }) => offset,
                _ => None,
            };
            let limit = Some(fetch.quantity.unwrap_or_else(one));
            query.limit_clause = Some(LimitClause::LimitOffset { limit, offset, limit_by: Vec::new() });
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<QueryError> {
        if let Err(error) = unnest::unfold(select) {
            return ControlFlow::Break(error);
        }
        for item in &mut select.projection {
            match item {
                SelectItem::UnnamedExpr(expr) => {
                    if matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_)) {
                        continue;
                    }
                    let alias = if self.names_as_written {
                        ident(&expr.to_string().to_lowercase())
                    } else {
                        self.next += 1;
                        ident(&format!("{UNNAMED}{}", self.next))
                    };
                    *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias };
                }
                SelectItem::ExprWithAlias { alias, .. } => lower(alias),
                _ => {}
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, relation: &mut ObjectName) -> ControlFlow<QueryError> {
        lower_name(relation);
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(
        &mut self,
        factor: &mut datafusion::sql::sqlparser::ast::TableFactor,
    ) -> ControlFlow<QueryError> {
        use datafusion::sql::sqlparser::ast::TableFactor;
        if let TableFactor::UNNEST { array_exprs, with_ordinality: true, alias, .. } = factor
            && let Some(subquery) = with_ordinality(array_exprs)
        {
            let alias = alias.take();
            *factor = TableFactor::Derived { lateral: false, subquery, alias, sample: None };
        }
        let alias = match factor {
            TableFactor::Table { alias, .. }
            | TableFactor::Derived { alias, .. }
            | TableFactor::UNNEST { alias, .. }
            | TableFactor::NestedJoin { alias, .. } => alias,
            _ => return ControlFlow::Continue(()),
        };
        if let Some(alias) = alias {
            lower(&mut alias.name);
            alias.columns.iter_mut().for_each(|column| lower(&mut column.name));
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<QueryError> {
        match expr {
            Expr::Identifier(name) => {
                let bare = name.quote_style.is_none().then(|| name.value.to_lowercase());
                match bare.as_deref().and_then(without_parentheses) {
                    Some(value) => *expr = value,
                    None => lower(name),
                }
            }
            Expr::CompoundIdentifier(names) => names.iter_mut().for_each(lower),
            Expr::Lambda(lambda) => {
                let parameters = match &mut lambda.params {
                    OneOrManyWithParens::One(parameter) => std::slice::from_mut(parameter),
                    OneOrManyWithParens::Many(all) => all.as_mut_slice(),
                };
                parameters.iter_mut().for_each(|one| lower(&mut one.name));
                let names = parameters.iter().map(|one| one.name.value.clone()).collect();
                let _: ControlFlow<()> = lambda.body.visit(&mut Members { names });
            }
            Expr::Cast { kind, expr: inner, data_type, .. } => {
                let is_try = *kind == CastKind::TryCast;
                let custom = match data_type {
                    DataType::Custom(name, _) => name.to_string().to_lowercase(),
                    _ => String::new(),
                };
                let inner = inner.as_ref().clone();
                if let Some(row) = row_of(&inner, data_type, kind) {
                    *expr = row;
                    return ControlFlow::Continue(());
                }
                if *data_type == DataType::JSON || custom == "json" {
                    *expr = to_json(inner);
                    return ControlFlow::Continue(());
                }
                if let Some(typed) = from_json(&inner, data_type, kind) {
                    *expr = typed;
                    return ControlFlow::Continue(());
                }
                match custom.as_str() {
                    "ipaddress" => {
                        *expr = call(if is_try { "try_ipaddress" } else { "to_ipaddress" }, vec![inner]);
                    }
                    "ipprefix" => *expr = call("to_ipprefix", vec![inner]),
                    _ => {
                        if let Some(text) = text_of(inner, data_type) {
                            *expr = text;
                        }
                    }
                }
            }
            Expr::Substring { expr: text, substring_from: Some(from), substring_for, .. } => {
                let mut args = vec![text.as_ref().clone(), from.as_ref().clone()];
                args.extend(substring_for.as_ref().map(|length| length.as_ref().clone()));
                *expr = call("substr", args);
            }
            Expr::TypedString(found) => {
                if let Some(literal) = literals::typed_string(found) {
                    *expr = literal;
                }
            }
            Expr::Function(found) => {
                let name = found.name.to_string().to_lowercase();
                return calls::rewrite(expr, &name.replace('"', ""));
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// Members of a function's arguments: `s.sum` is none of a table `s`.
struct Members {
    names: Vec<String>,
}

impl VisitorMut for Members {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::CompoundIdentifier(parts) = expr
            && let [row, members @ ..] = parts.as_slice()
            && self.names.contains(&row.value)
        {
            let member = |row, name: &Ident| {
                let name = Expr::value(Value::SingleQuotedString(name.value.clone()));
                call("get_field", vec![row, name])
            };
            *expr = members.iter().fold(Expr::Identifier(row.clone()), member);
        }
        ControlFlow::Continue(())
    }
}

/// Values that are written like columns.
pub(super) fn without_parentheses(name: &str) -> Option<Expr> {
    let now = || Box::new(call("now", Vec::new()));
    let data_type = match name {
        "localtimestamp" => DataType::Timestamp(None, TimezoneInfo::None),
        "localtime" => DataType::Time(None, TimezoneInfo::None),
        "current_catalog" => {
            return Some(Expr::value(Value::SingleQuotedString("awsdatacatalog".to_owned())));
        }
        _ => return None,
    };
    Some(Expr::Cast { kind: CastKind::Cast, expr: now(), data_type, array: false, format: None })
}

/// The items of arrays and their places, as a query of its own.
fn with_ordinality(arrays: &[Expr]) -> Option<Box<Query>> {
    let arrays = arrays.iter().map(Expr::to_string).collect::<Vec<_>>().join(", ");
    let sql = format!("SELECT items.*, row_number() OVER () AS ordinality FROM UNNEST({arrays}) AS items");
    match read(&sql) {
        Ok(Statement::Query(query)) => Some(query),
        _ => None,
    }
}
