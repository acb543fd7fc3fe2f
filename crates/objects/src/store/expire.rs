//! Deleting what has become too old.

use super::error::index;
use super::object::{COLUMNS, object};
use super::{Error, Object, Result, Store};
use rusqlite::params;

/// Objects in one transaction.
const AT_ONCE: i64 = 1000;

impl Store {
    /// Deletes the objects below `prefix` that were last written before `before_ms`
    /// (Unix time, milliseconds) and that `is_meant` takes; says how many.
    pub fn expire_objects(
        &self,
        bucket: &str,
        prefix: &str,
        before_ms: i64,
        is_meant: impl Fn(&Object) -> bool,
    ) -> Result<usize> {
        let mut after = String::new();
        let mut count = 0;
        loop {
            let (last, files) = self.transact(|tx| {
                let sql = format!(
                    "SELECT {COLUMNS} FROM object WHERE bucket = ?1 AND key > ?2
                     AND substr(key, 1, length(?3)) = ?3 AND modified_ms < ?4 ORDER BY key LIMIT {AT_ONCE}"
                );
                let mut query = tx.prepare(&sql).map_err(index("read"))?;
                let rows = query
                    .query_map(params![bucket, after, prefix, before_ms], object)
                    .map_err(index("read"))?;
                let found = rows.collect::<std::result::Result<Vec<Object>, _>>().map_err(index("read"))?;
                let mut files = Vec::new();
                for object in found.iter().filter(|object| is_meant(object)) {
                    let sql = "DELETE FROM object WHERE bucket = ?1 AND key = ?2";
                    tx.execute(sql, params![bucket, object.key]).map_err(index("write to"))?;
                    files.push(object.file.clone());
                }
                Ok((found.last().map(|object| object.key.clone()), files))
            })?;
            files.iter().for_each(|file| self.discard(file));
            count += files.len();
            match last {
                Some(last) => after = last,
                None => return Ok(count),
            }
        }
    }

    /// Aborts the multipart uploads below `prefix` that began before `before_ms`;
    /// says how many.
    pub fn expire_uploads(&self, bucket: &str, prefix: &str, before_ms: i64) -> Result<usize> {
        let old: Vec<(String, String)> = {
            let connection = self.lock();
            let sql = "SELECT id, key FROM upload WHERE bucket = ?1
                       AND substr(key, 1, length(?2)) = ?2 AND started_ms < ?3";
            let mut query = connection.prepare(sql).map_err(index("read"))?;
            let rows = query
                .query_map(params![bucket, prefix, before_ms], |row| Ok((row.get(0)?, row.get(1)?)))
                .map_err(index("read"))?;
            rows.collect::<std::result::Result<_, _>>().map_err(index("read"))?
        };
        let mut count = 0;
        for (upload, key) in &old {
            match self.abort_upload(bucket, key, upload) {
                Ok(()) => count += 1,
                // Completed or aborted meanwhile.
                Err(Error::NoSuchUpload) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(count)
    }
}
