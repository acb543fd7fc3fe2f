//! Text objects to record batches, on as many threads as the plan has
//! partitions.
//!
//! ```text
//! objects ─▶ parts: whole objects, or ranges of large plain ones ─ queue
//! partition: next part ─▶ open ─▶ block of lines ─▶ columns ─▶ batch
//! ```
//!
//! A partition takes the next part when it has done one, so that none waits for
//! others. Files of this machine are read in place; other objects are fetched
//! first, the next one while the last one is parsed.

use super::{Column, Origin};
use crate::files::compression::Peek;
use crate::files::format::{Found, Framing, Given};
use crate::files::meter::Metered;
use crate::files::text::{self, Opened, Opening, Text, TextError};
use crate::source::{Object, read_range};
use crate::tally::{Tally, Unusable};
use bytes::Bytes;
use datafusion::arrow::array::{
    Array, ArrayRef, RecordBatch, RecordBatchOptions, StringViewArray, cast::AsArray, new_null_array,
};
use datafusion::arrow::compute::kernels::zip::zip;
use datafusion::arrow::compute::{cast, is_not_null};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use weir_flow::columns::{Reader, Selection};
use weir_flow::field::Field;

/// Text that becomes one batch: some thousand rows.
const BLOCK_BYTES: usize = 1 << 20;
/// Larger plain objects are read in parts of this size.
const PART_BYTES: u64 = 16 << 20;
/// Larger objects of other machines are kept in a file while they are read.
const FETCHED_BYTES: u64 = 128 << 20;
/// How much of them is asked for at a time.
const FETCH_BYTES: u64 = 8 << 20;
/// Where a line must end: longer ones are read with the object as a whole.
const LINE_BYTES: u64 = 64 << 10;

/// What is read of each object.
#[derive(Debug)]
pub(super) struct Scan {
    /// Of the batches.
    pub(super) columns: Vec<Column>,
    pub(super) schema: SchemaRef,
    pub(super) selections: Vec<Selection>,
    pub(super) given: Arc<Given>,
    pub(super) is_positional: bool,
    pub(super) is_strict: bool,
    pub(super) tally: Arc<Tally>,
}

/// What a partition takes at a time.
#[derive(Debug, Clone)]
struct Part {
    object: Arc<Object>,
    /// Of a plain text whose format is known.
    range: Option<Range<u64>>,
}

/// The parts of one run of the plan.
#[derive(Debug, Default)]
struct Queue {
    parts: Mutex<VecDeque<Part>>,
}

impl Queue {
    fn next(&self) -> Option<Part> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }
}

/// Gives every run of the plan a queue of its own.
#[derive(Debug)]
struct Runs {
    parts: Vec<Part>,
    current: Mutex<(Arc<Queue>, Vec<bool>)>,
}

impl Runs {
    fn queue(&self, partition: usize) -> Arc<Queue> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let (queue, has_begun) = &mut *current;
        if has_begun.get(partition) != Some(&false) {
            *queue = Arc::new(Queue { parts: Mutex::new(self.parts.iter().cloned().collect()) });
            has_begun.fill(false);
        }
        if let Some(has_begun) = has_begun.get_mut(partition) {
            *has_begun = true;
        }
        Arc::clone(queue)
    }
}

#[derive(Debug)]
struct Partition {
    scan: Arc<Scan>,
    runs: Arc<Runs>,
    index: usize,
}

/// A plan that gives the rows of `objects`.
pub(super) fn plan(
    scan: Scan,
    objects: Vec<Object>,
    partitions: usize,
    limit: Option<usize>,
) -> Result<Arc<dyn ExecutionPlan>> {
    let scan = Arc::new(scan);
    let mut parts = Vec::new();
    for object in objects {
        let object = Arc::new(object);
        let is_plain = object.bytes > 2 * PART_BYTES && is_plain(&object);
        if !is_plain {
            parts.push(Part { object, range: None });
            continue;
        }
        let mut start = 0;
        while start < object.bytes {
            // The last part may be half as large again, and none is tiny.
            let rest = object.bytes - start;
            let end = if rest < PART_BYTES * 3 / 2 { object.bytes } else { start + PART_BYTES };
            parts.push(Part { object: Arc::clone(&object), range: Some(start..end) });
            start = end;
        }
    }
    let count = partitions.clamp(1, parts.len().max(1));
    // As if every partition had begun: the first one to begin makes a queue.
    let runs = Arc::new(Runs { parts, current: Mutex::new((Arc::default(), vec![true; count])) });
    let partitions = (0..count).map(|index| -> Arc<dyn PartitionStream> {
        Arc::new(Partition { scan: Arc::clone(&scan), runs: Arc::clone(&runs), index })
    });
    let schema = Arc::clone(&scan.schema);
    Ok(Arc::new(StreamingTableExec::try_new(schema, partitions.collect(), None, None, false, limit)?))
}

/// Whether a file is lines as they are, so that it can be cut anywhere.
fn is_plain(object: &Object) -> bool {
    let head = object.source.file(&object.key).and_then(|path| {
        let file = File::open(path).ok()?;
        read_range(&file, 0..1024).ok()
    });
    head.is_some_and(|head| text::is_lines(&head))
}

impl PartitionStream for Partition {
    fn schema(&self) -> &SchemaRef {
        &self.scan.schema
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let work = Work {
            scan: Arc::clone(&self.scan),
            queue: self.runs.queue(self.index),
            reading: None,
            ahead: None,
            records: Vec::new(),
            buffer: Vec::new(),
        };
        let batches = futures_util::stream::try_unfold(work, |mut work| async {
            Ok(work.next().await?.map(|batch| (batch, work)))
        });
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.scan.schema), batches))
    }
}

/// One partition at work.
struct Work {
    scan: Arc<Scan>,
    queue: Arc<Queue>,
    reading: Option<Reading>,
    /// What is fetched from another machine meanwhile.
    ahead: Option<(Part, tokio::task::JoinHandle<io::Result<Content>>)>,
    /// The records of lines that have more than a record.
    records: Vec<u8>,
    buffer: Vec<u8>,
}

/// An object or a part of it, being read.
struct Reading {
    object: Arc<Object>,
    text: Text,
    /// The first byte of a part after the first; malformed lines count from there.
    from: Option<u64>,
    reader: Reader,
    /// The columns of the reader's batches, for those of the plan.
    places: Vec<Place>,
}

/// Where a column of the plan comes from.
enum Place {
    Read(usize),
    /// The object's value of a partition column.
    Object(usize),
}

/// The bytes of an object.
enum Content {
    File(File),
    Memory(Bytes),
}

impl Work {
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(mut reading) = self.reading.take() {
                match self.read(&mut reading) {
                    Ok(Some(batch)) => {
                        self.reading = Some(reading);
                        if batch.num_rows() > 0 {
                            return Ok(Some(batch));
                        }
                    }
                    Ok(None) => {}
                    Err(error) => self.fail(&reading.object, &error)?,
                }
                continue;
            }
            let Some((part, content)) = self.next_part().await else { return Ok(None) };
            let opened = content.map_err(TextError::Read).and_then(|content| self.open(&part, content));
            match opened {
                Ok(reading) => self.reading = Some(reading),
                Err(error) => self.fail(&part.object, &error)?,
            }
        }
    }

    /// Takes the next part, and begins to fetch the one after it.
    async fn next_part(&mut self) -> Option<(Part, io::Result<Content>)> {
        let (part, fetching) = match self.ahead.take() {
            Some((part, fetching)) => (part, Some(fetching)),
            None => (self.queue.next()?, None),
        };
        self.scan.tally.add_opened(&part.object.name);
        if let Some(path) = part.object.source.file(&part.object.key) {
            return Some((part, File::open(path).map(Content::File)));
        }
        let content = match fetching {
            Some(fetching) => fetching.await.unwrap_or_else(|error| Err(io::Error::other(error))),
            None => fetch(Arc::clone(&part.object)).await,
        };
        self.ahead = self.queue.next().map(|part| {
            let object = Arc::clone(&part.object);
            (part, tokio::spawn(fetch(object)))
        });
        Some((part, content))
    }

    fn open(&self, part: &Part, content: Content) -> Result<Reading, TextError> {
        let meter = self.scan.tally.meter();
        let bytes = Some(part.object.bytes);
        let given = &self.scan.given;
        let opening = Opening { block_bytes: BLOCK_BYTES, ..Opening::new(bytes, given, meter) };
        let mut text = match (content, &part.range) {
            (Content::File(file), Some(range)) => {
                let head = read_range(&file, 0..text::HEAD_BYTES as u64).map_err(TextError::Read)?;
                let found = text::find(&head, given)?;
                let lines = lines_of(file, range, part.object.bytes).map_err(TextError::Read)?;
                Text::of_lines(found, Metered::new(lines, Arc::clone(meter)), BLOCK_BYTES)
            }
            (Content::File(file), None) => {
                open_whole(Peek::new(Metered::new(file, Arc::clone(meter))), &opening)?
            }
            (Content::Memory(bytes), _) => {
                meter.add(bytes.len() as u64);
                open_whole(Peek::new(io::Cursor::new(bytes)), &opening)?
            }
        };
        if self.scan.is_positional
            && let Some(format) = &given.format
        {
            text.found = Found { framing: Framing::None, format: format.clone() };
        }
        let from = part.range.as_ref().map(|range| range.start).filter(|&start| start > 0);
        Ok(self.reading(&part.object, text, from))
    }

    fn reading(&self, object: &Arc<Object>, text: Text, from: Option<u64>) -> Reading {
        let format = &text.found.format;
        let mut fields: Vec<Field> = Vec::new();
        let mut place = |field: Field| {
            let place = fields.iter().position(|&own| own == field).unwrap_or(fields.len());
            if place == fields.len() {
                fields.push(field);
            }
            Place::Read(place)
        };
        let places = self.scan.columns.iter().map(|column| match column.origin {
            Origin::Field(field) => place(field),
            Origin::FieldOrPartition(field, _) if format.position(field).is_some() => place(field),
            Origin::Partition(partition) | Origin::FieldOrPartition(_, partition) => Place::Object(partition),
        });
        let places = places.collect();
        let mut reader = Reader::new(format.clone(), &fields);
        for selection in &self.scan.selections {
            reader = reader.only(selection);
        }
        Reading { object: Arc::clone(object), text, from, reader, places }
    }

    fn read(&mut self, reading: &mut Reading) -> Result<Option<RecordBatch>, TextError> {
        let buffer = std::mem::take(&mut self.buffer);
        let Some(block) = reading.text.next(buffer).map_err(TextError::Read)? else { return Ok(None) };
        let mut lines = block.text();
        if reading.text.found.framing != Framing::None {
            reading.text.found.framing.strip(lines, &mut self.records);
            lines = &self.records;
        }
        let read = reading.reader.push_block(lines);
        if let text::Block::Buffer(buffer, _) = block {
            self.buffer = buffer;
        }
        let tally = &self.scan.tally;
        tally.add_lines(read.counts.lines, read.counts.malformed);
        for malformed in &read.malformed {
            tally.add_malformed(|| match reading.from {
                Some(byte) => format!("{}, from byte {byte} on: {malformed}", reading.object.name),
                None => format!("{}: {malformed}", reading.object.name),
            });
        }
        let batch = self.batch(reading, &read.batch);
        batch.map(Some).map_err(|error| TextError::Read(io::Error::other(error)))
    }

    fn batch(&self, reading: &Reading, read: &RecordBatch) -> Result<RecordBatch> {
        let rows = read.num_rows();
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(reading.places.len());
        for (place, column) in reading.places.iter().zip(&self.scan.columns) {
            let array: ArrayRef = match place {
                Place::Read(index) => filled(views(read.column(*index)), column, &reading.object)?,
                Place::Object(index) => match reading.object.partition.get(*index) {
                    Some(value) => value.to_array_of_size(rows)?,
                    None => new_null_array(&column.data_type, rows),
                },
            };
            arrays.push(if *array.data_type() == column.data_type {
                array
            } else {
                cast(&array, &column.data_type)?
            });
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.scan.schema), arrays, &options)?)
    }

    /// Tells that an object could not be read, or fails.
    fn fail(&self, object: &Object, error: &TextError) -> Result<()> {
        let mut reason = error.to_string();
        let mut cause = std::error::Error::source(error);
        while let Some(inner) = cause {
            reason = format!("{reason}: {inner}");
            cause = inner.source();
        }
        let unusable = Unusable { name: object.name.clone(), reason, hint: error.hint() };
        let failure = self.scan.is_strict.then(|| DataFusionError::Execution(unusable.to_string()));
        self.scan.tally.add_unusable(unusable);
        failure.map_or(Ok(()), Err)
    }
}

fn open_whole(source: Peek, opening: &Opening<'_>) -> Result<Text, TextError> {
    match Opened::of(source, opening)? {
        Opened::Text(text) => Ok(text),
        Opened::Parquet(_) => Err(TextError::Read(io::Error::new(
            io::ErrorKind::InvalidData,
            "it is Parquet, but its name does not end in .parquet",
        ))),
    }
}

fn views(array: &ArrayRef) -> ArrayRef {
    match array.as_string_opt::<i32>() {
        Some(texts) => Arc::new(StringViewArray::from(texts)),
        None => Arc::clone(array),
    }
}

/// The object's value where the record has none, for columns that have both.
fn filled(array: ArrayRef, column: &Column, object: &Object) -> Result<ArrayRef> {
    let Origin::FieldOrPartition(_, place) = column.origin else { return Ok(array) };
    match object.partition.get(place) {
        Some(value) if array.null_count() > 0 && !value.is_null() => {
            let value = value.cast_to(array.data_type())?.to_scalar()?;
            Ok(zip(&is_not_null(&array)?, &array, &value)?)
        }
        _ => Ok(array),
    }
}

/// The lines of a file whose first byte lies in `range`.
fn lines_of(mut file: File, range: &Range<u64>, bytes: u64) -> io::Result<impl Read + Send + use<>> {
    let start = line_start(&file, range.start, bytes)?;
    let end = line_start(&file, range.end, bytes)?;
    file.seek(io::SeekFrom::Start(start))?;
    Ok(file.take(end.saturating_sub(start)))
}

/// Where the first line begins that begins at `at` or after it.
fn line_start(file: &File, at: u64, bytes: u64) -> io::Result<u64> {
    if at == 0 || at >= bytes {
        return Ok(at.min(bytes));
    }
    let mut from = at - 1;
    while from < bytes {
        let chunk = read_range(file, from..from + LINE_BYTES)?;
        if let Some(end) = memchr::memchr(b'\n', &chunk) {
            return Ok(from + end as u64 + 1);
        }
        if chunk.is_empty() {
            break;
        }
        from += chunk.len() as u64;
    }
    Ok(bytes)
}

/// All of an object of another machine.
async fn fetch(object: Arc<Object>) -> io::Result<Content> {
    let mut file = if object.bytes > FETCHED_BYTES { Some(tempfile::tempfile()?) } else { None };
    let mut memory = Vec::new();
    let mut start = 0;
    while start < object.bytes {
        let end = (start + FETCH_BYTES).min(object.bytes);
        let chunk = object.source.read(&object.key, start..end).await?;
        if chunk.is_empty() {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the object is shorter than listed"));
        }
        start += chunk.len() as u64;
        match &mut file {
            Some(file) => file.write_all(&chunk)?,
            None if start == object.bytes && memory.is_empty() => return Ok(Content::Memory(chunk)),
            None => memory.extend_from_slice(&chunk),
        }
    }
    match file {
        Some(mut file) => {
            file.rewind()?;
            Ok(Content::File(file))
        }
        None => Ok(Content::Memory(Bytes::from(memory))),
    }
}
