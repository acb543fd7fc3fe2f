//! The `Principal` element, and whom it means.
//!
//! Names match exactly: no wildcards but a lone `*`, no groups. A role's ARN
//! means every session of the role; an account means everybody in it.
//!
//! Source: IAM user guide, "AWS JSON policy elements: Principal".

use super::{Effect, PolicyError};
use crate::principal::Principal;
use weir_types::arn::Arn;

/// `Principal`, or with `not` `NotPrincipal`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrincipalElement {
    pub not: bool,
    pub entries: Vec<PrincipalEntry>,
}

/// One value of a [`PrincipalElement`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrincipalEntry {
    /// `*`
    Any,
    /// An account by its twelve digits or `arn:aws:iam::A:root`.
    Account(String),
    /// A user, role, assumed-role session or federated user.
    Arn(Arn),
    /// `AIDA…` or `AROA…`: what is left of a principal that was deleted.
    UniqueId(String),
    Service(String),
    /// An identity provider; matches nobody, since Weir has none.
    Federated(String),
    /// An S3 owner id; matches nobody.
    CanonicalUser(String),
}

/// How closely an entry names a principal. The closer, the less else is asked:
/// see [`crate::evaluate()`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PrincipalMatch {
    /// Its account.
    Account,
    /// `*`
    Any,
    /// The role of a session.
    Role,
    /// The user, the session or the service itself.
    Itself,
}

impl PrincipalEntry {
    /// `kind` is `AWS`, `Service`, `Federated` or `CanonicalUser`.
    pub(super) fn parse(kind: &str, value: String) -> Result<Self, PolicyError> {
        let entry = match kind {
            "AWS" => aws(&value),
            "Service" => is_service(&value).then(|| Self::Service(value.clone())),
            "Federated" => (!value.is_empty()).then(|| Self::Federated(value.clone())),
            "CanonicalUser" => (!value.is_empty()).then(|| Self::CanonicalUser(value.clone())),
            _ => None,
        };
        entry.ok_or_else(|| PolicyError::InvalidPrincipal { kind: kind.to_owned(), value })
    }

    /// None when the entry does not mean `principal`.
    pub fn matches(&self, principal: &Principal) -> Option<PrincipalMatch> {
        match (self, principal) {
            (Self::Any, _) => Some(PrincipalMatch::Any),
            (Self::Account(account), Principal::Root { account: own }) if account == own => {
                Some(PrincipalMatch::Itself)
            }
            (Self::Account(account), other) => {
                (other.account() == Some(account)).then_some(PrincipalMatch::Account)
            }
            (Self::Arn(arn), Principal::User { arn: own, .. } | Principal::FederatedUser { arn: own }) => {
                (arn == own).then_some(PrincipalMatch::Itself)
            }
            (Self::Arn(arn), Principal::AssumedRole { role_arn, session_arn, .. }) => {
                if arn == session_arn {
                    Some(PrincipalMatch::Itself)
                } else {
                    (arn == role_arn).then_some(PrincipalMatch::Role)
                }
            }
            (Self::UniqueId(id), Principal::User { user_id, .. }) => {
                (id == user_id).then_some(PrincipalMatch::Itself)
            }
            (Self::UniqueId(id), Principal::AssumedRole { role_id, .. }) => {
                (id == role_id).then_some(PrincipalMatch::Role)
            }
            (Self::Service(service), Principal::Service { name }) => {
                (service == name || is_regional_form(service, name)).then_some(PrincipalMatch::Itself)
            }
            _ => None,
        }
    }
}

impl PrincipalElement {
    /// How closely the element means `principal` in a statement of this effect;
    /// None when it does not.
    ///
    /// `*` allows no AWS service, which must be named; it denies them all.
    /// `NotPrincipal` excepts those whom it names themselves or by their role;
    /// naming only their account does not except them.
    pub fn matches(&self, principal: &Principal, effect: Effect) -> Option<PrincipalMatch> {
        let closest = self.entries.iter().filter_map(|entry| entry.matches(principal)).max();
        let is_service = matches!(principal, Principal::Service { .. });
        if self.not {
            let excepted = closest.is_some_and(|closeness| closeness != PrincipalMatch::Account);
            let unnamed_service = is_service && effect == Effect::Allow;
            return (!excepted && !unnamed_service).then_some(PrincipalMatch::Any);
        }
        closest.filter(|closeness| *closeness != PrincipalMatch::Any || effect == Effect::Deny || !is_service)
    }
}

fn aws(value: &str) -> Option<PrincipalEntry> {
    if value == "*" {
        return Some(PrincipalEntry::Any);
    }
    if is_account(value) {
        return Some(PrincipalEntry::Account(value.to_owned()));
    }
    if (value.starts_with("AIDA") || value.starts_with("AROA"))
        && value.len() >= 16
        && value.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
    {
        return Some(PrincipalEntry::UniqueId(value.to_owned()));
    }
    let arn: Arn = value.parse().ok()?;
    if value.contains(['*', '?']) || !is_account(&arn.account) || !arn.region.is_empty() {
        return None;
    }
    let (kind, name) = arn.resource.split_once('/').unwrap_or((&arn.resource, ""));
    match (arn.service.as_str(), kind) {
        ("iam", "root") if name.is_empty() => Some(PrincipalEntry::Account(arn.account)),
        ("iam", "user" | "role") | ("sts", "federated-user") if !name.is_empty() => {
            Some(PrincipalEntry::Arn(arn))
        }
        ("sts", "assumed-role")
            if name.split_once('/').is_some_and(|(r, s)| !r.is_empty() && !s.is_empty()) =>
        {
            Some(PrincipalEntry::Arn(arn))
        }
        _ => None,
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_service(text: &str) -> bool {
    let name = [".amazonaws.com", ".amazonaws.com.cn", ".aws.internal"]
        .iter()
        .find_map(|suffix| text.strip_suffix(suffix))
        .unwrap_or_default();
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
}

/// Whether `service` is the older regional spelling of `name`, such as
/// `logs.us-east-1.amazonaws.com` of `logs.amazonaws.com`.
fn is_regional_form(service: &str, name: &str) -> bool {
    let (Some((short, domain)), Some((regional, rest))) = (name.split_once('.'), service.split_once('.'))
    else {
        return false;
    };
    let region = rest.strip_suffix(domain).and_then(|region| region.strip_suffix('.'));
    short == regional && region.is_some_and(|region| !region.contains('.') && region.contains('-'))
}
