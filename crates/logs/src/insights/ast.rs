//! What a query is made of.

use super::extract::{Glob, Regex};
use super::function::{Aggregate, Function};
use super::period::Period;

/// A query that can run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Query {
    /// Groups that the text itself names.
    pub source: Option<Source>,
    pub commands: Vec<Command>,
}

/// `SOURCE`: groups by name, or by the beginning of their names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Source {
    pub names: Vec<String>,
    pub name_prefixes: Vec<String>,
    /// Accounts that the groups belong to; empty is the caller's own.
    pub accounts: Vec<String>,
    /// `STANDARD`, `INFREQUENT_ACCESS`; empty is all.
    pub classes: Vec<String>,
}

/// What stands between two bars.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    Fields(Vec<Column>),
    Display(Vec<Column>),
    Filter(Expr),
    Stats {
        aggregates: Vec<Column>,
        by: Vec<Column>,
    },
    Sort(Vec<SortKey>),
    Limit(usize),
    Dedup(Vec<Expr>),
    Parse {
        from: Expr,
        how: Extract,
    },
    /// One row for each pattern that the texts follow.
    Pattern(Expr),
    /// Behind `pattern`: the patterns of this time beside those of an earlier one.
    Diff(Earlier),
    /// One row for each element of a list.
    Unnest {
        list: Expr,
        name: String,
    },
}

/// The time that `diff` compares with, as long as the query's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Earlier {
    /// Right before.
    Period,
    Day,
    Week,
    Month,
}

/// A value and the name that it is shown with: its alias, or its own text.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    pub expr: Expr,
    pub name: String,
    /// Whether the name was given with `as`.
    pub is_alias: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct SortKey {
    pub expr: Expr,
    pub descending: bool,
}

/// How `parse` gets fields out of a text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Extract {
    /// One name for each `*`.
    Glob { glob: Glob, names: Vec<String> },
    /// The names are those of its groups.
    Regex(Regex),
}

impl Extract {
    /// The fields that it makes, in order.
    pub fn names(&self) -> Vec<String> {
        match self {
            Self::Glob { names, .. } => names.clone(),
            Self::Regex(regex) => regex.names(),
        }
    }
}

/// A value of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    Field(String),
    Text(String),
    Number(f64),
    Bool(bool),
    Period(Period),
    Negative(Box<Expr>),
    Not(Box<Expr>),
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
    In {
        of: Box<Expr>,
        list: Vec<Expr>,
        negated: bool,
    },
    Like {
        of: Box<Expr>,
        pattern: LikePattern,
        negated: bool,
    },
    Call(Function, Vec<Expr>),
    /// `None`: of rows, as in `count(*)`.
    Aggregate(Aggregate, Option<Box<Expr>>),
    /// An element of a map or list, as `jsonParse` makes them.
    Path(Box<Expr>, Vec<Step>),
}

/// A step into a map or a list.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Step {
    Key(String),
    Index(usize),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum LikePattern {
    /// Somewhere in the text, case-sensitive.
    Substring(String),
    Regex(Regex),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BinaryOp {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Power,
}

impl Expr {
    /// Calls `visit` with this expression and all within.
    pub fn walk<'a>(&'a self, visit: &mut impl FnMut(&'a Expr)) {
        visit(self);
        match self {
            Self::Field(_) | Self::Text(_) | Self::Number(_) | Self::Bool(_) | Self::Period(_) => {}
            Self::Negative(of) | Self::Not(of) | Self::Path(of, _) => of.walk(visit),
            Self::Like { of, .. } => of.walk(visit),
            Self::Aggregate(_, of) => {
                if let Some(of) = of {
                    of.walk(visit);
                }
            }
            Self::Binary(_, a, b) => {
                a.walk(visit);
                b.walk(visit);
            }
            Self::In { of, list, .. } => {
                of.walk(visit);
                list.iter().for_each(|item| item.walk(visit));
            }
            Self::Call(_, args) => args.iter().for_each(|arg| arg.walk(visit)),
        }
    }

    /// Whether an aggregate is in it.
    pub fn has_aggregate(&self) -> bool {
        let mut found = false;
        self.walk(&mut |expr| found |= matches!(expr, Self::Aggregate(..)));
        found
    }
}

impl Query {
    /// The names of the events' own fields that the query reads: those that no
    /// command before has made, up to the first `stats`.
    pub fn event_fields(&self) -> Vec<String> {
        let mut made: Vec<&str> = Vec::new();
        let mut read: Vec<String> = Vec::new();
        for command in &self.commands {
            let mut exprs: Vec<&Expr> = Vec::new();
            match command {
                Command::Fields(columns) | Command::Display(columns) => {
                    exprs.extend(columns.iter().map(|column| &column.expr));
                }
                Command::Stats { aggregates, by } => {
                    exprs.extend(aggregates.iter().chain(by).map(|column| &column.expr));
                }
                Command::Filter(expr) | Command::Unnest { list: expr, .. } | Command::Pattern(expr) => {
                    exprs.push(expr);
                }
                Command::Parse { from, .. } => exprs.push(from),
                Command::Sort(keys) => exprs.extend(keys.iter().map(|key| &key.expr)),
                Command::Dedup(keys) => exprs.extend(keys),
                Command::Limit(_) | Command::Diff(_) => {}
            }
            for expr in exprs {
                expr.walk(&mut |expr| {
                    if let Expr::Field(name) = expr
                        && !is_within(name, &made)
                        && !read.contains(name)
                    {
                        read.push(name.clone());
                    }
                });
            }
            match command {
                Command::Stats { .. } | Command::Pattern(_) => break,
                Command::Fields(columns) | Command::Display(columns) => {
                    made.extend(columns.iter().filter(|c| c.is_alias).map(|c| c.name.as_str()));
                }
                Command::Parse { how: Extract::Glob { names, .. }, .. } => {
                    made.extend(names.iter().map(String::as_str));
                }
                Command::Parse { how: Extract::Regex(regex), .. } => made.extend(regex.name_refs()),
                Command::Unnest { name, .. } => made.push(name),
                _ => {}
            }
        }
        read
    }

    /// Whether a `stats` or a `pattern` makes rows that are no events.
    pub fn is_aggregated(&self) -> bool {
        self.commands.iter().any(|command| matches!(command, Command::Stats { .. } | Command::Pattern(_)))
    }
}

/// Whether `name` is one of `made`, or an element of one.
fn is_within(name: &str, made: &[&str]) -> bool {
    made.iter()
        .any(|made| name.strip_prefix(made).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
}

/// A text by which an expression is found again under its own text, such as
/// `Count( * )` after `count(*)`.
pub fn canonical(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect()
}
