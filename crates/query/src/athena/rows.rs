//! Lines of text to rows, as Hive's classes read them.
//!
//! A value that does not parse as its column's type is NULL, a value that is not
//! there too, what is too much is passed over.
//!
//! Source: Athena user guide, "Choose a SerDe for your data".

use super::columnar::{self, Columnar};
use super::{QueryError, TableInfo};
use datafusion::arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, StringBuilder};
use datafusion::arrow::compute::{CastOptions, cast_with_options};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::error::ArrowError;
use datafusion::scalar::ScalarValue;
use regex::Regex;
use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How rows lie in objects.
#[derive(Debug, Clone)]
pub enum SerdeFormat {
    Delimited { delimiter: char, escape: Option<char>, null: String },
    Csv { separator: char, quote: char, escape: char },
    Json,
    Regex(Regex),
    Parquet,
}

/// Rows in a batch.
const BATCH: usize = 8192;
/// A longer line is an error, not a row.
pub(super) const LINE_BYTES: u64 = 64 << 20;

impl SerdeFormat {
    /// Errors: `NOT_SUPPORTED` for a class that is not here.
    pub fn of(table: &TableInfo) -> Result<Self, QueryError> {
        let parameter = |names: &[&str]| {
            names.iter().find_map(|name| table.serde_parameters.get(*name)).filter(|text| !text.is_empty())
        };
        let letter = |names: &[&str], default: char| {
            parameter(names).map_or(default, |text| match text.parse::<u8>() {
                // Hive writes some delimiters as numbers.
                Ok(code) if text.len() > 1 => char::from(code),
                _ => text.chars().next().unwrap_or(default),
            })
        };
        let class = table.serde.rsplit('.').next().unwrap_or_default();
        if class.contains("Parquet") || table.input_format.contains("Parquet") {
            return Ok(Self::Parquet);
        }
        match class {
            "LazySimpleSerDe" | "" => Ok(Self::Delimited {
                delimiter: letter(&["field.delim", "serialization.format"], '\u{1}'),
                escape: parameter(&["escape.delim"]).and_then(|text| text.chars().next()),
                null: table
                    .serde_parameters
                    .get("serialization.null.format")
                    .cloned()
                    .unwrap_or("\\N".into()),
            }),
            "OpenCSVSerde" => Ok(Self::Csv {
                separator: letter(&["separatorChar"], ','),
                quote: letter(&["quoteChar"], '"'),
                escape: letter(&["escapeChar"], '\\'),
            }),
            "JsonSerDe" | "JsonSerde" => Ok(Self::Json),
            "RegexSerDe" => {
                let text = parameter(&["input.regex"]).ok_or_else(|| {
                    QueryError::user(1000, "HIVE_INVALID_METADATA", "input.regex is missing")
                })?;
                let found = Regex::new(&format!("^(?:{text})$"));
                found.map(Self::Regex).map_err(|error| {
                    QueryError::user(1000, "HIVE_INVALID_METADATA", format!("input.regex: {error}"))
                })
            }
            other => Err(QueryError::not_supported(format!("The SerDe {other} is not supported"))),
        }
    }
}

/// Counts the bytes that are read of files.
struct Counted {
    file: File,
    bytes: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(into)?;
        self.bytes.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// The text of a file that may be compressed: its first bytes say how.
fn open(path: &Path, bytes: &Arc<AtomicU64>) -> io::Result<Box<dyn BufRead>> {
    let mut input =
        BufReader::with_capacity(256 << 10, Counted { file: File::open(path)?, bytes: bytes.clone() });
    let head = input.fill_buf()?;
    if head.starts_with(&[0x1f, 0x8b]) {
        return Ok(Box::new(BufReader::with_capacity(
            256 << 10,
            flate2::bufread::MultiGzDecoder::new(input),
        )));
    }
    if head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        return Ok(Box::new(BufReader::with_capacity(
            256 << 10,
            zstd::stream::read::Decoder::with_buffer(input)?,
        )));
    }
    Ok(Box::new(input))
}

/// What is read of each file.
#[derive(Debug)]
pub(super) struct Reading {
    pub format: SerdeFormat,
    pub skip_lines: usize,
    /// For text that is like a flow log's.
    pub columnar: Option<Columnar>,
    /// Columns of the data by name, in the order of the table.
    pub names: Vec<String>,
    /// Of what is given: places in the table, keys after the columns.
    pub projection: Vec<usize>,
    pub schema: SchemaRef,
    pub bytes: Arc<AtomicU64>,
    pub rows: Arc<AtomicU64>,
}

impl Reading {
    /// Gives the file's rows to `send` until it wants no more.
    pub fn text(
        &self,
        path: &Path,
        keys: &[ScalarValue],
        send: &mut dyn FnMut(RecordBatch) -> bool,
    ) -> Result<(), ArrowError> {
        let mut input = open(path, &self.bytes)?;
        match &self.columnar {
            Some(columnar) => columnar::read(self, columnar, input, keys, send),
            None => self.lines(&mut input, self.skip_lines, keys, send),
        }
    }

    /// Line by line, whatever they are.
    pub fn lines(
        &self,
        mut input: &mut dyn BufRead,
        mut skip: usize,
        keys: &[ScalarValue],
        send: &mut dyn FnMut(RecordBatch) -> bool,
    ) -> Result<(), ArrowError> {
        let mut rows = Rows::new(self);
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = (&mut input).take(LINE_BYTES).read_until(b'\n', &mut line)?;
            if read == 0 {
                break;
            }
            // A quoted value of CSV may have lines of its own.
            if let SerdeFormat::Csv { quote, .. } = &self.format {
                let quotes = |line: &[u8]| line.iter().filter(|byte| **byte == *quote as u8).count();
                while !quotes(&line).is_multiple_of(2) && (line.len() as u64) < LINE_BYTES {
                    if (&mut input).take(LINE_BYTES).read_until(b'\n', &mut line)? == 0 {
                        break;
                    }
                }
            }
            if skip > 0 {
                skip -= 1;
                continue;
            }
            while line.last().is_some_and(|last| matches!(last, b'\n' | b'\r')) {
                line.pop();
            }
            let text = String::from_utf8_lossy(&line);
            if text.is_empty() && matches!(self.format, SerdeFormat::Json) {
                continue;
            }
            rows.add(&text)?;
            if rows.count == BATCH && !send(rows.finish(keys)?) {
                return Ok(());
            }
        }
        if rows.count > 0 {
            send(rows.finish(keys)?);
        }
        Ok(())
    }

    /// A batch of these columns of the data, by place, and of keys.
    pub fn batch(
        &self,
        count: usize,
        keys: &[ScalarValue],
        mut column: impl FnMut(usize) -> Result<ArrayRef, ArrowError>,
    ) -> Result<RecordBatch, ArrowError> {
        self.rows.fetch_add(count as u64, Ordering::Relaxed);
        let mut arrays = Vec::with_capacity(self.projection.len());
        for (at, place) in self.projection.iter().enumerate() {
            let array = match place.checked_sub(self.names.len()) {
                Some(key) => {
                    let value = keys.get(key).cloned().unwrap_or(ScalarValue::Null);
                    value.to_array_of_size(count).map_err(|e| ArrowError::ExternalError(Box::new(e)))?
                }
                None => column(*place)?,
            };
            let wanted = self.schema.field(at).data_type();
            let safe = CastOptions { safe: true, ..CastOptions::default() };
            let same = array.data_type() == wanted;
            arrays.push(if same { array } else { cast_with_options(&array, wanted, &safe)? });
        }
        let options = RecordBatchOptions::new().with_row_count(Some(count));
        RecordBatch::try_new_with_options(self.schema.clone(), arrays, &options)
    }
}

/// Rows on their way into a batch.
struct Rows<'a> {
    reading: &'a Reading,
    /// For each column of the data its builder, if it is wanted.
    builders: Vec<Option<StringBuilder>>,
    /// Columns after this one are not wanted.
    last: usize,
    count: usize,
}

impl<'a> Rows<'a> {
    fn new(reading: &'a Reading) -> Self {
        let wanted = |place: usize| reading.projection.contains(&place).then(StringBuilder::new);
        let builders: Vec<_> = (0..reading.names.len()).map(wanted).collect();
        let last = builders.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
        Self { reading, builders, last, count: 0 }
    }

    fn add(&mut self, line: &str) -> Result<(), ArrowError> {
        self.count += 1;
        let mut place = 0;
        let (builders, last) = (&mut self.builders, self.last);
        let mut put = |value: Option<&str>| {
            if let Some(Some(builder)) = builders.get_mut(place) {
                builder.append_option(value);
            }
            place += 1;
            place < last
        };
        match &self.reading.format {
            SerdeFormat::Delimited { delimiter, escape: None, null } => {
                for value in line.split(*delimiter) {
                    if !put((value != null).then_some(value)) {
                        break;
                    }
                }
            }
            SerdeFormat::Delimited { delimiter, escape: Some(escape), null } => {
                for value in escaped(line, *delimiter, *escape) {
                    if !put((value != null.as_str()).then_some(&value)) {
                        break;
                    }
                }
            }
            SerdeFormat::Csv { separator, quote, escape } => {
                for value in csv(line, *separator, *quote, *escape) {
                    if !put(Some(&value)) {
                        break;
                    }
                }
            }
            SerdeFormat::Regex(regex) => {
                if let Some(found) = regex.captures(line) {
                    for group in found.iter().skip(1) {
                        if !put(group.map(|group| group.as_str())) {
                            break;
                        }
                    }
                }
            }
            SerdeFormat::Json => {
                let value: serde_json::Value = serde_json::from_str(line).map_err(|error| {
                    ArrowError::ParseError(format!("HIVE_BAD_DATA: a row is not a JSON object: {error}"))
                })?;
                let members = value.as_object();
                for name in self.reading.names.iter().take(last) {
                    let member = members.and_then(|all| {
                        all.get(name).or_else(|| {
                            all.iter().find(|(k, _)| k.eq_ignore_ascii_case(name)).map(|(_, v)| v)
                        })
                    });
                    let text = member.and_then(|member| match member {
                        serde_json::Value::Null => None,
                        serde_json::Value::String(text) => Some(Cow::Borrowed(text.as_str())),
                        other => Some(Cow::Owned(other.to_string())),
                    });
                    put(text.as_deref());
                }
            }
            SerdeFormat::Parquet => {}
        }
        // What the line does not have.
        while place < last {
            if let Some(Some(builder)) = builders.get_mut(place) {
                builder.append_null();
            }
            place += 1;
        }
        Ok(())
    }

    fn finish(&mut self, keys: &[ScalarValue]) -> Result<RecordBatch, ArrowError> {
        let count = std::mem::take(&mut self.count);
        let builders = &mut self.builders;
        self.reading.batch(count, keys, |place| match builders.get_mut(place) {
            Some(Some(builder)) => Ok(Arc::new(builder.finish()) as ArrayRef),
            _ => Err(ArrowError::ComputeError("a column that is not wanted".to_owned())),
        })
    }
}

fn escaped(line: &str, delimiter: char, escape: char) -> Vec<String> {
    let (mut found, mut value, mut is_escaped) = (Vec::new(), String::new(), false);
    for letter in line.chars() {
        match letter {
            letter if is_escaped => {
                value.push(letter);
                is_escaped = false;
            }
            letter if letter == escape => is_escaped = true,
            letter if letter == delimiter => found.push(std::mem::take(&mut value)),
            letter => value.push(letter),
        }
    }
    found.push(value);
    found
}

fn csv(line: &str, separator: char, quote: char, escape: char) -> Vec<String> {
    let (mut found, mut value, mut inside) = (Vec::new(), String::new(), false);
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter == escape
            && escape != quote
            && letters.peek().is_some_and(|next| *next == quote || *next == escape)
        {
            value.extend(letters.next());
        } else if letter == quote {
            match inside && letters.peek() == Some(&quote) {
                true => value.extend(letters.next()),
                false => inside = !inside,
            }
        } else if letter == separator && !inside {
            found.push(std::mem::take(&mut value));
        } else {
            value.push(letter);
        }
    }
    found.push(value);
    found
}
