//! The policies that bear on what a caller does.

use super::role::Role;
use super::session::Session;
use crate::error::{ControlError, Result};
use crate::state::{Scope, Tx};
use weir_iam::{DocumentKind, NamedPolicy, Policies, PolicyDocument, Principal};

/// The policies of a caller, parsed: [`CallerPolicies::as_policies`] lends them
/// to an evaluation.
#[derive(Debug, Clone, Default)]
pub struct CallerPolicies {
    identity: Vec<(String, PolicyDocument)>,
    session: Vec<PolicyDocument>,
    tags: Vec<(String, String)>,
}

impl CallerPolicies {
    /// What [`weir_iam::evaluate()`] and [`weir_iam::may_assume_role`] read.
    pub fn as_policies(&self) -> Policies<'_> {
        let named = |(name, document)| NamedPolicy::new(name, document);
        Policies {
            identity: self
                .identity
                .iter()
                .map(|(name, document)| (name.as_str(), document))
                .map(named)
                .collect(),
            session: self.session.iter().map(|document| ("session policy", document)).map(named).collect(),
            ..Policies::default()
        }
    }

    /// `aws:PrincipalTag`: the tags of the session and those of its role that
    /// the session does not replace.
    pub fn tags(&self) -> &[(String, String)] {
        &self.tags
    }
}

/// The policies of `principal` as of now: of a role session the role's inline
/// policies and the session's own; of a session whose role is gone none at all.
/// The root user and services have none; they need none.
pub fn policies(tx: &Tx<'_>, principal: &Principal, session: Option<&Session>) -> Result<CallerPolicies> {
    let Principal::AssumedRole { role_arn, role_id, .. } = principal else {
        return Ok(CallerPolicies::default());
    };
    let scope = Scope::new(role_arn.account.clone(), Scope::GLOBAL);
    let role: Option<Role> = tx.get(&scope, role_id)?;
    let mut found = CallerPolicies::default();
    for (name, text) in role.map(|role| role.policies).unwrap_or_default() {
        let document = parse(&text, &name)?;
        found.identity.push((name, document));
    }
    for text in session.map(|session| session.policies.as_slice()).unwrap_or_default() {
        found.session.push(parse(text, "session policy")?);
    }
    found.tags = session.map(|session| session.tags.clone()).unwrap_or_default();
    for (key, value) in tx.tags(&scope, role_id)? {
        if !found.tags.iter().any(|(own, _)| own.eq_ignore_ascii_case(&key)) {
            found.tags.push((key, value));
        }
    }
    Ok(found)
}

/// Policies were checked when they were put. One that cannot be read any more
/// stops the request: passing over it could pass over a Deny.
fn parse(text: &str, name: &str) -> Result<PolicyDocument> {
    PolicyDocument::parse(text, DocumentKind::Identity)
        .map_err(|error| ControlError::fault("InternalError", format!("stored policy {name}: {error}")))
}
