//! Finding a resource by the id that a caller gave, with AWS's two faults: a
//! text that is no id of the kind, and an id that nothing has.
//!
//! AWS's codes are not derivable from the prefix (`InvalidVpcID.Malformed`,
//! but `InvalidNetworkInterfaceId.Malformed`), so each kind spells them out.
//! Source: EC2 API, "Error codes".

use crate::error::{ControlError, Result};
use crate::state::{Cx, Exact, Resource};

/// What a kind of resource answers to an id it does not have.
#[derive(Debug, Clone, Copy)]
pub struct IdFaults {
    /// `vpc`
    pub prefix: &'static str,
    /// `vpc ID`, as it stands in the text of `not_found`.
    pub noun: &'static str,
    /// Code for a text without the prefix.
    pub malformed: &'static str,
    /// Code for an id that no resource has.
    pub not_found: &'static str,
}

impl IdFaults {
    /// The resource with this id.
    ///
    /// Errors: the kind's `malformed` and `not_found`.
    pub fn find<R: Resource>(&self, cx: Cx<'_>, id: &str) -> Result<R> {
        if !id.strip_prefix(self.prefix).is_some_and(|rest| rest.starts_with('-')) {
            let message = format!("Invalid id: \"{id}\" (expecting \"{}-...\")", self.prefix);
            return Err(ControlError::fault(self.malformed, message));
        }
        let found = cx.tx.get(cx.scope, id)?;
        found.ok_or_else(|| {
            ControlError::fault(self.not_found, format!("The {} '{id}' does not exist", self.noun))
        })
    }

    /// As [`IdFaults::select`]; for no ids only those that may pass the filters,
    /// which the caller still applies.
    pub fn select_narrowed<R: Resource>(
        &self,
        cx: Cx<'_>,
        ids: &[&str],
        filters: &[Exact],
    ) -> Result<Vec<R>> {
        match ids {
            [] => cx.tx.narrowed(cx.scope, filters),
            ids => self.select(cx, ids),
        }
    }

    /// The resources with these ids in the order of ids; all of them for none.
    pub fn select<R: Resource>(&self, cx: Cx<'_>, ids: &[&str]) -> Result<Vec<R>> {
        if ids.is_empty() {
            return cx.tx.list(cx.scope);
        }
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        ids.dedup();
        ids.into_iter().map(|id| self.find(cx, id)).collect()
    }
}
