//! The answer of an evaluation, which says why, and the text AWS shows for it.
//!
//! Source: IAM user guide, "Troubleshoot access denied error messages".

use crate::evaluate::Request;
use std::fmt;

/// A place from which policies come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PolicyKind {
    /// Of the user and its groups, or of the role.
    Identity,
    /// On the resource.
    Resource,
    /// On the role that is to be assumed.
    RoleTrust,
    /// The permissions boundary of the user or role.
    Boundary,
    /// Given when the session was made.
    Session,
}

impl fmt::Display for PolicyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Identity => "identity-based policy",
            Self::Resource => "resource-based policy",
            Self::RoleTrust => "role trust policy",
            Self::Boundary => "permissions boundary",
            Self::Session => "session policy",
        })
    }
}

/// What granted access.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grant {
    /// The caller is the root user of the resource's account.
    AccountRoot,
    /// The first policy that allows it.
    Policy { kind: PolicyKind, name: String },
}

/// The answer for one action on one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    Allowed(Grant),
    /// A `Deny` statement matches; nothing can outweigh it.
    ExplicitDeny {
        kind: PolicyKind,
        /// The policy's name or ARN, as the caller of [`crate::evaluate()`] gave it.
        policy: String,
        sid: Option<String>,
    },
    /// No policy of this kind allows it, and one must.
    ImplicitDeny {
        kind: PolicyKind,
    },
}

impl Decision {
    pub fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed(_))
    }

    /// `EvalDecision` of SimulatePrincipalPolicy.
    pub fn eval_decision(&self) -> &'static str {
        match self {
            Self::Allowed(_) => "allowed",
            Self::ExplicitDeny { .. } => "explicitDeny",
            Self::ImplicitDeny { .. } => "implicitDeny",
        }
    }

    /// AWS's message for a denial, with the reason: `User: … is not authorized
    /// to perform: … on resource: … because no identity-based policy allows the
    /// … action`. None when the request is allowed.
    pub fn access_denied_message(&self, request: &Request<'_>) -> Option<String> {
        let reason = match self {
            Self::Allowed(_) => return None,
            Self::ExplicitDeny { kind, policy, .. } => {
                let article = match kind {
                    PolicyKind::Identity => "an",
                    PolicyKind::RoleTrust => "the",
                    _ => "a",
                };
                let named = if policy.starts_with("arn:") { format!(": {policy}") } else { String::new() };
                format!("with an explicit deny in {article} {kind}{named}")
            }
            Self::ImplicitDeny { kind } => {
                format!("because no {kind} allows the {} action", request.action)
            }
        };
        Some(format!("{} {reason}", not_authorized_message(request)))
    }
}

/// The message of services that give no reason, such as STS for AssumeRole.
pub fn not_authorized_message(request: &Request<'_>) -> String {
    let on_resource = match request.resource {
        "*" => String::new(),
        arn => format!(" on resource: {arn}"),
    };
    format!("User: {} is not authorized to perform: {}{on_resource}", request.principal.arn(), request.action)
}
