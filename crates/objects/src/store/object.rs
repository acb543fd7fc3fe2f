//! Objects.

use super::bucket::exists;
use super::error::{file, index};
use super::{Error, Result, Store, Written};
use rusqlite::{OptionalExtension, Row, Transaction, params};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;

/// What an object is given besides its bytes, and gives back with them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Head {
    pub content_type: Option<String>,
    pub cache_control: Option<String>,
    pub content_disposition: Option<String>,
    pub content_encoding: Option<String>,
    pub content_language: Option<String>,
    /// As an HTTP date.
    pub expires: Option<String>,
    pub storage_class: Option<String>,
    pub server_side_encryption: Option<String>,
    pub kms_key_id: Option<String>,
    /// The user's metadata: names without `x-amz-meta-`.
    pub metadata: BTreeMap<String, String>,
    pub tags: BTreeMap<String, String>,
    /// By the name of the algorithm (`CRC32`), in base64.
    pub checksums: BTreeMap<String, String>,
    /// Of a multipart upload.
    pub parts: Option<u32>,
}

/// An object without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    pub key: String,
    /// The name of its file in the store.
    pub file: String,
    /// Bytes.
    pub size: u64,
    /// Without quotes.
    pub etag: String,
    /// Unix time in milliseconds.
    pub modified_ms: i64,
    pub head: Head,
}

/// What a write or a deletion asks of the object that is there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Unless {
    #[default]
    Never,
    /// `If-None-Match: *`
    Exists,
    /// `If-Match: *`
    Missing,
    /// `If-Match`: it has another entity tag, or is not there.
    NotEtag(String),
}

impl Unless {
    /// `etag` is of the object that is there.
    fn check(&self, etag: Option<&str>) -> Result<()> {
        match (self, etag) {
            (Self::Exists, Some(_)) => Err(Error::PreconditionFailed),
            (Self::Missing | Self::NotEtag(_), None) => Err(Error::NoSuchKey),
            (Self::NotEtag(wanted), Some(etag)) if wanted != etag => Err(Error::PreconditionFailed),
            _ => Ok(()),
        }
    }
}

/// File and entity tag of the object that is there.
fn current(tx: &Transaction<'_>, bucket: &str, key: &str) -> Result<Option<(String, String)>> {
    let sql = "SELECT file, etag FROM object WHERE bucket = ?1 AND key = ?2";
    let found = tx.query_row(sql, [bucket, key], |row| Ok((row.get(0)?, row.get(1)?)));
    found.optional().map_err(index("read"))
}

pub(super) const COLUMNS: &str = "key, file, size, etag, modified_ms, head";

pub(super) fn object(row: &Row<'_>) -> rusqlite::Result<Object> {
    let head: String = row.get(5)?;
    let size: i64 = row.get(2)?;
    Ok(Object {
        key: row.get(0)?,
        file: row.get(1)?,
        size: size.try_into().unwrap_or(0),
        etag: row.get(3)?,
        modified_ms: row.get(4)?,
        head: serde_json::from_str(&head).unwrap_or_default(),
    })
}

/// Puts the object into the index; gives the file that it takes the place of.
pub(super) fn put(
    tx: &Transaction<'_>,
    bucket: &str,
    key: &str,
    written: &Written,
    head: &Head,
    unless: &Unless,
    now_ms: i64,
) -> Result<Option<String>> {
    exists(tx, bucket)?;
    let before = current(tx, bucket, key)?;
    unless.check(before.as_ref().map(|(_, etag)| etag.as_str()))?;
    let size = i64::try_from(written.size).unwrap_or(i64::MAX);
    tx.execute(
        "INSERT INTO object VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO UPDATE SET
         file = excluded.file, size = excluded.size, etag = excluded.etag,
         modified_ms = excluded.modified_ms, head = excluded.head",
        params![bucket, key, written.name, size, written.etag, now_ms, serde_json::to_string(head)?],
    )
    .map_err(index("write to"))?;
    Ok(before.map(|(file, _)| file).filter(|file| *file != written.name))
}

impl Store {
    /// Makes the object of a written file. The file is removed if that fails.
    ///
    /// Errors: [`Error::NoSuchBucket`]; by `unless` [`Error::PreconditionFailed`]
    /// or [`Error::NoSuchKey`].
    pub fn put_object(
        &self,
        bucket: &str,
        key: &str,
        written: &Written,
        head: &Head,
        unless: &Unless,
        now_ms: i64,
    ) -> Result<()> {
        let put = self.transact(|tx| put(tx, bucket, key, written, head, unless, now_ms));
        match put {
            Ok(before) => {
                before.iter().for_each(|file| self.discard(file));
                Ok(())
            }
            Err(error) => {
                self.discard(&written.name);
                Err(error)
            }
        }
    }

    /// Errors: [`Error::NoSuchBucket`], [`Error::NoSuchKey`].
    pub fn object(&self, bucket: &str, key: &str) -> Result<Object> {
        let sql = format!("SELECT {COLUMNS} FROM object WHERE bucket = ?1 AND key = ?2");
        let found = self.lock().query_row(&sql, [bucket, key], object).optional().map_err(index("read"))?;
        match found {
            Some(object) => Ok(object),
            None => Err(self.bucket(bucket).err().unwrap_or(Error::NoSuchKey)),
        }
    }

    /// The object with its file. Whatever is written or deleted from then on, it is
    /// that object's.
    ///
    /// Errors: [`Error::NoSuchBucket`], [`Error::NoSuchKey`].
    pub fn open_object(&self, bucket: &str, key: &str) -> Result<(Object, File)> {
        let sql = format!("SELECT {COLUMNS} FROM object WHERE bucket = ?1 AND key = ?2");
        let found = {
            let connection = self.lock();
            let found = connection.query_row(&sql, [bucket, key], object).optional();
            // A file goes after its row has, so it cannot go here.
            let open = |object: Object| {
                let opened = File::open(self.path(&object.file)).map_err(file("open"));
                opened.map(|opened| (object, opened))
            };
            found.map_err(index("read"))?.map(open).transpose()?
        };
        found.ok_or_else(|| self.bucket(bucket).err().unwrap_or(Error::NoSuchKey))
    }

    /// Replaces the tags of an object.
    ///
    /// Errors: [`Error::NoSuchBucket`], [`Error::NoSuchKey`].
    pub fn set_tags(&self, bucket: &str, key: &str, tags: &BTreeMap<String, String>) -> Result<()> {
        let tags = serde_json::to_string(tags)?;
        let changed = self.transact(|tx| {
            let sql =
                "UPDATE object SET head = json_set(head, '$.tags', json(?3)) WHERE bucket = ?1 AND key = ?2";
            tx.execute(sql, params![bucket, key, tags]).map_err(index("write to"))
        })?;
        if changed == 0 { Err(self.bucket(bucket).err().unwrap_or(Error::NoSuchKey)) } else { Ok(()) }
    }

    /// Deletes objects; one that is not there counts as deleted unless its
    /// condition wants it. Says for each, in order, whether its condition held.
    ///
    /// Errors: [`Error::NoSuchBucket`]; of one object [`Error::PreconditionFailed`],
    /// [`Error::NoSuchKey`].
    pub fn delete_objects(&self, bucket: &str, wanted: &[(String, Unless)]) -> Result<Vec<Result<()>>> {
        let (done, files) = self.transact(|tx| {
            exists(tx, bucket)?;
            let (mut done, mut files) = (Vec::new(), Vec::new());
            for (key, unless) in wanted {
                let before = current(tx, bucket, key)?;
                let held = unless.check(before.as_ref().map(|(_, etag)| etag.as_str()));
                if held.is_ok()
                    && let Some((file, _)) = before
                {
                    let sql = "DELETE FROM object WHERE bucket = ?1 AND key = ?2";
                    tx.execute(sql, [bucket, key]).map_err(index("write to"))?;
                    files.push(file);
                }
                done.push(held);
            }
            Ok((done, files))
        })?;
        files.iter().for_each(|file| self.discard(file));
        Ok(done)
    }
}
