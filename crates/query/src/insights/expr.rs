//! Expressions of the language as expressions of DataFusion.

use super::aggregate::extreme;
use super::function::{Op, call};
use super::value::Kind;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Column, ScalarValue};
use datafusion::functions_aggregate::expr_fn as aggregates;
use datafusion::logical_expr::{Expr, SortExpr, cast, lit};
use std::collections::{HashMap, HashSet};
use weir_logs::insights::{self as language, Aggregate, BinaryOp, Function, Step, number};
use weir_types::time::UnixMillis;

/// A column of the plan: its name there, which nobody sees, and its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub column: String,
    pub kind: Kind,
}

impl Place {
    pub fn expr(&self) -> Expr {
        Expr::Column(Column::new_unqualified(&self.column))
    }
}

/// An expression and the kind of its values.
#[derive(Debug, Clone)]
pub struct Typed {
    pub expr: Expr,
    pub kind: Kind,
}

impl Typed {
    fn new(kind: Kind, expr: Expr) -> Self {
        Self { expr, kind }
    }

    fn made(op: Op, kind: Kind, args: Vec<Expr>) -> Self {
        Self { expr: call(op, kind, args), kind }
    }

    fn absent() -> Self {
        Self::new(Kind::Text, lit(ScalarValue::Utf8(None)))
    }

    /// As a condition: never null.
    pub fn condition(self) -> Expr {
        match self.kind {
            Kind::Bool => self.expr,
            _ => call(Op::Truth, Kind::Bool, vec![self.expr]),
        }
    }

    fn text(self) -> Expr {
        match self.kind {
            Kind::Text => self.expr,
            _ => call(Op::ToText, Kind::Text, vec![self.expr]),
        }
    }

    /// What it is sorted by.
    pub fn sort_key(self) -> Expr {
        match self.kind {
            Kind::Text => call(Op::SortKey, Kind::Text, vec![self.expr]),
            _ => self.expr,
        }
    }
}

/// What the names in an expression mean.
pub struct Names<'a> {
    pub places: &'a HashMap<String, Place>,
    /// Columns of texts that are also there as numbers: `v3` as `n3`.
    pub numbers: &'a HashSet<String>,
    pub now: UnixMillis,
}

/// The column with the numbers of a column of texts.
pub fn number_column(column: &str) -> String {
    format!("n{}", column.get(1..).unwrap_or_default())
}

impl Names<'_> {
    pub fn lower(&self, expr: &language::Expr) -> Typed {
        use language::Expr as E;
        match expr {
            E::Field(name) => self.field(name),
            E::Text(text) => Typed::new(Kind::Text, lit(text.as_str())),
            E::Number(n) => Typed::new(Kind::Number, lit(*n)),
            E::Bool(b) => Typed::new(Kind::Bool, lit(*b)),
            // Only an argument of the functions of time, which take it apart.
            E::Period(_) => Typed::absent(),
            E::Negative(of) => Typed::made(Op::Negative, Kind::Number, vec![self.lower(of).expr]),
            E::Not(of) => Typed::new(Kind::Bool, !self.lower(of).condition()),
            E::Binary(op, a, b) => self.binary(*op, self.lower(a), self.lower(b)),
            E::In { of, list, negated } => {
                let args = std::iter::once(&**of).chain(list).map(|item| self.lower(item).expr).collect();
                Typed::made(Op::In { negated: *negated }, Kind::Bool, args)
            }
            E::Like { of, pattern, negated } => {
                let op = Op::Like { pattern: pattern.clone(), negated: *negated };
                Typed::made(op, Kind::Bool, vec![self.lower(of).expr])
            }
            E::Call(function, args) => self.call(*function, args),
            E::Path(of, steps) => Typed::made(Op::Path(steps.clone()), Kind::Text, vec![self.lower(of).expr]),
            // They stand in `stats` only, which takes them out before.
            E::Aggregate(..) => Typed::absent(),
        }
    }

    /// A column, or an element of one that holds JSON; absent if nothing has the name.
    fn field(&self, name: &str) -> Typed {
        if let Some(place) = self.places.get(name) {
            return Typed::new(place.kind, place.expr());
        }
        let ends = name.char_indices().rev().filter(|(_, c)| *c == '.').map(|(at, _)| at);
        for end in ends {
            let (head, rest) = name.split_at(end);
            if let Some(place) = self.places.get(head) {
                let steps = rest.split('.').skip(1).map(|key| Step::Key(key.to_owned())).collect();
                return Typed::made(Op::Path(steps), Kind::Text, vec![place.expr()]);
            }
        }
        Typed::absent()
    }

    /// The number that a text is, if it is there as a column of its own.
    fn as_column_of_numbers(&self, value: &Typed) -> Option<Expr> {
        let Expr::Column(column) = &value.expr else { return None };
        let is_there = value.kind == Kind::Text && self.numbers.contains(&column.name);
        is_there.then(|| Expr::Column(Column::new_unqualified(number_column(&column.name))))
    }

    /// Where nothing but the number that a value is counts.
    fn operand(&self, value: Typed) -> Expr {
        self.as_column_of_numbers(&value).unwrap_or(value.expr)
    }

    fn number(&self, value: Typed) -> Expr {
        if let Some(column) = self.as_column_of_numbers(&value) {
            return column;
        }
        match value.kind {
            Kind::Number => value.expr,
            _ => call(Op::ToNumber, Kind::Number, vec![value.expr]),
        }
    }

    /// Compared with a number, only the number counts that a value is: with a
    /// text that is none nothing holds but `!=`, as with an absent one. A text
    /// that is a number equals what is the same number.
    fn compare(&self, op: BinaryOp, a: Typed, b: Typed) -> Typed {
        let constant = |value: &Typed| match &value.expr {
            Expr::Literal(ScalarValue::Float64(Some(n)), _) => Some(*n),
            Expr::Literal(ScalarValue::Utf8(Some(text)), _)
                if matches!(op, BinaryOp::Equal | BinaryOp::NotEqual) =>
            {
                number(text)
            }
            _ => None,
        };
        let columns = (self.as_column_of_numbers(&a), self.as_column_of_numbers(&b));
        let args = match (constant(&a), constant(&b), columns) {
            (None, Some(n), (Some(column), _)) => vec![column, lit(n)],
            (Some(n), None, (_, Some(column))) => vec![lit(n), column],
            _ => vec![a.expr, b.expr],
        };
        Typed::made(Op::Compare(op), Kind::Bool, args)
    }

    fn binary(&self, op: BinaryOp, a: Typed, b: Typed) -> Typed {
        match op {
            BinaryOp::And => Typed::new(Kind::Bool, a.condition().and(b.condition())),
            BinaryOp::Or => Typed::new(Kind::Bool, a.condition().or(b.condition())),
            BinaryOp::Add
            | BinaryOp::Subtract
            | BinaryOp::Multiply
            | BinaryOp::Divide
            | BinaryOp::Remainder
            | BinaryOp::Power => {
                let args = vec![self.operand(a), self.operand(b)];
                Typed::made(Op::Arithmetic(op), Kind::Number, args)
            }
            _ => self.compare(op, a, b),
        }
    }

    fn call(&self, function: Function, args: &[language::Expr]) -> Typed {
        let period = args.iter().find_map(|arg| match arg {
            language::Expr::Period(period) => Some(*period),
            _ => None,
        });
        let mut lowered: Vec<Typed> = Vec::with_capacity(args.len());
        for arg in args.iter().filter(|arg| !matches!(arg, language::Expr::Period(_))) {
            lowered.push(self.lower(arg));
        }
        let kind = match function {
            Function::Now => {
                let seconds = self.now.0.div_euclid(1000) as f64;
                return Typed::new(Kind::Number, lit(seconds));
            }
            Function::Bin => {
                lowered.push(self.field("@timestamp"));
                Kind::Time
            }
            Function::DateFloor | Function::DateCeil | Function::FromMillis => Kind::Time,
            Function::Abs
            | Function::Ceil
            | Function::Floor
            | Function::Round
            | Function::Greatest
            | Function::Least
            | Function::Log
            | Function::Sqrt
            | Function::ToNumber
            | Function::ToMillis
            | Function::StrLen => Kind::Number,
            Function::IsPresent
            | Function::IsNumeric
            | Function::IsEmpty
            | Function::IsBlank
            | Function::StrContains
            | Function::IsValidIp
            | Function::IsValidIpV4
            | Function::IsValidIpV6
            | Function::IsIpInSubnet
            | Function::IsIpv4InSubnet
            | Function::IsIpv6InSubnet => Kind::Bool,
            Function::Coalesce => Kind::common(lowered.iter().map(|arg| arg.kind)),
            Function::Case => {
                let is_value = |i: usize| i % 2 == 1 || i + 1 == lowered.len();
                let values = lowered.iter().enumerate().filter(|(i, _)| is_value(*i));
                Kind::common(values.map(|(_, arg)| arg.kind))
            }
            Function::If => Kind::common(lowered.iter().skip(1).map(|arg| arg.kind)),
            Function::Unmask => lowered.first().map_or(Kind::Text, |arg| arg.kind),
            Function::Concat
            | Function::LTrim
            | Function::RTrim
            | Function::Trim
            | Function::ToUpper
            | Function::ToLower
            | Function::Substr
            | Function::Replace
            | Function::JsonParse
            | Function::JsonStringify => Kind::Text,
        };
        let args = lowered.into_iter().map(|arg| arg.expr).collect();
        Typed::made(Op::Call(function, period), kind, args)
    }

    /// An aggregate over rows; `time_key` has the order of events by time.
    pub fn aggregate(
        &self,
        aggregate: Aggregate,
        of: Option<&language::Expr>,
        time_key: Option<Expr>,
    ) -> Typed {
        let Some(of) = of.map(|of| self.lower(of)) else {
            return Typed::new(Kind::Number, as_number(aggregates::count(lit(1i64))));
        };
        let kind = of.kind;
        match aggregate {
            Aggregate::Count => Typed::new(Kind::Number, as_number(aggregates::count(of.expr))),
            Aggregate::CountDistinct => {
                Typed::new(Kind::Number, as_number(aggregates::count_distinct(of.text())))
            }
            Aggregate::Sum => Typed::new(Kind::Number, aggregates::sum(self.number(of))),
            Aggregate::Avg => Typed::new(Kind::Number, aggregates::avg(self.number(of))),
            Aggregate::Min if kind == Kind::Time => Typed::new(kind, aggregates::min(of.expr)),
            Aggregate::Max if kind == Kind::Time => Typed::new(kind, aggregates::max(of.expr)),
            Aggregate::Min => Typed::new(Kind::Number, aggregates::min(self.number(of))),
            Aggregate::Max => Typed::new(Kind::Number, aggregates::max(self.number(of))),
            Aggregate::StdDev => Typed::new(Kind::Number, aggregates::stddev(self.number(of))),
            Aggregate::Percentile(percent) => {
                let by = SortExpr::new(self.number(of), true, false);
                let percentile = aggregates::percentile_cont(by, lit(percent.0 / 100.0));
                Typed::new(Kind::Number, percentile)
            }
            Aggregate::Earliest | Aggregate::Latest => match time_key {
                Some(key) => Typed::new(kind, extreme(of.expr, key, aggregate == Aggregate::Latest)),
                // Rows of a `stats` have no time.
                None => Typed::new(Kind::Number, aggregates::max(lit(ScalarValue::Float64(None)))),
            },
            Aggregate::SortsFirst | Aggregate::SortsLast => {
                let key = call(Op::SortKey, Kind::Text, vec![of.expr.clone()]);
                Typed::new(kind, extreme(of.expr, key, aggregate == Aggregate::SortsLast))
            }
        }
    }
}

/// Counts are numbers like all others.
fn as_number(count: Expr) -> Expr {
    cast(count, DataType::Float64)
}
