//! One transaction: typed reads and writes, noting whether anything changed.

use super::index::Index;
use super::store::Session;
use crate::error::{ControlError, Result};
use serde::{Serialize, de::DeserializeOwned};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
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
    /// Whether a new or a changed one is a new generation, of which the agent and
    /// the publisher are told. Not so for what they themselves cause by working.
    const IS_NEWS: bool = true;
    /// How Describe's filters find it without reading all of the kind.
    const INDEX: Index = Index::NONE;
    /// Names out of [`Resource::INDEX`] with its values.
    fn keys(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}

/// An open transaction.
pub struct Tx<'a> {
    session: &'a dyn Session,
    host: &'a str,
    /// Whether anything was written, and whether somebody is to be told.
    changed: Cell<bool>,
    news: Cell<bool>,
    known_tags: RefCell<KnownTags>,
}

/// Tags by key.
type Tags = BTreeMap<String, String>;

/// Tags that were read at once, because many were asked for one by one.
#[derive(Default)]
struct KnownTags {
    single_reads: usize,
    all: Option<(Scope, BTreeMap<String, Tags>)>,
}

/// After so many reads of one resource's tags all of the account's are read.
const SINGLE_READS: usize = 64;

/// Ids in one statement, at most.
const MANY: usize = 256;

impl<'a> Tx<'a> {
    pub(super) fn new(session: &'a dyn Session, host: &'a str) -> Self {
        Self {
            session,
            host,
            changed: Cell::new(false),
            news: Cell::new(false),
            known_tags: RefCell::default(),
        }
    }

    /// Which of the servers that share the state this is: empty if they do not.
    pub fn host(&self) -> &str {
        self.host
    }

    /// The resource with this id, if it exists.
    pub fn get<R: Resource>(&self, scope: &Scope, id: &str) -> Result<Option<R>> {
        let found: Vec<R> = self.rows(
            "SELECT id, body FROM resource WHERE account = $1 AND region = $2 AND kind = $3 AND id = $4",
            &[&scope.account, &scope.region, R::KIND, id],
        )?;
        Ok(found.into_iter().next())
    }

    /// The resources with these ids, those that exist, ordered by id.
    pub fn get_many<R: Resource>(&self, scope: &Scope, ids: &[&str]) -> Result<Vec<R>> {
        let ids: Vec<&str> = ids.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
        let mut found = Vec::new();
        for chunk in ids.chunks(MANY) {
            let (marks, chunk) = marks(4, chunk);
            let sql = format!(
                "SELECT id, body FROM resource
                 WHERE account = $1 AND region = $2 AND kind = $3 AND id IN ({marks}) ORDER BY id"
            );
            let values: Vec<&str> =
                [&scope.account, &scope.region, R::KIND].into_iter().chain(chunk).collect();
            found.extend(self.rows(&sql, &values)?);
        }
        Ok(found)
    }

    /// All resources of a kind, ordered by id.
    pub fn list<R: Resource>(&self, scope: &Scope) -> Result<Vec<R>> {
        self.rows(
            "SELECT id, body FROM resource WHERE account = $1 AND region = $2 AND kind = $3 ORDER BY id",
            &[&scope.account, &scope.region, R::KIND],
        )
    }

    /// The resources of a kind with this parent, ordered by id.
    pub fn list_in<R: Resource>(&self, scope: &Scope, parent: &str) -> Result<Vec<R>> {
        self.rows(
            "SELECT id, body FROM resource
             WHERE account = $1 AND region = $2 AND kind = $3 AND parent = $4 ORDER BY id",
            &[&scope.account, &scope.region, R::KIND, parent],
        )
    }

    /// How many resources of a kind have this parent.
    pub fn count_in<R: Resource>(&self, scope: &Scope, parent: &str) -> Result<usize> {
        let mut count = 0;
        self.session.query(
            "SELECT CAST(count(*) AS TEXT) FROM resource
             WHERE account = $1 AND region = $2 AND kind = $3 AND parent = $4",
            &[Some(&scope.account), Some(&scope.region), Some(R::KIND), Some(parent)],
            &mut |row| {
                count = row.first().and_then(|text| text.parse().ok()).unwrap_or(0);
                Ok(())
            },
        )?;
        Ok(count)
    }

    /// The resources of a kind that have one of `values` under one of the names
    /// of [`Resource::INDEX`]'s keys, ordered by id.
    pub fn list_by<R: Resource>(&self, scope: &Scope, name: &str, values: &[&str]) -> Result<Vec<R>> {
        debug_assert!(R::INDEX.keys.contains(&name), "{} has no key {name}", R::KIND);
        let mut found = BTreeMap::new();
        for chunk in values.chunks(MANY) {
            let (marks, chunk) = marks(5, chunk);
            let sql = format!(
                "SELECT r.id, r.body FROM resource_key k JOIN resource r
                   ON r.account = k.account AND r.region = k.region AND r.kind = k.kind AND r.id = k.id
                 WHERE k.account = $1 AND k.region = $2 AND k.kind = $3 AND k.name = $4
                   AND k.value IN ({marks})"
            );
            let asked = [scope.account.as_str(), &scope.region, R::KIND, name];
            let asked: Vec<&str> = asked.into_iter().chain(chunk).collect();
            for resource in self.rows::<R>(&sql, &asked)? {
                found.insert(resource.id().to_owned(), resource);
            }
        }
        Ok(found.into_values().collect())
    }

    /// All resources of a kind in every account and region, with their scopes.
    pub fn list_everywhere<R: Resource>(&self) -> Result<Vec<(Scope, R)>> {
        let sql = "SELECT account, region, id, body FROM resource WHERE kind = $1 ORDER BY 1, 2, 3";
        let mut found = Vec::new();
        self.session.query(sql, &[Some(R::KIND)], &mut |row| {
            if let [account, region, id, body] = row {
                found.push((Scope::new(*account, *region), decode(id, body)?));
            }
            Ok(())
        })?;
        Ok(found)
    }

    fn rows<R: Resource>(&self, sql: &str, values: &[&str]) -> Result<Vec<R>> {
        let values: Vec<Option<&str>> = values.iter().copied().map(Some).collect();
        let mut found = Vec::new();
        self.session.query(sql, &values, &mut |row| {
            if let [id, body] = row {
                found.push(decode(id, body)?);
            }
            Ok(())
        })?;
        Ok(found)
    }

    fn write(&self, sql: &str, values: &[Option<&str>]) -> Result<u64> {
        if !self.changed.get() {
            self.session.before_write()?;
        }
        let rows = self.session.execute(sql, values)?;
        if rows > 0 {
            self.changed.set(true);
            self.news.set(true);
        }
        Ok(rows)
    }

    /// Stores a resource, replacing one with the same id.
    pub fn put<R: Resource>(&self, scope: &Scope, resource: &R) -> Result<()> {
        let id = resource.id();
        let body = serde_json::to_string(resource).map_err(|source| ControlError::Unreadable {
            kind: R::KIND,
            id: id.to_owned(),
            source,
        })?;
        let (account, region) = (Some(scope.account.as_str()), Some(scope.region.as_str()));
        let news = self.news.get() || R::IS_NEWS;
        self.write(
            "INSERT INTO resource VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (account, region, kind, id) DO UPDATE SET parent = excluded.parent, body = excluded.body",
            &[account, region, Some(R::KIND), Some(id), resource.parent(), Some(&body)],
        )?;
        self.news.set(news);
        if R::INDEX.keys.is_empty() {
            return Ok(());
        }
        let wanted: BTreeSet<(String, String)> =
            resource.keys().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let mut present = BTreeSet::new();
        self.session.query(
            "SELECT name, value FROM resource_key WHERE account = $1 AND region = $2 AND kind = $3 AND id = $4",
            &[account, region, Some(R::KIND), Some(id)],
            &mut |row| {
                if let [name, value] = row {
                    present.insert(((*name).to_owned(), (*value).to_owned()));
                }
                Ok(())
            },
        )?;
        for (name, value) in present.difference(&wanted) {
            self.write(
                "DELETE FROM resource_key
                 WHERE account = $1 AND region = $2 AND kind = $3 AND name = $4 AND value = $5 AND id = $6",
                &[account, region, Some(R::KIND), Some(name), Some(value), Some(id)],
            )?;
        }
        for (name, value) in wanted.difference(&present) {
            self.write(
                "INSERT INTO resource_key VALUES ($1, $2, $3, $4, $5, $6)",
                &[account, region, Some(R::KIND), Some(name), Some(value), Some(id)],
            )?;
        }
        Ok(())
    }

    /// Removes a resource and its tags; whether it was there.
    pub fn delete<R: Resource>(&self, scope: &Scope, id: &str) -> Result<bool> {
        let (account, region) = (Some(scope.account.as_str()), Some(scope.region.as_str()));
        let news = self.news.get() || R::IS_NEWS;
        let gone = self.write(
            "DELETE FROM resource WHERE account = $1 AND region = $2 AND kind = $3 AND id = $4",
            &[account, region, Some(R::KIND), Some(id)],
        )?;
        if !R::INDEX.keys.is_empty() {
            self.write(
                "DELETE FROM resource_key WHERE account = $1 AND region = $2 AND kind = $3 AND id = $4",
                &[account, region, Some(R::KIND), Some(id)],
            )?;
        }
        self.news.set(news && (gone > 0 || self.news.get()));
        self.known_tags.take();
        self.write(
            "DELETE FROM tag WHERE account = $1 AND region = $2 AND id = $3",
            &[account, region, Some(id)],
        )?;
        Ok(gone > 0)
    }

    /// The tags of a resource, by key.
    pub fn tags(&self, scope: &Scope, id: &str) -> Result<Tags> {
        let reads = {
            let mut known = self.known_tags.borrow_mut();
            known.single_reads += 1;
            if let Some((of, all)) = &known.all
                && of == scope
            {
                return Ok(all.get(id).cloned().unwrap_or_default());
            }
            known.single_reads
        };
        if reads > SINGLE_READS {
            let mut all: BTreeMap<String, Tags> = BTreeMap::new();
            for (id, key, value) in self.all_tags(scope)? {
                all.entry(id).or_default().insert(key, value);
            }
            let found = all.get(id).cloned().unwrap_or_default();
            self.known_tags.borrow_mut().all = Some((scope.clone(), all));
            return Ok(found);
        }
        let mut found = Tags::new();
        self.session.query(
            "SELECT key, value FROM tag WHERE account = $1 AND region = $2 AND id = $3",
            &[Some(&scope.account), Some(&scope.region), Some(id)],
            &mut |row| {
                if let [key, value] = row {
                    found.insert((*key).to_owned(), (*value).to_owned());
                }
                Ok(())
            },
        )?;
        Ok(found)
    }

    /// The tags of these resources, of those that have some.
    pub fn tags_of(&self, scope: &Scope, ids: &[&str]) -> Result<BTreeMap<String, Tags>> {
        let mut found: BTreeMap<String, Tags> = BTreeMap::new();
        for chunk in ids.chunks(MANY) {
            let (marks, chunk) = marks(3, chunk);
            let sql = format!(
                "SELECT id, key, value FROM tag WHERE account = $1 AND region = $2 AND id IN ({marks})"
            );
            let asked = [scope.account.as_str(), scope.region.as_str()].into_iter().chain(chunk);
            self.session.query(&sql, &asked.map(Some).collect::<Vec<_>>(), &mut |row| {
                if let [id, key, value] = row {
                    found.entry((*id).to_owned()).or_default().insert((*key).to_owned(), (*value).to_owned());
                }
                Ok(())
            })?;
        }
        Ok(found)
    }

    /// Every tag of the account and region: resource id, key, value.
    pub fn all_tags(&self, scope: &Scope) -> Result<Vec<(String, String, String)>> {
        let mut found = Vec::new();
        self.session.query(
            "SELECT id, key, value FROM tag WHERE account = $1 AND region = $2 ORDER BY 1, 2",
            &[Some(&scope.account), Some(&scope.region)],
            &mut |row| {
                if let [id, key, value] = row {
                    found.push(((*id).to_owned(), (*key).to_owned(), (*value).to_owned()));
                }
                Ok(())
            },
        )?;
        Ok(found)
    }

    /// The ids of the resources, of any kind, whose tag `key` has this value.
    pub fn ids_tagged(&self, scope: &Scope, key: &str, value: &str) -> Result<Vec<String>> {
        let mut found = Vec::new();
        self.session.query(
            "SELECT id FROM tag WHERE account = $1 AND region = $2 AND key = $3 AND value = $4 ORDER BY 1",
            &[Some(&scope.account), Some(&scope.region), Some(key), Some(value)],
            &mut |row| {
                found.extend(row.iter().map(|id| (*id).to_owned()));
                Ok(())
            },
        )?;
        Ok(found)
    }

    pub(crate) fn put_tag(&self, scope: &Scope, id: &str, key: &str, value: &str) -> Result<()> {
        self.known_tags.take();
        self.write(
            "INSERT INTO tag VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (account, region, id, key) DO UPDATE SET value = excluded.value",
            &[Some(&scope.account), Some(&scope.region), Some(id), Some(key), Some(value)],
        )?;
        Ok(())
    }

    /// `value` given: removed only if the tag has it.
    pub(crate) fn delete_tag(&self, scope: &Scope, id: &str, key: &str, value: Option<&str>) -> Result<()> {
        self.known_tags.take();
        self.write(
            "DELETE FROM tag WHERE account = $1 AND region = $2 AND id = $3 AND key = $4
             AND (CAST($5 AS TEXT) IS NULL OR value = $5)",
            &[Some(&scope.account), Some(&scope.region), Some(id), Some(key), value],
        )?;
        Ok(())
    }

    /// The generation as of this transaction's start.
    pub fn generation(&self) -> Result<u64> {
        let mut found = 0;
        let sql = "SELECT CAST(value AS TEXT) FROM meta WHERE key = 'generation'";
        self.session.query(sql, &[], &mut |row| {
            found = row.first().and_then(|text| text.parse().ok()).unwrap_or(0);
            Ok(())
        })?;
        Ok(found)
    }

    /// Counts the generation up if this transaction changed something that is news.
    pub(super) fn changed_generation(&self) -> Result<Option<u64>> {
        if !self.news.get() {
            return Ok(None);
        }
        self.session.execute("UPDATE meta SET value = value + 1 WHERE key = 'generation'", &[])?;
        self.generation().map(Some)
    }

    /// Removes what accounts have, users' keys and sessions. The server's own keys, which
    /// rest in no account, stay: its agent goes on signing with them.
    pub(super) fn clear(&self) -> Result<()> {
        self.session.before_write()?;
        self.known_tags.take();
        self.session.batch(
            "DELETE FROM resource WHERE account <> '' OR parent = 'session' OR parent LIKE 'AIDA%'; DELETE FROM tag;
             DELETE FROM resource_key WHERE NOT EXISTS (SELECT 1 FROM resource r
                WHERE r.account = resource_key.account AND r.region = resource_key.region
                  AND r.kind = resource_key.kind AND r.id = resource_key.id);",
        )?;
        self.changed.set(true);
        self.news.set(true);
        Ok(())
    }
}

/// `$FIRST, …` for these values, and the values: filled up with the last one to
/// one of a few lengths, so that few statements are prepared.
fn marks<'v>(first: usize, values: &[&'v str]) -> (String, Vec<&'v str>) {
    let length = [1, 4, 32].into_iter().find(|length| *length >= values.len()).unwrap_or(MANY);
    let last = values.last().copied().unwrap_or_default();
    let filled: Vec<&str> = (0..length).map(|place| values.get(place).copied().unwrap_or(last)).collect();
    let marks: Vec<String> = (first..first + length).map(|place| format!("${place}")).collect();
    (marks.join(", "), filled)
}

fn decode<R: Resource>(id: &str, body: &str) -> Result<R> {
    serde_json::from_str(body).map_err(|source| ControlError::Unreadable {
        kind: R::KIND,
        id: id.to_owned(),
        source,
    })
}
