//! Rows of any query, written as they come.

use anyhow::{Context, Result};
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use weir_query::datafusion::arrow::array::RecordBatch;
use weir_query::datafusion::arrow::csv;
use weir_query::datafusion::arrow::datatypes::SchemaRef;
use weir_query::datafusion::arrow::json::Writer as JsonWriter;
use weir_query::datafusion::arrow::json::writer::{LineDelimited, WriterBuilder};
use weir_query::datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use weir_query::datafusion::parquet::arrow::ArrowWriter;
use weir_query::datafusion::parquet::basic::{Compression, ZstdLevel};
use weir_query::datafusion::parquet::file::properties::WriterProperties;

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// For people
    Table,
    /// One object a line
    Json,
    /// With a line of names
    Csv,
    /// One file
    Parquet,
}

type Sink = Box<dyn Write + Send>;

/// Where rows go.
pub struct Output {
    writer: Writer,
    file: Option<Unfinished>,
    rows: u64,
}

/// A file that appears under its name once it is whole, and is removed if it
/// does not become so.
struct Unfinished {
    path: PathBuf,
    part: PathBuf,
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // Gone already if it was finished.
        fs::remove_file(&self.part).ok();
    }
}

enum Writer {
    Table(Sheet, Sink),
    Json(Box<JsonWriter<Sink, LineDelimited>>),
    Csv(Box<csv::Writer<Sink>>),
    Parquet(Box<ArrowWriter<Sink>>),
}

impl Output {
    /// # Errors
    /// The file cannot be made.
    pub fn new(kind: Kind, to: Option<&Path>, schema: &SchemaRef) -> Result<Self> {
        let file = to.filter(|path| *path != Path::new("-")).map(|path| {
            let mut part = path.as_os_str().to_owned();
            part.push(".part");
            Unfinished { path: path.to_owned(), part: PathBuf::from(part) }
        });
        let sink: Sink = match &file {
            Some(Unfinished { part, .. }) => {
                let made = File::create(part).with_context(|| format!("cannot make {}", part.display()))?;
                Box::new(BufWriter::new(made))
            }
            None => Box::new(BufWriter::new(io::stdout())),
        };
        let writer = match kind {
            Kind::Table => Writer::Table(Sheet::default(), sink),
            Kind::Json => Writer::Json(Box::new(
                WriterBuilder::new().with_explicit_nulls(true).build::<_, LineDelimited>(sink),
            )),
            Kind::Csv => {
                // The names stand there without rows too.
                let mut writer = csv::WriterBuilder::new().with_header(true).build(sink);
                writer.write(&RecordBatch::new_empty(SchemaRef::clone(schema)))?;
                Writer::Csv(Box::new(writer))
            }
            Kind::Parquet => {
                let level = ZstdLevel::try_new(3)?;
                let how = WriterProperties::builder().set_compression(Compression::ZSTD(level)).build();
                Writer::Parquet(Box::new(ArrowWriter::try_new(sink, SchemaRef::clone(schema), Some(how))?))
            }
        };
        Ok(Self { writer, file, rows: 0 })
    }

    /// # Errors
    /// The rows cannot be written.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.rows += batch.num_rows() as u64;
        match &mut self.writer {
            Writer::Table(sheet, sink) => sink.write_all(sheet.rows(batch)?.as_bytes())?,
            Writer::Json(writer) => writer.write(batch)?,
            Writer::Csv(writer) => writer.write(batch)?,
            Writer::Parquet(writer) => writer.write(batch)?,
        }
        Ok(())
    }

    /// How many rows there were.
    ///
    /// # Errors
    /// The end cannot be written.
    pub fn finish(self) -> Result<u64> {
        match self.writer {
            Writer::Table(_, mut sink) => sink.flush()?,
            Writer::Json(mut writer) => {
                writer.finish()?;
                writer.into_inner().flush()?;
            }
            Writer::Csv(writer) => writer.into_inner().flush()?,
            Writer::Parquet(mut writer) => {
                writer.finish()?;
                writer.inner_mut().flush()?;
            }
        }
        if let Some(file) = self.file {
            fs::rename(&file.part, &file.path)
                .with_context(|| format!("cannot make {}", file.path.display()))?;
        }
        Ok(self.rows)
    }
}

/// A table for people: the first rows say how wide the columns are, so that
/// nothing waits for the last.
#[derive(Default)]
struct Sheet {
    widths: Option<Vec<usize>>,
}

const GAP: &str = "  ";

impl Sheet {
    fn rows(&mut self, batch: &RecordBatch) -> Result<String> {
        let mut text = String::new();
        if batch.num_rows() == 0 {
            return Ok(text);
        }
        let options = FormatOptions::new().with_null("-");
        let mut columns: Vec<Vec<String>> = Vec::new();
        for array in batch.columns() {
            let cells = ArrayFormatter::try_new(array, &options)?;
            columns.push((0..batch.num_rows()).map(|row| cells.value(row).to_string()).collect());
        }
        let schema = batch.schema();
        let is_first = self.widths.is_none();
        let widths = self.widths.get_or_insert_with(|| {
            let width = |(cells, field): (&Vec<String>, &_)| {
                let field: &std::sync::Arc<weir_query::datafusion::arrow::datatypes::Field> = field;
                let widest = cells.iter().map(|cell| cell.chars().count()).max().unwrap_or(0);
                widest.max(field.name().chars().count())
            };
            columns.iter().zip(schema.fields()).map(width).collect()
        });
        let mut line = |cells: &mut dyn Iterator<Item = &str>| {
            let padded = cells.zip(widths.iter()).zip(schema.fields()).map(|((cell, &width), field)| {
                if field.data_type().is_numeric() {
                    format!("{cell:>width$}")
                } else {
                    format!("{cell:<width$}")
                }
            });
            let joined = padded.collect::<Vec<_>>().join(GAP);
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{}", joined.trim_end());
        };
        if is_first {
            line(&mut schema.fields().iter().map(|field| field.name().as_str()));
        }
        for row in 0..batch.num_rows() {
            line(&mut columns.iter().map(|cells| cells.get(row).map_or("", String::as_str)));
        }
        Ok(text)
    }
}
