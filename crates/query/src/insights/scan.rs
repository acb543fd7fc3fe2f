//! The events of a query's groups as a table.
//!
//! Readers take pages from the store, slice by slice of time, and hand them to
//! as many partitions as there are cores, which find the fields. A reader stops
//! when nobody takes its pages any more.

use super::lower::schema;
use datafusion::arrow::array::{
    ArrayRef, Int64Array, RecordBatch, RecordBatchOptions, StringArray, StringBuilder,
};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::TableProvider;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use futures_util::stream;
use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, Once, PoisonError};
use tokio::sync::mpsc;
use weir_logs::insights::discover::{Discovery, Wanted};
use weir_logs::insights::{Group, Progress, Request};
use weir_logs::{FilterLogEvents, FilteredLogEvent, LogsError, Store};
use weir_types::time::UnixMillis;

/// Slices of time of one group, so that more than one reader is busy with it.
const SLICES: i64 = 8;
/// Pages that wait to be taken.
const WAITING: usize = 8;

/// The table with the columns of [`schema`].
pub fn table(
    store: &Store,
    request: &Request,
    fields: &[String],
    with_events: bool,
    parallelism: usize,
    progress: Arc<Progress>,
) -> Result<Arc<dyn TableProvider>> {
    let (sender, pages) = mpsc::channel(WAITING);
    let shared = Arc::new(Shared {
        store: store.clone(),
        groups: request.groups.clone(),
        slices: Mutex::new(VecDeque::new()),
        span: (request.start.max(0), request.end),
        now: request.now,
        columns: fields.iter().map(|name| Source::of(name)).collect(),
        discoveries: request.groups.iter().map(Group::discovery).collect(),
        wanted: fields.iter().filter(|name| Source::of(name) == Source::Found).cloned().collect(),
        schema: schema(fields, with_events),
        with_events,
        pages: tokio::sync::Mutex::new(pages),
        sender: Mutex::new(Some(sender)),
        readers: parallelism.clamp(1, 4),
        begin: Once::new(),
        progress,
    });
    let partition = |_| Arc::new(Partition(shared.clone())) as Arc<dyn PartitionStream>;
    let table = StreamingTable::try_new(shared.schema.clone(), (0..parallelism).map(partition).collect())?;
    Ok(Arc::new(table))
}

/// Where a field's values come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Timestamp,
    IngestionTime,
    Message,
    LogStream,
    Log,
    /// The message.
    Found,
}

impl Source {
    fn of(name: &str) -> Self {
        match name {
            "@timestamp" => Self::Timestamp,
            "@ingestionTime" => Self::IngestionTime,
            "@message" => Self::Message,
            "@logStream" => Self::LogStream,
            "@log" => Self::Log,
            _ => Self::Found,
        }
    }
}

type Page = std::result::Result<(usize, Vec<FilteredLogEvent>), LogsError>;

struct Shared {
    store: Store,
    groups: Vec<Group>,
    /// Group, first and last millisecond.
    slices: Mutex<VecDeque<(usize, i64, i64)>>,
    span: (i64, i64),
    now: UnixMillis,
    columns: Vec<Source>,
    discoveries: Vec<Discovery>,
    /// The names of the columns that are found in messages, in order.
    wanted: Vec<String>,
    schema: SchemaRef,
    with_events: bool,
    pages: tokio::sync::Mutex<mpsc::Receiver<Page>>,
    sender: Mutex<Option<mpsc::Sender<Page>>>,
    readers: usize,
    begin: Once,
    progress: Arc<Progress>,
}

impl Shared {
    /// Starts the readers, once.
    fn begin(self: &Arc<Self>) {
        self.begin.call_once(|| {
            let sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner).take();
            let Some(sender) = sender else { return };
            let shared = self.clone();
            tokio::task::spawn_blocking(move || {
                shared.slice();
                for _ in 1..shared.readers {
                    let (shared, sender) = (shared.clone(), sender.clone());
                    tokio::task::spawn_blocking(move || shared.read(&sender));
                }
                shared.read(&sender);
            });
        });
    }

    /// Cuts each group's time into slices, from its first event on.
    fn slice(&self) {
        let mut slices = Vec::new();
        for (number, group) in self.groups.iter().enumerate() {
            let first = FilterLogEvents { limit: Some(1), ..self.page_request(group, self.span) };
            let found = self.store.filter_log_events(&group.scope, &first, self.now);
            // An error comes again when the group is read.
            let first = found.ok().and_then(|page| Some(page.events.first()?.timestamp.0));
            let start = first.unwrap_or(self.span.0);
            let end = self.span.1;
            let step = (end.min(self.now.0 + 7_200_000).saturating_sub(start) / SLICES).max(60_000);
            let mut from = start;
            for _ in 1..SLICES {
                if from.saturating_add(step) < end {
                    slices.push((number, from, from + step - 1));
                    from += step;
                }
            }
            slices.push((number, from, end));
        }
        *self.slices.lock().unwrap_or_else(PoisonError::into_inner) = slices.into();
    }

    fn page_request(&self, group: &Group, (start, end): (i64, i64)) -> FilterLogEvents {
        FilterLogEvents {
            group: group.name.clone(),
            start_time: Some(start),
            end_time: Some(end.max(0)),
            ..Default::default()
        }
    }

    /// Reads slices until there are none or nobody takes the pages.
    fn read(&self, sender: &mpsc::Sender<Page>) {
        loop {
            let slice = self.slices.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            let Some((number, start, end)) = slice else { return };
            let Some(group) = self.groups.get(number) else { return };
            if start > end {
                continue;
            }
            let mut request = self.page_request(group, (start, end));
            loop {
                let page = match self.store.filter_log_events(&group.scope, &request, self.now) {
                    Ok(page) => page,
                    Err(error) => {
                        // Nobody to tell is as good as told.
                        let _ = sender.blocking_send(Err(error));
                        return;
                    }
                };
                let bytes = page.events.iter().map(|event| event.message.len() as u64).sum();
                self.progress.read(page.events.len() as u64, bytes);
                request.next_token = page.next_token;
                if !page.events.is_empty() && sender.blocking_send(Ok((number, page.events))).is_err() {
                    return;
                }
                if request.next_token.is_none() {
                    break;
                }
            }
        }
    }

    fn batch(&self, number: usize, events: &[FilteredLogEvent]) -> Result<RecordBatch> {
        let rows = events.len();
        let times =
            || Arc::new(Int64Array::from_iter_values(events.iter().map(|e| e.timestamp.0))) as ArrayRef;
        let texts = |text: fn(&FilteredLogEvent) -> &str| {
            Arc::new(StringArray::from_iter_values(events.iter().map(text))) as ArrayRef
        };
        let mut arrays: Vec<ArrayRef> = vec![times(), texts(|event| &event.event_id)];
        if self.with_events {
            arrays.push(Arc::new(Int64Array::from_value(number as i64, rows)));
            arrays.push(texts(|event| &event.log_stream_name));
        }
        let mut found = self.find(number, events).into_iter();
        for source in &self.columns {
            arrays.push(match source {
                Source::Timestamp => times(),
                Source::IngestionTime => {
                    Arc::new(Int64Array::from_iter_values(events.iter().map(|e| e.ingestion_time.0)))
                }
                Source::Message => texts(|event| &event.message),
                Source::LogStream => texts(|event| &event.log_stream_name),
                Source::Log => {
                    let log = self.groups.get(number).map(Group::log).unwrap_or_default();
                    Arc::new(StringArray::from_iter_values(std::iter::repeat_n(log.as_str(), rows)))
                }
                Source::Found => found.next().unwrap_or_else(|| Arc::new(StringArray::new_null(rows))),
            });
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(RecordBatch::try_new_with_options(self.schema.clone(), arrays, &options)?)
    }

    fn find(&self, number: usize, events: &[FilteredLogEvent]) -> Vec<ArrayRef> {
        let Some(discovery) = self.discoveries.get(number).filter(|_| !self.wanted.is_empty()) else {
            return Vec::new();
        };
        let mut columns: Vec<StringBuilder> = self.wanted.iter().map(|_| StringBuilder::new()).collect();
        let mut wanted = Wanted::new(self.wanted.clone());
        let mut values: Vec<Option<Cow<'_, str>>> = vec![None; self.wanted.len()];
        for event in events {
            discovery.find(&event.message, &mut wanted, &mut values);
            for (column, value) in columns.iter_mut().zip(&values) {
                column.append_option(value.as_deref());
            }
        }
        columns.into_iter().map(|mut column| Arc::new(column.finish()) as ArrayRef).collect()
    }
}

struct Partition(Arc<Shared>);

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
        self.0.begin();
        let batches = stream::unfold(self.0.clone(), |shared| async move {
            let page = shared.pages.lock().await.recv().await?;
            let batch = match page {
                Ok((number, events)) => shared.batch(number, &events),
                Err(error) => Err(DataFusionError::External(Box::new(error))),
            };
            Some((batch, shared))
        });
        Box::pin(RecordBatchStreamAdapter::new(self.0.schema.clone(), batches))
    }
}
