//! Where what was parsed goes: one stream, one file, or a folder with one file
//! an input.
//!
//! A file appears under its name once it is whole; until then `.part` is added
//! to it, and a file that could not be finished is removed.

use super::inputs::{Input, Place};
use super::plan::{Kind, Plan, Rendered};
use super::source::Opened;
use super::table::Table;
use crate::commands::HintExt;
use anyhow::{Context, Result, anyhow, bail};
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use weir_flow::columns::schema;
use weir_flow::field::Field;
use weir_flow::format::LogFormat;
use weir_flow::parquet::{Compression, Writer as ParquetWriter, WriterOptions};
use weir_flow::render;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    Stdout,
    File(PathBuf),
    /// One file an input, named after it, in the same folders below.
    Folder(PathBuf),
}

impl Target {
    /// A folder if it is one or ends like one.
    pub fn of(to: Option<&Path>) -> Self {
        match to {
            None => Self::Stdout,
            Some(path) if path == Path::new("-") => Self::Stdout,
            Some(path) if path.is_dir() || path.as_os_str().as_encoded_bytes().ends_with(b"/") => {
                Self::Folder(path.to_owned())
            }
            Some(path) => Self::File(path.to_owned()),
        }
    }

    /// Makes sure that nothing is written twice or over an input.
    pub fn check(&self, inputs: &[Input], kind: Kind) -> Result<()> {
        let mut written: HashMap<PathBuf, String> = HashMap::new();
        for input in inputs {
            let Some(path) = self.path(input, kind) else { return Ok(()) };
            let name = input.name();
            if let Place::File(own) = &input.place
                && let (Ok(own), Ok(other)) = (own.canonicalize(), path.canonicalize())
                && own == other
            {
                bail!("{} would be written over the input of that name", path.display());
            }
            if let Self::Folder(_) = self
                && let Some(other) = written.insert(path.clone(), name.clone())
            {
                return Err(anyhow!("{other} and {name} would both be written to {}", path.display()))
                    .hint("give their common folder as one argument");
            }
        }
        Ok(())
    }

    fn path(&self, input: &Input, kind: Kind) -> Option<PathBuf> {
        match self {
            Self::Stdout => None,
            Self::File(path) => Some(path.clone()),
            Self::Folder(folder) => Some(folder.join(output_name(&input.relative, kind))),
        }
    }
}

/// `a/b.log.gz` as `a/b.log.parquet` (as AWS names them), `a/b.json` and so on.
fn output_name(relative: &Path, kind: Kind) -> PathBuf {
    let name = relative.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let strip = |name: &str, endings: &[&str]| -> String {
        let found =
            endings.iter().find_map(|ending| name.strip_suffix(ending)).filter(|stem| !stem.is_empty());
        found.unwrap_or(name).to_owned()
    };
    let unpacked = strip(&name, &[".gz", ".zst", ".parquet"]);
    let stem = strip(&unpacked, &[".log", ".txt", ".json", ".csv"]);
    relative.with_file_name(match kind {
        Kind::Json => format!("{stem}.json"),
        Kind::Csv => format!("{stem}.csv"),
        Kind::Table => format!("{stem}.txt"),
        Kind::Text => format!("{stem}.log"),
        Kind::Parquet => format!("{stem}.log.parquet"),
        Kind::None => format!("{stem}.none"),
    })
}

/// Row groups of half the library's size, about that of DuckDB's: what the
/// writer keeps of one must leave memory below 64 MiB.
const WRITER_OPTIONS: WriterOptions =
    WriterOptions { compression: Compression::Gzip, row_group_rows: 1 << 17 };

/// Writes what the plan's blocks became.
pub struct Output {
    target: Target,
    plan: Plan,
    with_header: bool,
    table_columns: Option<usize>,
    current: Option<Current>,
}

struct Current {
    /// There until it is finished.
    sink: Option<Sink>,
    /// The unfinished file and its name to be.
    path: Option<(PathBuf, PathBuf)>,
}

enum Sink {
    Stream(Box<dyn Write + Send>),
    Table(Box<Table>, Box<dyn Write + Send>),
    Parquet(Box<ParquetWriter<BufWriter<Box<dyn Write + Send>>>>),
}

impl Output {
    /// `terminal_columns`: how wide a table may be, if it is on a terminal.
    pub fn new(target: Target, plan: Plan, with_header: bool, terminal_columns: Option<usize>) -> Self {
        Self { target, plan, with_header, table_columns: terminal_columns, current: None }
    }

    /// Begins an input: the first one only, unless each has its own file.
    pub fn begin(&mut self, opened: &Opened) -> Result<()> {
        if self.current.is_some() {
            return Ok(());
        }
        let path = self.target.path(&opened.input, self.plan.kind);
        let fields = self.plan.written(&opened.fields).to_vec();
        let part = path.as_ref().map(|path| {
            let mut name = path.as_os_str().to_owned();
            name.push(".part");
            PathBuf::from(name)
        });
        let file: Box<dyn Write + Send> = match &part {
            None => Box::new(io::stdout()),
            Some(part) => {
                let folder = part.parent().filter(|folder| !folder.as_os_str().is_empty());
                let made = folder.map_or(Ok(()), fs::create_dir_all).and_then(|()| File::create(part));
                Box::new(made.with_context(|| format!("cannot write {}", part.display()))?)
            }
        };
        let sink = match self.plan.kind {
            Kind::Parquet => {
                let writer = ParquetWriter::new(BufWriter::new(file), &fields, WRITER_OPTIONS)?;
                Sink::Parquet(Box::new(writer))
            }
            Kind::Table => {
                Sink::Table(Box::new(Table::new(&fields, self.table_columns, self.plan.extras)), file)
            }
            Kind::Json | Kind::Csv | Kind::Text | Kind::None => Sink::Stream(file),
        };
        let current = self.current.insert(Current { sink: Some(sink), path: part.zip(path) });
        if let (Some(Sink::Stream(out)), true) = (&mut current.sink, self.with_header) {
            out.write_all(&header(&self.plan, &fields)?)?;
        }
        Ok(())
    }

    pub fn write(&mut self, rendered: Rendered) -> Result<()> {
        let Some(sink) = self.current.as_mut().and_then(|current| current.sink.as_mut()) else {
            return Ok(());
        };
        match (sink, rendered) {
            (Sink::Stream(out), Rendered::Bytes(bytes)) => {
                out.write_all(&bytes)?;
                self.plan.buffers.give_back(bytes);
                // Nothing is kept back: somebody may be waiting at the end of a pipe.
                out.flush()?;
            }
            (Sink::Table(table, out), Rendered::Batch(batch)) => {
                out.write_all(table.rows(&batch).as_bytes())?;
                out.flush()?;
            }
            (Sink::Parquet(writer), Rendered::Batch(batch)) => writer.write(&batch)?,
            // A plan renders all blocks alike.
            (Sink::Stream(_), Rendered::Batch(_)) | (_, Rendered::Bytes(_)) => {}
        }
        Ok(())
    }

    /// Ends an input. `is_whole`: it was read to its end.
    pub fn end(&mut self, is_whole: bool) -> Result<()> {
        if !matches!(self.target, Target::Folder(_)) {
            return Ok(());
        }
        if is_whole {
            return self.finish();
        }
        // Half a file would look like a whole one.
        self.current = None;
        Ok(())
    }

    /// Ends the run: what is written is there to stay.
    pub fn finish(&mut self) -> Result<()> {
        let Some(mut current) = self.current.take() else { return Ok(()) };
        let Some(sink) = current.sink.take() else { return Ok(()) };
        let left_out = sink.finish()?;
        if let Some((part, path)) = &current.path {
            fs::rename(part, path).with_context(|| format!("cannot write {}", path.display()))?;
        }
        current.path = None;
        if !left_out.is_empty() {
            let names = left_out.join(", ");
            eprintln!("columns left out to fit the terminal: {names} (--fields or --output json show them)");
        }
        Ok(())
    }
}

impl Drop for Current {
    fn drop(&mut self) {
        if let Some((part, _)) = self.path.take() {
            // Whatever led here is what to tell, not this.
            drop(fs::remove_file(part));
        }
    }
}

impl Sink {
    /// Gives the names of columns that were left out.
    fn finish(self) -> Result<Vec<&'static str>> {
        match self {
            Self::Stream(mut out) => out.flush()?,
            Self::Table(table, mut out) => {
                out.flush()?;
                return Ok(table.left_out());
            }
            Self::Parquet(writer) => drop(writer.finish()?),
        }
        Ok(Vec::new())
    }
}

/// The line of names.
fn header(plan: &Plan, fields: &[Field]) -> Result<Vec<u8>> {
    let mut line = Vec::new();
    match plan.kind {
        Kind::Csv => render::csv_header(&schema(fields), plan.extras, &mut line),
        Kind::Text => {
            let format = match &plan.format {
                Some(format) => format.clone(),
                None => LogFormat::new(fields)?,
            };
            line = format.header().into_bytes();
            line.push(b'\n');
        }
        Kind::Json | Kind::Table | Kind::Parquet | Kind::None => {}
    }
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_are_named_after_inputs() {
        for (input, kind, output) in [
            ("a/b.log.gz", Kind::Parquet, "a/b.log.parquet"),
            ("a/b.log.parquet", Kind::Json, "a/b.json"),
            ("a/b.json", Kind::Text, "a/b.log"),
            ("b", Kind::Csv, "b.csv"),
            ("000000.gz", Kind::Parquet, "000000.log.parquet"),
            (".gz", Kind::Csv, ".gz.csv"),
        ] {
            assert_eq!(output_name(Path::new(input), kind), Path::new(output), "{input}");
        }
    }
}
