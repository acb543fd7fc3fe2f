//! May this principal do this action on this resource?
//!
//! ```text
//! a matching Deny anywhere ─────────────────────────────────────▶ ExplicitDeny
//! service, unsigned        resource policy ─────────────────────▶ Allowed
//! same account   root ──────────────────────────────────────────▶ Allowed
//!                resource policy names user or session ─────────▶ Allowed
//!                resource policy names role, or * ──▶ boundary ∩ session ─▶ Allowed
//!                identity policy ───────────────────▶ boundary ∩ session ─▶ Allowed
//! other account  identity and resource policy ──────▶ boundary ∩ session ─▶ Allowed
//! otherwise ────────────────────────────────────────────────────▶ ImplicitDeny
//! ```
//!
//! A resource policy that names the account only leaves the decision to the
//! account's identity policies. A role's trust policy is a resource policy that
//! must itself allow, for the root user as well.
//!
//! Not modelled: service and resource control policies of AWS Organizations.
//!
//! Source: IAM user guide, "Policy evaluation logic" and "Permissions boundaries
//! for IAM entities".

use crate::context::Context;
use crate::decision::{Decision, Grant, PolicyKind};
use crate::document::{Effect, PolicyDocument, PrincipalMatch, Statement};
use crate::principal::Principal;
use std::borrow::Cow;
use weir_types::arn::Arn;

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    pub principal: &'a Principal,
    /// `service:Name`, such as `ec2:CreateFlowLogs`.
    pub action: &'a str,
    /// An ARN, or `*` for an action without resource-level permissions.
    pub resource: &'a str,
    /// The account that owns the resource, when its ARN does not say so (S3).
    /// Without either the resource is taken to be in the caller's account.
    pub resource_account: Option<&'a str>,
    /// With the caller's keys set: [`Context::set_principal`].
    pub context: &'a Context,
}

/// A document and what to call it when it decides.
#[derive(Debug, Clone)]
pub struct NamedPolicy<'a> {
    /// The name of an inline policy, or a managed policy's ARN.
    pub name: Cow<'a, str>,
    pub document: &'a PolicyDocument,
}

/// The policies that bear on a request.
#[derive(Debug, Clone, Default)]
pub struct Policies<'a> {
    /// Inline and attached policies of the user and its groups, or of the role.
    pub identity: Vec<NamedPolicy<'a>>,
    /// None when the user or role has no permissions boundary.
    pub boundary: Option<NamedPolicy<'a>>,
    /// The inline and managed session policies; none when none were given.
    pub session: Vec<NamedPolicy<'a>>,
    /// The resource's own policies: a bucket has one, a log group may have several.
    pub resource: Vec<NamedPolicy<'a>>,
}

impl<'a> NamedPolicy<'a> {
    pub fn new(name: impl Into<Cow<'a, str>>, document: &'a PolicyDocument) -> Self {
        Self { name: name.into(), document }
    }

    fn statements(&self, effect: Effect) -> impl Iterator<Item = &'a Statement> + use<'a> {
        self.document.statements.iter().filter(move |statement| statement.effect == effect)
    }
}

/// Decides. The order in which policies are given does not matter to the
/// outcome, only to which one is named when several apply.
pub fn evaluate(request: &Request<'_>, policies: &Policies<'_>) -> Decision {
    decide(request, policies, PolicyKind::Resource)
}

/// `resource_kind` is `Resource` or `RoleTrust`.
pub(crate) fn decide(request: &Request<'_>, policies: &Policies<'_>, resource_kind: PolicyKind) -> Decision {
    if let Some(denied) = explicit_deny(request, policies, resource_kind) {
        return denied;
    }
    let lacks = |kind| Decision::ImplicitDeny { kind };
    let is_trust = resource_kind == PolicyKind::RoleTrust;
    let granted = policies
        .resource
        .iter()
        .filter_map(|policy| Some((closest_match(request, policy, Effect::Allow)?, policy)))
        .max_by_key(|(closest, _)| *closest)
        .map(|(closest, policy)| {
            (closest, Grant::Policy { kind: resource_kind, name: policy.name.to_string() })
        });
    if is_trust && granted.is_none() {
        return lacks(resource_kind);
    }
    let Some(account) = request.principal.account() else {
        return granted.map_or(lacks(resource_kind), |(_, grant)| Decision::Allowed(grant));
    };
    let identity = identity_grant(request, policies);
    let same_account = owner(request, account) == account;
    let grant = match (same_account, granted, identity) {
        (true, _, _) if matches!(request.principal, Principal::Root { .. }) => {
            return Decision::Allowed(Grant::AccountRoot);
        }
        (true, Some((PrincipalMatch::Itself, grant)), _) => return Decision::Allowed(grant),
        (true, Some((PrincipalMatch::Role | PrincipalMatch::Any, grant)), _) => grant,
        (true, _, Some(grant)) => grant,
        (_, _, None) => return lacks(PolicyKind::Identity),
        // A role can only be passed within its account.
        (false, None, Some(_)) => return lacks(resource_kind),
        (false, Some(_), Some(_)) if request.action.eq_ignore_ascii_case("iam:PassRole") => {
            return lacks(resource_kind);
        }
        (false, Some(_), Some(grant)) => grant,
    };
    if policies.boundary.as_ref().is_some_and(|boundary| !allows(request, boundary)) {
        return lacks(PolicyKind::Boundary);
    }
    if !policies.session.is_empty() && !policies.session.iter().any(|policy| allows(request, policy)) {
        return lacks(PolicyKind::Session);
    }
    Decision::Allowed(grant)
}

fn explicit_deny(
    request: &Request<'_>,
    policies: &Policies<'_>,
    resource_kind: PolicyKind,
) -> Option<Decision> {
    let denied = |kind, policy: &NamedPolicy<'_>, statement: &Statement| Decision::ExplicitDeny {
        kind,
        policy: policy.name.to_string(),
        sid: statement.sid.clone(),
    };
    let layers = [
        (PolicyKind::Identity, policies.identity.as_slice()),
        (PolicyKind::Boundary, policies.boundary.as_slice()),
        (PolicyKind::Session, policies.session.as_slice()),
    ];
    for (kind, policy) in layers.iter().flat_map(|(kind, list)| list.iter().map(|p| (*kind, p))) {
        if let Some(statement) = policy.statements(Effect::Deny).find(|s| covers(s, request)) {
            return Some(denied(kind, policy, statement));
        }
    }
    policies.resource.iter().find_map(|policy| {
        let statement = policy
            .statements(Effect::Deny)
            .find(|s| covers(s, request) && means(s, request.principal).is_some())?;
        Some(denied(resource_kind, policy, statement))
    })
}

/// The root user's own identity may do everything; what it may do elsewhere is
/// for the other account to say.
fn identity_grant(request: &Request<'_>, policies: &Policies<'_>) -> Option<Grant> {
    if matches!(request.principal, Principal::Root { .. }) {
        return Some(Grant::AccountRoot);
    }
    let policy = policies.identity.iter().find(|policy| allows(request, policy))?;
    Some(Grant::Policy { kind: PolicyKind::Identity, name: policy.name.to_string() })
}

fn allows(request: &Request<'_>, policy: &NamedPolicy<'_>) -> bool {
    policy.statements(Effect::Allow).any(|statement| covers(statement, request))
}

fn closest_match(request: &Request<'_>, policy: &NamedPolicy<'_>, effect: Effect) -> Option<PrincipalMatch> {
    policy
        .statements(effect)
        .filter(|statement| covers(statement, request))
        .filter_map(|statement| means(statement, request.principal))
        .max()
}

fn covers(statement: &Statement, request: &Request<'_>) -> bool {
    statement.covers(request.action, request.resource, request.context)
}

fn means(statement: &Statement, principal: &Principal) -> Option<PrincipalMatch> {
    statement.principal.as_ref()?.matches(principal, statement.effect)
}

/// The account that owns the resource. What belongs to AWS, such as its managed
/// policies, is everybody's.
fn owner<'a>(request: &Request<'a>, caller: &'a str) -> Cow<'a, str> {
    if let Some(account) = request.resource_account {
        return account.into();
    }
    match request.resource.parse::<Arn>() {
        Ok(arn) if !arn.account.is_empty() && arn.account != "aws" => arn.account.into(),
        _ => caller.into(),
    }
}

#[cfg(test)]
mod oracle;
#[cfg(test)]
mod tests;
