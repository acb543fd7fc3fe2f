//! What a bucket is told besides its policy and tags: one document a kind.

use super::bucket::exists;
use super::error::index;
use super::{Result, Store};
use rusqlite::{OptionalExtension, params};

/// What can be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting {
    Encryption,
    Lifecycle,
    OwnershipControls,
    PublicAccessBlock,
    Versioning,
}

impl Setting {
    fn name(self) -> &'static str {
        match self {
            Self::Encryption => "encryption",
            Self::Lifecycle => "lifecycle",
            Self::OwnershipControls => "ownership-controls",
            Self::PublicAccessBlock => "public-access-block",
            Self::Versioning => "versioning",
        }
    }
}

impl Store {
    /// The document, as it was put, if it was.
    ///
    /// Errors: [`super::Error::NoSuchBucket`].
    pub fn setting(&self, bucket: &str, setting: Setting) -> Result<Option<String>> {
        let connection = self.lock();
        exists(&connection, bucket)?;
        let sql = "SELECT document FROM setting WHERE bucket = ?1 AND name = ?2";
        let found = connection.query_row(sql, params![bucket, setting.name()], |row| row.get(0));
        found.optional().map_err(index("read"))
    }

    /// Sets or removes one.
    ///
    /// Errors: [`super::Error::NoSuchBucket`].
    pub fn set_setting(&self, bucket: &str, setting: Setting, document: Option<&str>) -> Result<()> {
        self.transact(|tx| {
            exists(tx, bucket)?;
            let done = match document {
                Some(document) => tx.execute(
                    "INSERT INTO setting VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET document = excluded.document",
                    params![bucket, setting.name(), document],
                ),
                None => tx.execute(
                    "DELETE FROM setting WHERE bucket = ?1 AND name = ?2",
                    params![bucket, setting.name()],
                ),
            };
            done.map(drop).map_err(index("write to"))
        })
    }

    /// Bucket and document of all buckets that have one.
    pub fn all_settings(&self, setting: Setting) -> Result<Vec<(String, String)>> {
        let connection = self.lock();
        let sql = "SELECT bucket, document FROM setting WHERE name = ?1 ORDER BY bucket";
        let mut query = connection.prepare(sql).map_err(index("read"))?;
        let rows =
            query.query_map([setting.name()], |row| Ok((row.get(0)?, row.get(1)?))).map_err(index("read"))?;
        rows.collect::<std::result::Result<_, _>>().map_err(index("read"))
    }
}
