//! One transaction: typed reads and writes, noting whether anything changed.

use crate::error::{ControlError, Result};
use rusqlite::{OptionalExtension, params};
use serde::{Serialize, de::DeserializeOwned};
use std::cell::Cell;
use std::collections::BTreeMap;
use weir_types::arn::Arn;
use weir_types::time::UnixMillis;

/// The part of the state an action sees: one account in one region.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Scope {
    /// Twelve digits.
    pub account: String,
    pub region: String,
}

impl Scope {
    /// The region under which global services (IAM) keep their resources.
    pub const GLOBAL: &'static str = "aws-global";

    pub fn new(account: impl Into<String>, region: impl Into<String>) -> Self {
        Self { account: account.into(), region: region.into() }
    }

    /// The same account's global part.
    pub fn global(&self) -> Self {
        Self::new(self.account.clone(), Self::GLOBAL)
    }

    /// An ARN of this account and region.
    pub fn arn(&self, service: &str, resource: impl Into<String>) -> Arn {
        Arn::new(service, &self.region, &self.account, resource)
    }
}

/// What a control-plane function works with.
#[derive(Clone, Copy)]
pub struct Cx<'a> {
    pub tx: &'a Tx<'a>,
    pub scope: &'a Scope,
    pub now: UnixMillis,
}

/// A kind of thing that rests in the state, as JSON.
pub trait Resource: Serialize + DeserializeOwned {
    /// The kind's name in the state, such as `vpc`. Never changes.
    const KIND: &'static str;
    /// Unique within kind, account and region.
    fn id(&self) -> &str;
    /// What it is found by besides its id, usually its VPC's id.
    fn parent(&self) -> Option<&str> {
        None
    }
}

/// An open transaction.
pub struct Tx<'a> {
    sql: &'a rusqlite::Transaction<'a>,
    changed: Cell<bool>,
}

type Tags = BTreeMap<String, String>;

fn reading(source: rusqlite::Error) -> ControlError {
    ControlError::State { operation: "read", source }
}

fn writing(source: rusqlite::Error) -> ControlError {
    ControlError::State { operation: "write to", source }
}

impl<'a> Tx<'a> {
    pub(super) fn new(sql: &'a rusqlite::Transaction<'a>) -> Self {
        Self { sql, changed: Cell::new(false) }
    }

    /// The resource with this id, if it exists.
    pub fn get<R: Resource>(&self, scope: &Scope, id: &str) -> Result<Option<R>> {
        let body: Option<String> = self
            .sql
            .prepare_cached(
                "SELECT body FROM resource WHERE account = ?1 AND region = ?2 AND kind = ?3 AND id = ?4",
            )
            .and_then(|mut query| {
                query
                    .query_row(params![scope.account, scope.region, R::KIND, id], |row| row.get(0))
                    .optional()
            })
            .map_err(reading)?;
        body.map(|body| decode(id, &body)).transpose()
    }

    /// All resources of a kind, ordered by id.
    pub fn list<R: Resource>(&self, scope: &Scope) -> Result<Vec<R>> {
        self.rows(
            "SELECT id, body FROM resource WHERE account = ?1 AND region = ?2 AND kind = ?3 ORDER BY id",
            params![scope.account, scope.region, R::KIND],
        )
    }

    /// The resources of a kind with this parent, ordered by id.
    pub fn list_in<R: Resource>(&self, scope: &Scope, parent: &str) -> Result<Vec<R>> {
        self.rows(
            "SELECT id, body FROM resource
             WHERE account = ?1 AND region = ?2 AND kind = ?3 AND parent = ?4 ORDER BY id",
            params![scope.account, scope.region, R::KIND, parent],
        )
    }

    /// All resources of a kind in every account and region, with their scopes.
    pub fn list_everywhere<R: Resource>(&self) -> Result<Vec<(Scope, R)>> {
        let mut query = self
            .sql
            .prepare_cached("SELECT account, region, id, body FROM resource WHERE kind = ?1 ORDER BY 1, 2, 3")
            .map_err(reading)?;
        let mut rows = query.query([R::KIND]).map_err(reading)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(reading)? {
            let field = |index| row.get::<_, String>(index).map_err(reading);
            found.push((Scope::new(field(0)?, field(1)?), decode(&field(2)?, &field(3)?)?));
        }
        Ok(found)
    }

    fn rows<R: Resource>(&self, sql: &str, values: impl rusqlite::Params) -> Result<Vec<R>> {
        let mut query = self.sql.prepare_cached(sql).map_err(reading)?;
        let mut rows = query.query(values).map_err(reading)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(reading)? {
            let id: String = row.get(0).map_err(reading)?;
            let body: String = row.get(1).map_err(reading)?;
            found.push(decode(&id, &body)?);
        }
        Ok(found)
    }

    /// Stores a resource, replacing one with the same id.
    pub fn put<R: Resource>(&self, scope: &Scope, resource: &R) -> Result<()> {
        let id = resource.id();
        let body = serde_json::to_string(resource).map_err(|source| ControlError::Unreadable {
            kind: R::KIND,
            id: id.to_owned(),
            source,
        })?;
        self.sql
            .prepare_cached(
                "INSERT INTO resource VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT DO UPDATE SET parent = excluded.parent, body = excluded.body",
            )
            .and_then(|mut query| {
                query.execute(params![scope.account, scope.region, R::KIND, id, resource.parent(), body])
            })
            .map_err(writing)?;
        self.changed.set(true);
        Ok(())
    }

    /// Removes a resource and its tags; whether it was there.
    pub fn delete<R: Resource>(&self, scope: &Scope, id: &str) -> Result<bool> {
        let gone = self
            .sql
            .prepare_cached(
                "DELETE FROM resource WHERE account = ?1 AND region = ?2 AND kind = ?3 AND id = ?4",
            )
            .and_then(|mut query| query.execute(params![scope.account, scope.region, R::KIND, id]))
            .map_err(writing)?;
        self.sql
            .prepare_cached("DELETE FROM tag WHERE account = ?1 AND region = ?2 AND id = ?3")
            .and_then(|mut query| query.execute(params![scope.account, scope.region, id]))
            .map_err(writing)?;
        if gone > 0 {
            self.changed.set(true);
        }
        Ok(gone > 0)
    }

    /// The tags of a resource, by key.
    pub fn tags(&self, scope: &Scope, id: &str) -> Result<Tags> {
        let mut query = self
            .sql
            .prepare_cached("SELECT key, value FROM tag WHERE account = ?1 AND region = ?2 AND id = ?3")
            .map_err(reading)?;
        query
            .query_map(params![scope.account, scope.region, id], |row| Ok((row.get(0)?, row.get(1)?)))
            .and_then(Iterator::collect)
            .map_err(reading)
    }

    /// Every tag of the account and region: resource id, key, value.
    pub fn all_tags(&self, scope: &Scope) -> Result<Vec<(String, String, String)>> {
        let mut query = self
            .sql
            .prepare_cached("SELECT id, key, value FROM tag WHERE account = ?1 AND region = ?2 ORDER BY 1, 2")
            .map_err(reading)?;
        query
            .query_map(params![scope.account, scope.region], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .and_then(Iterator::collect)
            .map_err(reading)
    }

    pub(crate) fn put_tag(&self, scope: &Scope, id: &str, key: &str, value: &str) -> Result<()> {
        self.sql
            .prepare_cached("INSERT OR REPLACE INTO tag VALUES (?1, ?2, ?3, ?4, ?5)")
            .and_then(|mut query| query.execute(params![scope.account, scope.region, id, key, value]))
            .map_err(writing)?;
        self.changed.set(true);
        Ok(())
    }

    /// `value` given: removed only if the tag has it.
    pub(crate) fn delete_tag(&self, scope: &Scope, id: &str, key: &str, value: Option<&str>) -> Result<()> {
        self.sql
            .prepare_cached(
                "DELETE FROM tag WHERE account = ?1 AND region = ?2 AND id = ?3 AND key = ?4
                 AND (?5 IS NULL OR value = ?5)",
            )
            .and_then(|mut query| query.execute(params![scope.account, scope.region, id, key, value]))
            .map_err(writing)?;
        self.changed.set(true);
        Ok(())
    }

    /// The generation as of this transaction's start.
    pub fn generation(&self) -> Result<u64> {
        let found: i64 = self
            .sql
            .query_row("SELECT value FROM meta WHERE key = 'generation'", [], |row| row.get(0))
            .map_err(reading)?;
        Ok(found.unsigned_abs())
    }

    /// Counts the generation up if this transaction changed something.
    pub(super) fn changed_generation(&self) -> Result<Option<u64>> {
        if !self.changed.get() {
            return Ok(None);
        }
        self.sql
            .execute("UPDATE meta SET value = value + 1 WHERE key = 'generation'", [])
            .map_err(writing)?;
        self.generation().map(Some)
    }

    /// Removes what accounts have, and sessions. The server's own keys, which
    /// rest in no account, stay: its agent goes on signing with them.
    pub(super) fn clear(&self) -> Result<()> {
        let sql = "DELETE FROM resource WHERE account <> '' OR parent = 'session'; DELETE FROM tag;";
        self.sql.execute_batch(sql).map_err(writing)?;
        self.changed.set(true);
        Ok(())
    }
}

fn decode<R: Resource>(id: &str, body: &str) -> Result<R> {
    serde_json::from_str(body).map_err(|source| ControlError::Unreadable {
        kind: R::KIND,
        id: id.to_owned(),
        source,
    })
}
