//! A query as a plan of DataFusion.
//!
//! Each command adds to the plan; names of the language become columns `v0`,
//! `v1`, … with what they mean in [`Lowering::places`]. An order is not a step
//! of the plan but kept, because DataFusion forgets it at the next step: it is
//! applied where rows are cut off (`limit`, `dedup`) and at the end.
//!
//! Events carry, besides the fields that the query reads, what `@ptr` is made
//! of: time, sequence, stream and group.

use super::expr::{Names, Place, Typed};
use super::function::{Op, call};
use super::value::Kind;
use datafusion::arrow::datatypes::DataType;
use datafusion::catalog::TableProvider;
use datafusion::common::{Column, Result};
use datafusion::datasource::provider_as_source;
use datafusion::functions::core::expr_fn::get_field;
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, SortExpr, lit};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use weir_logs::insights::{self as language, Command, Extract, Query};
use weir_types::time::UnixMillis;

/// Columns of events that are always there: milliseconds, ingestion's number,
/// numbers of group and stream.
pub const TIME: &str = "event_time";
pub const SEQUENCE: &str = "event_sequence";
pub const GROUP: &str = "event_group";
pub const STREAM: &str = "event_stream";

/// A plan, and what its columns are.
pub struct Lowered {
    pub plan: LogicalPlan,
    /// What is shown: names and columns, in order.
    pub shown: Vec<(String, Place)>,
    /// Columns by which rows are told apart: only the first of each kind stays.
    pub dedup: Vec<Place>,
    /// The most rows.
    pub limit: usize,
    /// Whether rows are events, which have a pointer.
    pub are_events: bool,
    /// The newest events are wanted, so many, whatever else is in them.
    pub newest: Option<usize>,
}

/// Where rows come from.
pub enum Input {
    /// With the columns of an `EventsTable` for these fields.
    Events { table: Arc<dyn TableProvider>, fields: Vec<String> },
    /// Rows that an earlier part of the query made: `v0`, `v1`, … are these
    /// columns, in the order of [`ROW`].
    Rows { table: Arc<dyn TableProvider>, columns: Vec<(String, Kind)> },
}

/// A row's number, 64 bits.
pub const ROW: &str = "row";
/// The most different patterns that are looked at.
const MOST_TEMPLATES: usize = 100_000;

fn kind_of_field(name: &str) -> Kind {
    if matches!(name, "@timestamp" | "@ingestionTime") { Kind::Time } else { Kind::Text }
}

/// The fields of events that a query reads.
pub fn fields(query: &Query) -> Vec<String> {
    let are_events = !query.is_aggregated();
    let mut fields = query.event_fields();
    // What bin() and the events' order read, and what is shown by default.
    for name in ["@timestamp", "@message"] {
        if (name == "@timestamp" || are_events) && !fields.iter().any(|field| field == name) {
            fields.push(name.to_owned());
        }
    }
    fields.retain(|name| name != "@ptr");
    fields
}

/// The plan of a query with at most so many rows, unless it says how many.
pub fn lower(query: &Query, limit: usize, now: UnixMillis, input: Input) -> Result<Lowered> {
    let place = |(i, (name, kind)): (usize, (String, Kind))| (name, Place { column: format!("v{i}"), kind });
    let (table, columns, are_rows) = match input {
        Input::Rows { table, columns } => (table, columns, true),
        Input::Events { table, fields } => {
            let kind = |name: String| (kind_of_field(&name), name);
            (table, fields.into_iter().map(kind).map(|(kind, name)| (name, kind)).collect(), false)
        }
    };
    let places: Vec<(String, Place)> = columns.into_iter().enumerate().map(place).collect();
    let mut lowering = Lowering {
        plan: LogicalPlanBuilder::scan("events", provider_as_source(table), None)?,
        next: places.len(),
        numbers: HashSet::new(),
        places: places.iter().cloned().collect(),
        carried: Vec::new(),
        order: Vec::new(),
        is_sorted: false,
        fields: Vec::new(),
        made: Vec::new(),
        display: None,
        dedup: Vec::new(),
        limit: None,
        has_events: !are_rows,
        now,
    };
    if are_rows {
        lowering.fields = places;
        lowering.order = vec![SortExpr::new(column(ROW), true, false)];
    } else {
        let texts = places.iter().filter(|(name, _)| is_found(name)).map(|(_, place)| place.column.clone());
        lowering.numbers = texts.collect();
        lowering.order = newest_first();
        lowering.carried = vec![TIME, SEQUENCE];
        if !query.is_aggregated() {
            lowering.carried.extend([GROUP, STREAM]);
        }
    }
    for (i, command) in query.commands.iter().enumerate() {
        let is_last = query.commands.iter().skip(i + 1).all(|later| matches!(later, Command::Limit(_)));
        lowering.command(command, is_last)?;
    }
    let newest = lowering.has_events && only_newest(&query.commands);
    let mut lowered = lowering.finish(limit)?;
    lowered.newest = newest.then_some(lowered.limit);
    Ok(lowered)
}

/// Whether a field is found in messages.
fn is_found(name: &str) -> bool {
    !matches!(name, "@timestamp" | "@ingestionTime" | "@message" | "@logStream" | "@log")
}

/// Whether rows are events in the order of their time, the newest first, until
/// the end.
fn only_newest(commands: &[Command]) -> bool {
    let mut is_renamed = false;
    commands.iter().enumerate().all(|(i, command)| match command {
        Command::Fields(columns) | Command::Display(columns) => {
            is_renamed |= columns.iter().any(|column| column.is_alias && column.name == "@timestamp");
            true
        }
        Command::Filter(_) => true,
        Command::Sort(keys) => match keys.as_slice() {
            [key] => {
                key.descending && !is_renamed && key.expr == language::Expr::Field("@timestamp".to_owned())
            }
            _ => false,
        },
        Command::Limit(_) => i + 1 == commands.len(),
        _ => false,
    })
}

fn newest_first() -> Vec<SortExpr> {
    [TIME, SEQUENCE].map(|name| SortExpr::new(column(name), false, false)).to_vec()
}

fn column(name: &str) -> Expr {
    Expr::Column(Column::new_unqualified(name))
}

struct Lowering {
    plan: LogicalPlanBuilder,
    places: HashMap<String, Place>,
    /// See [`Names::numbers`].
    numbers: HashSet<String>,
    /// The number of the next column.
    next: usize,
    /// Columns without a name in the language.
    carried: Vec<&'static str>,
    order: Vec<SortExpr>,
    is_sorted: bool,
    /// What `fields` and `stats` show.
    fields: Vec<(String, Place)>,
    /// What `parse` and `unnest` made.
    made: Vec<(String, Place)>,
    display: Option<Vec<(String, Place)>>,
    dedup: Vec<Place>,
    limit: Option<usize>,
    /// Until the first `stats` or `pattern`.
    has_events: bool,
    now: UnixMillis,
}

impl Lowering {
    fn command(&mut self, command: &Command, is_last: bool) -> Result<()> {
        match command {
            Command::Fields(columns) => {
                let shown = self.columns(columns)?;
                for (name, place) in shown {
                    show(&mut self.fields, name, place);
                }
                Ok(())
            }
            Command::Display(columns) => {
                let mut all = Vec::new();
                for (name, place) in self.columns(columns)? {
                    show(&mut all, name, place);
                }
                self.display = Some(all);
                Ok(())
            }
            Command::Filter(expr) => {
                let condition = self.names().lower(expr).condition();
                self.step(|plan| plan.filter(condition))
            }
            Command::Stats { aggregates, by } => self.stats(aggregates, by),
            Command::Sort(keys) => self.sort(keys),
            Command::Limit(rows) => {
                if is_last && self.dedup.is_empty() {
                    self.limit = Some(self.limit.map_or(*rows, |limit| limit.min(*rows)));
                    return Ok(());
                }
                if !self.dedup.is_empty() {
                    self.limit = Some(self.limit.map_or(*rows, |limit| limit.min(*rows)));
                    return Ok(());
                }
                // A limit in the text wins over the request's.
                self.limit = Some(self.limit.unwrap_or(language::MAX_LIMIT));
                let (order, rows) = (self.order.clone(), *rows);
                self.step(|plan| match order.is_empty() {
                    true => plan.limit(0, Some(rows)),
                    false => plan.sort_with_limit(order, Some(rows)),
                })
            }
            Command::Dedup(keys) => {
                let keys: Vec<Typed> = keys.iter().map(|key| self.names().lower(key)).collect();
                self.dedup = self.add(keys)?;
                Ok(())
            }
            Command::Parse { from, how } => self.parse(from, how),
            Command::Pattern(of) => self.pattern(of),
            // Patterns are compared behind this plan.
            Command::Diff(_) => Ok(()),
            Command::Unnest { list, name } => self.unnest(list, name),
        }
    }

    fn names(&self) -> Names<'_> {
        Names { places: &self.places, numbers: &self.numbers, now: self.now }
    }

    fn step(&mut self, step: impl FnOnce(LogicalPlanBuilder) -> Result<LogicalPlanBuilder>) -> Result<()> {
        let plan = self.plan.clone();
        self.plan = step(plan)?;
        Ok(())
    }

    fn new_column(&mut self) -> String {
        self.next += 1;
        format!("v{}", self.next - 1)
    }

    /// Adds values as columns; those that are columns already stay where they are.
    fn add(&mut self, values: Vec<Typed>) -> Result<Vec<Place>> {
        let mut added = Vec::new();
        let mut places = Vec::with_capacity(values.len());
        for value in values {
            if let Expr::Column(column) = &value.expr {
                places.push(Place { column: column.name.clone(), kind: value.kind });
                continue;
            }
            let column = self.new_column();
            added.push(value.expr.alias(&column));
            places.push(Place { column, kind: value.kind });
        }
        if !added.is_empty() {
            let all = self.plan.schema().columns().into_iter().map(Expr::Column).chain(added);
            let all: Vec<Expr> = all.collect();
            self.step(|plan| plan.project(all))?;
        }
        Ok(places)
    }

    fn columns(&mut self, columns: &[language::Column]) -> Result<Vec<(String, Place)>> {
        let columns: Vec<&language::Column> = columns.iter().filter(|column| column.name != "@ptr").collect();
        let values = columns.iter().map(|column| self.names().lower(&column.expr)).collect();
        let places = self.add(values)?;
        let named: Vec<(String, Place)> =
            columns.into_iter().map(|column| column.name.clone()).zip(places).collect();
        self.places.extend(named.iter().cloned());
        Ok(named)
    }

    fn sort(&mut self, keys: &[language::SortKey]) -> Result<()> {
        let values = keys
            .iter()
            .map(|key| {
                let value = self.names().lower(&key.expr);
                Typed { kind: value.kind, expr: value.sort_key() }
            })
            .collect();
        let places = self.add(values)?;
        self.order = places
            .iter()
            .zip(keys)
            // An absent value is before all others.
            .map(|(place, key)| SortExpr::new(place.expr(), !key.descending, !key.descending))
            .collect();
        if self.has_events {
            self.order.extend(newest_first());
        }
        self.is_sorted = true;
        Ok(())
    }

    fn parse(&mut self, from: &language::Expr, how: &Extract) -> Result<()> {
        let of = self.names().lower(from);
        let structure =
            Typed { expr: call(Op::Extract(how.clone()), Kind::Text, vec![of.expr]), kind: Kind::Text };
        let structure = self.add(vec![structure])?;
        let Some(structure) = structure.first() else { return Ok(()) };
        let names = how.names();
        let values = (0..names.len())
            .map(|i| Typed { expr: get_field(structure.expr(), format!("c{i}")), kind: Kind::Text })
            .collect();
        let places = self.add(values)?;
        for (name, place) in names.into_iter().zip(places) {
            show(&mut self.made, name.clone(), place.clone());
            self.places.insert(name, place);
        }
        Ok(())
    }

    fn unnest(&mut self, list: &language::Expr, name: &str) -> Result<()> {
        let of = self.names().lower(list);
        let list = Typed { expr: call(Op::Elements, Kind::Text, vec![of.expr]), kind: Kind::Text };
        for place in self.add(vec![list])? {
            let column = Column::new_unqualified(&place.column);
            self.step(|plan| plan.unnest_column(column))?;
            show(&mut self.made, name.to_owned(), place.clone());
            self.places.insert(name.to_owned(), place);
        }
        Ok(())
    }

    fn stats(&mut self, columns: &[language::Column], by: &[language::Column]) -> Result<()> {
        let keys = by.iter().map(|column| self.names().lower(&column.expr)).collect();
        let keys = self.add(keys)?;
        // A column may be a key twice.
        let mut distinct: Vec<Expr> = Vec::new();
        for key in &keys {
            if !distinct.contains(&key.expr()) {
                distinct.push(key.expr());
            }
        }
        let time =
            self.has_events.then(|| call(Op::TimeKey, Kind::Text, vec![column(TIME), column(SEQUENCE)]));
        // Each aggregate once; the expressions around them come after.
        let mut found: Vec<(&language::Expr, Place)> = Vec::new();
        let mut aggregated = Vec::new();
        for column in columns {
            let mut inside = Vec::new();
            column.expr.walk(&mut |expr| {
                if let language::Expr::Aggregate(aggregate, of) = expr {
                    inside.push((expr, *aggregate, of.as_deref()));
                }
            });
            for (expr, aggregate, of) in inside {
                if found.iter().any(|(known, _)| *known == expr) {
                    continue;
                }
                let made = self.names().aggregate(aggregate, of, time.clone());
                let name = self.new_column();
                // A cast or an aggregate: the aggregate itself gets the name.
                let (expr_of, inner) = match made.expr {
                    Expr::Cast(cast) => (true, *cast.expr),
                    other => (false, other),
                };
                aggregated.push(inner.alias(&name));
                found.push((
                    expr,
                    Place { column: name, kind: if expr_of { Kind::Number } else { made.kind } },
                ));
            }
        }
        // Without rows there is no group, not even the one of all rows.
        let rows = self.new_column();
        aggregated.push(count(lit(1i64)).alias(&rows));
        self.step(|plan| plan.aggregate(distinct, aggregated)?.filter(column(&rows).gt(lit(0i64))))?;

        self.forget();
        // Counts are whole numbers to DataFusion and numbers to the language.
        let numbers: Vec<Typed> = found
            .iter()
            .map(|(_, place)| {
                let expr = match place.kind {
                    Kind::Number => datafusion::logical_expr::cast(place.expr(), DataType::Float64),
                    _ => place.expr(),
                };
                Typed { expr, kind: place.kind }
            })
            .collect();
        let numbers = self.add(numbers)?;
        let mut inner = HashMap::new();
        let exprs: Vec<&language::Expr> = found.iter().map(|(expr, _)| *expr).collect();
        for (i, place) in numbers.into_iter().enumerate() {
            inner.insert(format!("\u{0}{i}"), place);
        }
        let shown: Vec<Typed> = columns
            .iter()
            .map(|column| {
                let around = replace(&column.expr, &exprs);
                Names { places: &inner, numbers: &self.numbers, now: self.now }.lower(&around)
            })
            .collect();
        let places = self.add(shown)?;
        let all = by.iter().zip(keys).chain(columns.iter().zip(places));
        for (column, place) in all {
            self.places.insert(column.name.clone(), place.clone());
            show(&mut self.fields, column.name.clone(), place);
        }
        Ok(())
    }

    /// Behind an aggregation nothing is left but what it made.
    fn forget(&mut self) {
        self.carried.clear();
        self.has_events = false;
        self.is_sorted = false;
        self.order.clear();
        self.display = None;
        self.fields.clear();
        self.made.clear();
        self.places.clear();
        self.numbers.clear();
    }

    /// Counts the texts that have a template in common; what becomes of them is
    /// for `super::pattern` to say.
    fn pattern(&mut self, of: &language::Expr) -> Result<()> {
        let of = self.names().lower(of);
        let template = Typed { expr: call(Op::Template, Kind::Text, vec![of.expr]), kind: Kind::Text };
        let Some(template) = self.add(vec![template])?.pop() else { return Ok(()) };
        let rows = Place { column: self.new_column(), kind: Kind::Number };
        let (key, counted) = (template.expr(), count(lit(1i64)).alias(&rows.column));
        self.step(|plan| plan.aggregate([key], [counted]))?;
        let number = datafusion::logical_expr::cast(rows.expr(), DataType::Float64);
        let number = Typed { expr: number, kind: Kind::Number };
        let Some(rows) = self.add(vec![number])?.pop() else { return Ok(()) };
        self.forget();
        self.order =
            vec![SortExpr::new(rows.expr(), false, false), SortExpr::new(template.expr(), true, false)];
        self.limit = Some(MOST_TEMPLATES);
        self.fields = vec![("@pattern".to_owned(), template), ("@sampleCount".to_owned(), rows)];
        Ok(())
    }

    fn finish(mut self, limit: usize) -> Result<Lowered> {
        let limit = self.limit.unwrap_or(limit);
        let shown = match self.display.take() {
            Some(display) => display,
            None => {
                let mut shown = std::mem::take(&mut self.fields);
                if shown.is_empty() && self.has_events {
                    for name in ["@timestamp", "@message"] {
                        shown.extend(self.places.get(name).map(|place| (name.to_owned(), place.clone())));
                    }
                }
                for (name, place) in std::mem::take(&mut self.made) {
                    show(&mut shown, name, place);
                }
                shown
            }
        };
        let (order, dedup) = (std::mem::take(&mut self.order), std::mem::take(&mut self.dedup));
        // What a later step drops cannot be counted before.
        let fetch = dedup.is_empty().then_some(limit);
        self.step(|plan| match order.is_empty() {
            true => plan.limit(0, fetch),
            false => plan.sort_with_limit(order, fetch),
        })?;
        let mut kept: Vec<Expr> = Vec::new();
        let places = shown.iter().map(|(_, place)| place).chain(&dedup).map(Place::expr);
        for expr in places.chain(self.carried.iter().map(|name| column(name))) {
            if !kept.contains(&expr) {
                kept.push(expr);
            }
        }
        self.step(|plan| plan.project(kept))?;
        let plan = self.plan.build()?;
        Ok(Lowered { plan, shown, dedup, limit, are_events: self.has_events, newest: None })
    }
}

/// Shows a value; one with a name that is shown already takes its place.
fn show(shown: &mut Vec<(String, Place)>, name: String, place: Place) {
    match shown.iter_mut().find(|(known, _)| *known == name) {
        Some((_, known)) => *known = place,
        None => shown.push((name, place)),
    }
}

/// The expression with the fields `\0 0`, `\0 1`, … for its aggregates.
fn replace(expr: &language::Expr, aggregates: &[&language::Expr]) -> language::Expr {
    use language::Expr as E;
    if let Some(i) = aggregates.iter().position(|known| *known == expr) {
        return E::Field(format!("\u{0}{i}"));
    }
    let inside = |expr: &E| replace(expr, aggregates);
    let boxed = |expr: &E| Box::new(replace(expr, aggregates));
    match expr {
        E::Negative(of) => E::Negative(boxed(of)),
        E::Not(of) => E::Not(boxed(of)),
        E::Path(of, steps) => E::Path(boxed(of), steps.clone()),
        E::Binary(op, a, b) => E::Binary(*op, boxed(a), boxed(b)),
        E::In { of, list, negated } => {
            E::In { of: boxed(of), list: list.iter().map(inside).collect(), negated: *negated }
        }
        E::Like { of, pattern, negated } => {
            E::Like { of: boxed(of), pattern: pattern.clone(), negated: *negated }
        }
        E::Call(function, args) => E::Call(*function, args.iter().map(inside).collect()),
        other => other.clone(),
    }
}
