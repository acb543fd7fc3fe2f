//! Buckets.

use super::error::index;
use super::{Error, Result, Store};
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::collections::BTreeMap;

/// A bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    pub name: String,
    /// The owner, twelve digits.
    pub account: String,
    pub region: String,
    /// Unix time in milliseconds.
    pub created_ms: i64,
    /// The bucket policy, as it was put.
    pub policy: Option<String>,
    pub tags: Option<BTreeMap<String, String>>,
}

const COLUMNS: &str = "name, account, region, created_ms, policy, tags";

fn bucket(row: &Row<'_>) -> rusqlite::Result<Bucket> {
    let tags: Option<String> = row.get(5)?;
    Ok(Bucket {
        name: row.get(0)?,
        account: row.get(1)?,
        region: row.get(2)?,
        created_ms: row.get(3)?,
        policy: row.get(4)?,
        tags: tags.and_then(|tags| serde_json::from_str(&tags).ok()),
    })
}

/// Errors: [`Error::NoSuchBucket`].
pub(super) fn exists(connection: &Connection, name: &str) -> Result<()> {
    let found: Option<i64> = connection
        .query_row("SELECT 1 FROM bucket WHERE name = ?1", [name], |row| row.get(0))
        .optional()
        .map_err(index("read"))?;
    found.map(drop).ok_or(Error::NoSuchBucket)
}

impl Store {
    /// Errors: [`Error::BucketAlreadyOwnedByYou`], [`Error::BucketAlreadyExists`].
    pub fn create_bucket(&self, new: &Bucket) -> Result<()> {
        self.transact(|tx| {
            let owner: Option<String> = tx
                .query_row("SELECT account FROM bucket WHERE name = ?1", [&new.name], |row| row.get(0))
                .optional()
                .map_err(index("read"))?;
            match owner {
                Some(owner) if owner == new.account => return Err(Error::BucketAlreadyOwnedByYou),
                Some(_) => return Err(Error::BucketAlreadyExists),
                None => {}
            }
            tx.execute(
                "INSERT INTO bucket (name, account, region, created_ms) VALUES (?1, ?2, ?3, ?4)",
                params![new.name, new.account, new.region, new.created_ms],
            )
            .map_err(index("write to"))?;
            Ok(())
        })
    }

    /// Errors: [`Error::NoSuchBucket`].
    pub fn bucket(&self, name: &str) -> Result<Bucket> {
        let sql = format!("SELECT {COLUMNS} FROM bucket WHERE name = ?1");
        let found = self.lock().query_row(&sql, [name], bucket).optional().map_err(index("read"))?;
        found.ok_or(Error::NoSuchBucket)
    }

    /// Those of an account, by name.
    pub fn buckets(&self, account: &str) -> Result<Vec<Bucket>> {
        let connection = self.lock();
        let sql = format!("SELECT {COLUMNS} FROM bucket WHERE account = ?1 ORDER BY name");
        let mut query = connection.prepare(&sql).map_err(index("read"))?;
        let rows = query.query_map([account], bucket).map_err(index("read"))?;
        rows.collect::<std::result::Result<_, _>>().map_err(index("read"))
    }

    /// Errors: [`Error::BucketNotEmpty`]. Unfinished uploads go with it.
    pub fn delete_bucket(&self, name: &str) -> Result<()> {
        let parts: Vec<String> = self.transact(|tx| {
            exists(tx, name)?;
            let object: Option<i64> = tx
                .query_row("SELECT 1 FROM object WHERE bucket = ?1 LIMIT 1", [name], |row| row.get(0))
                .optional()
                .map_err(index("read"))?;
            if object.is_some() {
                return Err(Error::BucketNotEmpty);
            }
            let of_bucket = "upload IN (SELECT id FROM upload WHERE bucket = ?1)";
            let mut query =
                tx.prepare(&format!("SELECT file FROM part WHERE {of_bucket}")).map_err(index("read"))?;
            let parts = query.query_map([name], |row| row.get(0)).map_err(index("read"))?;
            let parts = parts.collect::<std::result::Result<_, _>>().map_err(index("read"))?;
            for sql in [
                &format!("DELETE FROM part WHERE {of_bucket}"),
                "DELETE FROM upload WHERE bucket = ?1",
                "DELETE FROM setting WHERE bucket = ?1",
                "DELETE FROM bucket WHERE name = ?1",
            ] {
                tx.execute(sql, [name]).map_err(index("write to"))?;
            }
            Ok(parts)
        })?;
        parts.iter().for_each(|name| self.discard(name));
        Ok(())
    }

    /// The bucket policy, as it was put.
    ///
    /// Errors: [`Error::NoSuchBucket`], [`Error::NoSuchBucketPolicy`].
    pub fn policy(&self, name: &str) -> Result<String> {
        self.bucket(name)?.policy.ok_or(Error::NoSuchBucketPolicy)
    }

    /// Sets or removes the bucket policy.
    pub fn set_policy(&self, name: &str, policy: Option<&str>) -> Result<()> {
        self.set("UPDATE bucket SET policy = ?2 WHERE name = ?1", name, policy)
    }

    /// Sets the bucket policy if it still is `was`; whether it was.
    pub fn replace_policy(&self, name: &str, was: Option<&str>, policy: &str) -> Result<bool> {
        let sql = "UPDATE bucket SET policy = ?2 WHERE name = ?1 AND policy IS ?3";
        let changed =
            self.transact(|tx| tx.execute(sql, params![name, policy, was]).map_err(index("write to")))?;
        Ok(changed > 0)
    }

    /// Sets or removes the bucket's tags.
    pub fn set_bucket_tags(&self, name: &str, tags: Option<&BTreeMap<String, String>>) -> Result<()> {
        let tags = tags.map(serde_json::to_string).transpose()?;
        self.set("UPDATE bucket SET tags = ?2 WHERE name = ?1", name, tags.as_deref())
    }

    fn set(&self, sql: &str, name: &str, value: Option<&str>) -> Result<()> {
        let changed = self.transact(|tx| tx.execute(sql, params![name, value]).map_err(index("write to")))?;
        if changed == 0 { Err(Error::NoSuchBucket) } else { Ok(()) }
    }
}
