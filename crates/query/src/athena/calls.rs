//! Calls of Trino's functions in DataFusion's words.

use super::QueryError;
use super::casts::TryCasts;
use super::dialect::{arguments, call, function, list, not, without_parentheses};
use datafusion::sql::sqlparser::ast::helpers::attached_token::AttachedToken;
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, CaseWhen, CastKind, DataType, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArgumentClause, FunctionArguments, Ident, Interval, LambdaFunction, LambdaFunctionParameter,
    LambdaSyntax, ObjectName, ObjectNamePart, OneOrManyWithParens, OrderByExpr, OrderByOptions, Value, Visit,
    VisitMut, Visitor,
};
use std::ops::ControlFlow;

/// Functions that are only called otherwise.
const RENAMED: &[(&str, &str)] = &[
    ("arbitrary", "any_value"),
    ("variance", "var_samp"),
    ("every", "bool_and"),
    ("approx_set", "approx_distinct"),
    ("ceiling", "ceil"),
    ("truncate", "trunc"),
    ("sign", "signum"),
    ("is_nan", "isnan"),
    ("rand", "random"),
    ("char_length", "length"),
    ("dow", "day_of_week"),
    ("doy", "day_of_year"),
    ("day_of_month", "day"),
    ("week_of_year", "week"),
    ("levenshtein_distance", "levenshtein"),
    ("array_join", "array_to_string"),
    ("array_remove", "array_remove_all"),
    ("arrays_overlap", "array_has_any"),
    ("sequence", "generate_series"),
    ("zip", "arrays_zip"),
    ("ip_address", "to_ipaddress"),
    ("bitwise_and_agg", "bit_and"),
    ("bitwise_or_agg", "bit_or"),
    ("bitwise_xor_agg", "bit_xor"),
    ("repeat", "array_repeat"),
    ("yow", "year_of_week"),
];

/// Whether a value is a day, as far as its text says so.
fn is_date(expr: &Expr) -> bool {
    match expr {
        Expr::TypedString(found) => found.data_type == DataType::Date,
        Expr::Cast { data_type, .. } => *data_type == DataType::Date,
        Expr::Function(found) => ["date", "current_date"].contains(&found.name.to_string().as_str()),
        _ => false,
    }
}

/// Rewrites a call of a function of this name, whose arguments are rewritten already.
pub(super) fn rewrite(expr: &mut Expr, name: &str) -> ControlFlow<QueryError> {
    let Expr::Function(found) = expr else { return ControlFlow::Continue(()) };
    let args = arguments(found);
    match (name, args.as_slice()) {
        ("if", [condition, then, rest @ ..]) => {
            *expr = Expr::Case {
                case_token: AttachedToken::empty(),
                end_token: AttachedToken::empty(),
                operand: None,
                conditions: vec![CaseWhen { condition: condition.clone(), result: then.clone() }],
                else_result: rest.first().map(|rest| Box::new(rest.clone())),
            };
        }
        ("try", [inner]) => *expr = tried(inner),
        // Of a date it is a date.
        ("date_trunc", [_, of]) => {
            *expr = call("as_dates", vec![call("date_trunc", args.clone()), of.clone()]);
        }
        ("mod", [left, right]) => {
            *expr = Expr::Nested(Box::new(Expr::BinaryOp {
                left: Box::new(Expr::Nested(Box::new(left.clone()))),
                op: BinaryOperator::Modulo,
                right: Box::new(Expr::Nested(Box::new(right.clone()))),
            }));
        }
        ("count_if", [condition]) => {
            let condition = match found.filter.take() {
                Some(filter) => Expr::BinaryOp {
                    left: Box::new(Expr::Nested(filter)),
                    op: BinaryOperator::And,
                    right: Box::new(Expr::Nested(Box::new(condition.clone()))),
                },
                None => condition.clone(),
            };
            let one = Expr::value(Value::Number("1".to_owned(), false));
            let over = found.over.take();
            *expr = Expr::Function(Function {
                filter: Some(Box::new(condition)),
                over,
                ..function("count", vec![one])
            });
        }
        ("max_by" | "min_by", [value, by]) => {
            let options = OrderByOptions { asc: Some(name == "min_by"), nulls_first: Some(false) };
            let order = OrderByExpr { expr: by.clone(), options, with_fill: None };
            let mut first = function("first_value", vec![value.clone()]);
            if let FunctionArguments::List(list) = &mut first.args {
                list.clauses.push(FunctionArgumentClause::OrderBy(vec![order]));
            }
            let by = Expr::IsNotNull(Box::new(Expr::Nested(Box::new(by.clone()))));
            first.filter = Some(Box::new(match found.filter.take() {
                Some(filter) => Expr::BinaryOp {
                    left: Box::new(Expr::Nested(filter)),
                    op: BinaryOperator::And,
                    right: Box::new(by),
                },
                None => by,
            }));
            first.over = found.over.take();
            *expr = Expr::Function(first);
        }
        ("approx_percentile", [value, rest @ ..]) if (1..=3).contains(&rest.len()) => {
            *expr = percentile(found, value, rest);
        }
        ("approx_most_frequent", [count, value, _]) => {
            let counts = call("map_of_counts", vec![all_known("array_agg", value, found)]);
            *expr = call("map_top", vec![counts, count.clone()]);
        }
        // The greatest or least few.
        ("min" | "max", [value, count]) => {
            let all = ordered(found, value, value, name == "max");
            *expr = call("array_slice", vec![all, number(1), count.clone()]);
        }
        ("max_by" | "min_by", [value, by, count]) => {
            let all = ordered(found, value, by, name == "max_by");
            *expr = call("array_slice", vec![all, number(1), count.clone()]);
        }
        ("multimap_agg", [key, value]) => {
            let parts = pairs(found, key, value);
            *expr = call("multimap_of_pairs", parts);
        }
        ("map_union", [map]) => *expr = call("map_of_maps", vec![all_known("array_agg", map, found)]),
        ("array_histogram", [array]) => *expr = call("map_of_counts", vec![array.clone()]),
        ("random" | "rand", [most]) => {
            let part = call("random", Vec::new());
            let product = Expr::BinaryOp {
                left: Box::new(part),
                op: BinaryOperator::Multiply,
                right: Box::new(nested(most)),
            };
            *expr = cast(call("floor", vec![product]), DataType::BigInt(None));
        }
        ("json_object", _) => {
            if let FunctionArguments::List(given) = &found.args {
                let members = given.args.iter().flat_map(|argument| match argument {
                    FunctionArg::ExprNamed { name, arg: FunctionArgExpr::Expr(value), .. } => {
                        vec![name.clone(), value.clone()]
                    }
                    FunctionArg::Named { name, arg: FunctionArgExpr::Expr(value), .. } => {
                        vec![Expr::Identifier(name.clone()), value.clone()]
                    }
                    _ => Vec::new(),
                });
                *expr = call("json_object", members.collect());
            }
        }
        ("map", []) => {
            let none = || call("make_array", Vec::new());
            *expr = call("map_of_pairs", vec![none(), none()]);
        }
        ("geometric_mean", [value]) => {
            let mean = call("avg", vec![call("ln", vec![value.clone()])]);
            *expr = call("exp", vec![mean]);
        }
        ("approx_distinct", [value, _]) => found.args = list(vec![value.clone()]),
        ("set_agg", [_]) => {
            found.name = ObjectName(vec![ObjectNamePart::Identifier(Ident::new("array_agg"))]);
            if let FunctionArguments::List(list) = &mut found.args {
                list.duplicate_treatment =
                    Some(datafusion::sql::sqlparser::ast::DuplicateTreatment::Distinct);
            }
        }
        ("transform" | "filter" | "any_match", [_, Expr::Lambda(_)]) => {
            found.name = ObjectName(vec![ObjectNamePart::Identifier(Ident::new(format!("array_{name}")))]);
        }
        ("all_match" | "none_match", [array, Expr::Lambda(lambda)]) => {
            // All are so: there is none that is not.
            let mut lambda = lambda.clone();
            if name == "all_match" {
                lambda.body = Box::new(not(lambda.body.as_ref().clone()));
            }
            *expr = not(call("array_any_match", vec![array.clone(), Expr::Lambda(lambda)]));
        }
        ("array_sort", [array, Expr::Lambda(lambda)]) => {
            *expr = call("array_sort_by", vec![array.clone(), Expr::Lambda(lambda.clone())]);
        }
        ("reduce" | "map_filter" | "transform_keys" | "transform_values" | "zip_with", _) => {}
        (_, [.., Expr::Lambda(_)]) if !name.starts_with("array_") => {
            let text = format!("the function {name} with a function as its argument is not supported");
            return ControlFlow::Break(QueryError::not_supported(text));
        }
        ("map_agg", [key, value]) => *expr = call("map_of_pairs", pairs(found, key, value)),
        ("histogram", [value]) => {
            *expr = call("map_of_counts", vec![all_known("array_agg", value, found)]);
        }
        ("localtimestamp" | "localtime" | "current_catalog", []) => {
            if let Some(value) = without_parentheses(name) {
                *expr = value;
            }
        }
        // The engine's own gives text.
        ("md5", [bytes]) => *expr = call("from_hex", vec![call("md5", vec![bytes.clone()])]),
        ("slice", [array, start, length]) => {
            let nested = |expr: &Expr| Box::new(Expr::Nested(Box::new(expr.clone())));
            let sum = |left, op, right| Expr::BinaryOp { left, op, right };
            let last = sum(nested(start), BinaryOperator::Plus, nested(length));
            let one = Box::new(Expr::value(Value::Number("1".to_owned(), false)));
            let last = sum(nested(&last), BinaryOperator::Minus, one);
            *expr = call("array_slice", vec![array.clone(), start.clone(), last]);
        }
        ("ip_subnet_range", [prefix]) => {
            let ends = ["ip_subnet_min", "ip_subnet_max"].map(|end| call(end, vec![prefix.clone()]));
            *expr = call("make_array", ends.to_vec());
        }
        ("sequence", [from, to]) if is_date(from) || is_date(to) => {
            let day = Expr::Interval(Interval {
                value: Box::new(Expr::value(Value::SingleQuotedString("1 day".to_owned()))),
                leading_field: None,
                leading_precision: None,
                last_field: None,
                fractional_seconds_precision: None,
            });
            *expr = call("generate_series", vec![from.clone(), to.clone(), day]);
        }
        ("listagg", [value, rest @ ..]) => {
            let nothing = || Expr::value(Value::SingleQuotedString(String::new()));
            let with = rest.first().cloned().unwrap_or_else(nothing);
            let mut all = function("string_agg", vec![value.clone(), with]);
            let order = std::mem::take(&mut found.within_group);
            if let FunctionArguments::List(list) = &mut all.args
                && !order.is_empty()
            {
                list.clauses.push(FunctionArgumentClause::OrderBy(order));
            }
            (all.filter, all.over) = (found.filter.take(), found.over.take());
            *expr = Expr::Function(all);
        }
        ("row", _) => *expr = call("struct", args.clone()),
        ("map", [keys, values]) => *expr = call("map_of_pairs", vec![keys.clone(), values.clone()]),
        _ => {
            let renamed = RENAMED.iter().find(|(trino, _)| *trino == name).map(|(_, ours)| *ours);
            found.name = ObjectName(vec![ObjectNamePart::Identifier(Ident::new(renamed.unwrap_or(name)))]);
        }
    }
    ControlFlow::Continue(())
}

fn number(n: u64) -> Expr {
    Expr::value(Value::Number(n.to_string(), false))
}

fn nested(expr: &Expr) -> Expr {
    Expr::Nested(Box::new(expr.clone()))
}

fn cast(expr: Expr, data_type: DataType) -> Expr {
    Expr::Cast { kind: CastKind::Cast, expr: Box::new(expr), data_type, array: false, format: None }
}

/// A condition beside what a call has of its own.
fn filtered(found: &Function, condition: Expr) -> Option<Box<Expr>> {
    Some(Box::new(match &found.filter {
        Some(filter) => Expr::BinaryOp {
            left: Box::new(nested(filter)),
            op: BinaryOperator::And,
            right: Box::new(condition),
        },
        None => condition,
    }))
}

/// An aggregate of the values that are not NULL, with a call's filter and window.
fn all_known(name: &str, value: &Expr, found: &Function) -> Expr {
    let mut all = function(name, vec![value.clone()]);
    all.filter = filtered(found, Expr::IsNotNull(Box::new(nested(value))));
    all.over = found.over.clone();
    Expr::Function(all)
}

/// The keys that are not NULL and their values.
fn pairs(found: &Function, key: &Expr, value: &Expr) -> Vec<Expr> {
    let of = |part: &Expr| {
        let mut all = function("array_agg", vec![part.clone()]);
        all.filter = filtered(found, Expr::IsNotNull(Box::new(nested(key))));
        all.over = found.over.clone();
        Expr::Function(all)
    };
    vec![of(key), of(value)]
}

/// All values in an order, without those that have none.
fn ordered(found: &Function, value: &Expr, by: &Expr, is_descending: bool) -> Expr {
    let options = OrderByOptions { asc: Some(!is_descending), nulls_first: Some(false) };
    let order = OrderByExpr { expr: by.clone(), options, with_fill: None };
    let mut all = function("array_agg", vec![value.clone()]);
    if let FunctionArguments::List(list) = &mut all.args {
        list.clauses.push(FunctionArgumentClause::OrderBy(vec![order]));
    }
    all.filter = filtered(found, Expr::IsNotNull(Box::new(nested(by))));
    all.over = found.over.clone();
    Expr::Function(all)
}

/// `approx_percentile(x[, w], p[, accuracy])`, where `p` may be an array.
fn percentile(found: &Function, value: &Expr, rest: &[Expr]) -> Expr {
    // Without a weight an accuracy is the third, and a literal below one.
    let is_fraction = |expr: &Expr| matches!(expr, Expr::Value(value) if matches!(&value.value, Value::Number(digits, _) if digits.parse::<f64>().is_ok_and(|n| n <= 1.0)));
    let (weight, at) = match rest {
        [weight, at] if !is_fraction(weight) && !matches!(weight, Expr::Array(_)) => (Some(weight), at),
        [weight, at, _] => (Some(weight), at),
        [at, ..] => (None, at),
        [] => (None, value),
    };
    let one = |at: &Expr| {
        let mut call = match weight {
            Some(weight) => {
                let args = vec![value.clone(), weight.clone(), at.clone()];
                function("approx_percentile_cont_with_weight", args)
            }
            None => function("approx_percentile_cont", vec![value.clone(), at.clone()]),
        };
        (call.filter, call.over) = (found.filter.clone(), found.over.clone());
        Expr::Function(call)
    };
    match at {
        Expr::Array(items) => call("make_array", items.elem.iter().map(one).collect()),
        at => one(at),
    }
}

/// NULL where something fails.
fn tried(inner: &Expr) -> Expr {
    #[derive(Default)]
    struct Found {
        may_fail: bool,
        is_of_rows: bool,
    }
    impl Visitor for Found {
        type Break = ();
        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            match expr {
                Expr::Function(call) => {
                    self.may_fail = true;
                    let name = call.name.to_string();
                    self.is_of_rows |=
                        call.over.is_some() || call.filter.is_some() || AGGREGATES.contains(&name.as_str());
                }
                Expr::BinaryOp {
                    op: BinaryOperator::Plus | BinaryOperator::Minus | BinaryOperator::Multiply,
                    ..
                } => {
                    self.may_fail = true;
                }
                Expr::Lambda(_) | Expr::Subquery(_) | Expr::InSubquery { .. } | Expr::Exists { .. } => {
                    self.is_of_rows = true;
                }
                _ => {}
            }
            ControlFlow::Continue(())
        }
    }
    let mut inner = inner.clone();
    let mut found = Found::default();
    let _: ControlFlow<()> = Visit::visit(&inner, &mut found);
    let _: ControlFlow<()> = VisitMut::visit(&mut inner, &mut TryCasts);
    if !found.may_fail || found.is_of_rows {
        return inner;
    }
    let unused = LambdaFunctionParameter { name: Ident::with_quote('"', "try$"), data_type: None };
    let body = LambdaFunction {
        params: OneOrManyWithParens::One(unused),
        body: Box::new(inner),
        syntax: LambdaSyntax::Arrow,
    };
    call("try_of", vec![Expr::Lambda(body)])
}

/// What TRY takes only casts and divisions of: values of many rows.
const AGGREGATES: &[&str] = &[
    "any_value",
    "approx_distinct",
    "approx_percentile_cont",
    "array_agg",
    "avg",
    "bool_and",
    "bool_or",
    "count",
    "first_value",
    "max",
    "min",
    "stddev",
    "stddev_pop",
    "stddev_samp",
    "string_agg",
    "sum",
    "var_pop",
    "var_samp",
];
