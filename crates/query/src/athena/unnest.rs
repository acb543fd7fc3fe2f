//! `FROM t CROSS JOIN UNNEST(t.items) AS u(item)`: arrays of a table's rows,
//! which DataFusion unfolds in a list of columns only:
//! `FROM (SELECT *, unnest(items) AS item FROM t) AS t`.
//!
//! The columns of `u` are then columns of `t`, which may be a table that is
//! joined before, if its own name is before the arrays' columns. Not here:
//! arrays of a table whose rows an outer join makes up, arrays of rows.

use super::QueryError;
use super::dialect::read;
use datafusion::sql::sqlparser::ast::{
    Expr, Ident, Join, JoinConstraint, JoinOperator, Select, SelectItem, SelectItemQualifiedWildcardKind,
    Statement, TableAlias, TableFactor, TableWithJoins, Visit, VisitMut, Visitor, VisitorMut,
};
use std::collections::BTreeSet;
use std::ops::ControlFlow;

/// Rewrites what a SELECT unfolds of its own tables.
///
/// Errors: `NOT_SUPPORTED`.
pub(super) fn unfold(select: &mut Select) -> Result<(), QueryError> {
    // `FROM t, UNNEST(t.items)` is a join too.
    let mut at = 1;
    while at < select.from.len() {
        if select.from.get(at).is_some_and(|table| table.joins.is_empty() && is_lateral(&table.relation)) {
            let factor = select.from.remove(at).relation;
            if let Some(left) = select.from.get_mut(at - 1) {
                let join_operator = JoinOperator::CrossJoin(JoinConstraint::None);
                left.joins.push(Join { relation: factor, global: false, join_operator });
            }
        } else {
            at += 1;
        }
    }
    let mut renamed = Vec::new();
    for table in &mut select.from {
        while let Some(place) = table.joins.iter().position(|join| is_lateral(&join.relation)) {
            let (from, to) = unfold_one(table, place)?;
            for join in &mut table.joins {
                let _: ControlFlow<()> = join.visit(&mut Qualifiers { from: &from, to: &to });
            }
            renamed.push((from, to));
        }
    }
    for (from, to) in renamed {
        let _: ControlFlow<()> = select.visit(&mut Qualifiers { from: &from, to: &to });
        for item in &mut select.projection {
            if let SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), _) = item
                && name.to_string().trim_matches('"').eq_ignore_ascii_case(&from)
            {
                let text = "u.* of an UNNEST is not supported: name its columns";
                return Err(QueryError::not_supported(text));
            }
        }
    }
    Ok(())
}

/// An UNNEST that names columns.
fn is_lateral(factor: &TableFactor) -> bool {
    struct Columns(bool);
    impl Visitor for Columns {
        type Break = ();
        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            self.0 |= matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_));
            ControlFlow::Continue(())
        }
    }
    let TableFactor::UNNEST { array_exprs, .. } = factor else { return false };
    let mut columns = Columns(false);
    let _: ControlFlow<()> = array_exprs.visit(&mut columns);
    columns.0
}

/// Gives the qualifier of the unfolded columns, and what it becomes.
fn unfold_one(table: &mut TableWithJoins, place: usize) -> Result<(String, String), QueryError> {
    let refused = |text: &str| Err(QueryError::not_supported(text));
    let join = table.joins.remove(place);
    let is_left = match &join.join_operator {
        JoinOperator::CrossJoin(_) | JoinOperator::Join(_) | JoinOperator::Inner(_) => false,
        JoinOperator::Left(JoinConstraint::On(on)) | JoinOperator::LeftOuter(JoinConstraint::On(on))
            if on.to_string().eq_ignore_ascii_case("true") =>
        {
            true
        }
        _ => return refused("LEFT JOIN UNNEST needs ON TRUE"),
    };
    let TableFactor::UNNEST { array_exprs, alias, with_ordinality, .. } = join.relation else {
        return refused("UNNEST");
    };
    let relation = match of_join(table, place, &array_exprs) {
        Some(relation) => relation,
        None => return refused("UNNEST of such a column after a join is not supported"),
    };
    let Some(own) = called(relation) else {
        return refused("UNNEST of a column of such a table is not supported");
    };
    let given: Vec<String> = match &alias {
        Some(TableAlias { columns, .. }) => columns.iter().map(|column| column.name.value.clone()).collect(),
        None => Vec::new(),
    };
    let count = given.len().saturating_sub(usize::from(with_ordinality));
    let mut arrays: Vec<String> = array_exprs.iter().map(Expr::to_string).collect();
    if let [map] = arrays.as_slice()
        && count == 2
    {
        arrays = vec![format!("map_keys({map})"), format!("map_values({map})")];
    }
    if count != 0 && count != arrays.len() {
        return refused("UNNEST of rows is not supported: one column for each array, two for a map");
    }
    let all = arrays.clone();
    if is_left && let [first, ..] = arrays.as_mut_slice() {
        // A row without items stays, once.
        let lengths = all.iter().map(|array| format!("coalesce(cardinality({array}), 0)"));
        let most = lengths.collect::<Vec<_>>().join(", ");
        *first = format!("CASE WHEN greatest({most}) > 0 THEN {first} ELSE make_array(NULL) END");
    }
    if with_ordinality {
        let arrays_of = |array: &String| format!("coalesce(cardinality({array}), 0)");
        let lengths = all.iter().map(arrays_of);
        let most = lengths.collect::<Vec<_>>().join(", ");
        arrays.push(format!("range(CAST(1 AS bigint), CAST(greatest({most}) AS bigint) + 1)"));
    }
    let columns = arrays.iter().enumerate().map(|(at, array)| {
        let name = given.get(at).cloned().unwrap_or_else(|| format!("_unnest{at}"));
        format!("unnest({array}) AS {}", quoted(&name))
    });
    let columns = columns.collect::<Vec<_>>().join(", ");
    let sql = format!("SELECT *, {columns} FROM {relation}");
    let Ok(Statement::Query(subquery)) = read(&sql) else {
        return refused("such an UNNEST is not supported");
    };
    let name = TableAlias {
        explicit: true,
        name: Ident::with_quote('"', own.clone()),
        columns: Vec::new(),
        at: None,
    };
    *relation = TableFactor::Derived { lateral: false, subquery, alias: Some(name), sample: None };
    let from = alias.map(|alias| alias.name.value).unwrap_or_default();
    Ok((from, own))
}

/// What a table is called in its query.
fn called(relation: &TableFactor) -> Option<String> {
    match relation {
        TableFactor::Table { alias: Some(alias), .. } | TableFactor::Derived { alias: Some(alias), .. } => {
            Some(alias.name.value.clone())
        }
        TableFactor::Table { name, .. } => Some(name.0.last()?.as_ident()?.value.clone()),
        _ => None,
    }
}

/// The table that has the arrays: the first, or the one that all of their
/// columns name, if none of its rows is made up by a join before `place`.
fn of_join<'a>(table: &'a mut TableWithJoins, place: usize, arrays: &[Expr]) -> Option<&'a mut TableFactor> {
    #[derive(Default)]
    struct Named(BTreeSet<String>);
    impl Visitor for Named {
        type Break = ();
        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            match expr {
                Expr::CompoundIdentifier(parts) => {
                    self.0.extend(parts.first().map(|part| part.value.to_lowercase()));
                }
                Expr::Identifier(_) => {
                    self.0.insert(String::new());
                }
                _ => {}
            }
            ControlFlow::Continue(())
        }
    }
    if place == 0 {
        return Some(&mut table.relation);
    }
    let mut named = Named::default();
    for array in arrays {
        let _: ControlFlow<()> = Visit::visit(array, &mut named);
    }
    let (Some(name), 1) = (named.0.pop_first(), named.0.len() + 1) else { return None };
    let is_it = |factor: &TableFactor| called(factor).is_some_and(|own| own.eq_ignore_ascii_case(&name));
    let keeps_rows = |join: &Join, left_too: bool| match join.join_operator {
        JoinOperator::CrossJoin(_) | JoinOperator::Join(_) | JoinOperator::Inner(_) => true,
        JoinOperator::Left(_) | JoinOperator::LeftOuter(_) => left_too,
        _ => false,
    };
    let joins = table.joins.get_mut(..place)?;
    if is_it(&table.relation) {
        return joins.iter().all(|join| keeps_rows(join, true)).then_some(&mut table.relation);
    }
    let at = joins.iter().position(|join| is_it(&join.relation))?;
    let (before, after) = joins.split_at_mut(at + 1);
    let join = before.last_mut()?;
    let is_kept = keeps_rows(join, false) && after.iter().all(|join| keeps_rows(join, true));
    is_kept.then_some(&mut join.relation)
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.to_lowercase().replace('"', "\"\""))
}

/// Columns of one table become those of another.
struct Qualifiers<'a> {
    from: &'a str,
    to: &'a str,
}

impl VisitorMut for Qualifiers<'_> {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::CompoundIdentifier(parts) = expr
            && let [table, _, ..] = parts.as_mut_slice()
            && table.value.eq_ignore_ascii_case(self.from)
        {
            *table = Ident::with_quote('"', self.to);
        }
        ControlFlow::Continue(())
    }
}
