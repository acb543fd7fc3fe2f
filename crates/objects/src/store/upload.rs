//! Multipart uploads.

use super::bucket::exists;
use super::error::{file, index};
use super::object::{self, Head, Unless};
use super::{Error, Result, Store, Written};
use md5::{Digest, Md5};
use rusqlite::{OptionalExtension, Transaction, params};
use std::collections::BTreeMap;
use std::fs::File;
use std::io;

/// An upload that is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    pub id: String,
    pub key: String,
    /// Unix time in milliseconds.
    pub started_ms: i64,
}

/// One part of an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// 1 to 10,000.
    pub number: i32,
    pub file: String,
    /// Bytes.
    pub size: u64,
    /// Without quotes.
    pub etag: String,
    /// Unix time in milliseconds.
    pub modified_ms: i64,
    /// By the name of the algorithm, in base64: those that were given with it.
    pub checksums: BTreeMap<String, String>,
}

/// A part as a client names it at the end: what it says of it must be so.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    pub number: i32,
    pub etag: Option<String>,
    pub checksums: BTreeMap<String, String>,
}

/// All parts but the last have at least this size. Source: S3 user guide,
/// "Amazon S3 multipart upload limits".
const SMALLEST_PART_BYTES: u64 = 5 << 20;

impl Store {
    /// Errors: [`Error::NoSuchBucket`].
    pub fn create_upload(&self, bucket: &str, key: &str, head: &Head, now_ms: i64) -> Result<String> {
        let id = Self::new_name()?;
        self.transact(|tx| {
            exists(tx, bucket)?;
            tx.execute(
                "INSERT INTO upload VALUES (?1, ?2, ?3, ?4, ?5)",
                params![id, bucket, key, now_ms, serde_json::to_string(head)?],
            )
            .map_err(index("write to"))
        })?;
        Ok(id)
    }

    /// Puts a written file in the place of the part of this number.
    ///
    /// Errors: [`Error::NoSuchUpload`]; the file is removed.
    pub fn put_part(&self, bucket: &str, key: &str, id: &str, part: &Part) -> Result<()> {
        let put = self.transact(|tx| {
            head_of(tx, bucket, key, id)?;
            let before: Option<String> = tx
                .query_row(
                    "SELECT file FROM part WHERE upload = ?1 AND number = ?2",
                    params![id, part.number],
                    |row| row.get(0),
                )
                .optional()
                .map_err(index("read"))?;
            let size = i64::try_from(part.size).unwrap_or(i64::MAX);
            let checksums = serde_json::to_string(&part.checksums)?;
            tx.execute(
                "INSERT OR REPLACE INTO part VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![id, part.number, part.file, size, part.etag, part.modified_ms, checksums],
            )
            .map_err(index("write to"))?;
            Ok(before)
        });
        match put {
            Ok(before) => {
                before.iter().for_each(|name| self.discard(name));
                Ok(())
            }
            Err(error) => {
                self.discard(&part.file);
                Err(error)
            }
        }
    }

    /// The parts of an upload by number.
    ///
    /// Errors: [`Error::NoSuchUpload`].
    pub fn parts(&self, bucket: &str, key: &str, id: &str) -> Result<Vec<Part>> {
        self.transact(|tx| {
            head_of(tx, bucket, key, id)?;
            parts_of(tx, id)
        })
    }

    /// Uploads of a bucket, by key and id.
    pub fn uploads(&self, bucket: &str) -> Result<Vec<Upload>> {
        self.bucket(bucket)?;
        let connection = self.lock();
        let sql = "SELECT id, key, started_ms FROM upload WHERE bucket = ?1 ORDER BY key, id";
        let mut query = connection.prepare(sql).map_err(index("read"))?;
        let rows = query
            .query_map([bucket], |row| {
                Ok(Upload { id: row.get(0)?, key: row.get(1)?, started_ms: row.get(2)? })
            })
            .map_err(index("read"))?;
        rows.collect::<std::result::Result<_, _>>().map_err(index("read"))
    }

    /// Puts the named parts together to the object.
    ///
    /// Errors: [`Error::NoSuchUpload`], [`Error::InvalidPartOrder`],
    /// [`Error::InvalidPart`], [`Error::EntityTooSmall`], and those of `unless`.
    pub fn complete_upload(
        &self,
        bucket: &str,
        key: &str,
        id: &str,
        wanted: &[Wanted],
        unless: &Unless,
        now_ms: i64,
    ) -> Result<Written> {
        let (mut head, parts) = self.transact(|tx| Ok((head_of(tx, bucket, key, id)?, parts_of(tx, id)?)))?;
        let chosen = choose(&parts, wanted)?;
        head.parts = u32::try_from(chosen.len()).ok();
        let written = self.join(&chosen)?;
        let put = self.transact(|tx| {
            // Somebody else may have completed or aborted it meanwhile.
            head_of(tx, bucket, key, id)?;
            let before = object::put(tx, bucket, key, &written, &head, unless, now_ms)?;
            // And a part may have another file.
            let files = parts_of(tx, id)?.into_iter().map(|part| part.file);
            forget(tx, id)?;
            Ok(before.into_iter().chain(files).collect::<Vec<_>>())
        });
        match put {
            Ok(files) => {
                files.iter().for_each(|name| self.discard(name));
                Ok(written)
            }
            Err(error) => {
                self.discard(&written.name);
                Err(error)
            }
        }
    }

    /// Errors: [`Error::NoSuchUpload`].
    pub fn abort_upload(&self, bucket: &str, key: &str, id: &str) -> Result<()> {
        let parts = self.transact(|tx| {
            head_of(tx, bucket, key, id)?;
            let parts = parts_of(tx, id)?;
            forget(tx, id)?;
            Ok(parts)
        })?;
        parts.iter().for_each(|part| self.discard(&part.file));
        Ok(())
    }

    /// One file of all parts. Its entity tag is the MD5 of the parts' MD5s and
    /// how many there are.
    fn join(&self, parts: &[&Part]) -> Result<Written> {
        let name = Self::new_name()?;
        let done = (|| {
            let mut to = File::create(self.new_file(&name)?).map_err(file("write"))?;
            let (mut size, mut sums) = (0, Md5::new());
            for part in parts {
                let mut from = File::open(self.path(&part.file)).map_err(file("read"))?;
                size += io::copy(&mut from, &mut to).map_err(file("write"))?;
                sums.update(hex::decode(&part.etag).unwrap_or_default());
            }
            to.sync_all().map_err(file("sync"))?;
            self.sync_folder(&name)?;
            Ok(Written {
                name: name.clone(),
                size,
                etag: format!("{}-{}", hex::encode(sums.finalize()), parts.len()),
            })
        })();
        if done.is_err() {
            self.discard(&name);
        }
        done
    }

    /// Makes the name of a new file durable.
    pub fn sync_folder(&self, name: &str) -> Result<()> {
        let path = self.path(name);
        let Some(folder) = path.parent() else { return Ok(()) };
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(file("sync the folder of"))
    }
}

fn choose<'a>(parts: &'a [Part], wanted: &[Wanted]) -> Result<Vec<&'a Part>> {
    if !wanted.is_sorted_by(|a, b| a.number < b.number) {
        return Err(Error::InvalidPartOrder);
    }
    let mut chosen = Vec::new();
    for Wanted { number, etag, checksums } in wanted {
        let part = parts.iter().find(|part| part.number == *number).ok_or(Error::InvalidPart)?;
        let is_other =
            |(name, sum): (&String, &String)| part.checksums.get(name).is_some_and(|own| own != sum);
        if etag.as_ref().is_some_and(|etag| *etag != part.etag) || checksums.iter().any(is_other) {
            return Err(Error::InvalidPart);
        }
        chosen.push(part);
    }
    match chosen.split_last() {
        None => Err(Error::InvalidPart),
        Some((_, others)) if others.iter().any(|part| part.size < SMALLEST_PART_BYTES) => {
            Err(Error::EntityTooSmall)
        }
        Some(_) => Ok(chosen),
    }
}

fn head_of(tx: &Transaction<'_>, bucket: &str, key: &str, id: &str) -> Result<Head> {
    let sql = "SELECT head FROM upload WHERE id = ?1 AND bucket = ?2 AND key = ?3";
    let head: Option<String> =
        tx.query_row(sql, [id, bucket, key], |row| row.get(0)).optional().map_err(index("read"))?;
    Ok(serde_json::from_str(&head.ok_or(Error::NoSuchUpload)?)?)
}

fn parts_of(tx: &Transaction<'_>, id: &str) -> Result<Vec<Part>> {
    let sql =
        "SELECT number, file, size, etag, modified_ms, checksums FROM part WHERE upload = ?1 ORDER BY number";
    let mut query = tx.prepare_cached(sql).map_err(index("read"))?;
    let rows = query
        .query_map([id], |row| {
            let size: i64 = row.get(2)?;
            let checksums: Option<String> = row.get(5)?;
            Ok(Part {
                number: row.get(0)?,
                file: row.get(1)?,
                size: size.try_into().unwrap_or(0),
                etag: row.get(3)?,
                modified_ms: row.get(4)?,
                checksums: checksums.and_then(|sums| serde_json::from_str(&sums).ok()).unwrap_or_default(),
            })
        })
        .map_err(index("read"))?;
    rows.collect::<std::result::Result<_, _>>().map_err(index("read"))
}

fn forget(tx: &Transaction<'_>, id: &str) -> Result<()> {
    tx.execute("DELETE FROM part WHERE upload = ?1", [id]).map_err(index("write to"))?;
    tx.execute("DELETE FROM upload WHERE id = ?1", [id]).map_err(index("write to"))?;
    Ok(())
}
