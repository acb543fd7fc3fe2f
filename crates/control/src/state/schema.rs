//! The schema, one for both databases, and how an older one becomes it.
//!
//! ```text
//! meta(key, value)                                          schema version, generation
//! resource(account, region, kind, id, parent, body)         one row a resource; body is JSON
//! resource_key(account, region, kind, name, value, id)      what else a resource is found by
//! tag(account, region, id, key, value)                      tags of any resource
//! ```
//!
//! A migration is a row here; rows that were released never change. A database
//! of a newer schema is refused.

use super::index;
use super::store::{Mode, Store};
use super::tx::Tx;
use crate::error::{ControlError, Result};

/// The databases' own words in the migrations below.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dialect {
    /// A text that is ordered by its bytes.
    pub text: &'static str,
    /// At the end of a table that is its primary key's index.
    pub by_key: &'static str,
}

/// `MIGRATIONS[n]` makes schema `n + 1` of schema `n`.
const MIGRATIONS: [&str; 2] = [
    "CREATE TABLE IF NOT EXISTS resource (
        account {text} NOT NULL, region {text} NOT NULL, kind {text} NOT NULL, id {text} NOT NULL,
        parent {text}, body {text} NOT NULL,
        PRIMARY KEY (account, region, kind, id)
    ){by_key};
    CREATE INDEX IF NOT EXISTS resource_by_parent ON resource (account, region, kind, parent);
    CREATE TABLE IF NOT EXISTS tag (
        account {text} NOT NULL, region {text} NOT NULL, id {text} NOT NULL,
        key {text} NOT NULL, value {text} NOT NULL,
        PRIMARY KEY (account, region, id, key)
    ){by_key};",
    "CREATE TABLE resource_key (
        account {text} NOT NULL, region {text} NOT NULL, kind {text} NOT NULL,
        name {text} NOT NULL, value {text} NOT NULL, id {text} NOT NULL,
        PRIMARY KEY (account, region, kind, name, value, id)
    ){by_key};
    CREATE INDEX resource_key_by_id ON resource_key (account, region, kind, id);
    CREATE INDEX resource_by_kind ON resource (kind, account, region, id);
    CREATE INDEX tag_by_value ON tag (account, region, key, value);",
];

/// The schema since which resources have rows in `resource_key`.
const KEYS_SINCE: usize = 2;

/// Makes the newest schema of whatever is there, in one transaction.
pub(super) fn prepare(store: &dyn Store, dialect: Dialect) -> Result<()> {
    let session = store.begin(Mode::Migration)?;
    let fill = |text: &str| text.replace("{text}", dialect.text).replace("{by_key}", dialect.by_key);
    session.batch(&fill(
        "CREATE TABLE IF NOT EXISTS meta (key {text} PRIMARY KEY, value BIGINT NOT NULL){by_key};",
    ))?;
    let mut found = None;
    session.query("SELECT CAST(value AS TEXT) FROM meta WHERE key = 'schema'", &[], &mut |row| {
        found = row.first().and_then(|text| text.parse::<usize>().ok());
        Ok(())
    })?;
    let newest = MIGRATIONS.len();
    if found == Some(newest) {
        return Ok(());
    }
    if found.is_some_and(|found| found > newest) {
        return Err(ControlError::fault(
            "InternalError",
            format!(
                "the state has schema {}, this version of Weir reads schemas up to {newest}",
                found.unwrap_or_default()
            ),
        ));
    }
    let start = found.unwrap_or(0);
    for migration in &MIGRATIONS[start..] {
        session.batch(&fill(migration))?;
    }
    if found.is_none() {
        session.batch("INSERT INTO meta VALUES ('schema', 0), ('generation', 0);")?;
    }
    session.batch(&format!("UPDATE meta SET value = {newest} WHERE key = 'schema';"))?;
    if (1..KEYS_SINCE).contains(&start) {
        index::rebuild(&Tx::new(&*session, ""))?;
    }
    session.commit(None)
}
