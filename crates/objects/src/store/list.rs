//! Listing: keys in order, with what shares a prefix rolled up.

use super::error::index;
use super::object::{COLUMNS, object};
use super::{Object, Result, Store};
use rusqlite::params;

/// What is asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    pub prefix: String,
    /// Keys that have it after the prefix are rolled up to it.
    pub delimiter: Option<String>,
    /// Only what comes after this key (or rolled-up prefix).
    pub after: String,
    pub max: usize,
}

/// A key, or a prefix that stands for all keys that begin with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listed {
    Object(Box<Object>),
    Prefix(String),
}

impl Listed {
    /// What the next page begins after.
    pub fn name(&self) -> &str {
        match self {
            Self::Object(object) => &object.key,
            Self::Prefix(prefix) => prefix,
        }
    }
}

/// Rows read at a time.
const BATCH: i64 = 1000;

/// Greater than every character, so that `prefix` with it comes after all keys
/// that begin with `prefix`.
const LAST: char = '\u{10ffff}';

impl Store {
    /// One page, and whether there is more.
    ///
    /// Errors: [`Error::NoSuchBucket`](super::Error::NoSuchBucket).
    pub fn list(&self, bucket: &str, page: &Page) -> Result<(Vec<Listed>, bool)> {
        self.bucket(bucket)?;
        let mut found = Vec::new();
        let mut after = page.after.clone();
        // A prefix that was given out stands for everything below it.
        if let Some(rolled) = rolled_up(&after, &page.prefix, page.delimiter.as_deref()) {
            after = format!("{rolled}{LAST}");
        }
        // After a jump, the next row is likely to be rolled up too.
        let mut limit = if page.delimiter.is_some() { 1 } else { BATCH };
        loop {
            let batch = self.batch(bucket, &page.prefix, &after, limit)?;
            let is_last = (batch.len() as i64) < limit;
            limit = (limit * 8).min(BATCH);
            let mut jumped = false;
            for object in batch {
                if found.len() == page.max {
                    return Ok((found, true));
                }
                match rolled_up(&object.key, &page.prefix, page.delimiter.as_deref()) {
                    Some(prefix) => {
                        after = format!("{prefix}{LAST}");
                        limit = 1;
                        found.push(Listed::Prefix(prefix));
                        jumped = true;
                        break;
                    }
                    None => {
                        after.clone_from(&object.key);
                        found.push(Listed::Object(Box::new(object)));
                    }
                }
            }
            if is_last && !jumped {
                return Ok((found, false));
            }
        }
    }

    fn batch(&self, bucket: &str, prefix: &str, after: &str, limit: i64) -> Result<Vec<Object>> {
        let connection = self.lock();
        let sql = format!(
            "SELECT {COLUMNS} FROM object
             WHERE bucket = ?1 AND key > ?2 AND key >= ?3 AND key < ?4 ORDER BY key LIMIT ?5"
        );
        let mut query = connection.prepare_cached(&sql).map_err(index("read"))?;
        let end = format!("{prefix}{LAST}");
        let rows =
            query.query_map(params![bucket, after, prefix, end, limit], object).map_err(index("read"))?;
        rows.collect::<std::result::Result<_, _>>().map_err(index("read"))
    }
}

/// The prefix that a key is rolled up to.
pub(crate) fn rolled_up(key: &str, prefix: &str, delimiter: Option<&str>) -> Option<String> {
    let delimiter = delimiter.filter(|delimiter| !delimiter.is_empty())?;
    let rest = key.strip_prefix(prefix)?;
    let at = rest.find(delimiter)?;
    key.get(..prefix.len() + at + delimiter.len()).map(str::to_owned)
}
