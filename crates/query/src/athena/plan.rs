//! From a query's text to a plan over the tables that it names.

use super::dialect::{self, Translated, UNNAMED};
use super::error::place;
use super::result::{self, ResultColumn};
pub use super::table::Scanned;
use super::table::{HIDDEN, HiveTable};
use super::{Catalog, QueryError, information};
use crate::functions;
use crate::{Engine, EngineOptions};
use datafusion::arrow::array::{RecordBatch, StringArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::{MemTable, MemorySchemaProvider, SchemaProvider, TableProvider, view::ViewTable};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::SessionContext;
use datafusion::sql::parser::Statement as Parsed;
use datafusion::sql::sqlparser::ast::{
    ExcludeSelectItem, Expr, Ident, ObjectName, Query, Select, SelectItem, Statement, TableFactor, Value,
    Visit, VisitMut, Visitor, VisitorMut,
};
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::{Arc, OnceLock};

const CATALOG: &str = "awsdatacatalog";

/// Views within views, at most.
const DEPTH: usize = 16;

/// A query that can run.
pub struct Planned {
    session: SessionContext,
    plan: LogicalPlan,
    sql: String,
    /// Of the result.
    pub columns: Vec<ResultColumn>,
    pub schema: SchemaRef,
    pub scanned: Scanned,
}

/// Plans a query whose tables without a database are in `database`. Statements
/// about data themselves (CREATE TABLE AS and so on) plan the query in them.
///
/// Errors: what is wrong with the query, and those of the catalog.
pub async fn plan(catalog: Arc<dyn Catalog>, database: &str, sql: &str) -> Result<Planned, QueryError> {
    let scanned = Scanned::default();
    let (session, plan, names) = logical(&catalog, database, sql, &scanned, 0).await?;
    let fields: Vec<Field> = plan
        .schema()
        .fields()
        .iter()
        .enumerate()
        .map(|(at, field)| {
            let name = match names.get(at) {
                Some(Some(written)) => written.clone(),
                _ if field.name().starts_with(UNNAMED) => format!("_col{at}"),
                _ => field.name().clone(),
            };
            field.as_ref().clone().with_name(name)
        })
        .collect();
    let columns = fields.iter().map(result::column).collect();
    Ok(Planned {
        session,
        plan,
        sql: sql.to_owned(),
        columns,
        schema: Arc::new(Schema::new(fields)),
        scanned,
    })
}

impl Planned {
    /// Runs it.
    pub async fn stream(&self) -> Result<SendableRecordBatchStream, QueryError> {
        let frame = self.session.execute_logical_plan(self.plan.clone()).await;
        let frame = frame.map_err(|error| QueryError::of(&error, &self.sql))?;
        frame.execute_stream().await.map_err(|error| QueryError::of(&error, &self.sql))
    }

    /// What an error while it runs says to the caller.
    pub fn error(&self, error: &datafusion::error::DataFusionError) -> QueryError {
        QueryError::of(error, &self.sql)
    }

    /// The plan in words, for EXPLAIN.
    pub fn explain(&self) -> Result<String, QueryError> {
        let optimized = self.session.state().optimize(&self.plan);
        let optimized = optimized.map_err(|error| QueryError::of(&error, &self.sql))?;
        Ok(optimized.display_indent().to_string().replace(UNNAMED, "_col"))
    }
}

type Logical = (SessionContext, LogicalPlan, Vec<Option<String>>);

async fn logical(
    catalog: &Arc<dyn Catalog>,
    database: &str,
    sql: &str,
    scanned: &Scanned,
    depth: usize,
) -> Result<Logical, QueryError> {
    if depth > DEPTH {
        return Err(QueryError::user(1000, "VIEW_IS_RECURSIVE", "Views are nested too deep"));
    }
    let Translated { mut statement, names } = dialect::translate(sql)?;
    let database = if database.is_empty() { "default" } else { database }.to_lowercase();
    let session = session(&database)?;
    let has_hidden = names_hidden(&statement);
    let mut hiding = BTreeSet::new();
    for (named_database, name) in tables(&statement, &database, sql)? {
        if named_database == information::NAME {
            let (source, asked) = (catalog.clone(), name.clone());
            let made = tokio::task::spawn_blocking(move || information::table(source.as_ref(), &asked)).await;
            if let Some(provider) = made.map_err(QueryError::internal)?? {
                let schema = schema_of(&session, &named_database)?;
                schema.register_table(name, provider).map_err(QueryError::internal)?;
                continue;
            }
            let text =
                format!("{}Table '{CATALOG}.{named_database}.{name}' does not exist", place(sql, &name));
            return Err(QueryError::user(1301, "TABLE_NOT_FOUND", text));
        }
        let (source, asked) = (catalog.clone(), (named_database.clone(), name.clone()));
        let base = name.strip_suffix("$partitions").unwrap_or(&name).to_owned();
        let found = tokio::task::spawn_blocking(move || source.table(&asked.0, &base)).await;
        let Some(info) = found.map_err(QueryError::internal)?? else {
            if common(&statement).contains(&name) {
                continue;
            }
            let (source, asked) = (catalog.clone(), named_database.clone());
            let is_there = tokio::task::spawn_blocking(move || source.has_database(&asked)).await;
            if !is_there.map_err(QueryError::internal)?? {
                let text = format!("{}Schema '{named_database}' does not exist", place(sql, &named_database));
                return Err(QueryError::user(1301, "SCHEMA_NOT_FOUND", text));
            }
            let text =
                format!("{}Table '{CATALOG}.{named_database}.{name}' does not exist", place(sql, &name));
            return Err(QueryError::user(1301, "TABLE_NOT_FOUND", text));
        };
        let provider: Arc<dyn TableProvider> = if name.ends_with("$partitions") {
            let (source, of) = (catalog.clone(), info.clone());
            let kept = tokio::task::spawn_blocking(move || source.partitions(&of)).await;
            partition_table(&info, &kept.map_err(QueryError::internal)??)?
        } else if let Some(view) = &info.view {
            let inner = Box::pin(logical(catalog, &info.database, view, scanned, depth + 1));
            let (_, plan, _) = inner.await?;
            Arc::new(ViewTable::new(plan, Some(view.clone())))
        } else {
            if has_hidden {
                hiding.insert(name.clone());
            }
            Arc::new(HiveTable::new(catalog.clone(), info, scanned.clone(), has_hidden)?)
        };
        schema_of(&session, &named_database)?.register_table(name, provider).map_err(QueryError::internal)?;
    }
    let _: ControlFlow<()> = VisitMut::visit(&mut statement, &mut Hide { tables: &hiding });
    let _: ControlFlow<()> = VisitMut::visit(&mut statement, &mut Here { database: &database });
    let parsed = Parsed::Statement(Box::new(statement));
    let plan = session.state().statement_to_plan(parsed).await;
    let plan = plan.map_err(|error| QueryError::of(&error, sql))?;
    // Names and types are checked as far as they can be before anything runs.
    let checked = session.state().optimize(&plan);
    checked.map_err(|error| QueryError::of(&error, sql))?;
    Ok((session, plan, names))
}

/// Memory and spill files that all queries share.
fn session(database: &str) -> Result<SessionContext, QueryError> {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    let engine = match ENGINE.get() {
        Some(engine) => engine,
        None => {
            let made = Engine::new(&EngineOptions::default()).map_err(QueryError::internal)?;
            ENGINE.get_or_init(|| made)
        }
    };
    let session = engine.session_with(|config| {
        config.with_default_catalog_and_schema(CATALOG, database).with_create_default_catalog_and_schema(true)
    });
    functions::register_trino(&session);
    Ok(session)
}

/// A query in Trino's words as a plan of a session that has its tables and
/// [`functions::register_trino`]; what has no name is called as it is written.
/// Statements that are not queries, such as EXPLAIN, are the session's own.
///
/// # Errors
/// What is wrong with the query.
pub async fn logical_plan(session: &SessionContext, sql: &str) -> datafusion::error::Result<LogicalPlan> {
    match dialect::translate_named(sql, true) {
        Ok(Translated { statement, .. }) => {
            let parsed = Parsed::Statement(Box::new(statement));
            session.state().statement_to_plan(parsed).await
        }
        // Its own words for what is wrong with the text.
        Err(error) if error.message.starts_with("SYNTAX_ERROR") => {
            session.state().create_logical_plan(sql).await
        }
        Err(error) => Err(error.wrap()),
    }
}

fn schema_of(session: &SessionContext, database: &str) -> Result<Arc<dyn SchemaProvider>, QueryError> {
    let catalog = session.catalog(CATALOG).ok_or_else(|| QueryError::internal("no catalog"))?;
    if let Some(schema) = catalog.schema(database) {
        return Ok(schema);
    }
    let schema: Arc<dyn SchemaProvider> = Arc::new(MemorySchemaProvider::new());
    catalog.register_schema(database, schema.clone()).map_err(QueryError::internal)?;
    Ok(schema)
}

fn partition_table(
    info: &super::TableInfo,
    kept: &[super::PartitionInfo],
) -> Result<Arc<dyn TableProvider>, QueryError> {
    let fields: Vec<Field> =
        info.keys.iter().map(|(name, _)| Field::new(name, DataType::Utf8, true)).collect();
    let schema = Arc::new(Schema::new(fields));
    let columns = (0..info.keys.len()).map(|place| {
        let values = kept.iter().map(|partition| partition.values.get(place).cloned());
        Arc::new(StringArray::from_iter(values)) as _
    });
    let batch = RecordBatch::try_new(schema.clone(), columns.collect()).map_err(QueryError::internal)?;
    Ok(Arc::new(MemTable::try_new(schema, vec![vec![batch]]).map_err(QueryError::internal)?))
}

/// Whether a query asks for columns that `*` does not show.
fn names_hidden(statement: &Statement) -> bool {
    struct Hidden(bool);
    impl Visitor for Hidden {
        type Break = ();
        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            self.0 |= match expr {
                Expr::Identifier(name) => HIDDEN.contains(&name.value.as_str()),
                Expr::CompoundIdentifier(names) => {
                    names.last().is_some_and(|name| HIDDEN.contains(&name.value.as_str()))
                }
                _ => false,
            };
            ControlFlow::Continue(())
        }
    }
    let mut hidden = Hidden(false);
    let _: ControlFlow<()> = statement.visit(&mut hidden);
    hidden.0
}

/// Gives `current_schema` its value.
struct Here<'a> {
    database: &'a str,
}

impl VisitorMut for Here<'_> {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        let is_it = match expr {
            Expr::Identifier(name) => name.value == "current_schema",
            Expr::Function(found) => found.name.to_string() == "current_schema",
            _ => false,
        };
        if is_it {
            *expr = Expr::value(Value::SingleQuotedString(self.database.to_owned()));
        }
        ControlFlow::Continue(())
    }
}

/// Leaves hidden columns out of `*`.
struct Hide<'a> {
    tables: &'a BTreeSet<String>,
}

impl VisitorMut for Hide<'_> {
    type Break = ();

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        let relations = select.from.iter().flat_map(|table| {
            std::iter::once(&table.relation).chain(table.joins.iter().map(|join| &join.relation))
        });
        let mut names = relations.filter_map(|relation| match relation {
            TableFactor::Table { name, .. } => name.0.last()?.as_ident(),
            _ => None,
        });
        if !names.any(|name| self.tables.contains(&name.value)) {
            return ControlFlow::Continue(());
        }
        for item in &mut select.projection {
            if let SelectItem::Wildcard(options) | SelectItem::QualifiedWildcard(_, options) = item {
                let hidden = HIDDEN.map(|name| ObjectName::from(vec![Ident::with_quote('"', name)]));
                options.opt_exclude = Some(ExcludeSelectItem::Multiple(hidden.to_vec()));
            }
        }
        ControlFlow::Continue(())
    }
}

#[derive(Default)]
struct Names {
    relations: Vec<Vec<String>>,
    common: BTreeSet<String>,
}

impl Visitor for Names {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        for table in query.with.iter().flat_map(|with| &with.cte_tables) {
            self.common.insert(table.alias.name.value.clone());
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<()> {
        let parts = relation.0.iter().filter_map(|part| part.as_ident()).map(|part| part.value.clone());
        self.relations.push(parts.collect());
        ControlFlow::Continue(())
    }
}

fn names(statement: &Statement) -> Names {
    let mut names = Names::default();
    let _: ControlFlow<()> = statement.visit(&mut names);
    names
}

fn common(statement: &Statement) -> BTreeSet<String> {
    names(statement).common
}

/// Database and name of every table.
fn tables(
    statement: &Statement,
    database: &str,
    sql: &str,
) -> Result<BTreeSet<(String, String)>, QueryError> {
    let mut found = BTreeSet::new();
    for parts in names(statement).relations {
        match parts.as_slice() {
            [name] => found.insert((database.to_owned(), name.clone())),
            [database, name] => found.insert((database.clone(), name.clone())),
            [catalog, database, name] if catalog == CATALOG => found.insert((database.clone(), name.clone())),
            [catalog, ..] => {
                let text = format!("{}Catalog '{catalog}' does not exist", place(sql, catalog));
                return Err(QueryError::user(1301, "CATALOG_NOT_FOUND", text));
            }
            [] => continue,
        };
    }
    Ok(found)
}
