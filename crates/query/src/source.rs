//! Where the bytes of a table come from: objects, and who lists and reads them.

use crate::files::compression::Magic;
use async_trait::async_trait;
use bytes::Bytes;
use datafusion::catalog::Session;
use datafusion::error::Result;
use datafusion::logical_expr::Expr;
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::reader::{ChunkReader, Length};
use datafusion::scalar::ScalarValue;
use std::fmt::Debug;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Reads objects by key. One source stands for a folder, a bucket, and so on.
#[async_trait]
pub trait Source: Debug + Send + Sync {
    /// The bytes in `range` of an object; fewer only where it ends.
    ///
    /// # Errors
    /// It cannot be read.
    async fn read(&self, key: &str, range: Range<u64>) -> io::Result<Bytes>;

    /// The file that holds the object as it is, if it lies on this machine:
    /// such objects are read directly.
    fn file(&self, _key: &str) -> Option<PathBuf> {
        None
    }
}

/// How an object is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Lines, compressed or in JSON or not.
    Text,
    Parquet,
}

impl Kind {
    /// By the name alone: AWS writes `.log.gz` and `.log.parquet`.
    pub fn of_name(key: &str) -> Self {
        if key.ends_with(".parquet") { Self::Parquet } else { Self::Text }
    }
}

/// One object of a table.
#[derive(Debug, Clone)]
pub struct Object {
    pub source: Arc<dyn Source>,
    /// For the source.
    pub key: String,
    /// What messages call it.
    pub name: String,
    pub bytes: u64,
    pub kind: Kind,
    /// Values of the table's partition columns, in their order.
    pub partition: Vec<ScalarValue>,
    /// Between which seconds since 1970 all `start` and `end` of its records
    /// lie, both included, if that is known without opening it.
    pub seconds: Option<(i64, i64)>,
}

/// Knows the objects of a table.
#[async_trait]
pub trait Listing: Debug + Send + Sync {
    /// The objects that may have rows for which all `filters` hold. More is no
    /// harm: the table prunes by partition values and times itself. `filters`
    /// have the table's column names.
    ///
    /// # Errors
    /// The objects cannot be listed.
    async fn objects(&self, session: &dyn Session, filters: &[Expr]) -> Result<Vec<Object>>;

    /// Whether all objects are certainly text.
    fn is_text_only(&self) -> bool {
        false
    }
}

/// Objects that are known beforehand.
#[async_trait]
impl Listing for Vec<Object> {
    async fn objects(&self, _session: &dyn Session, _filters: &[Expr]) -> Result<Vec<Object>> {
        Ok(self.clone())
    }

    fn is_text_only(&self) -> bool {
        self.iter().all(|object| object.kind == Kind::Text)
    }
}

/// Files of this machine; keys are paths.
#[derive(Debug, Clone, Copy, Default)]
pub struct LocalFiles;

#[async_trait]
impl Source for LocalFiles {
    async fn read(&self, key: &str, range: Range<u64>) -> io::Result<Bytes> {
        read_range(&File::open(key)?, range)
    }

    fn file(&self, key: &str) -> Option<PathBuf> {
        Some(PathBuf::from(key))
    }
}

impl LocalFiles {
    /// The object of a file, without partition values. Which kind it is, its
    /// first bytes say.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn object(path: &Path) -> io::Result<Object> {
        let file = File::open(path)?;
        let bytes = file.metadata()?.len();
        let key = path.to_str().ok_or_else(|| {
            let message = format!("the name of {} is not UTF-8", path.display());
            io::Error::new(io::ErrorKind::InvalidInput, message)
        })?;
        let head = read_range(&file, 0..Magic::BYTES as u64)?;
        let kind = if Magic::of(&head) == Magic::Parquet { Kind::Parquet } else { Kind::Text };
        Ok(Object {
            source: Arc::new(Self),
            key: key.to_owned(),
            name: key.to_owned(),
            bytes,
            kind,
            partition: Vec::new(),
            seconds: None,
        })
    }
}

/// The bytes in `range` of a file; fewer only where it ends.
pub(crate) fn read_range(file: &File, range: Range<u64>) -> io::Result<Bytes> {
    use std::os::unix::fs::FileExt;
    let length = usize::try_from(range.end.saturating_sub(range.start))
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "a range larger than memory"))?;
    let mut bytes = vec![0; length];
    let mut filled = 0;
    while filled < length {
        let rest = bytes.get_mut(filled..).unwrap_or_default();
        match file.read_at(rest, range.start + filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(filled);
    Ok(Bytes::from(bytes))
}

/// The end of a file that is somewhere else: enough to read a Parquet footer.
pub(crate) struct Tail {
    pub(crate) bytes: Bytes,
    /// Where it begins in the file.
    pub(crate) from: u64,
}

impl Length for Tail {
    fn len(&self) -> u64 {
        self.from + self.bytes.len() as u64
    }
}

impl ChunkReader for Tail {
    type T = io::Cursor<Bytes>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        let rest = usize::try_from(self.len().saturating_sub(start)).unwrap_or(usize::MAX);
        Ok(io::Cursor::new(self.get_bytes(start, rest)?))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let begin = start.checked_sub(self.from).and_then(|begin| usize::try_from(begin).ok());
        let range = begin.and_then(|begin| Some(begin..begin.checked_add(length)?));
        match range {
            Some(range) if range.end <= self.bytes.len() => Ok(self.bytes.slice(range)),
            _ => Err(ParquetError::EOF("only the end of the file is there".to_owned())),
        }
    }
}
