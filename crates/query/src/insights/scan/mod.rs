//! The events of a query's groups as a table.
//!
//! ```text
//! parts of the store ─▶ one by one to as many partitions as there are cores
//!   events whose messages are columns of a segment   typed: no message is put together
//!   all others                                        texts: fields found in messages
//!   ─▶ conditions, cheap ones first ─▶ columns of the rows that are left
//! ```
//!
//! A field that is found in messages is there twice: `v3` is its text, `n3` the
//! number that the text is, if it is one. Only columns that somebody reads are made.

mod condition;
mod newest;
mod texts;
mod typed;

use super::lower::{GROUP, SEQUENCE, STREAM, TIME};
use async_trait::async_trait;
use condition::Condition;
use datafusion::arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{DataFusionError, Result, exec_datafusion_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use futures_util::stream;
pub use newest::Newest;
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use typed::Typed;
use weir_logs::insights::discover::Discovery;
use weir_logs::insights::{Group, Progress, Request};
use weir_logs::scan::{PartEvents, ScanPart, Streams};
use weir_logs::{LogsError, Store};

/// Rows of a batch.
const BATCH_ROWS: usize = 8192;

/// The events of all groups at one moment.
pub struct Events {
    groups: Vec<EventsOfGroup>,
    /// Group and part, the newest last.
    parts: Vec<(usize, ScanPart)>,
}

/// What is known of a group.
pub struct EventsOfGroup {
    pub group: Group,
    pub streams: Streams,
    discovery: Discovery,
    /// The value of `@log`.
    log: String,
}

impl Events {
    /// Reads from the disk.
    pub fn of(
        store: &Store,
        request: &Request,
        (start, end): (i64, i64),
    ) -> std::result::Result<Self, LogsError> {
        let mut events = Self { groups: Vec::new(), parts: Vec::new() };
        for (number, group) in request.groups.iter().enumerate() {
            let scan = store.scan_events(&group.scope, &group.name, (start.max(0), end), request.now)?;
            events.parts.extend(scan.parts.into_iter().map(|part| (number, part)));
            events.groups.push(EventsOfGroup {
                discovery: group.discovery(),
                log: group.log(),
                group: group.clone(),
                streams: scan.streams,
            });
        }
        events.parts.sort_by_key(|(_, part)| part.last());
        Ok(events)
    }
}

/// Where a column's values come from.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Column {
    Time,
    Sequence,
    Group,
    Stream,
    IngestionTime,
    Message,
    LogStream,
    Log,
    /// A field of that name.
    Text(String),
    Number(String),
}

impl Column {
    fn of(name: &str) -> Self {
        match name {
            "@timestamp" => Self::Time,
            "@ingestionTime" => Self::IngestionTime,
            "@message" => Self::Message,
            "@logStream" => Self::LogStream,
            "@log" => Self::Log,
            _ => Self::Text(name.to_owned()),
        }
    }

    fn data_type(&self) -> DataType {
        match self {
            Self::Time | Self::Sequence | Self::Group | Self::Stream | Self::IngestionTime => DataType::Int64,
            Self::Number(_) => DataType::Float64,
            Self::Message | Self::LogStream | Self::Log | Self::Text(_) => DataType::Utf8View,
        }
    }
}

/// The table of [`Events`], which can be read once.
pub struct EventsTable {
    groups: Arc<Vec<EventsOfGroup>>,
    parts: Mutex<Option<Vec<(usize, ScanPart)>>>,
    columns: Vec<Column>,
    schema: SchemaRef,
    parallelism: usize,
    progress: Arc<Progress>,
    newest: Arc<Newest>,
}

impl EventsTable {
    /// With columns for these fields.
    pub fn new(events: Events, fields: &[String], parallelism: usize, progress: Arc<Progress>) -> Self {
        let mut columns = vec![
            (TIME.to_owned(), Column::Time),
            (SEQUENCE.to_owned(), Column::Sequence),
            (GROUP.to_owned(), Column::Group),
            (STREAM.to_owned(), Column::Stream),
        ];
        for (i, name) in fields.iter().enumerate() {
            let column = Column::of(name);
            if let Column::Text(name) = &column {
                columns.push((format!("n{i}"), Column::Number(name.clone())));
            }
            columns.push((format!("v{i}"), column));
        }
        let field = |(name, column): &(String, Column)| Field::new(name, column.data_type(), true);
        let schema = Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()));
        Self {
            groups: Arc::new(events.groups),
            parts: Mutex::new(Some(events.parts)),
            columns: columns.into_iter().map(|(_, column)| column).collect(),
            schema,
            parallelism,
            progress,
            newest: Arc::default(),
        }
    }

    pub fn groups(&self) -> Arc<Vec<EventsOfGroup>> {
        self.groups.clone()
    }

    /// Only the newest rows may be wanted.
    pub fn newest(&self) -> Arc<Newest> {
        self.newest.clone()
    }
}

impl fmt::Debug for EventsTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EventsTable")
    }
}

#[async_trait]
impl TableProvider for EventsTable {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    /// Every condition is applied to the rows before anybody sees them.
    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Exact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let all: Vec<usize> = (0..self.columns.len()).collect();
        let chosen = projection.unwrap_or(&all);
        let schema = Arc::new(self.schema.project(chosen)?);
        let mut conditions = Vec::with_capacity(filters.len());
        for filter in filters {
            conditions.push(Condition::new(filter, &self.schema, &self.columns, state)?);
        }
        conditions.sort_by_key(Condition::cost);
        let parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner).take();
        let parts = parts.ok_or_else(|| exec_datafusion_err!("events are read a second time"))?;
        let scan = Arc::new(Scan {
            groups: self.groups.clone(),
            parts: Mutex::new(parts.into()),
            columns: chosen.iter().filter_map(|i| self.columns.get(*i).cloned()).collect(),
            schema: schema.clone(),
            conditions,
            progress: self.progress.clone(),
            newest: self.newest.clone(),
        });
        let partition = |_| Arc::new(Partition(scan.clone())) as Arc<dyn PartitionStream>;
        let partitions = (0..self.parallelism.max(1)).map(partition).collect();
        Ok(Arc::new(StreamingTableExec::try_new(schema, partitions, None, [], false, None)?))
    }
}

struct Scan {
    groups: Arc<Vec<EventsOfGroup>>,
    parts: Mutex<VecDeque<(usize, ScanPart)>>,
    columns: Vec<Column>,
    schema: SchemaRef,
    conditions: Vec<Condition>,
    progress: Arc<Progress>,
    newest: Arc<Newest>,
}

impl Scan {
    fn next(&self) -> Option<(usize, ScanPart)> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner).pop_back()
    }

    fn batches(&self, number: usize, part: ScanPart) -> Result<Vec<RecordBatch>> {
        let Some(group) = self.groups.get(number) else { return Ok(Vec::new()) };
        if self.conditions.is_empty()
            && let Some((records, bytes)) = part.known()
            && self.newest.is_behind(part.last())
        {
            self.progress.read(records, bytes);
            self.progress.matched_more(records);
            return Ok(Vec::new());
        }
        let PartEvents { typed, mut texts, bytes } = part.read().map_err(failed)?;
        let typed_events = typed.as_ref().map_or(0, |typed| typed.len());
        self.progress.read((typed_events + texts.len()) as u64, bytes);
        let mut batches = Vec::new();
        if let Some(typed) = typed {
            let (of_formats, rest) = typed::by_format(typed, &group.discovery).map_err(failed)?;
            for (format, events) in of_formats {
                let mut typed = Typed { number, group, format, events };
                for condition in &self.conditions {
                    condition.retain(&mut typed)?;
                }
                self.progress.matched_more(typed.events.len() as u64);
                self.newest.retain(&mut typed.events);
                if !typed.events.is_empty() {
                    let arrays = self.columns.iter().map(|column| typed.array(column));
                    self.push(arrays.collect::<Result<_>>()?, typed.events.len(), &mut batches)?;
                }
            }
            if let Some(rest) = rest {
                texts.extend(rest.into_texts().map_err(failed)?);
            }
        }
        if !texts.is_empty() {
            let (arrays, rows) = self.of_texts(number, group, &texts)?;
            self.progress.matched_more(rows as u64);
            self.push(arrays, rows, &mut batches)?;
        }
        Ok(batches)
    }

    fn push(&self, arrays: Vec<ArrayRef>, rows: usize, batches: &mut Vec<RecordBatch>) -> Result<()> {
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(self.schema.clone(), arrays, &options)?;
        let starts = (0..rows).step_by(BATCH_ROWS);
        batches.extend(starts.map(|start| batch.slice(start, BATCH_ROWS.min(rows - start))));
        Ok(())
    }
}

fn failed(error: LogsError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

struct Partition(Arc<Scan>);

impl fmt::Debug for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Events")
    }
}

impl PartitionStream for Partition {
    fn schema(&self) -> &SchemaRef {
        &self.0.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let start = (self.0.clone(), VecDeque::new());
        let batches = stream::unfold(start, |(scan, mut ready)| async move {
            loop {
                if let Some(batch) = ready.pop_front() {
                    return Some((Ok(batch), (scan, ready)));
                }
                // Here a query is stopped.
                tokio::task::yield_now().await;
                let (number, part) = scan.next()?;
                match scan.batches(number, part) {
                    Ok(batches) => ready = batches.into(),
                    Err(error) => return Some((Err(error), (scan, VecDeque::new()))),
                }
            }
        });
        Box::pin(RecordBatchStreamAdapter::new(self.0.schema.clone(), batches))
    }
}
