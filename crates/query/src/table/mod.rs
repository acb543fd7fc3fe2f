//! A table over objects with flow-log records: text of any format, compressed
//! or not, and Parquet, together.
//!
//! Columns are named by the field table whatever order each object has them in;
//! partition columns come from where the object lies. Objects that cannot have
//! a row that is asked for are not opened; of text only the columns that are
//! asked for are parsed, and records that an equality rules out not even that.
//!
//! Invariant: a line that is no record never fails a query; it is counted in
//! the [`Tally`]. An object that cannot be read fails it only if the table is
//! strict.

mod parquet;
mod prune;
mod select;
mod text;

pub(crate) use select::selection;

use crate::files::format::Given;
use crate::source::{Kind, Listing, Object};
use crate::tally::Tally;
use async_trait::async_trait;
use datafusion::arrow::datatypes::{DataType, Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::union::UnionExec;
use std::sync::Arc;
use weir_flow::columns;
use weir_flow::field::Field;
use weir_flow::format::LogFormat;

/// Where the values of a column come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The record; null where its format does not have the field.
    Field(Field),
    /// The object's value of the partition column at this place.
    Partition(usize),
    /// The record, or the object's value where the format does not have the
    /// field. The two never contradict each other, so that objects are pruned
    /// by theirs.
    FieldOrPartition(Field, usize),
}

/// One column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    /// Values of another type are converted; what cannot be is null.
    pub data_type: DataType,
    pub origin: Origin,
}

impl Column {
    /// A field under its own name, with the type of the field table.
    pub fn of_field(field: Field) -> Self {
        Self { name: field.column().to_owned(), data_type: field_type(field), origin: Origin::Field(field) }
    }

    /// The partition column at this place.
    pub fn of_partition(name: impl Into<String>, data_type: DataType, place: usize) -> Self {
        Self { name: name.into(), data_type, origin: Origin::Partition(place) }
    }

    fn field(&self) -> Option<Field> {
        match self.origin {
            Origin::Field(field) | Origin::FieldOrPartition(field, _) => Some(field),
            Origin::Partition(_) => None,
        }
    }
}

/// The type of a field in our tables: texts as views.
pub fn field_type(field: Field) -> DataType {
    match columns::data_type(field) {
        DataType::Utf8 => DataType::Utf8View,
        other => other,
    }
}

/// See the module.
#[derive(Debug)]
pub struct FlowTable {
    columns: Arc<Vec<Column>>,
    schema: SchemaRef,
    listing: Arc<dyn Listing>,
    given: Arc<Given>,
    is_positional: bool,
    is_strict: bool,
    tally: Arc<Tally>,
}

impl FlowTable {
    /// A table with these columns. The objects' partition values must have the
    /// types of the partition columns.
    pub fn new(columns: Vec<Column>, listing: impl Listing + 'static, tally: Arc<Tally>) -> Self {
        let fields = columns.iter().map(|column| {
            datafusion::arrow::datatypes::Field::new(&column.name, column.data_type.clone(), true)
        });
        Self {
            schema: Arc::new(Schema::new(fields.collect::<Vec<_>>())),
            columns: Arc::new(columns),
            listing: Arc::new(listing),
            given: Arc::new(Given::default()),
            is_positional: false,
            is_strict: false,
            tally,
        }
    }

    /// The format of text without a header line.
    #[must_use]
    pub fn with_format(mut self, format: Option<LogFormat>) -> Self {
        self.given = Arc::new(Given { format, may_be_output: true, is_optional: false });
        self
    }

    /// The format of all text: header lines are passed over, whatever they say,
    /// as Athena does with columns that are told apart by their places.
    #[must_use]
    pub fn with_positions(mut self, format: LogFormat) -> Self {
        self.given = Arc::new(Given { format: Some(format), may_be_output: false, is_optional: true });
        self.is_positional = true;
        self
    }

    /// An object that cannot be read fails the query; otherwise it is told in
    /// the [`Tally`] and the others are read.
    #[must_use]
    pub fn strict(mut self) -> Self {
        self.is_strict = true;
        self
    }

    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    async fn prune(&self, session: &dyn Session, filters: &[Expr]) -> Result<Vec<Object>> {
        let listed = self.listing.objects(session, filters).await?;
        let (all, all_bytes) = (listed.len() as u64, sum(&listed));
        let kept = prune::prune(&self.columns, listed, session, filters)?;
        let kept_bytes = sum(&kept);
        self.tally.add_listed(all, all - kept.len() as u64, all_bytes - kept_bytes, kept_bytes);
        Ok(kept)
    }
}

fn sum(objects: &[Object]) -> u64 {
    objects.iter().map(|object| object.bytes).sum()
}

#[async_trait]
impl TableProvider for FlowTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let is_text_only = self.listing.is_text_only();
        let support = |filter: &&Expr| {
            let is_exact = prune::is_exact(&self.columns, filter)
                || (is_text_only && select::selection(&self.columns, filter).is_some());
            if is_exact { TableProviderFilterPushDown::Exact } else { TableProviderFilterPushDown::Inexact }
        };
        Ok(filters.iter().map(support).collect())
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let objects = self.prune(session, filters).await?;
        let all: Vec<usize> = (0..self.columns.len()).collect();
        let projection = projection.unwrap_or(&all);
        let schema = Arc::new(self.schema.project(projection)?);
        let (parquet, text): (Vec<_>, Vec<_>) =
            objects.into_iter().partition(|object| object.kind == Kind::Parquet);
        let mut plans: Vec<Arc<dyn ExecutionPlan>> = Vec::new();
        if !text.is_empty() {
            let scan = text::Scan {
                columns: projection.iter().filter_map(|&place| self.columns.get(place).cloned()).collect(),
                schema: Arc::clone(&schema),
                selections: filters
                    .iter()
                    .filter_map(|filter| select::selection(&self.columns, filter))
                    .collect(),
                given: Arc::clone(&self.given),
                is_positional: self.is_positional,
                is_strict: self.is_strict,
                tally: Arc::clone(&self.tally),
            };
            plans.push(text::plan(scan, text, session.config().target_partitions(), limit)?);
        }
        if !parquet.is_empty() {
            plans.push(parquet::plan(&self.columns, &self.tally, parquet, session, projection, limit)?);
        }
        match plans.len() {
            0 => Ok(Arc::new(EmptyExec::new(schema))),
            1 => Ok(plans.remove(0)),
            _ => UnionExec::try_new(plans),
        }
    }
}
