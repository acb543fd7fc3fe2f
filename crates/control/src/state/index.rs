//! What a resource is found by besides its id, so that a Describe with a
//! filter reads what it answers with and not the whole account.
//!
//! A kind names what Describe's filters call its id and its parent, and the
//! keys that are kept for it in `resource_key`. A key is a value that a filter
//! of that name compares with: narrowing by it never loses what would pass.

use super::tx::{Resource, Scope, Tx};
use crate::error::Result;
use std::collections::BTreeSet;

/// By what filters a kind is found without reading all of it.
#[derive(Debug, Clone, Copy)]
pub struct Index {
    /// The filter that compares with the id, such as `vpc-id` for a VPC.
    pub id: &'static str,
    /// The filter that compares with the parent.
    pub parent: &'static str,
    /// The names that [`Resource::keys`] gives, the most telling first.
    pub keys: &'static [&'static str],
}

impl Index {
    /// Found by its id and its parent only.
    pub const NONE: Self = Self { id: "", parent: "", keys: &[] };
}

/// One filter whose values are all literal: a resource passes if it has one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exact {
    /// A filter's name, or `tag:KEY`.
    pub name: String,
    pub values: Vec<String>,
}

impl Tx<'_> {
    /// The resources that may pass all of these filters, ordered by id: those
    /// that pass the most telling one that is indexed, all for none. The caller
    /// still applies every filter.
    pub fn narrowed<R: Resource>(&self, scope: &Scope, filters: &[Exact]) -> Result<Vec<R>> {
        let values = |name: &str| {
            let found = filters.iter().find(|filter| !name.is_empty() && filter.name == name)?;
            Some(found.values.iter().map(String::as_str).collect::<Vec<_>>())
        };
        if let Some(ids) = values(R::INDEX.id) {
            return self.get_many(scope, &ids);
        }
        if let Some((name, values)) = R::INDEX.keys.iter().find_map(|name| Some((name, values(name)?))) {
            return self.list_by(scope, name, &values);
        }
        let tag = filters.iter().find_map(|filter| Some((filter.name.strip_prefix("tag:")?, filter)));
        if let Some((key, filter)) = tag {
            let mut ids = BTreeSet::new();
            for value in &filter.values {
                ids.extend(self.ids_tagged(scope, key, value)?);
            }
            return self.get_many(scope, &ids.iter().map(String::as_str).collect::<Vec<_>>());
        }
        if let Some(parents) = values(R::INDEX.parent) {
            let mut found = Vec::new();
            for parent in parents.into_iter().collect::<BTreeSet<_>>() {
                found.extend(self.list_in(scope, parent)?);
            }
            found.sort_by(|a: &R, b: &R| a.id().cmp(b.id()));
            return Ok(found);
        }
        self.list(scope)
    }
}

/// Writes the keys of every kind that has some, for a state of before there
/// were any.
pub(super) fn rebuild(tx: &Tx<'_>) -> Result<()> {
    fn of_kind<R: Resource>(tx: &Tx<'_>) -> Result<()> {
        for (scope, resource) in tx.list_everywhere::<R>()? {
            tx.put(&scope, &resource)?;
        }
        Ok(())
    }
    of_kind::<crate::security_group::SecurityGroup>(tx)?;
    of_kind::<crate::security_group::SecurityGroupRule>(tx)?;
    of_kind::<crate::flow_log::FlowLog>(tx)
}
